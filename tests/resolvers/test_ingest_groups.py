"""Groups of callers who share a transaction: each gets its own verdicts, whatever the others sent, and none is lost."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from models.readings import IngestReport, ReadingBatch
from models.repositories import device_changes
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.ingest import Ingest
from tests.factories import MIDDAY, add_heater, settings

DEFAULTS = settings(ingest={"max_batch_size": 1000})
MANY = 600
SECOND = timedelta(seconds=1)


@pytest.fixture
async def ingest(store: Store) -> AsyncGenerator[Ingest]:
    """The way into a fresh database, with a clock that stands at MIDDAY."""
    made = Ingest(store, DEFAULTS, Alerting(DEFAULTS), lambda: MIDDAY)
    yield made
    await made.close()


def batch(devices: Sequence[int], seconds: Sequence[float], **channels: Any) -> ReadingBatch:
    """Return readings of heaters, each so many seconds before MIDDAY."""
    values = channels or {"power": [1.0] * len(devices)}
    return ReadingBatch("WATER_HEATER", devices, [MIDDAY - each * SECOND for each in seconds], values)


async def add_machine(store: Store) -> int:
    """Store a vending machine and return its id."""
    device = {"kind": "VENDING_MACHINE", "name": "Machine", "serial_number": "VM-1", "status": "OFFLINE", "version": 1}
    machine = {"machine_type": "SNACK", "target_cabinet_temperature": 4.0, "currency": "EUR", "time_zone": "UTC"}
    times = {"created_at": MIDDAY, "updated_at": MIDDAY}
    async with store.transaction() as transaction:
        return await device_changes.add(transaction, {**device, **times}, machine)


def told(report: IngestReport) -> tuple[int, int, list[tuple[int, str]]]:
    """Return how many rows were accepted and duplicate, and the place and reason of each that was rejected."""
    return report.accepted_count, report.duplicate_count, [(each.index, each.code) for each in report.rejected]


async def stored(store: Store, table: str = "water_heater_readings") -> int:
    """Return how many readings are stored."""
    return (await store.run(f"SELECT count(*) FROM {table}"))[0][0]


async def test_each_caller_gets_the_verdicts_on_its_own_rows(store: Store, ingest: Ingest):
    """Rows are counted from 0 in each batch, what stands earlier in the group wins, and kinds share the transaction."""
    heater, machine = await add_heater(store), await add_machine(store)
    nan = float("nan")
    drinks = ReadingBatch("VENDING_MACHINE", [machine, heater], [MIDDAY, MIDDAY], {"power": [5.0, 5.0]})
    reports = await asyncio.gather(
        ingest.record(batch([heater] * 3, [30, 20, 10], power=[1.0, -1.0, 2.0])),
        ingest.record(drinks),
        ingest.record(batch([heater, 999, heater], [20, 20, 10])),
        ingest.record(batch([machine, heater], [5, -900])),
        ingest.record(batch([heater] * 4, [4, 4, 30, 3], temperature=[50.0, 51.0, 52.0, nan])),
    )
    assert [told(each) for each in reports] == [
        (2, 0, [(1, "OUT_OF_RANGE")]),
        (1, 0, [(1, "WRONG_KIND")]),
        (1, 1, [(1, "UNKNOWN_DEVICE")]),
        (0, 0, [(0, "WRONG_KIND"), (1, "IN_FUTURE")]),
        (1, 2, [(3, "NOT_FINITE")]),
    ]
    rows = await store.run("SELECT power, temperature FROM water_heater_readings ORDER BY recorded_at")
    assert [tuple(row) for row in rows] == [(1.0, None), (1.0, None), (2.0, None), (None, 50.0)]


async def test_who_has_nothing_to_store_does_not_wait_for_others(store: Store, ingest: Ingest):
    """Readings that are wrong whatever is stored are answered without the database."""
    heater = await add_heater(store)
    async with store.transaction() as transaction:
        await device_changes.lock(transaction, [heater])
        good = asyncio.create_task(ingest.record(batch([heater], [1])))
        bad = asyncio.create_task(ingest.record(batch([heater, heater], [1, 2], power=[-1.0, None])))
        assert told(await bad) == (0, 0, [(0, "OUT_OF_RANGE"), (1, "NO_VALUES")])
        assert not good.done()
    assert told(await good) == (1, 0, [])


async def test_a_large_group_is_stored_beside_one_that_waits(store: Store, ingest: Ingest):
    """What has gathered does not wait behind a slow transaction, where the database has more than one writer."""
    slow, quick = await add_heater(store), await add_heater(store)
    many = batch([quick] * MANY, range(MANY))
    async with store.transaction() as transaction:
        await device_changes.lock(transaction, [slow])
        waiting = asyncio.create_task(ingest.record(batch([slow], [1])))
        await asyncio.sleep(0.05)
        beside = asyncio.create_task(ingest.record(many))
        if store.dialect == "postgresql":
            assert told(await beside) == (MANY, 0, [])
        assert not waiting.done()
    assert told(await waiting) == (1, 0, [])
    assert told(await beside) == (MANY, 0, [])


async def test_groups_at_the_same_time_store_each_reading_once(store: Store, ingest: Ingest):
    """Of the same readings in several groups each is accepted once, and all other callers are told so."""
    heaters = [await add_heater(store) for _ in range(3)]
    rows = [heaters[place % 3] for place in range(MANY)]
    batches = [batch(rows, [place + shift for place in range(MANY)]) for shift in range(0, 60, 3)]
    reports: list[IngestReport] = []
    for start in range(0, len(batches), 5):
        reports += await asyncio.gather(*map(ingest.record, batches[start : start + 5]))
    assert all(sum(told(each)[:2]) == MANY for each in reports)
    assert sum(each.accepted_count for each in reports) == await stored(store) == MANY + 57


async def test_what_waits_at_shutdown_is_stored_and_answered(store: Store):
    """The server closes when every caller has its answer, those of groups that had not begun too."""
    small = settings(ingest={"max_batch_size": 1000, "max_commit_size": MANY})
    ingest = Ingest(store, small, Alerting(small), lambda: MIDDAY)
    heaters = [await add_heater(store) for _ in range(5)]
    tasks = [asyncio.create_task(ingest.record(batch([each] * MANY, range(MANY)))) for each in heaters]
    await asyncio.sleep(0)
    await ingest.close()
    assert [told(task.result()) for task in tasks if task.done()] == [(MANY, 0, [])] * 5
    assert await stored(store) == 5 * MANY


async def test_callers_that_leave_before_their_group_begins_harm_nobody(store: Store, ingest: Ingest):
    """Of two groups that wait every other caller leaves; all readings are stored, and who stayed is answered."""
    heater = await add_heater(store)
    async with store.transaction() as transaction:
        await device_changes.lock(transaction, [heater])
        tasks = [asyncio.create_task(ingest.record(batch([heater] * 300, _apart(place)))) for place in range(6)]
        await asyncio.sleep(0.05)
        for task in tasks[::2]:
            task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in results] == [True, False] * 3
    assert [told(each) for each in results if isinstance(each, IngestReport)] == [(300, 0, [])] * 3
    await ingest.close()
    assert await stored(store) == 1800


async def test_a_defect_in_a_large_group_fails_alone(store: Store, ingest: Ingest):
    """The others of its group and of the group beside it are stored."""
    heater, no_id = await add_heater(store), "no number"
    sent = [batch([heater] * 300, _apart(place)) for place in range(4)]
    wrong: Any = batch([no_id], [1])  # pyright: ignore[reportArgumentType] - the defect
    results = await asyncio.gather(*map(ingest.record, [*sent[:2], wrong, *sent[2:]]), return_exceptions=True)
    assert isinstance(results[2], ValueError)
    assert [told(each) for each in results if isinstance(each, IngestReport)] == [(300, 0, [])] * 4
    assert await stored(store) == 1200


def _apart(place: int) -> list[int]:
    """Return the seconds of 300 readings that no other place has."""
    return list(range(place * 300, place * 300 + 300))


async def test_large_batches_share_a_transaction_only_where_there_is_one_writer(store: Store):
    """On PostgreSQL a group leaves to the next what would make it larger than a thousand readings."""
    own = settings(ingest={"max_batch_size": 1000, "max_commit_size": 50_000})
    ingest = Ingest(store, own, Alerting(own), lambda: MIDDAY)
    heater, size = await add_heater(store), 600
    heard: list[str] = []
    store.on_statement = heard.append
    reports = await asyncio.gather(
        *(ingest.record(batch([heater] * size, [turn * size + each for each in range(size)])) for turn in range(4))
    )
    assert [told(each) for each in reports] == [(size, 0, [])] * 4
    await ingest.close()
    # Those of an earlier time find newer ones, and are looked up before they are stored.
    stores = [sql for sql in heard if sql.startswith(("COPY water", "INSERT INTO water_heater_readings"))]
    assert len(stores) == (4 if store.dialect == "postgresql" else 1)
