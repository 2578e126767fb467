"""The status of a device: by its readings, by silence, by operators."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.clock import now
from models.repositories import device_changes
from tests.fleets import record, register, this_minute
from tests.graph import Graph

MAINTENANCE = """mutation ($id: ID!, $active: Boolean!) {
  setDeviceMaintenance(input: {id: $id, active: $active}) { device { status version } }
}"""
SEEN = """query ($id: ID!) { device(id: $id) {
  status lastSeenAt version ... on WaterHeater { latestReading { recordedAt power } }
} }"""


@pytest.fixture
async def device(graph: Graph) -> str:
    """A water heater that was never heard of."""
    return await register(graph)


async def seen(graph: Graph, device: str) -> Any:
    """Return how a device stands."""
    return (await graph.data(SEEN, id=device))["device"]


async def silence(graph: Graph, *, after: timedelta = timedelta(0)) -> list[int]:
    """Let the server look for silent devices, as it does regularly."""
    async with graph.services.store.transaction() as transaction:
        return await device_changes.mark_silent(
            transaction, silent_since=now() - timedelta(minutes=5) + after, limit=100
        )


async def maintenance(graph: Graph, device: str, *, active: bool) -> str:
    """Take a device into maintenance or out of it, and return its status."""
    body = await graph.data(MAINTENANCE, id=device, active=active)
    return body["setDeviceMaintenance"]["device"]["status"]


def iso(instant: datetime) -> str:
    """Write an instant as answers do."""
    return instant.isoformat()


async def test_a_device_that_reports_is_online(graph: Graph, device: str):
    """Its first reading brings it online; its version, which counts people's changes, stays."""
    assert await seen(graph, device) == {"status": "OFFLINE", "lastSeenAt": None, "version": 1, "latestReading": None}
    at = this_minute()
    await record(graph, device, [at], power=[7])
    assert await seen(graph, device) == {
        "status": "ONLINE",
        "lastSeenAt": iso(at),
        "version": 1,
        "latestReading": {"recordedAt": iso(at), "power": 7.0},
    }


async def test_history_does_not_bring_a_device_online(graph: Graph, device: str):
    """Readings of long ago tell when it was last seen, and that this was long ago."""
    at = this_minute() - timedelta(days=2)
    await record(graph, device, [at], power=[7])
    assert (await seen(graph, device))["status"] == "OFFLINE"
    assert (await seen(graph, device))["lastSeenAt"] == iso(at)


async def test_late_readings_do_not_turn_time_back(graph: Graph, device: str):
    """Newest reading and last sight stay what they are when older readings come in, in any order."""
    at = this_minute()
    await record(graph, device, [at], power=[1])
    await record(graph, device, [at - timedelta(days=1), at - timedelta(minutes=3)], power=[2, 3])
    found = await seen(graph, device)
    assert (found["status"], found["lastSeenAt"]) == ("ONLINE", iso(at))
    assert found["latestReading"] == {"recordedAt": iso(at), "power": 1.0}


async def test_silence_makes_a_device_offline_and_a_reading_brings_it_back(graph: Graph, device: str):
    """The change of status is no change by people."""
    await record(graph, device, [this_minute()], power=[1])
    assert await silence(graph) == []
    assert len(await silence(graph, after=timedelta(minutes=6))) == 1
    assert (await seen(graph, device))["status"] == "OFFLINE"
    assert await silence(graph, after=timedelta(minutes=6)) == []
    await record(graph, device, [this_minute() + timedelta(seconds=61)], power=[2])
    assert await seen(graph, device) | {"lastSeenAt": 0, "latestReading": 0} == {
        "status": "ONLINE",
        "version": 1,
        "lastSeenAt": 0,
        "latestReading": 0,
    }


async def test_maintenance_stays_whatever_the_device_reports(graph: Graph, device: str):
    """Neither readings nor silence end maintenance; an operator does."""
    assert await maintenance(graph, device, active=True) == "MAINTENANCE"
    await record(graph, device, [this_minute()], power=[1])
    assert (await seen(graph, device))["status"] == "MAINTENANCE"
    assert await silence(graph, after=timedelta(hours=1)) == []
    assert await maintenance(graph, device, active=False) == "ONLINE"


async def test_after_maintenance_a_silent_device_is_offline(graph: Graph, device: str):
    """What it is then, its last reading decides."""
    assert await maintenance(graph, device, active=True) == "MAINTENANCE"
    assert await maintenance(graph, device, active=False) == "OFFLINE"
    await record(graph, device, [this_minute() - timedelta(hours=1)], power=[1])
    assert await maintenance(graph, device, active=True) == "MAINTENANCE"
    assert await maintenance(graph, device, active=False) == "OFFLINE"
    assert (await seen(graph, device))["version"] == 5
