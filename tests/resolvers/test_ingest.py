"""Ingestion: idempotent, group-committed, acknowledged when durable, one bad batch by itself."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from models.errors import BadUserInput, LimitExceeded, Unavailable
from models.readings import IngestReport, ReadingBatch
from models.repositories import device_changes, partitions
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.ingest import Ingest
from tests.databases import migrate, postgresql_server, postgresql_url, run_as_admin
from tests.factories import MIDDAY, add_heater, database_settings, event_settings, settings
from tests.fleets import this_minute

DEFAULTS = settings()


@pytest.fixture
async def ingest(store: Store) -> AsyncGenerator[Ingest]:
    """The way into a fresh database, with a clock that stands at MIDDAY."""
    made = Ingest(store, DEFAULTS, Alerting(DEFAULTS), lambda: MIDDAY)
    yield made
    await made.close()


def batch(device: int | Sequence[int], minutes: Sequence[float], **channels: Sequence[Any]) -> ReadingBatch:
    """Return readings of a device, each so many minutes before MIDDAY."""
    ids = [device] * len(minutes) if isinstance(device, int) else list(device)
    instants = [MIDDAY - timedelta(minutes=each) for each in minutes]
    return ReadingBatch("WATER_HEATER", ids, instants, channels or {"power": [1.0] * len(minutes)})


def counts(report: IngestReport) -> tuple[int, int, int]:
    """Return how many rows were accepted, duplicate, rejected."""
    return report.accepted_count, report.duplicate_count, len(report.rejected)


async def stored(store: Store, column: str = "power") -> list[Any]:
    """Return a column of all stored readings, oldest first."""
    rows = await store.run(f"SELECT {column} FROM water_heater_readings ORDER BY recorded_at, device_id")
    return [row[0] for row in rows]


async def commits(store: Store) -> int:
    """Return how many transactions stored readings: each announces them in one event."""
    rows = await store.run("SELECT count(*) FROM events")
    return rows[0][0]


async def test_a_batch_sent_twice_is_stored_once(store: Store, ingest: Ingest):
    """The first values stay, whatever a later batch says of the same instant."""
    device = await add_heater(store)
    assert counts(await ingest.record(batch(device, [3, 2, 1], power=[1.0, 2.0, 3.0]))) == (3, 0, 0)
    assert counts(await ingest.record(batch(device, [3, 2, 1, 0], power=[9.0, 9.0, 9.0, 4.0]))) == (1, 3, 0)
    assert await stored(store) == [1.0, 2.0, 3.0, 4.0]
    assert await commits(store) == 2


async def test_a_row_twice_in_a_batch_counts_once(store: Store, ingest: Ingest):
    """The first of the two is stored."""
    device = await add_heater(store)
    assert counts(await ingest.record(batch(device, [1, 1, 1], power=[7.0, 8.0, 9.0]))) == (1, 2, 0)
    assert await stored(store) == [7.0]


async def test_concurrent_batches_share_a_transaction(store: Store, ingest: Ingest):
    """Fifty callers cost two commits: that of the first, and one for all who came meanwhile."""
    device = await add_heater(store)
    reports = await asyncio.gather(*(ingest.record(batch(device, [each])) for each in range(50)))
    assert [counts(report) for report in reports] == [(1, 0, 0)] * 50
    assert await commits(store) <= 2
    assert len(await stored(store)) == 50


async def test_a_group_is_no_larger_than_the_setting(store: Store):
    """A transaction stays short: what is beyond the limit waits for the next."""
    small = settings(ingest={"max_commit_size": 10})
    ingest = Ingest(store, small, Alerting(small), lambda: MIDDAY)
    device = await add_heater(store)
    sizes = [4, 4, 4, 25, 1]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    batches = [batch(device, range(start, start + size)) for start, size in zip(starts, sizes, strict=True)]
    reports = await asyncio.gather(*map(ingest.record, batches))
    assert [report.accepted_count for report in reports] == sizes
    assert await commits(store) >= 3
    await ingest.close()


async def test_duplicates_across_concurrent_batches_count_once(store: Store, ingest: Ingest):
    """Of five callers with the same reading, one is told that it was stored."""
    device = await add_heater(store)
    reports = await asyncio.gather(*(ingest.record(batch(device, [9, each])) for each in range(5)))
    assert [sum(column) for column in zip(*map(counts, reports), strict=True)] == [6, 4, 0]
    assert len(await stored(store)) == 6


async def test_callers_with_different_channels_share_a_transaction(store: Store, ingest: Ingest):
    """What one batch does not have stays empty in its rows only."""
    first, second = await add_heater(store), await add_heater(store)
    await asyncio.gather(
        ingest.record(batch(first, [9], heating=[True])),
        ingest.record(batch(first, [3], power=[5.0], heating=[False])),
        ingest.record(batch(second, [2], temperature=[60.0])),
        ingest.record(batch(second, [1], heating=[None], power=[7.0])),
    )
    assert await stored(store) == [None, 5.0, None, 7.0]
    assert [None if each is None else bool(each) for each in await stored(store, "heating")] == [
        True,
        False,
        None,
        None,
    ]
    assert await stored(store, "temperature") == [None, None, 60.0, None]


async def test_a_defect_in_one_batch_fails_it_alone(store: Store, ingest: Ingest):
    """What the checks let through and the database refuses fails its own caller, not its group."""
    device = await add_heater(store)

    good = [ingest.record(batch(device, [each])) for each in range(3)]
    no_id: Any = object()
    bad = ingest.record(batch([no_id], [9]))
    results = await asyncio.gather(good[0], bad, *good[1:], return_exceptions=True)
    assert isinstance(results[1], Exception)
    assert [counts(each) for each in (results[0], *results[2:]) if isinstance(each, IngestReport)] == [(1, 0, 0)] * 3


async def test_a_caller_that_leaves_harms_nobody(store: Store, ingest: Ingest):
    """Its readings are stored all the same, and the others of its group get their answers."""
    device = await add_heater(store)
    tasks = [asyncio.create_task(ingest.record(batch(device, [each]))) for each in range(6)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in results] == [True, False, False, True, False, False]
    assert len(await stored(store)) == 6


async def test_every_row_gets_its_verdict(store: Store, ingest: Ingest):
    """Each reason has a code, the value that is wrong, and what is allowed."""
    device = await add_heater(store)
    nan, infinite = float("nan"), float("inf")
    rows: list[tuple[int, float, dict[str, Any], str | None, str]] = [
        (device, 0, {"temperature": 50.0}, None, ""),
        (device, 1, {"temperature": nan}, "NOT_FINITE", "temperature is not a number"),
        (device, 2, {"power": infinite}, "NOT_FINITE", "power is infinite"),
        (device, 3, {"power": -infinite}, "NOT_FINITE", "power is infinite"),
        (
            device,
            4,
            {"temperature": 120.5},
            "OUT_OF_RANGE",
            "temperature 120.5 °C is not plausible; allowed are -20 to",
        ),
        (device, 5, {"pressure": -0.1}, "OUT_OF_RANGE", "pressure -0.1 bar"),
        (device, 6, {"power": 1.0, "flow_rate": 501.0}, "OUT_OF_RANGE", "flow_rate 501 L/min"),
        (device, 7, {}, "NO_VALUES", "send at least one channel"),
        (device, -6, {"power": 1.0}, "IN_FUTURE", "300 s ahead are allowed"),
        (device, -5, {"power": 1.0}, None, ""),
        (device, 3651 * 1440, {"power": 1.0}, "TOO_OLD", "older than the 3650 days"),
        (999, 8, {"power": 1.0}, "UNKNOWN_DEVICE", "no device with this id"),
        (device, 9, {"heating": True}, None, ""),
    ]
    names = ("temperature", "power", "pressure", "flow_rate", "heating")
    report = await ingest.record(
        batch([row[0] for row in rows], [row[1] for row in rows], **{n: [row[2].get(n) for row in rows] for n in names})
    )
    found = {rejection.index: rejection for rejection in report.rejected}
    assert [rejection.index for rejection in report.rejected] == sorted(found)
    for index, (*_, code, part) in enumerate(rows):
        assert (found[index].code if index in found else None) == code, index
        assert code is None or part in found[index].message, found[index].message
    assert report.accepted_count == 3
    assert len(await stored(store)) == 3


async def test_sizes_of_batches(store: Store, ingest: Ingest):
    """Nothing at all is refused, and more than the setting allows."""
    device = await add_heater(store)
    with pytest.raises(BadUserInput, match="no readings"):
        await ingest.record(batch(device, []))
    with pytest.raises(LimitExceeded, match="may have 100 readings"):
        await ingest.record(batch(device, range(101)))
    assert counts(await ingest.record(batch(device, range(100)))) == (100, 0, 0)


async def test_readings_of_many_months(store: Store, ingest: Ingest):
    """Each month has its partition by the time its first reading is stored."""
    device = await add_heater(store)
    days = [0, 40, 400, 3000, 40.5]
    assert counts(await ingest.record(batch(device, [day * 1440 for day in days]))) == (5, 0, 0)
    assert len(await stored(store)) == 5
    if store.dialect == "postgresql":
        rows = await store.run("SELECT count(*) FROM pg_inherits WHERE inhparent = 'water_heater_readings'::regclass")
        assert rows[0][0] >= 4


async def test_a_month_whose_partition_was_dropped_comes_back(postgresql_url: str):
    """Retention may drop a month that this process has written before; the next reading makes it anew."""
    store = Store(database_settings(postgresql_url), event_settings())
    await store.open()
    ingest = Ingest(store, DEFAULTS, Alerting(DEFAULTS), lambda: MIDDAY)
    device = await add_heater(store)
    await ingest.record(batch(device, [1]))
    async with store.transaction() as transaction:
        name = partitions.partition_name("water_heater_readings", partitions.month_of(MIDDAY))
        await transaction.run(f"DROP TABLE {name}")
    assert counts(await ingest.record(batch(device, [1]))) == (1, 0, 0)
    await ingest.close()
    await store.close()


async def test_the_newest_reading_is_known_whatever_the_order(store: Store, ingest: Ingest):
    """History that comes late moves neither the newest reading nor the time at which the device was last seen."""
    device = await add_heater(store)
    for minutes in ([5], [60, 2, 30], [1000, 4]):
        await ingest.record(batch(device, minutes))
    rows = await store.run("SELECT latest_reading_at, last_seen_at FROM devices")
    newest = MIDDAY - timedelta(minutes=2)
    expected = newest if store.dialect == "postgresql" else int(newest.timestamp() * 1_000_000)
    assert list(rows[0]) == [expected, expected]


async def test_a_deletion_beside_ingestion_leaves_no_orphans(store: Store, ingest: Ingest):
    """Whoever comes first: afterwards there is no reading without its device."""

    async def delete(device: int) -> None:
        async with store.transaction() as transaction:
            await device_changes.lock(transaction, [device])
            await device_changes.remove(transaction, device)

    for attempt in range(5):
        device = await add_heater(store)
        writers = [ingest.record(batch(device, [100 * attempt + each])) for each in range(4)]
        reports = await asyncio.gather(*writers[:2], delete(device), *writers[2:])
        assert all(sum(counts(each)) == 1 for each in reports if isinstance(each, IngestReport))
    assert await stored(store) == []


async def test_a_database_that_is_down_is_unavailable_and_comes_back():
    """Callers are told to try again, and trying again stores what was sent once."""
    with postgresql_server() as server:
        await run_as_admin(server, "CREATE DATABASE fleet")
        url = postgresql_url(server, "fleet")
        await migrate(url)
        limits = {"acquire_timeout_seconds": 2, "connect_timeout_seconds": 2}
        store = Store(database_settings(url, **limits), event_settings())
        await store.open()
        ingest = Ingest(store, DEFAULTS, Alerting(DEFAULTS))
        device = await add_heater(store)
        now = this_minute()
        sent = ReadingBatch("WATER_HEATER", [device], [now], {"power": [1.0]})
        server.stop()
        results = await asyncio.gather(ingest.record(sent), ingest.record(sent), return_exceptions=True)
        assert all(isinstance(each, Unavailable) for each in results)
        assert all(each.details == {"retryable": True} for each in results if isinstance(each, Unavailable))
        server.start()
        reports = [await ingest.record(sent) for _ in range(2)]
        assert [counts(each) for each in reports] == [(1, 0, 0), (0, 1, 0)]
        await ingest.close()
        await store.close()
