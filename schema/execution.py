"""Queries by plan: compiled once for each document, run level by level; the ordinary executor stands behind.

A plan knows the happy path only. Whatever it does not know (introspection, a directive of somebody else's) is answered
by the ordinary executor, and so is a query in whose course anything goes wrong: a read can be repeated, and results and
errors stay what Strawberry makes of them.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

import strawberry
from graphql import GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import get_variable_values

from resolvers.context import Scope
from schema.compiler import Compiler, flag_names
from schema.documents import Document
from schema.leaves import Unplannable
from schema.plans import Run, Selection

logger = logging.getLogger("iotsphere.execution")

NOT_PLANNED: Final = object()
# Each flag doubles the plans that a document may have.
_MOST_PLANS = 32


class Planner:
    """Answers queries by plans, which it keeps with their documents."""

    def __init__(self, schema: strawberry.Schema, core: GraphQLSchema) -> None:
        self._core = core
        self._converter = schema.schema_converter

    async def answer(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any], scope: Scope
    ) -> Any:
        """Return the data of a query, or NOT_PLANNED where the ordinary executor has to answer."""
        coerced: Any = None
        if operation.variable_definitions:
            coerced = get_variable_values(self._core, operation.variable_definitions, dict(variables))
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

    def _plan(self, document: Document, operation: OperationDefinitionNode, coerced: Any) -> Selection | None:
        plans = document.plans
        names = plans.get("flags")
        if names is None:
            names = plans["flags"] = flag_names(document.node)
        flags = {name: coerced.coerced[name] for name in names if coerced and name in coerced.coerced}
        key = (id(operation), *(flags.get(name) for name in sorted(names)))
        if key not in plans:
            if len(plans) > _MOST_PLANS:
                return None
            plans[key] = self._compile(document, operation, flags)
        return plans[key]

    def _compile(
        self, document: Document, operation: OperationDefinitionNode, flags: Mapping[str, bool]
    ) -> Selection | None:
        try:
            return Compiler(self._core, self._converter, document.node, flags).compile(operation)
        except Unplannable as error:
            logger.debug("no plan: %s", error)
        except Exception:
            logger.debug("no plan", exc_info=True)
        return None
