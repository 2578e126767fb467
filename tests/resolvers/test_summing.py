"""Hours of readings: summed up once they have ended, summed anew where readings come late, read in columns."""

import asyncio
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.workers import Summing
from models.devices import VENDING_MACHINE, WATER_HEATER
from models.reading_hours import HOUR, SUMMED_AFTER, HourRows
from models.readings import ReadingBatch
from models.repositories import asked_hours, device_changes, reading_hours
from models.store import Store
from models.types import to_micros
from resolvers.summing import ask_for_unknown, sum_up
from tests.app.running import SetClock, services_over
from tests.factories import MIDDAY, add_heater, add_readings, database_settings, event_settings


def minutes(first: float, last: float, step: float = 1) -> Any:
    """Return instants from so many minutes after MIDDAY up to, but without, others."""
    return [MIDDAY + timedelta(minutes=float(each)) for each in np.arange(first, last, step)]


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at MIDDAY."""
    return SetClock(MIDDAY)


@pytest.fixture
def ingest(store: Store, clock: SetClock) -> Any:
    """The way in for readings, by that clock."""
    return services_over(store, clock, ingest={"max_batch_size": 5000}).ingest


def batch(device: int, instants: Any, **channels: Any) -> ReadingBatch:
    """Return readings of a heater; 6 L/min and 60 °C where no channel is given."""
    count = len(instants)
    values = channels or {"flow_rate": [6.0] * count, "temperature": [60.0] * count}
    return ReadingBatch("WATER_HEATER", [device] * count, instants, values)


async def hours(store: Store, device: int, column: str = "liters") -> list[tuple[int, Any]]:
    """Return hours after MIDDAY and a column."""
    start, end = MIDDAY - timedelta(days=40), MIDDAY + timedelta(days=1)
    rows = await reading_hours.load(store, "WATER_HEATER", [device], start, end, [column])
    places = (rows.micros - to_micros(MIDDAY)) // 3_600_000_000
    return list(zip(places.tolist(), np.round(rows.values[column], 6).tolist(), strict=True))


async def asked(store: Store) -> int:
    """Return how many hours are asked for."""
    return (await store.run("SELECT count(*) FROM stale_reading_hours"))[0][0]


async def test_live_hours_are_summed_after_their_end(store, ingest, clock, statements):
    """An hour is asked for by its first reading, in one statement, and summed some minutes after its end."""
    device = await add_heater(store)
    worker = Summing(store, clock)
    for instant in minutes(0, 68):
        clock.time = instant
        statements.clear()
        await ingest.record(batch(device, [instant]))
        told = [text for text in statements if "stale_reading_hours" in text]
        assert len(told) == (instant.minute == 0)
        await worker.check()
        expected = [] if instant < MIDDAY + HOUR + SUMMED_AFTER else [(0, 360.0)]
        assert await hours(store, device) == expected
    assert await asked(store) == 1


async def test_a_history_is_summed_at_once_and_late_readings_anew(store, ingest):
    """What was summed follows the readings that come later."""
    device = await add_heater(store)
    await ingest.record(batch(device, minutes(-300, -60)))
    assert await sum_up(store, MIDDAY) == 4
    assert await hours(store, device) == [(-5, 360.0), (-4, 360.0), (-3, 360.0), (-2, 354.0)]
    assert await sum_up(store, MIDDAY) == 0
    await ingest.record(batch(device, minutes(-300.5, -240)))
    await sum_up(store, MIDDAY)
    counts = await hours(store, device, "reading_count")
    assert counts == [(-6, 1), (-5, 120), (-4, 60), (-3, 60), (-2, 60)]


async def test_readings_that_come_while_their_hour_is_summed_are_not_lost(store, ingest):
    """What was read before them is not stored, or the hour is asked for again."""
    device = await add_heater(store)
    await ingest.record(batch(device, minutes(-120, -60, 2)))
    if store.dialect == "postgresql":
        async with store.transaction() as transaction:
            assert await asked_hours.is_mine(transaction)
            found = await asked_hours.asked(transaction, "WATER_HEATER", MIDDAY - HOUR, 100)
            pairs = [(id_, at) for id_, at, _ in found]
            await asked_hours.raw(transaction, "WATER_HEATER", pairs)
            await ingest.record(batch(device, minutes(-119, -60, 2)))
            empty = HourRows(np.empty(0, np.int64), np.empty(0, np.int64), {"reading_count": np.empty(0)})
            assert await asked_hours.put(transaction, "WATER_HEATER", found, empty) == 0
    else:
        await asyncio.gather(sum_up(store, MIDDAY), ingest.record(batch(device, minutes(-119, -60, 2))))
    await sum_up(store, MIDDAY)
    assert dict(await hours(store, device, "reading_count"))[-2] == 60


async def test_several_processes_share_the_work(store, database_url):
    """Whoever finds another one at it leaves it alone, or waits; each hour is summed once."""
    devices = [await add_heater(store) for _ in range(4)]
    for device in devices:
        await add_readings(store, device, minutes(-3000, 0, 5))
    other = Store(database_settings(database_url), event_settings())
    await other.open()
    try:
        await ask_for_unknown(store)
        wanted = await asked(store)
        counts = await asyncio.gather(*(sum_up(each, MIDDAY, patient=True) for each in (store, other, store)))
        assert sum(counts) == wanted
    finally:
        await other.close()
    assert await asked(store) == 0
    assert [len(await hours(store, device)) for device in devices] == [50] * 4


async def test_readings_from_before_there_were_hours_are_found(store):
    """A device with readings but without hours is asked for once."""
    device = await add_heater(store)
    await add_readings(store, device, minutes(-180, 0), flow_rate=[1.0] * 180)
    await ask_for_unknown(store)
    assert await sum_up(store, MIDDAY) == 3
    await ask_for_unknown(store)
    assert await asked(store) == 0
    assert await hours(store, device) == [(-3, 60.0), (-2, 60.0), (-1, 59.0)]


async def test_days_are_made_of_hours(store, ingest, clock):
    """Means are weighted by readings, deviations are those of the whole day, sums are added up."""
    device = await add_heater(store)
    instants = [*minutes(-720, -660), *minutes(-600, -570)]
    values = np.concatenate([np.full(60, 40.0), np.linspace(50, 60, 30)])
    given = batch(device, instants, temperature=values.tolist(), flow_rate=[2.0] * 90)
    await ingest.record(given)
    await sum_up(store, MIDDAY)
    names = ["temperature_mean", "temperature_deviation", "temperature_maximum", "liters", "reading_count"]
    start = MIDDAY - timedelta(days=1)
    days = await reading_hours.load_days(store, "WATER_HEATER", [device, 999], start, MIDDAY, [*names, "power_mean"])
    assert days.micros.tolist() == [to_micros(MIDDAY - timedelta(hours=12))]
    found = [float(days.values[name][0]) for name in names]
    covered = 59 + 1 + 29
    assert found == pytest.approx([values.mean(), values.std(), 60.0, 2.0 * covered, 90])
    assert np.isnan(days.values["power_mean"][0])


async def test_hours_of_many_devices_cost_one_statement(store, ingest, statements):
    """Columns come by device, then by hour, with NaN for none."""
    devices = [await add_heater(store) for _ in range(3)]
    for device in devices:
        await ingest.record(batch(device, minutes(-150, -20)))
    await sum_up(store, MIDDAY)
    statements.clear()
    start = MIDDAY - timedelta(hours=2)
    rows = await reading_hours.load(store, "WATER_HEATER", devices[:2], start, MIDDAY, ["temperature_mean", "kwh"])
    assert len(statements) == 1
    assert rows.device_ids.tolist() == [devices[0]] * 2 + [devices[1]] * 2
    assert rows.values["temperature_mean"].tolist() == [60.0] * 4
    assert np.isnan(rows.values["kwh"]).all()
    nothing = await reading_hours.load(store, "WATER_HEATER", [], start, MIDDAY, ["kwh"])
    assert len(nothing) == 0


async def test_a_column_that_does_not_exist_is_named(store):
    """The names are those of the table."""
    with pytest.raises(ValueError, match="water_heater_hours has no columns humidity_mean"):
        await reading_hours.load(store, "WATER_HEATER", [1], MIDDAY, MIDDAY, ["humidity_mean"])


async def test_hours_go_with_their_device(store, ingest):
    """Also those that are only asked for."""
    device = await add_heater(store)
    await ingest.record(batch(device, minutes(-200, 0)))
    await sum_up(store, MIDDAY - 2 * HOUR)
    assert await asked(store) > 0
    async with store.transaction() as transaction:
        await device_changes.remove(transaction, device)
    assert await asked(store) == 0
    assert await hours(store, device) == []


@pytest.mark.parametrize("kind", [WATER_HEATER, VENDING_MACHINE], ids=lambda kind: kind.name)
def test_the_table_of_hours_has_what_is_summed(kind):
    """Each column of the table is a statistic of a channel or a sum."""
    made = {"device_id", "hour", "reading_count"}
    made |= {f"{name}_{each}" for name in kind.hourly for each in ("mean", "minimum", "maximum", "deviation")}
    made |= {each.name for each in kind.hour_sums} | {each.seconds for each in kind.hour_sums if each.seconds}
    assert made == set(kind.hour_table.columns.keys())
    assert {each.channel for each in kind.hour_sums} <= set(kind.by_name)
