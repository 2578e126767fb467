"""Devices as they change: by people, by their readings, by silence."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from models.clock import now
from models.drivers import UniqueViolated
from models.errors import Conflict
from models.readings import ReadingBatch, packed
from models.repositories import device_changes, histories, maintenance_records, readings, water_heaters
from models.repositories.readings import TimeRange
from models.statements import Row
from models.store import Store
from models.types import to_micros
from tests.factories import MIDDAY, add_heater, add_readings

MINUTE = timedelta(minutes=1)


async def device(store: Store, device_id: int) -> Row:
    """Return a device that exists."""
    row = await device_changes.current(store, device_id)
    assert row is not None
    return row


async def change(store: Store, device_id: int, version: int, **values: Any) -> bool:
    """Change a device in a transaction of its own."""
    async with store.transaction() as transaction:
        return await device_changes.change(transaction, device_id, version, at=MIDDAY, values=values)


async def test_a_change_raises_the_version(store: Store):
    """The change, its time and the next version are stored together; other columns stay."""
    id_ = await add_heater(store, name="old", location="cellar")
    assert await change(store, id_, 1, name="new")
    row = await device(store, id_)
    assert (row["name"], row["location"], row["version"], row["updated_at"]) == ("new", "cellar", 2, MIDDAY)


async def test_a_stale_version_changes_nothing(store: Store):
    """Of two changes that saw the same version, the second is told so."""
    id_ = await add_heater(store, name="old")
    assert await change(store, id_, 1, name="first")
    assert not await change(store, id_, 1, name="second")
    assert (await device(store, id_))["name"] == "first"


async def test_a_change_of_nobody_is_refused(store: Store):
    """A device that does not exist has no version."""
    assert not await change(store, 10**9, 1, name="new")


async def test_concurrent_changes_have_one_winner(store: Store):
    """However many change the same version at once, one succeeds."""
    id_ = await add_heater(store)
    outcomes = await asyncio.gather(*(change(store, id_, 1, name=str(place)) for place in range(8)))
    assert sorted(outcomes) == [False] * 7 + [True]


async def test_a_value_can_be_taken_away(store: Store):
    """None is stored, not left out."""
    id_ = await add_heater(store, location="cellar")
    await change(store, id_, 1, location=None)
    assert (await device(store, id_))["location"] is None


async def test_details_change_on_their_own_table(store: Store):
    """A heater's own columns are changed by kind; those of other heaters are not."""
    ids = [await add_heater(store) for _ in range(2)]
    async with store.transaction() as transaction:
        await device_changes.change_details(transaction, "WATER_HEATER", ids[0], {"mode": "OFF"})
    assert [(await device(store, id_))["mode"] for id_ in ids] == ["OFF", "ECO"]


async def test_a_serial_number_belongs_to_one_device(store: Store):
    """The second device of a serial number is a conflict that names it, and the transaction leaves nothing."""
    await add_heater(store, serial_number="WH-1")
    with pytest.raises(Conflict, match="'WH-1' belongs to another device") as caught:
        await add_heater(store, serial_number="WH-1")
    assert caught.value.input_path == ("input", "serialNumber")
    assert len(await store.run("SELECT device_id FROM water_heaters")) == 1


async def test_a_serial_number_cannot_be_changed_into_a_taken_one(store: Store):
    """The violation reaches the use case as something it can explain."""
    await add_heater(store, serial_number="WH-1")
    id_ = await add_heater(store, serial_number="WH-2")
    with pytest.raises(UniqueViolated, match="serial_number"):
        await change(store, id_, 1, serial_number="WH-1")


async def test_two_who_register_the_same_device_at_once(store: Store):
    """One of them succeeds, the others are in conflict."""
    outcomes = await asyncio.gather(*(add_heater(store, serial_number="X") for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3


async def fill(store: Store, device_id: int) -> None:
    """Give a device one of everything that belongs to it."""
    await add_readings(store, device_id, [MIDDAY, MIDDAY + MINUTE])
    async with store.transaction() as transaction:
        record = {"device_id": device_id, "kind": "INSPECTION", "performed_at": MIDDAY, "created_at": MIDDAY}
        await maintenance_records.add(transaction, record, [{"name": "anode", "quantity": 1}])
        await water_heaters.add_control_change(transaction, {"device_id": device_id, "changed_at": MIDDAY})


TABLES = (
    ("devices", "id"),
    ("water_heaters", "device_id"),
    ("water_heater_readings", "device_id"),
    ("maintenance_records", "device_id"),
    ("water_heater_control_changes", "device_id"),
)


async def test_a_device_goes_with_all_that_is_its_own(store: Store):
    """Readings, details, records, parts and changes go; another device keeps its own."""
    gone, kept = await add_heater(store), await add_heater(store)
    for id_ in (gone, kept):
        await fill(store, id_)
    async with store.transaction() as transaction:
        await device_changes.remove(transaction, gone)
    for table, key in TABLES:
        assert {row[0] for row in await store.run(f"SELECT {key} FROM {table}")} == {kept}, table
    assert len(await store.run("SELECT 1 FROM maintenance_parts")) == 1


async def test_readings_stored_while_the_device_is_deleted_go_too(store: Store):
    """A deletion that meets a transaction storing readings leaves no reading without a device."""
    id_ = await add_heater(store)
    storing = asyncio.Event()

    async def remove() -> None:
        await storing.wait()
        async with store.transaction() as transaction:
            await device_changes.remove(transaction, id_)

    removing = asyncio.create_task(remove())
    await add_readings(store, id_, [MIDDAY - MINUTE])
    async with store.transaction() as transaction:
        await device_changes.lock(transaction, [id_])
        storing.set()
        await asyncio.sleep(0.1)
        batch = ReadingBatch("WATER_HEATER", [id_], [MIDDAY], {"temperature": [50.0]})
        await readings.add(transaction, packed([batch]))
    await removing
    assert await readings.count_by_devices(store, "WATER_HEATER", [id_], TimeRange()) == [0]
    assert await device_changes.current(store, id_) is None


async def test_lock_returns_those_that_exist_in_order(store: Store):
    """Unknown ids are absent, repeated ones come once, and the order is that of the ids, which prevents deadlocks."""
    ids = [await add_heater(store) for _ in range(3)]
    async with store.transaction() as transaction:
        locked = await device_changes.lock(transaction, [ids[2], ids[0], 10**9, ids[1], ids[2]])
    assert list(locked) == ids
    assert set(dict(locked[ids[0]])) == {"id", "kind", "status", "last_seen_at", "latest_reading_at"}


async def test_writers_of_the_same_devices_do_not_block_each_other(store: Store):
    """Transactions that lock the same devices in any order all come through, with the check for silence between."""
    ids = [await add_heater(store, status="ONLINE", last_seen_at=MIDDAY) for _ in range(6)]

    async def write(place: int) -> None:
        order = ids[place % 6 :] + ids[: place % 6]
        async with store.transaction() as transaction:
            await device_changes.lock(transaction, order)
            await asyncio.sleep(0)
            await device_changes.mark_seen(transaction, dict.fromkeys(order, now()), online_since=MIDDAY)

    async def check() -> None:
        async with store.transaction() as transaction:
            await device_changes.mark_silent(transaction, silent_since=MIDDAY + MINUTE, limit=100)

    await asyncio.gather(*(write(place) for place in range(12)), *(check() for _ in range(4)))
    assert {(await device(store, id_))["status"] for id_ in ids} == {"ONLINE"}


async def seen(store: Store, device_id: int, at: Any, online_since: Any) -> Row:
    """Mark a device as seen and return it."""
    async with store.transaction() as transaction:
        await device_changes.mark_seen(transaction, {device_id: at}, online_since=online_since)
    return await device(store, device_id)


async def test_what_is_read_is_recorded_with_the_commit(store: Store):
    """Instants as microseconds mean the same as those of `mark_seen`; devices that are silent meanwhile stay so."""
    recent, old = await add_heater(store), await add_heater(store)
    instants = (MIDDAY, MIDDAY - 9 * MINUTE)
    async with store.transaction() as transaction:
        await device_changes.mark_read(
            transaction, [recent, old], [to_micros(at) for at in instants], online_since=MIDDAY - MINUTE
        )
    rows = [await device(store, id_) for id_ in (recent, old)]
    assert [(row["last_seen_at"], row["latest_reading_at"]) for row in rows] == [(at, at) for at in instants]
    assert [row["status"] for row in rows] == ["ONLINE", "OFFLINE"]


async def test_seen_keeps_the_newest(store: Store):
    """A reading that comes late moves neither the last seen nor the latest reading back."""
    id_ = await add_heater(store)
    row = await seen(store, id_, MIDDAY, MIDDAY - MINUTE)
    assert (row["last_seen_at"], row["latest_reading_at"], row["status"]) == (MIDDAY, MIDDAY, "ONLINE")
    row = await seen(store, id_, MIDDAY - 9 * MINUTE, MIDDAY - MINUTE)
    assert (row["last_seen_at"], row["latest_reading_at"], row["status"]) == (MIDDAY, MIDDAY, "ONLINE")
    row = await seen(store, id_, MIDDAY + MINUTE, MIDDAY - MINUTE)
    assert row["latest_reading_at"] == MIDDAY + MINUTE
    assert row["version"] == 1


async def test_old_readings_do_not_bring_a_device_online(store: Store):
    """A backlog from last week is history, not a sign of life."""
    id_ = await add_heater(store)
    assert (await seen(store, id_, MIDDAY, MIDDAY + MINUTE))["status"] == "OFFLINE"
    assert (await seen(store, id_, MIDDAY + MINUTE, MIDDAY + MINUTE))["status"] == "ONLINE"


async def test_maintenance_is_kept(store: Store):
    """What an operator has set stays, whether readings come or not."""
    id_ = await add_heater(store, status="MAINTENANCE")
    assert (await seen(store, id_, MIDDAY, MIDDAY - MINUTE))["status"] == "MAINTENANCE"
    async with store.transaction() as transaction:
        assert await device_changes.mark_silent(transaction, silent_since=MIDDAY + MINUTE, limit=100) == []
    assert (await device(store, id_))["status"] == "MAINTENANCE"


async def test_silent_devices_go_offline(store: Store):
    """Only devices that are ONLINE and were last seen earlier change, and their ids are returned."""
    silent = [await add_heater(store, status="ONLINE", last_seen_at=MIDDAY - MINUTE) for _ in range(2)]
    others = [
        await add_heater(store, status="ONLINE", last_seen_at=MIDDAY),
        await add_heater(store, status="OFFLINE", last_seen_at=MIDDAY - MINUTE),
        await add_heater(store, status="ONLINE", last_seen_at=None),
    ]
    for expected in (silent, []):
        async with store.transaction() as transaction:
            assert sorted(await device_changes.mark_silent(transaction, silent_since=MIDDAY, limit=100)) == expected
    statuses = [(await device(store, id_))["status"] for id_ in (*silent, *others)]
    assert statuses == ["OFFLINE", "OFFLINE", "ONLINE", "OFFLINE", "ONLINE"]


async def test_many_devices_are_marked_at_once(store: Store):
    """Each device of a batch gets its own time."""
    ids = [await add_heater(store) for _ in range(5)]
    times = {id_: MIDDAY + place * MINUTE for place, id_ in enumerate(ids)}
    async with store.transaction() as transaction:
        await device_changes.mark_seen(transaction, times, online_since=MIDDAY + 3 * MINUTE)
    rows = [await device(store, id_) for id_ in ids]
    assert [row["last_seen_at"] for row in rows] == list(times.values())
    assert [row["status"] for row in rows] == ["OFFLINE"] * 3 + ["ONLINE"] * 2


async def test_the_histories_of_a_gone_device_are_empty(store: Store):
    """Asking for what belonged to a device that is gone is no failure."""
    assert await histories.count_by_devices(store, maintenance_records.RECORDS, [10**9]) == [0]
