"""Operations by plan: compiled once for each document, run level by level; the ordinary executor stands behind.

A plan knows the happy path only. Whatever it does not know (introspection, a directive of somebody else's) is answered
by the ordinary executor, and so is a query in whose course anything goes wrong: a read can be repeated, and results and
errors stay what Strawberry makes of them. A mutation is never repeated: its outcome waits in the scope for the executor
(schema/performing.py).
"""

import logging
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, TypeVar

import strawberry
from graphql import GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import get_variable_values

from resolvers.context import Scope
from schema.answers import EventPlan
from schema.compiler import Compiler, flag_names
from schema.documents import Document
from schema.leaves import Unexpected, Unplannable
from schema.performing import FAILED, Performance, plan_performance
from schema.plans import Run, Selection

T = TypeVar("T")

logger = logging.getLogger("iotsphere.execution")

NOT_PLANNED: Final = object()
# Each flag doubles the plans that a document may have.
_MOST_PLANS = 32


class Planner:
    """Answers operations by plans, which it keeps with their documents."""

    def __init__(self, schema: strawberry.Schema, core: GraphQLSchema) -> None:
        self._core = core
        self._converter = schema.schema_converter

    async def answer(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any], scope: Scope
    ) -> Any:
        """Return the data of a query, or NOT_PLANNED where the ordinary executor has to answer."""
        coerced = self._coerced(operation, variables)
        if isinstance(coerced, list):
            return NOT_PLANNED
        plan = self._plan(document, operation, coerced)
        if plan is None:
            return NOT_PLANNED
        try:
            return (await plan.complete([{}], Run(scope, coerced)))[0]
        except Exception as error:  # noqa: BLE001 - the ordinary executor finds it again, and reports it
            logger.debug("answered by the ordinary executor: %r", error)
            scope.renew()
            return NOT_PLANNED

    async def perform(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any], scope: Scope
    ) -> Any:
        """Return the data of a mutation, or NOT_PLANNED where the ordinary executor has to answer, or to finish."""
        performance = self._kept(document, ("mutation", id(operation)), lambda: self._performance(document, operation))
        if performance is None:
            return NOT_PLANNED
        try:
            data = await performance.answer(variables, scope)
        except Unexpected as error:
            logger.debug("answered by the ordinary executor: %r", error)
            return NOT_PLANNED
        return NOT_PLANNED if data is FAILED else data

    def event(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> EventPlan | None:
        """Return how the events of a subscription are answered; None where the ordinary executor has to."""
        coerced = self._coerced(operation, variables)
        if isinstance(coerced, list):
            return None
        flags, key = self._flags(document, operation, coerced)
        made = self._kept_few(document, ("event", *key), flags, lambda each: each.event(operation))
        return None if made is None else EventPlan(*made, coerced)

    def _coerced(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Any:
        """Return the coerced variables, None where none are declared, a list of errors where they do not fit."""
        if not operation.variable_definitions:
            return None
        return get_variable_values(self._core, operation.variable_definitions, dict(variables))

    def _plan(self, document: Document, operation: OperationDefinitionNode, coerced: Any) -> Selection | None:
        flags, key = self._flags(document, operation, coerced)
        return self._kept_few(document, key, flags, lambda each: each.compile(operation))

    def _flags(
        self, document: Document, operation: OperationDefinitionNode, coerced: Any
    ) -> tuple[dict[str, bool], tuple[Any, ...]]:
        """Return the values of the document's flags, and the key of an operation with them."""
        names = self._kept(document, "flags", lambda: flag_names(document.node))
        flags = {name: coerced.coerced[name] for name in names if coerced and name in coerced.coerced}
        return flags, (id(operation), *(flags.get(name) for name in sorted(names)))

    def _kept_few(
        self, document: Document, key: Hashable, flags: Mapping[str, bool], compile_: Callable[[Compiler], T]
    ) -> T | None:
        if key not in document.plans and len(document.plans) > _MOST_PLANS:
            return None
        return self._kept(document, key, lambda: self._compiled(document, flags, compile_))

    def _performance(self, document: Document, operation: OperationDefinitionNode) -> Performance | None:
        # Without flags: a mutation whose payload is skipped or included by a variable is left to the executor.
        return self._compiled(document, {}, lambda each: plan_performance(self._core, each, operation))

    def _compiled(self, document: Document, flags: Mapping[str, bool], compile_: Callable[[Compiler], T]) -> T | None:
        try:
            return compile_(Compiler(self._core, self._converter, document.node, flags))
        except Unplannable as error:
            logger.debug("no plan: %s", error)
        except Exception:
            # A constant argument that does not fit is the client's error: the executor tells its place.
            logger.debug("no plan", exc_info=True)
        return None

    def _kept(self, document: Document, key: Hashable, make: Callable[[], T]) -> T:
        plans = document.plans
        if key not in plans:
            plans[key] = make()
        return plans[key]
