"""Readings: stored once, found by key, paged in both directions."""

import asyncio
import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import compress
from typing import Any

import numpy as np
import pytest

from models.paging import Page, Window
from models.readings import NEVER, ReadingBatch, packed
from models.repositories import device_changes, readings
from models.repositories.readings import TimeRange
from models.store import Store
from models.types import to_micros
from tests.factories import MIDDAY, add_heater, add_readings

KIND = "WATER_HEATER"
ALWAYS = TimeRange()
MINUTE = timedelta(minutes=1)
# Of the first device 12 readings, of the second 5 at other distances, of the third none.
TIMES = ([MIDDAY - n * MINUTE for n in range(12)], [MIDDAY - n * 7 * MINUTE for n in range(5)], [])


@pytest.fixture
async def ids(store: Store) -> list[int]:
    """Three devices with readings."""
    made = [await add_heater(store) for _ in TIMES]
    for id_, times in zip(made, TIMES, strict=True):
        if times:
            await add_readings(store, id_, times, temperature=[float(at.minute) for at in times])
    return made


async def add(store: Store, device_ids: list[int], times: list[datetime], **channels: Any) -> set[tuple[int, datetime]]:
    """Store readings in one transaction and return the new keys."""
    async with store.transaction() as transaction:
        is_new = await readings.add(transaction, packed([ReadingBatch(KIND, device_ids, times, channels)]))
    keys = list(compress(zip(device_ids, times, strict=True), is_new.tolist()))
    assert len(keys) == len(set(keys))
    return set(keys)


async def values_of(store: Store, device_id: int) -> list[tuple[datetime, float]]:
    """Return time and temperature of all readings of a device, oldest first."""
    (page,) = await readings.page_by_devices(store, KIND, [device_id], Window(1000), ALWAYS)
    return [(row["recorded_at"], row["temperature"]) for row in reversed(page.rows)]


async def test_a_reading_is_stored_once(store: Store, ids: list[int]):
    """Sending a batch again stores nothing and changes nothing; only what is new is returned."""
    times = [MIDDAY + n * MINUTE for n in range(3)]
    mine = [ids[2]] * 3
    assert await add(store, mine[:2], times[:2], temperature=[1.0, 2.0]) == {(ids[2], at) for at in times[:2]}
    assert await add(store, mine, times, temperature=[7.0, 8.0, 9.0]) == {(ids[2], times[2])}
    assert await add(store, mine, times, temperature=[7.0, 8.0, 9.0]) == set()
    assert await values_of(store, ids[2]) == list(zip(times, (1.0, 2.0, 9.0), strict=True))


async def test_of_duplicates_within_a_batch_the_first_is_stored(store: Store, ids: list[int]):
    """The same device and time twice in one batch is one reading; the same time of another device is another."""
    devices = [ids[2], ids[2], ids[1], ids[2]]
    times = [MIDDAY + MINUTE] * 3 + [MIDDAY + 2 * MINUTE]
    new = await add(store, devices, times, temperature=[1.0, 2.0, 3.0, 4.0])
    assert new == {(ids[2], times[0]), (ids[1], times[0]), (ids[2], times[3])}
    assert await values_of(store, ids[2]) == [(times[0], 1.0), (times[3], 4.0)]


async def test_times_differ_by_a_microsecond(store: Store, ids: list[int]):
    """Two readings a microsecond apart are two readings."""
    times = [MIDDAY + MINUTE, MIDDAY + MINUTE + timedelta(microseconds=1)]
    assert len(await add(store, [ids[2]] * 2, times, temperature=[1.0, 2.0])) == 2
    assert [at for at, _ in await values_of(store, ids[2])] == times


async def test_channels_may_be_missing(store: Store, ids: list[int]):
    """A channel that no reading has is absent, one that some lack is None; states stay booleans."""
    at = MIDDAY + MINUTE
    await add(store, [ids[2]] * 2, [at, at + MINUTE], heating=[True, None], power=[None, 0.0])
    (page,) = await readings.page_by_devices(store, KIND, [ids[2]], Window(2), ALWAYS)
    newest, oldest = (dict(row) for row in page.rows)
    assert (oldest["heating"], oldest["power"], oldest["temperature"]) == (True, None, None)
    assert oldest["heating"] is True
    assert (newest["heating"], newest["power"]) == (None, 0.0)


async def test_an_empty_batch_is_nothing(store: Store, ids: list[int]):
    """No rows, no failure."""
    assert await add(store, [], [], temperature=[]) == set()


async def test_what_is_known_to_be_newer_is_appended(store: Store, ids: list[int], statements: list[str]):
    """Readings newer than all before them are copied in; any that is not, or comes twice, is looked up as ever."""
    newest = {ids[0]: to_micros(MIDDAY), ids[2]: NEVER}
    later = [MIDDAY + MINUTE, MIDDAY + 2 * MINUTE]
    cases = [
        ([ids[0], ids[2]], later, 2, True),
        ([ids[0], ids[0]], [MIDDAY, MIDDAY + 3 * MINUTE], 1, False),
        ([ids[2], ids[2]], [MIDDAY + 3 * MINUTE] * 2, 1, False),
    ]
    for device_ids, times, count, copied in cases:
        statements.clear()
        async with store.transaction() as transaction:
            channels = {"temperature": [1.5, None], "heating": [None, True]}
            floors = np.array([newest[id_] for id_ in device_ids])
            new = await readings.add(transaction, packed([ReadingBatch(KIND, device_ids, times, channels)]), floors)
        assert new.sum() == count
        assert (statements == ["COPY water_heater_readings"]) == copied
    (page,) = await readings.page_by_devices(store, KIND, [ids[2]], Window(9), ALWAYS)
    stored = [(row["recorded_at"], row["temperature"], row["heating"]) for row in page.rows]
    assert stored == [(MIDDAY + 3 * MINUTE, 1.5, None), (later[1], None, True)]


async def test_writers_of_the_same_readings_store_each_once(store: Store, ids: list[int]):
    """However many send the same batch at once, each row is new for exactly one of them."""
    times = [MIDDAY + n * MINUTE for n in range(50)]

    async def send() -> int:
        async with store.transaction() as transaction:
            await device_changes.lock(transaction, [ids[2]])
            batch = ReadingBatch(KIND, [ids[2]] * 50, times, {"temperature": [1.0] * 50})
            return int((await readings.add(transaction, packed([batch]))).sum())

    assert sorted(await asyncio.gather(*(send() for _ in range(5)))) == [0, 0, 0, 0, 50]


async def test_latest_is_found_by_key(store: Store, ids: list[int], statements: list[str]):
    """One statement answers all devices; without a time, or with one that is not stored, there is no reading."""
    keys = [(ids[1], MIDDAY), (ids[2], None), (ids[0], MIDDAY), (ids[2], MIDDAY), (ids[0], MIDDAY)]
    found = await readings.latest(store, KIND, keys, frozenset({"temperature"}))
    assert [row and (row["device_id"], row["recorded_at"]) for row in found] == [
        (ids[1], MIDDAY),
        None,
        (ids[0], MIDDAY),
        None,
        (ids[0], MIDDAY),
    ]
    assert len(statements) == 1
    assert set(dict(found[0] or {})) == {"device_id", "recorded_at", "temperature"}
    assert await readings.latest(store, KIND, [(ids[2], None)]) == [None]
    assert len(statements) == 1


async def test_latest_of_devices_follows_ingestion(store: Store, ids: list[int]):
    """The time that the device keeps leads to its newest reading, to the microsecond."""
    at = MIDDAY + timedelta(microseconds=123_457)
    await add_readings(store, ids[0], [at, MIDDAY - MINUTE / 2])
    row = await device_changes.current(store, ids[0])
    assert row is not None
    (found,) = await readings.latest(store, KIND, [(ids[0], row["latest_reading_at"])])
    assert found is not None
    assert found["recorded_at"] == at


RANGES = (
    ALWAYS,
    TimeRange(start=MIDDAY - 9 * MINUTE),
    TimeRange(end=MIDDAY - 2 * MINUTE),
    TimeRange(MIDDAY - 8 * MINUTE, MIDDAY),
    TimeRange(MIDDAY, MIDDAY),
    TimeRange(MIDDAY + MINUTE, MIDDAY - MINUTE),
)


def expected(times: list[datetime], range_: TimeRange) -> list[datetime]:
    """Return the times within a range, newest first."""
    start, end = range_.start, range_.end
    return [at for at in times if (start is None or at >= start) and (end is None or at < end)]


async def walked(store: Store, device_id: int, window: Window, range_: TimeRange, total: int) -> list[datetime]:
    """Return the times of all pages of a device, and check what each page says about its neighbours."""
    found: list[datetime] = []
    while True:
        (page,) = await readings.page_by_devices(store, KIND, [device_id], window, range_)
        times = [row["recorded_at"] for row in page.rows]
        found = times + found if window.backward else found + times
        ahead, behind = page.has_next, page.has_previous
        if window.backward:
            ahead, behind = behind, ahead
        assert ahead == (len(found) < total)
        assert behind == (window.cursor is not None)
        if not ahead:
            return found
        window = replace(window, cursor=(times[0 if window.backward else -1],))


@pytest.mark.parametrize("backward", [False, True], ids=["first", "last"])
async def test_pages_are_the_history(store: Store, ids: list[int], backward: bool):
    """Paging through one device with any size from either end yields its readings in the range, newest first."""
    for range_ in RANGES:
        whole = expected(TIMES[0], range_)
        for size in (1, 2, 5, 11, 12, 13):
            assert await walked(store, ids[0], Window(size, None, backward), range_, len(whole)) == whole


@pytest.mark.parametrize("backward", [False, True], ids=["first", "last"])
async def test_pages_of_many_are_pages_of_each(store: Store, ids: list[int], statements: list[str], backward: bool):
    """One statement for many devices gives each the page that it would have got alone."""
    columns = frozenset({"device_id", "temperature"})
    asked = [*reversed(ids), ids[0]]
    cursors = (None, (MIDDAY - 4 * MINUTE,), (MIDDAY - 3.5 * MINUTE,))
    for range_, cursor, size in itertools.product(RANGES, cursors, (1, 3, 20)):
        window = Window(size, cursor, backward)
        statements.clear()
        many = await readings.page_by_devices(store, KIND, asked, window, range_, columns)
        assert len(statements) == 1
        alone = [(await readings.page_by_devices(store, KIND, [id_], window, range_, columns))[0] for id_ in asked]
        assert [plain(page) for page in many] == [plain(page) for page in alone]


def plain(page: Page) -> tuple[list[dict[str, Any]], bool, bool]:
    """Return a page as values that compare."""
    return [dict(row) for row in page.rows], page.has_next, page.has_previous


async def test_counts_of_many(store: Store, ids: list[int], statements: list[str]):
    """One statement counts for all devices; unknown ones have none."""
    for range_ in RANGES:
        statements.clear()
        counts = await readings.count_by_devices(store, KIND, [*ids, 10**9, ids[0]], range_)
        own = [len(expected(times, range_)) for times in TIMES]
        assert counts == [*own, 0, own[0]]
        assert len(statements) == 1


async def test_newest_values_are_those_of_each_device(store: Store, ids: list[int]):
    """The newest reading that has the channel tells; a device that never reported it, or nothing, is absent."""
    await add(store, [ids[0]] * 2, [MIDDAY + MINUTE, MIDDAY + 2 * MINUTE], temperature=[7.0, None], power=[1.0, 2.0])
    asked = [*reversed(ids), 10**9]
    assert await readings.newest_values(store, KIND, asked, "temperature") == {ids[0]: 7.0, ids[1]: 0.0}
    assert await readings.newest_values(store, KIND, asked, "power") == {ids[0]: 2.0}
    assert await readings.newest_values(store, KIND, asked, "pressure") == {}


@pytest.mark.parametrize("later", [readings.VALUE_LOOK_BACK - 1, readings.VALUE_LOOK_BACK])
async def test_a_value_is_not_looked_for_in_a_whole_history(store: Store, ids: list[int], later: int):
    """Behind so many newer readings without it a value is not found: the search is as short in a long history."""
    second = timedelta(seconds=1)
    times = [MIDDAY + place * second for place in range(later + 1)]
    await add(store, [ids[2]] * len(times), times, power=[5.0, *[None] * later])
    found = await readings.newest_values(store, KIND, [ids[2]], "power")
    assert found == ({ids[2]: 5.0} if later < readings.VALUE_LOOK_BACK else {})
