"""Arguments from JSON, fast: one function for each input type, made once.

graphql-core coerces a value step by step through the type, and Strawberry walks it again to build its inputs; for a
batch of a thousand readings that takes longer than storing them. The functions made here do both in one pass for values
that are well formed. At anything else they raise Unexpected, and the ordinary way finds out what is wrong and says so.
"""

import math
from collections.abc import Callable, Sequence
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

from schema.columns import COLUMNS, Columns
from schema.leaves import Unexpected, Unplannable

Coerce = Callable[[Any], Any]

_LARGEST_INT = 2**31 - 1


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
    fields = [(name, field.python_name, _column(about.type), _required(about)) for name, field, about in _fields(type_)]
    names = type_.fields.keys()

    def coerce(value: Any) -> Columns:
        if type(value) is not list or set(map(type, cast("list[Any]", value))) - {dict}:
            raise Unexpected("no list of objects")
        rows = cast("list[dict[str, Any]]", value)
        seen = set[str]().union(*rows)
        if not seen <= names:
            raise Unexpected("an unknown field")
        columns: dict[str, Sequence[Any]] = {}
        for name, python_name, convert, required in fields:
            if name in seen:
                columns[python_name] = convert([row.get(name) for row in rows])
            elif required and rows:
                raise Unexpected("a required field is missing")
        return Columns(len(rows), columns)

    return coerce


def _column(type_: Any) -> Callable[[list[Any]], list[Any]]:
    """Return the function for all values of a field at once; values that need no conversion are only looked at."""
    nullable = not isinstance(type_, GraphQLNonNull)
    plain = _PLAIN.get(getattr(_nullable(type_), "name", ""))
    convert = coercer(type_)

    def coerce(values: list[Any]) -> list[Any]:
        types = set(map(type, values))
        if nullable:
            types.discard(NoneType)
        if plain is not None and types <= {plain}:
            return values
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
