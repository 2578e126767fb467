"""Mutations by plan: arguments coerced in one pass, the use case called, the payload completed like a query.

Only an operation of one root field whose arguments are variables, each used there alone, is planned: what clients of
bulk mutations send. Nothing is ever done twice: what the use case returned or raised is kept in the scope, so
that the ordinary executor, when it has to finish the answer, finds it there instead of calling the use case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from graphql import FieldNode, GraphQLField, GraphQLSchema, OperationDefinitionNode, VariableNode
from strawberry.schema.schema_converter import GraphQLCoreConverter

from models.principal import Right
from resolvers.context import Scope
from schema.arguments import NO_VALUES
from schema.coercion import Coerce, coercer
from schema.compiler import Compiler
from schema.fields import PERFORM, RIGHT, Perform
from schema.leaves import Unplannable
from schema.plans import Run, Selection

FAILED: Final = object()


@dataclass(frozen=True, slots=True)
class Performance:
    """How one mutation is performed.

    Attributes:
        response_key: of its field in the answer.
        right: that it takes.
        perform: the use case.
        arguments: for each argument its Python name, the variable that carries it, and its coercion.
        payload: what is selected of the result.
    """

    response_key: str
    right: Right
    perform: Perform
    arguments: tuple[tuple[str, str, Coerce], ...]
    payload: Selection

    async def answer(self, variables: Mapping[str, Any], scope: Scope) -> Any:
        """Return the data of the answer, or FAILED once the result is in the scope for the ordinary executor.

        Raises:
            Unexpected: a variable is not as it should be; nothing was done.
        """
        given = {name: coerce(variables.get(variable)) for name, variable, coerce in self.arguments}
        try:
            scope.require(self.right)
            row = await self.perform(scope, **given)
        except Exception as error:  # noqa: BLE001 - raised again by the resolver, which gives it its path
            scope.performed[self.response_key] = error
            return FAILED
        try:
            (payload,) = await self.payload.complete([row], Run(scope, NO_VALUES))
        except Exception:  # noqa: BLE001 - the ordinary executor finds it again, and reports it
            scope.performed[self.response_key] = row
            scope.renew()
            return FAILED
        return {self.response_key: payload}


def plan_performance(schema: GraphQLSchema, compiler: Compiler, operation: OperationDefinitionNode) -> Performance:
    """Return how a mutation is performed.

    Raises:
        Unplannable: the operation has another shape.
    """
    selections = operation.selection_set.selections
    node = selections[0]
    if len(selections) != 1 or not isinstance(node, FieldNode) or node.directives or schema.mutation_type is None:
        raise Unplannable("not one plain field")
    field = schema.mutation_type.fields.get(node.name.value)
    definition = None if field is None else field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if field is None or definition is None or PERFORM not in definition.metadata:
        raise Unplannable("not a mutation of ours")
    return Performance(
        node.alias.value if node.alias else node.name.value,
        definition.metadata[RIGHT],
        definition.metadata[PERFORM],
        _arguments(field, node, definition, operation),
        compiler.payload(field, node),
    )


def _arguments(
    field: GraphQLField, node: FieldNode, definition: Any, operation: OperationDefinitionNode
) -> tuple[tuple[str, str, Coerce], ...]:
    names = {each.graphql_name or each.python_name: each.python_name for each in definition.arguments}
    declared = {each.variable.name.value: each for each in operation.variable_definitions or ()}
    found: list[tuple[str, str, Coerce]] = []
    for argument in node.arguments or ():
        value = argument.value
        if not isinstance(value, VariableNode) or declared[value.name.value].default_value is not None:
            raise Unplannable("an argument is no plain variable")
        about = cast("Any", field.args[argument.name.value])
        found.append((names[argument.name.value], value.name.value, coercer(about.type)))
    if len(found) != len(declared) or len(found) != len(field.args):
        raise Unplannable("variables that are used elsewhere, or arguments that are left out")
    return tuple(found)
