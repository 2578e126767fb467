"""SQL statements: built by SQLAlchemy once, kept as text, run by the drivers.

A repository builds each shape of a statement once (`prepared` remembers it by the arguments that shape it) with named
`bindparam`s; at run time only values travel. No session, no entity and no object per row stands between the driver and
the caller: PostgreSQL's rows come as the driver makes them, SQLite's as dictionaries, both read by column name.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ParamSpec, TypeAlias, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Dialect,
    Executable,
    String,
    Table,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

from models.types import BigIntegerList, TextList

Row: TypeAlias = Mapping[str, Any]
RowsMaker: TypeAlias = Callable[[Sequence[Any]], Sequence[Row]]
Arguments: TypeAlias = Callable[[Mapping[str, Any]], list[Any]]
P = ParamSpec("P")

DIALECTS: dict[str, Dialect] = {"postgresql": asyncpg.dialect(), "sqlite": sqlite.dialect(paramstyle="qmark")}


def prepared(build: Callable[P, "Statement"]) -> Callable[P, "Statement"]:
    """Let a function that builds a statement from hashable arguments build each shape once."""
    return cast("Callable[P, Statement]", lru_cache(maxsize=1024)(build))


class Statement:
    """One statement, in the SQL of each database that asks for it."""

    __slots__ = ("_clause", "_compiled")

    def __init__(self, clause: Executable) -> None:
        self._clause = clause
        self._compiled: dict[str, CompiledStatement] = {}

    def on(self, dialect: str) -> "CompiledStatement":
        """Return the statement for a dialect name, compiled the first time."""
        known = self._compiled.get(dialect)
        if known is None:
            known = self._compiled[dialect] = CompiledStatement(self._clause, DIALECTS[dialect])
        return known


class CompiledStatement:
    """A statement as a driver takes it.

    Attributes:
        sql: the text, with the placeholders of the driver.
        arguments: from values by name to the arguments in the order of the placeholders, each as the driver takes it.
        rows_of: turns what the driver returns into rows: tuples on SQLite; on PostgreSQL they are rows already.
    """

    __slots__ = ("arguments", "rows_of", "sql")

    def __init__(self, clause: Executable, dialect: Dialect) -> None:
        compiled = cast("SQLCompiler", cast("Any", clause).compile(dialect=dialect))
        self.sql = compiled.string
        self.arguments = _compile_arguments(
            [_bind(compiled.binds[name], dialect) for name in compiled.positiontup or ()]
        )
        self.rows_of: RowsMaker = _rows_maker(clause, dialect) if dialect.name == "sqlite" else _as_they_are


def _compile_arguments(binds: Sequence[tuple[str | None, Callable[[Any], Any] | None, Any]]) -> Arguments:
    """Generate the function from values by name to the list of arguments.

    It raises KeyError for a value that is missing: a misspelt name must not become a NULL.
    """
    names: dict[str, Any] = {}
    entries: list[str] = []
    for place, (name, process, constant) in enumerate(binds):
        names[f"process{place}"], names[f"constant{place}"] = process, constant
        value = f"constant{place}" if name is None else f"values[{name!r}]"
        entries.append(value if name is None or process is None else f"process{place}({value})")
    source = f"def arguments(values):\n    return [{', '.join(entries)}]\n"
    exec(compile(source, "<arguments>", "exec"), names)  # noqa: S102 - made of names of our own statements only
    return names["arguments"]


def _bind(parameter: BindParameter[Any], dialect: Dialect) -> tuple[str | None, Callable[[Any], Any] | None, Any]:
    process = parameter.type.dialect_impl(dialect).bind_processor(dialect)
    if parameter.required:
        return parameter.key, process, None
    return None, None, process(parameter.value) if process else parameter.value


def _rows_maker(clause: Executable, dialect: Dialect) -> RowsMaker:
    """Generate the function from tuples to rows: one dictionary display for each, in compiled code."""
    names: dict[str, Any] = {}
    entries: list[str] = []
    for place, column in enumerate(getattr(clause, "exported_columns", ())):
        process = column.type.dialect_impl(dialect).result_processor(dialect, None)
        names[f"process{place}"] = process
        entries.append(f"{column.key!r}: " + (f"v[{place}]" if process is None else f"process{place}(v[{place}])"))
    source = f"def rows_of(tuples):\n    return [{{{', '.join(entries)}}} for v in tuples]\n"
    exec(compile(source, "<rows>", "exec"), names)  # noqa: S102 - made of names of our own statements only
    return names["rows_of"]


def _as_they_are(rows: Sequence[Any]) -> Sequence[Row]:
    return rows


def table_of(rows: type[SQLModel]) -> Table:
    """Return the table that a class of rows describes."""
    return cast("Any", rows).__table__


def table_columns(rows: type[SQLModel]) -> dict[str, Column[Any]]:
    """Return the columns of a table by name."""
    # SQLAlchemy's names are a kind of text that JSON's encoder does not take for one.
    return {str(name): column for name, column in table_of(rows).columns.items()}


def pick(columns: Mapping[str, Column[Any]], wanted: frozenset[str] | None, *always: str) -> list[Column[Any]]:
    """Return the wanted columns (None: all) and those always needed, in the table's order."""
    if wanted is None:
        return list(columns.values())
    return [column for name, column in columns.items() if name in wanted or name in always]


def is_one_of(column: ColumnElement[Any], parameter: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that an integer column is in a list parameter; its text is the same for any length."""
    if dialect == "postgresql":
        return column == any_(numbers(parameter))
    return _is_one_of(column, bindparam(parameter, type_=BigIntegerList()), dialect)


def name(value: str) -> ColumnElement[str]:
    """Return a name, as of a kind or a status, as it stands in the text of a statement; it must be an identifier."""
    if not (value.isascii() and value.isidentifier()):
        raise ValueError(f"no name: {value!r}")
    return literal_column(f"'{value}'", String)


def numbers(parameter: str) -> ColumnElement[Any]:
    """Return a list parameter of whole numbers for PostgreSQL, whose length the planner does not see.

    It would find that short lists deserve a plan of their own, and make one each time they are asked for, which takes
    longer than to look their rows up.
    """
    given = select(bindparam(parameter, type_=BigIntegerList()))
    return sql_cast(given.scalar_subquery(), ARRAY(BigInteger))


def is_one_text_of(column: ColumnElement[Any], parameter: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a column of texts is in a list parameter; its text is the same for any length."""
    return _is_one_of(column, bindparam(parameter, type_=TextList()), dialect)


def _is_one_of(column: ColumnElement[Any], values: BindParameter[Any], dialect: str) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(values)
    return column.in_(select(func.json_each(values).table_valued("value").c.value))
