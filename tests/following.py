"""Subscriptions at the engine, for tests of the graph."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

from schema.engine import Prepared, Request, Response
from tests.graph import Graph


async def opened(graph: Graph, query: str, variables: dict[str, Any]) -> Any:
    """Open a subscription and return its stream, or the response that refuses it."""
    prepared = graph.engine.prepare(Request(query, variables))
    assert isinstance(prepared, Prepared)
    return await graph.engine.subscribe(prepared, variables, graph.scope())


@asynccontextmanager
async def following(
    graph: Graph, query: str, filter_: dict[str, Any] | None = None, after: str | None = None
) -> AsyncGenerator[Any]:
    """Follow what a subscription tells while the context is open."""
    stream = await opened(graph, query, {"filter": filter_, "after": after})
    assert not isinstance(stream, Response), stream.body()
    async with aclosing(stream):
        yield stream


async def take(stream: Any, count: int) -> list[Any]:
    """Return the next events, each without errors."""
    found: list[Any] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            response = await anext(stream)
            assert not response.errors, response.errors
            found += response.data.values()
    return found


async def refusal(graph: Graph, query: str, variables: dict[str, Any]) -> Any:
    """Return the error with which a subscription is refused."""
    answer = await opened(graph, query, variables)
    if not isinstance(answer, Response):
        answer = await anext(cast("Any", answer))
    (error,) = answer.body()["errors"]
    return error
