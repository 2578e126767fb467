"""Reads of many operations, gathered."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.errors import Unavailable
from models.gathering import Gatherer
from models.paging import Window
from models.repositories import devices, readings
from models.repositories.devices import DeviceFilter, DeviceOrder
from models.repositories.readings import TimeRange
from models.store import Store
from tests.factories import add_heater, add_readings, database_settings, event_settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_lookups_of_one_turn_share_a_statement(store: Store):
    """However many operations look devices up at once, one statement answers them, each with what it asked for."""
    ids = [await add_heater(store, name=f"Heater {number}") for number in range(3)]
    texts: list[str] = []
    store.on_statement = texts.append
    wanted = [[ids[0]], [ids[1], ids[2]], [ids[2], 10**9], []]
    found = await asyncio.gather(*(devices.by_ids(store, each, frozenset({"name"})) for each in wanted))
    assert [[row and row["name"] for row in rows] for rows in found] == [
        ["Heater 0"],
        ["Heater 1", "Heater 2"],
        ["Heater 2", None],
        [],
    ]
    assert len(texts) == 1


async def test_lookups_of_other_columns_are_apart(store: Store):
    """A lookup that wants other columns is another statement."""
    device_id = await add_heater(store)
    texts: list[str] = []
    store.on_statement = texts.append
    columns = [frozenset({"name"}), frozenset({"status"})]
    found = await asyncio.gather(*(devices.by_ids(store, [device_id], each) for each in columns))
    assert [rows[0] is not None for rows in found] == [True, True]
    assert len(texts) == 2


async def test_a_lookup_sees_what_was_committed_before_it(store: Store):
    """What joins a lookup starts with it: nothing is answered from an earlier one."""
    device_id = await add_heater(store)
    (before,) = await devices.by_ids(store, [device_id])
    added = await add_heater(store, name="Later")
    (after,) = await devices.by_ids(store, [added])
    assert before is not None
    assert after is not None
    assert after["name"] == "Later"


async def test_who_leaves_takes_nothing_from_the_others(store: Store):
    """One caller that is cancelled does not end the lookup of the others."""
    device_id = await add_heater(store)
    first, second = (asyncio.ensure_future(devices.by_ids(store, [device_id])) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    (row,) = await second
    assert row is not None
    assert first.cancelled()


async def test_a_failure_reaches_all_who_wait():
    """When the statement fails, each caller is told."""

    async def load(_wanted: list[int]) -> None:
        raise Unavailable("gone")

    gatherer = Gatherer()
    outcomes = await asyncio.gather(*(gatherer.gather("x", [each], load) for each in (1, 2)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [Unavailable, Unavailable]
    with pytest.raises(Unavailable):
        await gatherer.gather("x", [1], load)


async def test_pages_of_one_turn_share_a_statement(store: Store):
    """Short pages of different devices are read together, equal pages of the fleet once."""
    ids = [await add_heater(store, name=f"Heater {number}") for number in range(3)]
    for place, id_ in enumerate(ids):
        await add_readings(
            store, id_, [NOON - minutes * MINUTE for minutes in range(place)], temperature=[50.0] * place
        )
    texts: list[str] = []
    store.on_statement = texts.append
    window, columns = Window(2), frozenset({"recorded_at"})
    pages = await asyncio.gather(
        *(readings.page_by_devices(store, "WATER_HEATER", [id_], window, TimeRange(), columns) for id_ in ids)
    )
    assert [len(page.rows) for (page,) in pages] == [0, 1, 2]
    fleet = await asyncio.gather(
        *(devices.page(store, DeviceFilter(), DeviceOrder(), window, frozenset({"name"})) for _ in range(3))
    )
    assert [[row["name"] for row in page.rows] for page in fleet] == [["Heater 0", "Heater 1"]] * 3
    assert len(texts) == 2


async def test_long_pages_of_one_turn_share_a_statement(store: Store):
    """Pages that are read as columns are read together, too, unless they are very long; each is what it is alone."""
    ids = [await add_heater(store, name=f"Heater {number}") for number in range(3)]
    for place, id_ in enumerate(ids):
        times = [NOON - minutes * MINUTE for minutes in range(80 * place)]
        await add_readings(store, id_, times, temperature=[50.0 + place + number for number in range(len(times))])
    columns = frozenset({"recorded_at", "temperature"})
    for window, statements in ((Window(100), 1), (Window(1000), 3)):
        texts: list[str] = []
        store.on_statement = texts.append
        together = await asyncio.gather(*(_page(store, id_, window, columns) for id_ in ids))
        assert len(texts) == statements
        alone = [await _page(store, id_, window, columns) for id_ in ids]
        assert [len(page.rows) for page in together] == [0, 80, min(160, window.count)]
        for mine, other in zip(together, alone, strict=True):
            for name in columns:
                assert [row[name] for row in mine.rows] == [row[name] for row in other.rows]
            assert mine[1:] == other[1:]
            assert not mine.rows or len(mine.rows.whole()) <= window.count + 1


async def _page(store: Store, device_id: int, window: Window, columns: frozenset[str]) -> Any:
    (page,) = await readings.page_by_devices(store, "WATER_HEATER", [device_id], window, TimeRange(), columns)
    return page


async def test_a_transaction_gathers_nothing(store: Store):
    """What a transaction reads is its own, and sees what it has written."""
    device_id = await add_heater(store)
    async with store.transaction() as transaction:
        await transaction.run("UPDATE devices SET name = 'Renamed'")
        (mine,) = await devices.by_ids(transaction, [device_id])
    assert mine is not None
    assert mine["name"] == "Renamed"


async def test_gathering_can_be_turned_off():
    """Where the settings say so, each read takes a statement of its own."""
    store = Store(database_settings(gathers_reads=False), event_settings())
    ran: list[list[int]] = []

    async def load(wanted: list[int]) -> list[int]:
        ran.append(wanted)
        return wanted

    assert await asyncio.gather(*(store.gather("x", [each, each], load) for each in (1, 2))) == [[1], [2]]
    assert ran == [[1], [2]]


async def test_a_read_for_which_nobody_waits_ends():
    """When all who wait have left, before it began or while it runs, the read ends; who comes later has a new one."""
    gatherer = Gatherer()
    ended: list[str] = []

    async def load(_wanted: list[int]) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("ended")
            raise
        return "too late"

    async def answer(wanted: list[int]) -> list[int]:
        return wanted

    for turns in (1, 3):
        waiting = [asyncio.ensure_future(gatherer.gather("x", [each], load)) for each in (1, 2)]
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert not waiting[1].done()
        waiting[1].cancel()
        assert await gatherer.gather("x", [3], answer) == [3]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2
        await asyncio.sleep(0)
        assert not gatherer._running
    assert ended
