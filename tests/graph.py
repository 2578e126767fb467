"""A graph for tests: the engine over a store, asked in one line, each query answered twice and compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from models.clock import Clock, now
from models.principal import ANONYMOUS, Principal
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.context import Scope, Services
from resolvers.ingest import Ingest
from schema import SCHEMA, build_engine
from schema.encoding import encode
from schema.engine import Engine, Prepared, Request, Response
from settings.types import Settings


@dataclass
class Graph:
    """An engine with the services of a process.

    Attributes:
        engine: answers by plans.
        ordinary: answers by Strawberry's executor alone.
    """

    services: Services
    engine: Engine
    ordinary: Engine
    principal: Principal = ANONYMOUS

    def scope(self) -> Scope:
        """Return the scope of a new operation."""
        return Scope(self.services, self.principal)

    async def answer(self, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Return the body of an answer; a query is answered by plan and by the ordinary executor, which must agree."""
        values = {**(variables or {}), **more}
        body = await self._by(self.engine, query, values)
        if _is_query(self.engine, query):
            ordinary = await self._by(self.ordinary, query, values)
            assert _comparable(body) == _comparable(ordinary)
        return orjson.loads(encode(body))

    async def data(self, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Return the data of an answer that must have no errors."""
        body = await self.answer(query, variables, **more)
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def error(self, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Return the one error of an answer."""
        body = await self.answer(query, variables, **more)
        assert len(body["errors"]) == 1, body
        return body["errors"][0]

    async def planned(self, query: str, variables: Mapping[str, Any] | None = None) -> bool:
        """Say whether a query is answered by a plan."""
        prepared = self.engine.prepare(Request(query, variables or {}))
        assert isinstance(prepared, Prepared)
        planner = self.engine._planner
        assert planner is not None
        data = await planner.answer(prepared.document, prepared.operation, variables or {}, self.scope())
        return isinstance(data, dict)

    async def _by(self, engine: Engine, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        prepared = engine.prepare(Request(query, variables))
        if isinstance(prepared, Response):
            return prepared.body()
        return (await engine.execute(prepared, variables, self.scope())).body()


def graph_over(store: Store, settings: Settings, clock: Clock = now) -> Graph:
    """Return a graph over an open store."""
    alerting = Alerting(settings, clock)
    services = Services(settings, store, Ingest(store, settings, alerting, clock), alerting, clock)
    limits = settings.graphql
    ordinary = Engine(
        SCHEMA,
        max_tokens=limits.max_tokens,
        cache_size=10,
        timeout_seconds=limits.operation_timeout_seconds,
        planner=None,
    )
    return Graph(services, build_engine(settings), ordinary)


def _is_query(engine: Engine, query: str) -> bool:
    prepared = engine.prepare(Request(query, {}))
    return isinstance(prepared, Prepared) and prepared.operation_type == "query"


def _comparable(body: dict[str, Any]) -> bytes:
    for error in body.get("errors") or ():
        if "errorId" in error.get("extensions", {}):
            error["extensions"]["errorId"] = ""
            error["message"] = ""
    return encode(body)
