"""Leaves: one generated function turns all rows of a selection into the objects of the answer.

For the selection `{ id time: recordedAt temperature }` this is generated once and kept with the plan:

    def make(rows):
        return [{'id': (v if (v := compute0(r)) is not None else missing('id')),
                 'time': (v if (v := r['recorded_at']) is not None else missing('time')),
                 'temperature': r['temperature']} for r in rows]

Going through the leaves in compiled code, rather than field by field through the executor, makes long lists cheap. Rows
that are held as columns (models/columnar.py) get a function of their own, whose checks are made once for a column:

    def make(columns):
        return [{'time': v0, 'temperature': v1}
                for v0, v1 in zip(column(columns, 'recorded_at', …), column(columns, 'temperature', …))]
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import GraphQLEnumType, GraphQLList, GraphQLNonNull, GraphQLScalarType

from models.columnar import ColumnRows

Objects = list[dict[str, Any]]

# Scalars whose rows hold what the encoder of responses writes as it is; instants among them.
_AS_THEY_ARE = {"ID", "String", "Int", "Float", "Boolean", "DateTime"}


class Unplannable(Exception):
    """The document has something that only the ordinary executor knows."""


class Unexpected(Exception):
    """A value is not as the schema says; the ordinary executor tells the client where."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of the generated objects.

    Attributes:
        response_key: its name in the answer.
        type_: its type in the schema; None for a constant.
        column: the column that it shows, or
        compute: the function of the row, which reads the columns
        needs: of it, None for all, or
        constant: the same for all rows (`__typename`, or the place of a link that is filled in later).
    """

    response_key: str
    type_: Any = None
    column: str | None = None
    compute: Callable[[Any], Any] | None = None
    needs: frozenset[str] | None = None
    constant: Any = None


def is_leaf(type_: Any) -> bool:
    """Return whether values of a type end there: scalars and enums, and lists of them."""
    return isinstance(_named(type_), GraphQLScalarType | GraphQLEnumType)


def converter(type_: Any) -> Callable[[Any], Any] | None:
    """Return what turns a row's value into that of the answer; None where they are the same.

    Raises:
        Unplannable: only the ordinary executor knows the type.
    """
    inner = _nullable(type_)
    named = _named(inner)
    if isinstance(named, GraphQLScalarType) and named.name in _AS_THEY_ARE:
        return None
    convert = _enum_name(named) if isinstance(named, GraphQLEnumType) else None
    if isinstance(named, GraphQLScalarType) and named.name == "Decimal":
        convert = str
    if convert is None:
        raise Unplannable(f"no conversion for {named}")
    if isinstance(inner, GraphQLList):
        return lambda values: [None if value is None else convert(value) for value in values]
    return convert


class Maker:
    """Makes the objects of a selection, with their leaves, of its rows.

    Args:
        leaves: of the selection.

    Raises:
        Unplannable: a leaf has a type that only the ordinary executor knows.
    """

    __slots__ = ("_of_columns", "_of_rows")

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self._of_rows = _compile_rows(leaves)
        self._of_columns = _compile_columns(leaves)

    def __call__(self, rows: Sequence[Any]) -> Objects:
        """Return the object of each row; raises Unexpected where a value is not as the schema says."""
        return self._of_columns(rows) if type(rows) is ColumnRows else self._of_rows(rows)


def _compile_rows(leaves: Sequence[Leaf]) -> Callable[[Sequence[Any]], Objects]:
    names: dict[str, Any] = {"missing": _missing}
    entries = ", ".join(f"{leaf.response_key!r}: {_expression(leaf, names)}" for leaf in leaves)
    return _made(f"def make(rows):\n    return [{{{entries}}} for r in rows]\n", names)


def _compile_columns(leaves: Sequence[Leaf]) -> Callable[[ColumnRows], Objects]:
    names: dict[str, Any] = {"column": _column}
    entries: list[str] = []
    columns: list[str] = []
    for leaf in leaves:
        if leaf.type_ is None:
            entries.append(f"{leaf.response_key!r}: {_name(names, leaf.constant)}")
            continue
        entries.append(f"{leaf.response_key!r}: v{len(columns)}")
        columns.append(f"column(rows, {_name(names, leaf)}, {_name(names, converter(leaf.type_))})")
    variables = "".join(f"v{place}, " for place in range(len(columns)))
    source = f"for {variables} in zip({', '.join(columns)})" if columns else "for _ in range(len(rows))"
    return _made(f"def make(rows):\n    return [{{{', '.join(entries)}}} {source}]\n", names)


def _made(source: str, names: dict[str, Any]) -> Any:
    exec(compile(source, "<selection>", "exec"), names)  # noqa: S102 - made of names of the schema only
    # Taken out: a function that stands among its own names would have to wait for the garbage collector.
    return names.pop("make")


def _column(rows: ColumnRows, leaf: Leaf, convert: Callable[[Any], Any] | None) -> list[Any]:
    """Return the values of a leaf of all rows."""
    if leaf.compute is not None:
        values = list(map(leaf.compute, rows if leaf.needs is None else rows.only(leaf.needs)))
        may_have_null = True
        is_finite = not _is_float(leaf.type_) or all(value is None or value - value == 0 for value in values)
    else:
        column = rows.columns[leaf.column or ""]
        values = rows.of(column.values)
        may_have_null, is_finite = column.may_have_null, column.is_finite
    if not is_finite or (may_have_null and isinstance(leaf.type_, GraphQLNonNull) and None in values):
        _missing(leaf.response_key)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _expression(leaf: Leaf, names: dict[str, Any]) -> str:
    if leaf.type_ is None:
        return _name(names, leaf.constant)
    value = f"r[{leaf.column!r}]" if leaf.compute is None else f"{_name(names, leaf.compute)}(r)"
    convert = converter(leaf.type_)
    if _is_float(leaf.type_):
        # A number that is not finite leaves something when it is taken from itself; the encoder would write it as null.
        allowed = "is not None and" if isinstance(leaf.type_, GraphQLNonNull) else "is None or"
        return f"(v if (v := {value}) {allowed} v - v == 0 else missing({leaf.response_key!r}))"
    converted = "v" if convert is None else f"{_name(names, convert)}(v)"
    if isinstance(leaf.type_, GraphQLNonNull):
        return f"({converted} if (v := {value}) is not None else missing({leaf.response_key!r}))"
    return value if convert is None else f"(None if (v := {value}) is None else {converted})"


def _name(names: dict[str, Any], value: Any) -> str:
    name = f"n{len(names)}"
    names[name] = value
    return name


def _missing(response_key: str) -> Any:
    raise Unexpected(f"{response_key} is null, or not a number")


def _enum_name(enum: GraphQLEnumType) -> Callable[[Any], str]:
    # Raises KeyError for a value that is none of the enum's; as any exception it leaves the answer to the executor.
    return {value.value: name for name, value in enum.values.items()}.__getitem__


def _is_float(type_: Any) -> bool:
    inner = _nullable(type_)
    return isinstance(inner, GraphQLScalarType) and inner.name == "Float"


def _nullable(type_: Any) -> Any:
    return cast("Any", type_).of_type if isinstance(type_, GraphQLNonNull) else type_


def _named(type_: Any) -> Any:
    named: Any = type_
    while isinstance(named, GraphQLNonNull | GraphQLList):
        named = cast("Any", named).of_type
    return named
