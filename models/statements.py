"""SQL statements: built by SQLAlchemy once, kept as text, run by the drivers.

A repository builds each shape of a statement once (`prepared` remembers it by the arguments that shape it) with named
`bindparam`s; at run time only values travel. No session, no entity and no object per row stands between the driver and
the caller: PostgreSQL's rows come as the driver makes them, SQLite's as dictionaries, both read by column name.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ParamSpec, TypeAlias, cast

from sqlalchemy import BindParameter, Column, ColumnElement, Dialect, Executable, Table, any_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

from models.types import BigIntegerList, TextList

Row: TypeAlias = Mapping[str, Any]
RowMaker: TypeAlias = Callable[[Sequence[Any]], Row]
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
        row_of: turns what the driver returns into a row: a tuple on SQLite; on PostgreSQL it is one already.
    """

    __slots__ = ("_binds", "row_of", "sql")

    def __init__(self, clause: Executable, dialect: Dialect) -> None:
        compiled = cast("SQLCompiler", cast("Any", clause).compile(dialect=dialect))
        self.sql = compiled.string
        self._binds = [_bind(compiled.binds[name], dialect) for name in compiled.positiontup or ()]
        self.row_of: RowMaker = (
            _row_maker(clause, dialect) if dialect.name == "sqlite" else lambda row: cast("Row", row)
        )

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the placeholders, each as the driver takes it.

        Raises KeyError for a value that is missing: a misspelt name must not become a NULL.
        """
        return [
            constant if name is None else process(values[name]) if process else values[name]
            for name, process, constant in self._binds
        ]


def _bind(parameter: BindParameter[Any], dialect: Dialect) -> tuple[str | None, Callable[[Any], Any] | None, Any]:
    process = parameter.type.dialect_impl(dialect).bind_processor(dialect)
    if parameter.required:
        return parameter.key, process, None
    return None, None, process(parameter.value) if process else parameter.value


def _row_maker(clause: Executable, dialect: Dialect) -> RowMaker:
    columns = list(getattr(clause, "exported_columns", ()))
    names: list[str] = [column.key for column in columns]
    processors = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    conversions = [(index, process) for index, process in enumerate(processors) if process is not None]

    def make(values: Sequence[Any]) -> Row:
        row = dict(zip(names, values, strict=True))
        for index, process in conversions:
            row[names[index]] = process(values[index])
        return row

    return make


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
    return _is_one_of(column, bindparam(parameter, type_=BigIntegerList()), dialect)


def is_one_text_of(column: ColumnElement[Any], parameter: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a column of texts is in a list parameter; its text is the same for any length."""
    return _is_one_of(column, bindparam(parameter, type_=TextList()), dialect)


def _is_one_of(column: ColumnElement[Any], values: BindParameter[Any], dialect: str) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(values)
    return column.in_(select(func.json_each(values).table_valued("value").c.value))
