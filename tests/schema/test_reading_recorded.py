"""Live readings at the engine: chosen devices, in the order of the log, from every process on the database."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from models.store import Store
from schema import ids
from schema.engine import Prepared, Request, Response
from tests.contract import document
from tests.factories import database_settings, event_settings, settings
from tests.fleets import add_fleet, heater_id, record, this_minute
from tests.graph import Graph, graph_over

FOLLOW = """subscription ($ids: [ID!]!) { readingRecorded(deviceIds: $ids) {
  device { id name ... on WaterHeater { maintenanceRecords(first: 100) { totalCount } } }
  reading { recordedAt device { name } ... on WaterHeaterReading { power } }
} }"""


@pytest.fixture(autouse=True)
async def tailing(store: Store) -> AsyncGenerator[None]:
    """The process follows the log of its database."""
    async with store.log.tailing():
        yield


async def opened(graph: Graph, device_ids: Sequence[str], query: str = FOLLOW, name: str = "ids") -> Any:
    """Open a subscription and return its stream, or the response that refuses it."""
    prepared = graph.engine.prepare(Request(query, {name: device_ids}))
    assert isinstance(prepared, Prepared)
    return await graph.engine.subscribe(prepared, {name: list(device_ids)}, graph.scope())


@asynccontextmanager
async def following(graph: Graph, device_ids: Sequence[str]) -> AsyncGenerator[Any]:
    """Follow devices while the context is open."""
    stream = await opened(graph, device_ids)
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
            found.append(response.data["readingRecorded"])
    return found


async def refusal(graph: Graph, device_ids: Sequence[str]) -> Any:
    """Return the error with which a subscription is refused."""
    answer = await opened(graph, device_ids)
    if not isinstance(answer, Response):
        answer = await anext(cast("Any", answer))
    (error,) = answer.body()["errors"]
    return error


async def test_only_chosen_devices_in_the_order_of_the_log(graph: Graph):
    """Within a batch readings come by their time, batches in the order of their commits."""
    first, second, third = [heater_id(each) for each in await add_fleet(graph, 3)]
    at = this_minute()
    times = [at - timedelta(minutes=each) for each in (1, 3, 2)]
    async with following(graph, [first, third]) as stream:
        await record(graph, first, times, power=[1, 3, 2])
        await record(graph, second, times, power=[9, 9, 9])
        await record(graph, third, [at - timedelta(days=1)], power=[7])
        await record(graph, first, times, power=[1, 3, 2])
        await record(graph, first, [at], power=[0])
        events = await take(stream, 5)
    assert [(each["device"]["id"], each["reading"]["power"]) for each in events] == [
        (first, 3.0),
        (first, 2.0),
        (first, 1.0),
        (third, 7.0),
        (first, 0.0),
    ]
    assert events[0]["reading"] == {
        "recordedAt": times[1],
        "device": {"name": "Heater 000"},
        "power": 3.0,
    }


async def test_the_contract_document_follows(graph: Graph):
    """The dashboard's document, as it is sent."""
    (row_id,) = await add_fleet(graph, 1)
    at = this_minute()
    stream = await opened(graph, [heater_id(row_id)], document("on_reading"), "deviceIds")
    async with aclosing(stream):
        await record(graph, heater_id(row_id), [at], temperature=[51], flowRate=[2.5])
        (event,) = await take(stream, 1)
    assert event == {
        "device": {"id": heater_id(row_id), "name": "Heater 000"},
        "reading": {"recordedAt": at, "temperature": 51.0, "power": None, "flowRate": 2.5},
    }


async def test_readings_that_another_process_stores_arrive(graph: Graph, database_url: str):
    """Another store on the same database wakes this one's followers, or they look for themselves."""
    (row_id,) = await add_fleet(graph, 1)
    other = Store(database_settings(database_url), event_settings())
    await other.open()
    async with other.log.tailing(), following(graph, [heater_id(row_id)]) as stream:
        elsewhere = graph_over(other, settings())
        await record(elsewhere, heater_id(row_id), [this_minute()], power=[5])
        (event,) = await take(stream, 1)
        await elsewhere.services.ingest.close()
    assert event["reading"]["power"] == 5.0
    await other.close()


async def test_many_followers_see_the_same(graph: Graph):
    """Each follower has its own place in the log."""
    devices = [heater_id(each) for each in await add_fleet(graph, 2)]
    async with following(graph, devices) as one, following(graph, devices[:1]) as two:
        for minute in range(20):
            for device in devices:
                await record(graph, device, [this_minute() - timedelta(minutes=20 - minute)], power=[minute])
        assert [each["reading"]["power"] for each in await take(two, 20)] == list(range(20))
        assert len(await take(one, 40)) == 40


async def test_a_long_stream_keeps_its_budget(graph: Graph):
    """Each event is an answer of its own: rows that earlier ones asked for are not counted against it."""
    (row_id,) = await add_fleet(graph, 1)
    at = this_minute()
    async with following(graph, [heater_id(row_id)]) as stream:
        for chunk in range(2):
            instants = [at - timedelta(seconds=100 * chunk + each) for each in range(100)]
            await record(graph, heater_id(row_id), instants, power=[1] * 100)
        assert len(await take(stream, 200)) == 200


async def test_names_are_those_of_now(graph: Graph):
    """What an earlier event showed of a device is not remembered for the next."""
    (row_id,) = await add_fleet(graph, 1)
    device = heater_id(row_id)
    rename = "mutation ($input: UpdateWaterHeaterInput!) { updateWaterHeater(input: $input) { waterHeater { id } } }"
    async with following(graph, [device]) as stream:
        await record(graph, device, [this_minute()], power=[1])
        (before,) = await take(stream, 1)
        await graph.data(rename, input={"id": device, "version": 1, "name": "Renamed"})
        await record(graph, device, [this_minute() - timedelta(minutes=9)], power=[2])
        (after,) = await take(stream, 1)
    assert (before["device"]["name"], after["device"]["name"]) == ("Heater 000", "Renamed")


async def test_devices_that_cannot_be_followed(graph: Graph):
    """Unknown, malformed, none or too many: the subscription is refused, with the place."""
    (row_id,) = await add_fleet(graph, 1)
    good = heater_id(row_id)
    error = await refusal(graph, [good, heater_id(99)])
    assert (error["extensions"]["code"], error["message"]) == ("NOT_FOUND", "There is no device with id 99.")
    for bad in ("nope", ids.encode("MaintenanceRecord", 1)):
        error = await refusal(graph, [good, bad])
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["deviceIds", 1]}
    error = await refusal(graph, [])
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["deviceIds"]}
    error = await refusal(graph, [good] * 1001)
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "1000 devices, not 1001" in error["message"]


async def test_closing_a_stream_leaves_nothing(graph: Graph):
    """No task and no generator goes on, whether the stream waited or had more to tell."""
    (row_id,) = await add_fleet(graph, 1)
    device = heater_id(row_id)
    before = asyncio.all_tasks()
    async with following(graph, [device]) as stream:
        await record(graph, device, [this_minute() - timedelta(minutes=each) for each in range(5)], power=[1] * 5)
        await take(stream, 2)
    waiting = await opened(graph, [device])
    task = asyncio.create_task(anext(waiting))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await waiting.aclose()
    assert asyncio.all_tasks() <= before
    suspended = [each for each in gc.get_objects() if type(each).__name__ == "async_generator" and _is_ours(each)]
    assert suspended == []


def _is_ours(generator: Any) -> bool:
    """Say whether a generator of a subscription is suspended somewhere."""
    names = {"_readings", "follow", "resolve"}
    return generator.ag_frame is not None and generator.ag_code.co_name in names
