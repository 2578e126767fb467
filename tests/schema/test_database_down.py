"""A database that is down: each operation says so in a way to act upon, and all is well when it is back."""

import asyncio
from contextlib import aclosing
from typing import Any, cast

from models.store import Store
from schema.engine import Prepared, Request
from tests.databases import migrate, postgresql_server, postgresql_url, run_as_admin
from tests.factories import database_settings, event_settings, settings
from tests.fleets import add_fleet, heater_id, record, register, this_minute
from tests.graph import Graph, graph_over

TARGET = "mutation ($input: SetTargetTemperatureInput!) { setTargetTemperature(input: $input) { waterHeater { id } } }"
FOLLOW = "subscription ($ids: [ID!]!) { readingRecorded(deviceIds: $ids) { reading { recordedAt } } }"


async def refused(graph: Graph, text: str, **variables: Any) -> None:
    """Check that an operation is answered with an error that invites to try again."""
    body = await graph._by(graph.engine, text, variables)
    assert {error["extensions"]["code"] for error in body["errors"]} == {"UNAVAILABLE"}
    assert all(error["extensions"]["retryable"] is True for error in body["errors"])
    assert all("database" in error["message"] for error in body["errors"])


async def test_operations_while_the_database_is_away():
    """Queries, changes and readings are refused while it is down; a stream waits and goes on."""
    with postgresql_server() as server:
        await run_as_admin(server, "CREATE DATABASE fleet")
        url = postgresql_url(server, "fleet")
        await migrate(url)
        limits = {"acquire_timeout_seconds": 1, "connect_timeout_seconds": 1}
        store = Store(database_settings(url, **limits), event_settings())
        await store.open()
        graph = graph_over(store, settings())
        (row_id,) = await add_fleet(graph, 1)
        device = heater_id(row_id)
        async with store.log.tailing():
            prepared = graph.engine.prepare(Request(FOLLOW, {}))
            assert isinstance(prepared, Prepared)
            stream = cast("Any", await graph.engine.subscribe(prepared, {"ids": [device]}, graph.scope()))
            async with aclosing(stream):
                server.stop()
                await refused(graph, "{ fleet { deviceCount } devices { nodes { name } } }")
                await refused(graph, TARGET, input={"id": device, "targetTemperature": 50})
                server.start()
                assert (await graph.data("{ fleet { deviceCount } }"))["fleet"] == {"deviceCount": 1}
                await graph.data(TARGET, input={"id": device, "targetTemperature": 50})
                await register(graph, "WH-after")
                payload = await record(graph, device, [this_minute()], power=[1])
                assert payload["acceptedCount"] == 1
                async with asyncio.timeout(20):
                    event = await anext(stream)
                assert event.errors is None
        await graph.services.ingest.close()
        await store.close()
