"""Anomalies from readings: one incident is one anomaly, whatever the batches, the order and the number of servers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from models.readings import IngestReport, ReadingBatch
from models.repositories import events
from models.repositories.events import Cursor
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.ingest import Ingest
from tests.factories import MIDDAY, add_heater, settings

DEFAULTS = settings(ingest={"max_batch_size": 1000})
DAYS = 2
PER_DAY = 288
COUNT = DAYS * PER_DAY
START = MIDDAY - timedelta(days=DAYS)
INTERVAL = timedelta(seconds=86_400 / PER_DAY)
SPIKE = slice(500, 512)

Columns = dict[str, list[float]]


@pytest.fixture
async def ingest(store: Store) -> AsyncGenerator[Ingest]:
    """The way into a fresh database, with a clock that stands at MIDDAY."""
    made = a_server(store)
    yield made
    await made.close()


def a_server(store: Store) -> Ingest:
    """Return the way in of one more server process."""
    return Ingest(store, DEFAULTS, Alerting(DEFAULTS, lambda: MIDDAY), lambda: MIDDAY)


def history(*, spike_bar: float = 6.0, seed: int = 1) -> Columns:
    """Return two quiet days, one reading each five minutes, but for an hour of high pressure in the second one."""
    chance = np.random.default_rng(seed)
    pressure = 3.0 + chance.normal(0, 0.05, COUNT)
    pressure[SPIKE] += spike_bar
    temperature = 55.0 + chance.normal(0, 0.3, COUNT)
    return {"pressure": pressure.tolist(), "temperature": temperature.tolist()}


def batch(device: int | Sequence[int], places: Sequence[int], columns: Columns) -> ReadingBatch:
    """Return the readings at these places of a history."""
    ids = [device] * len(places) if isinstance(device, int) else list(device)
    channels = {name: [values[place] for place in places] for name, values in columns.items()}
    return ReadingBatch("WATER_HEATER", ids, [START + place * INTERVAL for place in places], channels)


async def record(ingest: Ingest, device: int, columns: Columns, *, size: int = COUNT) -> list[IngestReport]:
    """Send a history in batches of a size."""
    parts = [range(start, min(start + size, COUNT)) for start in range(0, COUNT, size)]
    return [await ingest.record(batch(device, part, columns)) for part in parts]


async def found(store: Store) -> list[dict[str, Any]]:
    """Return what is stored of anomalies, oldest first."""
    names = ("device_id", "metric", "state", "severity", "score", "observed", "expected", "detected_at", "ended_at")
    rows = await store.run(f"SELECT {', '.join(names)} FROM anomalies ORDER BY device_id, detected_at")
    return [dict(zip(names, row, strict=True)) for row in rows]


async def changes(store: Store) -> list[tuple[str, int]]:
    """Return the changes of anomalies that the log holds, with their anomalies."""
    every = await events.after(store, Cursor(0, 0), 1000)
    return [(each.payload["change"], each.payload["id"]) for each in every if each.type == "anomaly_changed"]


async def test_one_incident_is_one_anomaly(store: Store, ingest: Ingest):
    """An hour of high pressure is one anomaly of the pressure, opened, risen to its peak, and closed."""
    device = await add_heater(store)
    [report] = await record(ingest, device, history())
    [anomaly] = await found(store)
    assert anomaly["metric"] == "pressure"
    assert anomaly["state"] == "CLOSED"
    assert 0.5 <= anomaly["score"] < 1
    assert anomaly["observed"] > 6
    assert anomaly["expected"] == pytest.approx(3.0, abs=0.2)
    logged = await changes(store)
    assert logged[0][0] == "OPENED"
    assert logged[-1][0] == "CLOSED"
    assert len({id_ for _, id_ in logged}) == 1
    assert [each["id"] for each in report.anomalies] == [logged[0][1]]


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_the_size_of_batches_does_not_matter(store: Store, ingest: Ingest, size: int):
    """The same readings, one by one or all at once, give the same anomalies."""
    whole, cut = [await add_heater(store) for _ in range(2)]
    columns = {name: values[:COUNT] for name, values in history().items()}
    await record(ingest, whole, columns)
    await record(ingest, cut, columns, size=size)
    one, other = await found(store)
    one["device_id"] = other["device_id"]
    assert one == other


async def test_a_quiet_history_has_no_anomaly(store: Store, ingest: Ingest):
    """Noise alone is nothing to tell."""
    device = await add_heater(store)
    [report] = await record(ingest, device, history(spike_bar=0))
    assert await found(store) == []
    assert report.anomalies == ()


async def test_the_device_that_is_strange_is_named_to_its_caller(store: Store, ingest: Ingest):
    """Callers whose readings share a transaction hear each of their own anomalies only."""
    strange, quiet = [await add_heater(store) for _ in range(2)]
    columns, calm = history(), history(spike_bar=0)
    first, second = await asyncio.gather(
        ingest.record(batch(strange, range(COUNT), columns)), ingest.record(batch(quiet, range(COUNT), calm))
    )
    assert {each["device_id"] for each in first.anomalies} == {strange}
    assert second.anomalies == ()


async def test_late_readings_are_stored_and_not_scored(store: Store, ingest: Ingest):
    """A reading that comes after newer ones is kept, and neither opens an anomaly nor moves the baseline."""
    device, other = [await add_heater(store) for _ in range(2)]
    columns = history(spike_bar=0)
    late = [100, 200, 300]
    for id_ in (device, other):
        kept = [place for place in range(COUNT - 1) if place not in late]
        await ingest.record(batch(id_, kept, columns))
    wild = {"pressure": [20.0] * COUNT, "temperature": [99.0] * COUNT}
    report = await ingest.record(batch(device, late, wild))
    assert (report.accepted_count, report.anomalies) == (3, ())
    for id_ in (device, other):
        await ingest.record(batch(id_, [COUNT - 1], columns))
    assert await found(store) == []
    states = await store.run("SELECT state FROM anomaly_detectors ORDER BY device_id")
    assert states[0][0] == states[1][0]


async def test_a_reading_sent_twice_is_scored_once(store: Store, ingest: Ingest):
    """A batch that is sent again, as after a lost answer, changes nothing."""
    device = await add_heater(store)
    columns = history()
    await record(ingest, device, columns)
    before = await store.run("SELECT state FROM anomaly_detectors")
    logged = await changes(store)
    await record(ingest, device, columns)
    assert await store.run("SELECT state FROM anomaly_detectors") == before
    assert await changes(store) == logged


async def test_several_servers_share_what_is_remembered(store: Store):
    """Two servers that take turns find what one of them alone would have found."""
    servers = [a_server(store) for _ in range(2)]
    device, other = [await add_heater(store) for _ in range(2)]
    columns = history()
    for turn, start in enumerate(range(0, COUNT, 20)):
        places = range(start, min(start + 20, COUNT))
        await servers[turn % 2].record(batch(device, places, columns))
        await servers[0].record(batch(other, places, columns))
    one, two = await found(store)
    one["device_id"] = two["device_id"]
    assert one == two
    for server in servers:
        await server.close()


async def test_a_failed_commit_leaves_nothing_half_done(store: Store, ingest: Ingest):
    """Readings, memory, anomalies and events go together: the same batch sent again gives what it should."""
    device = await add_heater(store)
    columns = history()
    await ingest.record(batch(device, range(490), columns))
    before = await store.run("SELECT state FROM anomaly_detectors")
    await run(store, "ALTER TABLE events RENAME TO lost_events")
    with pytest.raises(Exception, match="events"):
        await ingest.record(batch(device, range(490, COUNT), columns))
    await run(store, "ALTER TABLE lost_events RENAME TO events")
    assert await store.run("SELECT state FROM anomaly_detectors") == before
    assert await found(store) == []
    report = await ingest.record(batch(device, range(490, COUNT), columns))
    assert report.accepted_count == COUNT - 490
    assert [each["state"] for each in await found(store)] == ["CLOSED"]


async def run(store: Store, sql: str) -> None:
    """Change the database behind the server's back."""
    async with store.transaction() as transaction:
        await transaction.run(sql)
