"""Variables and arguments of planned operations, coerced by functions that are made once for each document.

A variable is coerced by its declared type when the operation starts, once, however often it is used; an argument that
is a plain variable takes that value, and one that is a constant was coerced with the plan. What these functions do not
know (a variable within a literal, a literal that only fits a list) is left to graphql-core and Strawberry each time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import graphql
from graphql import FieldNode, GraphQLField, GraphQLNonNull, GraphQLSchema, OperationDefinitionNode, VariableNode
from graphql.execution.values import get_argument_values, get_variable_values
from graphql.utilities import value_from_ast_untyped
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.coercion import Coerce, coercer
from schema.leaves import Unexpected, Unplannable

_ABSENT: Final = object()


class Values:
    """The variables of one operation.

    Attributes:
        coerced: what resolvers get, by the variable's name; those without a value are missing, and so are those of
            types that only graphql-core knows.
    """

    __slots__ = ("_by_core", "_core", "coerced")

    def __init__(self, coerced: dict[str, Any], by_core: Callable[[], Any]) -> None:
        self.coerced = coerced
        self._by_core = by_core
        self._core: Any = None

    @property
    def core(self) -> Any:
        """The variables as graphql-core coerces them; raises Unexpected where one does not fit."""
        if self._core is None:
            self._core = self._by_core()
        return self._core


NO_VALUES: Final = Values({}, lambda: None)
Arguments = Callable[[Values], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Variable:
    """How one variable is coerced.

    Attributes:
        coerce: from JSON to the value that resolvers get.
        default: that value where none is given; _ABSENT where the variable then has no value.
        is_required: it must be given.
    """

    name: str
    coerce: Coerce
    default: Any
    is_required: bool


class Variables:
    """Coerces the variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._definitions = tuple(operation.variable_definitions or ())
        known = [_variable(schema, each) for each in self._definitions]
        self._known = tuple(each for each in known if each is not None)

    def coerce(self, given: Mapping[str, Any]) -> Values:
        """Return the values of one request.

        Raises:
            Unexpected: one does not fit its type; the ordinary executor says which.
        """
        coerced: dict[str, Any] = {}
        for each in self._known:
            value = given.get(each.name, _ABSENT)
            if value is not _ABSENT:
                coerced[each.name] = each.coerce(value)
            elif each.default is not _ABSENT:
                coerced[each.name] = each.default
            elif each.is_required:
                raise Unexpected(f"${each.name} is missing")
        values = Values(coerced, lambda: self._by_core(given))
        if len(self._known) < len(self._definitions):
            values.core  # noqa: B018 - raises where a variable that is not known here does not fit
        return values

    @property
    def known(self) -> frozenset[str]:
        """The variables that `coerce` gives values."""
        return frozenset(each.name for each in self._known)

    def _by_core(self, given: Mapping[str, Any]) -> Any:
        coerced = get_variable_values(self._schema, self._definitions, dict(given))
        if isinstance(coerced, list):
            raise Unexpected("a variable does not fit")
        return coerced


def compile_arguments(
    field: GraphQLField,
    node: FieldNode,
    definition: StrawberryField,
    converter: GraphQLCoreConverter,
    known: frozenset[str],
) -> Arguments:
    """Return how a field's arguments are made of the variables.

    Args:
        field: of the schema.
        node: in the document.
        definition: Strawberry's, whose resolver gets the arguments.
        converter: of the schema.
        known: variables that have coerced values.
    """
    if not field.args:
        return lambda _: {}
    names = {
        each.graphql_name or converter.config.name_converter.from_argument(each): each for each in definition.arguments
    }
    try:
        return _compiled(field, node, {name: each.python_name for name, each in names.items()}, known)
    except (Unplannable, Unexpected):
        pass

    def by_core(values: Values) -> Mapping[str, Any]:
        given = get_argument_values(field, node, values.core)
        return convert_arguments(given, definition.arguments, cast("Any", converter).scalar_registry, converter.config)

    return by_core


def _compiled(
    field: GraphQLField, node: FieldNode, python_names: Mapping[str, str], known: frozenset[str]
) -> Arguments:
    constants: dict[str, Any] = {}
    variables: list[tuple[str, str, bool]] = []
    for argument in node.arguments or ():
        type_ = cast("Any", field.args[argument.name.value]).type
        python_name = python_names[argument.name.value]
        if isinstance(argument.value, VariableNode):
            if argument.value.name.value not in known:
                raise Unplannable("a variable of a type that only graphql-core knows")
            variables.append((python_name, argument.value.name.value, isinstance(type_, GraphQLNonNull)))
        elif has_variable([argument.value]):
            raise Unplannable("a variable within a literal")
        else:
            constants[python_name] = coercer(type_)(value_from_ast_untyped(argument.value))
    if not variables:
        return lambda _: constants

    def arguments(values: Values) -> Mapping[str, Any]:
        coerced = values.coerced
        given = constants.copy()
        for python_name, variable, is_required in variables:
            # What is absent takes the resolver's default, which is that of the schema.
            value = coerced.get(variable, _ABSENT)
            if value is not _ABSENT:
                given[python_name] = value
            if is_required and (value is None or value is _ABSENT):
                raise Unexpected(f"${variable} is null")
        return given

    return arguments


def has_variable(nodes: Iterable[Any]) -> bool:
    """Return whether a variable occurs in values of a document."""
    pending: list[Any] = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, VariableNode):
            return True
        pending.extend(getattr(node, "values", None) or ())
        pending.extend(getattr(node, "fields", None) or ())
        value = getattr(node, "value", None)
        if value is not None and not isinstance(value, str | bool):
            pending.append(value)
    return False


def _variable(schema: GraphQLSchema, definition: Any) -> _Variable | None:
    type_ = cast("Any", graphql).type_from_ast(schema, definition.type)
    try:
        coerce = coercer(type_)
        default = _ABSENT
        if definition.default_value is not None:
            default = coerce(value_from_ast_untyped(definition.default_value))
    except (Unplannable, Unexpected):
        return None
    return _Variable(definition.variable.name.value, coerce, default, isinstance(type_, GraphQLNonNull))
