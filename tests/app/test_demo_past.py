"""The past of the demo: lives that are over, and hourly readings before those of each minute."""

from datetime import timedelta
from typing import Any

import pytest

from app.demo import seed
from app.demo.past import retired_specifications
from models.clock import now
from models.failures import PREVENTIVE_REPLACEMENT
from models.repositories import device_failures, devices, histories, reading_hours, readings
from models.repositories.device_failures import FAILURES
from models.repositories.maintenance_records import RECORDS
from models.repositories.readings import TimeRange
from resolvers.summing import sum_up
from tests.app.running import SetClock, services_over
from tests.factories import add_heater

SMALL = {"device_count": 2, "history_days": 0.05, "retired_count": 8, "coarse_history_days": 3}
SERIALS = [f"WH-R00{number}" for number in (1, *range(3, 9))]


def past(store, clock=now, **changes) -> Any:
    """Return services of a demo with a past."""
    return services_over(store, clock, simulator={**SMALL, **changes}, ingest={"max_batch_size": 10_000})


async def rows_of(store, serials) -> Any:
    """Return the devices of these serial numbers."""
    return await devices.by_serial_numbers(store, serials)


async def test_retired_heaters_have_lived_up_to_their_failures(store):
    """Readings up to the end, the true cause, what was done to them, and a status that says so; nothing was strange."""
    services = past(store)
    # A device that merely has such a number, but is another type of heater, is left alone.
    mine = await add_heater(store, serial_number="WH-R002", heater_type="GAS", mode="OFF")
    await seed(services)
    retired, _ = await retired_specifications(services)
    assert retired.pop(1).spec.heater_type.value != "GAS"
    (left,) = await rows_of(store, ["WH-R002"])
    assert (left["id"], left["status"]) == (mine, "OFFLINE")
    rows = await rows_of(store, SERIALS)
    ids = [row["id"] for row in rows]
    assert {row["status"] for row in rows} == {"RETIRED"}
    ended = await device_failures.ends_of_life(store, ids)
    counts = await readings.count_by_devices(store, "WATER_HEATER", ids, TimeRange())
    records = await histories.count_by_devices(store, RECORDS, ids)
    for each, row, count, record_count in zip(retired, rows, counts, records, strict=True):
        assert ended[row["id"]] == each.ended_at
        assert timedelta(0) <= each.ended_at - row["latest_reading_at"] < timedelta(hours=9)
        expected = (each.ended_at - each.watched_since) / timedelta(hours=2)
        assert 0.98 * expected <= count <= expected + 1
        assert record_count == len(each.spec.maintenance)
    failures = await histories.by_column(store, FAILURES, "device_id", ids)
    causes = [failure["cause"] for (failure,) in failures]
    assert causes == [each.cause.value if each.cause else PREVENTIVE_REPLACEMENT for each in retired]
    assert causes[-1] == PREVENTIVE_REPLACEMENT
    await sum_up(store, now())
    assert (await store.run("SELECT count(*) FROM anomalies"))[0][0] == 0
    start, end = now() - timedelta(days=600), now()
    days = await reading_hours.load_days(store, "WATER_HEATER", ids, start, end, ["liters_seconds"])
    assert sum(days.values["liters_seconds"]) / 3600 == pytest.approx(sum(counts), rel=0.02)


async def test_seeding_again_adds_no_past_twice_and_completes_it(store):
    """What exists is kept; a heater whose life was interrupted lives on to its end."""
    clock = SetClock(now() - timedelta(hours=3))
    services = past(store, clock, retired_count=3)
    first = await seed(services)
    assert first.device_count == 5
    again = await seed(services)
    assert (again.device_count, again.reading_count) == (0, 0)
    (row,) = await rows_of(store, ["WH-R002"])
    assert row["status"] == "RETIRED"
    async with store.transaction() as transaction:
        ended = row["latest_reading_at"] - timedelta(days=9)
        at = ended if store.dialect == "postgresql" else int(ended.timestamp() * 1e6)
        place = "$1" if store.dialect == "postgresql" else "?1"
        mine = f"device_id = {row['id']}"
        await transaction.run(f"DELETE FROM water_heater_readings WHERE {mine} AND recorded_at > {place}", at)
        await transaction.run(f"DELETE FROM device_failures WHERE {mine}")
        await transaction.run(f"UPDATE devices SET status = 'OFFLINE' WHERE id = {row['id']}")
    clock.forward(hours=2)
    completed = await seed(past(store, clock, retired_count=4))
    assert completed.device_count == 1
    rows = await rows_of(store, ["WH-R002", "WH-R004"])
    assert {each["status"] for each in rows} == {"RETIRED"}
    assert rows[0]["latest_reading_at"] == row["latest_reading_at"]
    counts = await histories.count_by_devices(store, FAILURES, [each["id"] for each in rows])
    assert counts == [1, 1]


async def test_the_coarse_past_lies_before_the_history_and_alarms_nobody(store):
    """A reading every hour of the last days; it comes after the present, so neither detector nor alerts look at it."""
    services = past(store, retired_count=0)
    await seed(services)
    ids = [row["id"] for row in await rows_of(store, ["WH-0001", "WH-0002"])]
    begin = now() - timedelta(days=SMALL["history_days"])
    before = await readings.count_by_devices(store, "WATER_HEATER", ids, TimeRange(end=begin - timedelta(hours=1)))
    assert all(66 <= count <= 73 for count in before)
    oldest = await readings.count_by_devices(store, "WATER_HEATER", ids, TimeRange(end=begin - timedelta(days=3.1)))
    assert oldest == [0, 0]
    assert (await store.run("SELECT count(*) FROM anomalies WHERE device_id IN (1, 2)"))[0][0] <= 1
