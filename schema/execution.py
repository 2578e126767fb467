"""Operations by plan: compiled once for each document, run level by level; the ordinary executor stands behind.

A plan knows the happy path only. Whatever it does not know (introspection, a directive of somebody else's) is answered
by the ordinary executor, and so is a query in whose course anything goes wrong: a read can be repeated, and results and
errors stay what Strawberry makes of them. A mutation is never repeated: its outcome waits in the scope for the executor
(schema/performing.py).
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import strawberry
from graphql import GraphQLSchema, OperationDefinitionNode, OperationType

from resolvers.context import Scope
from schema.answers import EventPlan
from schema.arguments import NO_VALUES, Values, Variables
from schema.compiler import Compiler, flag_names
from schema.documents import Document
from schema.leaves import Unexpected, Unplannable
from schema.performing import FAILED, Performance, plan_performance
from schema.plans import Run

T = TypeVar("T")

logger = logging.getLogger("iotsphere.execution")

NOT_PLANNED: Final = object()
_UNKNOWN: Final = object()
# The one row of the root.
_ROOT: Final[tuple[dict[str, Any], ...]] = ({},)
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
        ready = self._ready(document, operation)
        try:
            values = ready.variables.coerce(variables) if ready.variables else NO_VALUES
            plan = ready.plan(values)
            if plan is None:
                return NOT_PLANNED
            return (await plan.complete(_ROOT, Run(scope, values)))[0]
        except Exception as error:  # noqa: BLE001 - the ordinary executor finds it again, and reports it
            logger.debug("answered by the ordinary executor: %r", error)
            scope.renew()
            return NOT_PLANNED

    async def perform(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any], scope: Scope
    ) -> Any:
        """Return the data of a mutation, or NOT_PLANNED where the ordinary executor has to answer, or to finish."""
        performance = self._performance(document, operation)
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
        ready = self._ready(document, operation)
        try:
            values = ready.variables.coerce(variables) if ready.variables else NO_VALUES
        except Unexpected:
            return None
        made = ready.plan(values)
        return None if made is None else EventPlan(made[0], made[1], values)

    def _ready(self, document: Document, operation: OperationDefinitionNode) -> "_Ready":
        known = document.plans.get(id(operation))
        if known is None:
            known = document.plans[id(operation)] = self._made_ready(document, operation)
        return known

    def _made_ready(self, document: Document, operation: OperationDefinitionNode) -> "_Ready":
        variables = Variables(self._core, operation) if operation.variable_definitions else None
        known = variables.known if variables else frozenset[str]()
        # Not the document: what it keeps must not hold it.
        node = document.node

        def compile_(flags: Mapping[str, bool]) -> Any:
            compiler = Compiler(self._core, self._converter, node, flags, known)
            follows = operation.operation is OperationType.SUBSCRIPTION
            return compiler.event(operation) if follows else compiler.compile(operation)

        return _Ready(variables, tuple(flag_names(node)), lambda flags: _compiled(lambda: compile_(flags)))

    def _performance(self, document: Document, operation: OperationDefinitionNode) -> Performance | None:
        if id(operation) not in document.plans:
            # Without flags: a mutation whose payload is skipped or included by a variable is left to the executor.
            compiler = Compiler(self._core, self._converter, document.node, {}, frozenset())
            document.plans[id(operation)] = _compiled(lambda: plan_performance(self._core, compiler, operation))
        return document.plans[id(operation)]


class _Ready:
    """One operation of a document: how its variables are coerced, and its plan for each value of its flags.

    Args:
        variables: None where it declares none.
        flags: the variables by which parts of it are skipped or included.
        compile_: makes the plan for some values of the flags; None where only the ordinary executor can answer.
    """

    __slots__ = ("_compile", "_flags", "_plans", "variables")

    def __init__(
        self, variables: Variables | None, flags: tuple[str, ...], compile_: Callable[[Mapping[str, bool]], Any]
    ) -> None:
        self.variables = variables
        self._flags = flags
        self._compile = compile_
        self._plans: dict[tuple[Any, ...], Any] = {}

    def plan(self, values: Values) -> Any:
        """Return the plan for some values of the variables; None where there is none."""
        key = tuple(map(values.coerced.get, self._flags)) if self._flags else ()
        plan = self._plans.get(key, _UNKNOWN)
        if plan is _UNKNOWN:
            if len(self._plans) >= _MOST_PLANS:
                return None
            flags = {name: value for name, value in zip(self._flags, key, strict=True) if value is not None}
            plan = self._plans[key] = self._compile(flags)
        return plan


def _compiled(compile_: Callable[[], T]) -> T | None:
    try:
        return compile_()
    except Unplannable as error:
        logger.debug("no plan: %s", error)
    except Exception:
        # A constant argument that does not fit is the client's error: the executor tells its place.
        logger.debug("no plan", exc_info=True)
    return None
