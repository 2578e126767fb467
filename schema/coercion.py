"""Arguments from JSON, fast: one function for each input type, made once.

graphql-core coerces a value step by step through the type, and Strawberry walks it again to build its inputs; for a
batch of a thousand readings that takes longer than storing them. The functions made here do both in one pass for values
that are well formed. At anything else they raise Unexpected, and the ordinary way finds out what is wrong and says so.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from operator import itemgetter
from types import NoneType
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    Undefined,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from schema.columns import COLUMNS, MICROS, Columns
from schema.leaves import Unexpected, Unplannable
from schema.scalars import parse_instants, parse_micros

Coerce = Callable[[Any], Any]

_LARGEST_INT = 2**31 - 1
# Of fewer values an array costs more than it saves.
_WORTH_AN_ARRAY = 64


def coercer(type_: Any) -> Coerce:
    """Return the function that turns a JSON value into what a resolver gets for an argument of this type.

    Raises:
        Unplannable: only the ordinary way knows the type.
    """
    if isinstance(type_, GraphQLNonNull):
        return _inner(cast("Any", type_).of_type)
    inner = _inner(type_)
    return lambda value: None if value is None else inner(value)


def _inner(type_: Any) -> Coerce:
    """Return the function for a type without null."""
    if isinstance(type_, GraphQLList):
        return _list_of(coercer(cast("Any", type_).of_type))
    if isinstance(type_, GraphQLEnumType):
        return _enum(type_)
    if isinstance(type_, GraphQLInputObjectType):
        return _object(type_)
    if isinstance(type_, GraphQLScalarType):
        return _SCALARS.get(type_.name) or _parsed(type_)
    raise Unplannable(f"no coercion to {type_}")


def _list_of(item: Coerce) -> Coerce:
    def coerce(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Unexpected("no list")
        return [item(each) for each in cast("list[Any]", value)]

    return coerce


def _object(type_: GraphQLInputObjectType) -> Coerce:
    fields = [(name, field.python_name, _field_coercer(field, about)) for name, field, about in _fields(type_)]
    names = type_.fields.keys()
    make: Callable[..., Any] = _definition(type_).origin

    def coerce(value: Any) -> Any:
        if type(value) is not dict or not value.keys() <= names:  # pyright: ignore[reportUnknownMemberType]
            raise Unexpected("no object of this type")
        given = {python_name: convert(value[name]) for name, python_name, convert in fields if name in value}
        try:
            # What is absent takes the default of the class, which is the default of the schema.
            return make(**given)
        except TypeError as error:
            raise Unexpected("a required field is missing") from error

    return coerce


def _field_coercer(field: StrawberryField, about: Any) -> Coerce:
    if field.metadata.get(COLUMNS):
        return _columns(_named(about.type))
    return coercer(about.type)


def _columns(type_: GraphQLInputObjectType) -> Coerce:
    """Return the function that turns a list of objects into columns: a few passes over each, no call for each value."""
    fields = {
        name: (field.python_name, _column(about.type, as_micros=field.metadata.get(MICROS, False)))
        for name, field, about in _fields(type_)
    }
    required = {name for name, _, about in _fields(type_) if _required(about)}

    def coerce(value: Any) -> Columns:
        if type(value) is not list or set(map(type, cast("list[Any]", value))) - {dict}:
            raise Unexpected("no list of objects")
        rows = cast("list[dict[str, Any]]", value)
        given = _transposed(rows)
        if not given.keys() <= fields.keys():
            raise Unexpected("an unknown field")
        if rows and not given.keys() >= required:
            raise Unexpected("a required field is missing")
        columns: dict[str, Sequence[Any]] = {}
        for name, values in given.items():
            python_name, convert = fields[name]
            columns[python_name] = convert(values)
        return Columns(len(rows), columns)

    return coerce


def _transposed(rows: list[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    """Return the values of each key that any row has, None where a row lacks it."""
    if len(rows) < 2:
        return {name: (value,) for row in rows for name, value in row.items()}
    names = tuple(rows[0])
    # Nearly all senders give the same fields in each row.
    if len(names) > 1 and set(map(len, rows)) == {len(names)}:
        with suppress(KeyError):
            return dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(chain.from_iterable(rows))}


def _column(type_: Any, *, as_micros: bool = False) -> Callable[[Sequence[Any]], Any]:
    """Return the function for all values of a field at once; values that need no conversion are only looked at.

    Args:
        type_: of the field.
        as_micros: many instants may become an array of microseconds since 1970.
    """
    name = getattr(_nullable(type_), "name", "")
    plain, convert = _PLAIN.get(name), coercer(type_)
    untouched = frozenset[type]() if plain is None else frozenset({plain})
    if not isinstance(type_, GraphQLNonNull):
        untouched |= {NoneType}
    is_instant = name == "DateTime"

    def coerce(values: Sequence[Any]) -> Any:
        types = set(map(type, values))
        if types <= untouched:
            return values
        if is_instant and types == {str}:
            micros = parse_micros(values) if as_micros and len(values) >= _WORTH_AN_ARRAY else None
            if micros is not None:
                return micros
            instants = parse_instants(values)
            if instants is not None:
                return instants
        return [convert(value) for value in values]

    return coerce


def _fields(type_: GraphQLInputObjectType) -> list[tuple[str, StrawberryField, Any]]:
    return [
        (name, field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF], field) for name, field in type_.fields.items()
    ]


def _definition(type_: GraphQLInputObjectType) -> StrawberryObjectDefinition:
    definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryObjectDefinition) or type_.is_one_of:
        raise Unplannable(f"no coercion to {type_.name}")
    return definition


def _required(about: Any) -> bool:
    if about.default_value not in {None, Undefined}:
        raise Unplannable("columns know no default but null")
    return isinstance(about.type, GraphQLNonNull)


def _nullable(type_: Any) -> Any:
    return cast("Any", type_).of_type if isinstance(type_, GraphQLNonNull) else type_


def _named(type_: Any) -> Any:
    named = type_
    while isinstance(named, GraphQLNonNull | GraphQLList):
        named = cast("Any", named).of_type
    return named


def _enum(type_: GraphQLEnumType) -> Coerce:
    wrapped = getattr(type_, "wrapped_cls", None)
    if wrapped is None:
        raise Unplannable(f"no coercion to {type_.name}")
    members = {name: wrapped(value.value) for name, value in type_.values.items()}

    def coerce(value: Any) -> Any:
        member = members.get(value) if type(value) is str else None
        if member is None:
            raise Unexpected(f"no {type_.name}")
        return member

    return coerce


def _parsed(type_: GraphQLScalarType) -> Coerce:
    parse: Coerce = cast("Any", type_).coerce_input_value

    def coerce(value: Any) -> Any:
        try:
            return parse(value)
        except Exception as error:
            raise Unexpected(f"no {type_.name}") from error

    return coerce


def _float(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and abs(value) <= _LARGEST_INT:
        return float(value)
    raise Unexpected("no Float")


def _int(value: Any) -> int:
    if type(value) is int and abs(value) <= _LARGEST_INT:
        return value
    raise Unexpected("no Int")


def _string(value: Any) -> str:
    if type(value) is str:
        return value
    raise Unexpected("no String")


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise Unexpected("no Boolean")


# JSON values of these scalars that stay as they are; numbers of JSON are finite.
_PLAIN: dict[str, type] = {"Float": float, "String": str, "ID": str, "Boolean": bool}
_SCALARS: dict[str, Coerce] = {"Float": _float, "Int": _int, "String": _string, "ID": _string, "Boolean": _boolean}
