"""Operations by plan leave no reference cycles: what they made is freed when they end, without the collector."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from graphql import GraphQLError

from app.auth import Authenticator
from app.http import GraphQLEndpoint
from models.clock import now
from models.store import Store
from resolvers.context import Scope
from schema.engine import Prepared, Request, Responses
from tests.collecting import only_new_objects
from tests.factories import settings
from tests.fleets import add_fleet, heater_id, record
from tests.graph import Graph, graph_over

TIMES = 10
LIST = """query ($first: Int!, $flag: Boolean!) { waterHeaters(first: $first) { totalCount nodes {
  id name status @skip(if: $flag) latestReading { recordedAt power device { name } } alerts { nodes { id } }
} } }"""
POINT = "query ($id: ID!) { waterHeater(id: $id) { id name latestReading { temperature } } }"
SET = (
    "mutation ($input: SetTargetTemperatureInput!) { setTargetTemperature(input: $input) { waterHeater { version } } }"
)
FOLLOW = "subscription ($ids: [ID!]!) { readingRecorded(deviceIds: $ids) { reading { recordedAt } device { name } } }"


@pytest.fixture
async def graph(store: Store) -> AsyncIterator[Graph]:
    """A graph with a small fleet."""
    made = graph_over(store, settings())
    await add_fleet(made, 3, readings=3)
    yield made
    await made.services.ingest.close()


async def left_by(work: Callable[[], Awaitable[Any]]) -> list[str]:
    """Return the types of what is left in cycles each time that some work is done."""
    for _ in range(2):
        await work()
    # What lives already is not looked at again, as in a server.
    with only_new_objects():
        try:
            for _ in range(TIMES):
                await work()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            found = [type(each).__name__ for each in gc.garbage]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    # What happens now and then, as a timer of the loop, is nothing that grows with operations.
    return sorted({name for name in found if found.count(name) >= TIMES})


def endpoint_of(graph: Graph) -> GraphQLEndpoint:
    """Return the endpoint over a graph."""
    chosen = graph.services.settings
    return GraphQLEndpoint(
        graph.engine,
        new_context=lambda principal: Scope(graph.services, principal),
        authenticator=Authenticator(chosen.auth),
        server=chosen.server,
        websocket=chosen.websocket,
    )


async def posted(endpoint: GraphQLEndpoint, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Return the body of the answer to a POST, as a server hands it to the application and takes it back."""
    body, sent = orjson.dumps({"query": query, "variables": variables}), bytearray()
    arriving = [{"type": "http.request", "body": body}]

    async def receive() -> dict[str, Any]:
        if not arriving:
            await asyncio.Event().wait()
        return arriving.pop()

    async def send(message: Any) -> None:
        sent.extend(message.get("body", b""))

    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await endpoint(scope, receive, send)
    return orjson.loads(sent)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (LIST, {"first": 3, "flag": False}),
        (POINT, {"id": heater_id(1)}),
        (SET, {"input": {"id": heater_id(1), "targetTemperature": 55}}),
    ],
)
async def test_a_request_leaves_no_cycles(graph: Graph, query: str, variables: dict[str, Any]):
    """Lists with links and flags, single rows, mutations."""
    endpoint = endpoint_of(graph)
    assert "errors" not in await posted(endpoint, query, variables)
    assert await left_by(lambda: posted(endpoint, query, variables)) == []


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        (LIST, {"first": -1, "flag": False}, "BAD_USER_INPUT"),
        (POINT, {"id": "garbage"}, "BAD_USER_INPUT"),
        ("{ wrong }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (SET, {"input": {"id": heater_id(1), "targetTemperature": 5000}}, "BAD_USER_INPUT"),
    ],
)
async def test_what_errors_leave_is_found(graph: Graph, query: str, variables: dict[str, Any], code: str):
    """Exceptions and the ordinary executor hold each other; nothing outside holds them, so the collector frees them."""
    endpoint = endpoint_of(graph)
    with only_new_objects():
        for _ in range(TIMES):
            (error,) = (await posted(endpoint, query, variables))["errors"]
            assert error["extensions"]["code"] == code
        gc.collect()
        assert not [each for each in gc.get_objects() if type(each) in (Scope, GraphQLError)]


async def test_an_event_leaves_no_cycles(graph: Graph):
    """Nor does what is stored to make one."""
    async with graph.services.store.log.tailing():
        variables = {"ids": [heater_id(1)]}
        prepared = graph.engine.prepare(Request(FOLLOW, variables))
        assert isinstance(prepared, Prepared)
        responses = await graph.engine.subscribe(prepared, variables, graph.scope())
        assert isinstance(responses, Responses)
        async with aclosing(responses):

            async def told() -> None:
                await record(graph, heater_id(1), [now()], temperature=[50.5])
                assert b"recordedAt" in (await anext(responses)).content

            assert await left_by(told) == []
