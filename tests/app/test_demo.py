"""The demo fleet: seeded, completed, and alive."""

from datetime import timedelta
from typing import Any

import pytest

from app.demo import LiveFleet, open_fleet, seed
from app.demo.fleet import demo_heaters, specifications
from models.clock import now
from models.devices.water_heater import WaterHeaterMode
from models.principal import ANONYMOUS
from models.repositories import device_changes, devices, histories, readings
from models.repositories.maintenance_records import RECORDS
from models.repositories.readings import TimeRange
from resolvers import water_heaters
from resolvers.context import Scope
from tests.app.running import SetClock, services_over
from tests.factories import add_heater

SMALL = {"simulator": {"device_count": 2, "history_days": 0.05, "interval_seconds": 5}}
SERIALS = ["WH-0001", "WH-0002"]


async def seeded(services, **changes):
    """Seed a fleet and return what was added."""
    return await seed(services, **changes)


async def rows_of(store, serials=SERIALS) -> Any:
    """Return the devices of these serial numbers."""
    return await devices.by_serial_numbers(store, serials)


async def living(services) -> LiveFleet:
    """Return the fleet that exists."""
    fleet = await open_fleet(services)
    assert fleet is not None
    return fleet


async def counts(store, ids):
    """Return how many readings each device has."""
    return await readings.count_by_devices(store, "WATER_HEATER", ids, TimeRange())


async def test_seeding_makes_heaters_with_maintenance_and_a_history(store):
    """One reading a minute of each heater, up to now, and the records that its specification tells of."""
    services, told = services_over(store, **SMALL), []
    added = await seed(services, lambda what, part: told.append((what, part)))
    rows = await rows_of(store)
    ids = [row["id"] for row in rows]
    assert added.device_count == 2
    assert [row["name"] for row in rows] == ["Water heater A01", "Water heater A02"]
    assert {row["status"] for row in rows} == {"ONLINE"}
    assert sum(await counts(store, ids)) == added.reading_count
    # 72 minutes, of which a sensor may miss one and an incident silence some.
    assert 100 <= added.reading_count <= 144
    records = await histories.count_by_devices(store, RECORDS, ids)
    heaters = demo_heaters(*await specifications(store, services.settings.simulator, now()))
    assert records == [len(heater.spec.maintenance) for heater in heaters]
    assert min(records) >= 1
    assert told[-1] == ("readings", pytest.approx(1, abs=0.05))


async def test_seeding_again_adds_nothing_and_later_only_what_is_missing(store):
    """A later call brings the history up to then; a larger fleet adds devices and leaves the others as they are."""
    clock = SetClock(now() - timedelta(hours=2))
    services = services_over(store, clock, **SMALL)
    first = await seed(services)
    again = await seed(services)
    assert (again.device_count, again.reading_count) == (0, 0)
    before = await counts(store, [row["id"] for row in await rows_of(store)])
    clock.forward(minutes=30)
    larger = services_over(store, clock, simulator={**SMALL["simulator"], "device_count": 3})
    added = await seed(larger)
    assert added.device_count == 1
    old = await counts(store, [row["id"] for row in await rows_of(store)])
    new = await counts(store, [row["id"] for row in await rows_of(store, ["WH-0003"])])
    assert sum(old) == first.reading_count + added.reading_count - sum(new)
    assert all(30 >= later - earlier >= 20 for later, earlier in zip(old, before, strict=True))


async def test_an_interrupted_seeding_is_completed(store):
    """Maintenance records that were not written yet are, and none is written twice."""
    services = services_over(store, **SMALL)
    await seed(services)
    ids = [row["id"] for row in await rows_of(store)]
    wanted = await histories.count_by_devices(store, RECORDS, ids)
    async with store.transaction() as transaction:
        oldest = "SELECT min(performed_at) FROM maintenance_records"
        await transaction.run("DELETE FROM maintenance_parts")
        await transaction.run(f"DELETE FROM maintenance_records WHERE performed_at > ({oldest})")
    await seed(services)
    assert await histories.count_by_devices(store, RECORDS, ids) == wanted


async def test_a_device_that_merely_has_such_a_serial_number_is_left_alone(store):
    """Another type of heater under a number of the fleet gets no readings and no records."""
    services = services_over(store, **SMALL)
    heaters, _ = await specifications(store, services.settings.simulator, now())
    other = "GAS" if heaters[0].heater_type.value != "GAS" else "RESISTIVE"
    mine = await add_heater(store, serial_number="WH-0001", heater_type=other, mode="OFF")
    added = await seed(services)
    assert added.device_count == 1
    assert await counts(store, [mine]) == [0]


async def test_a_gap_is_filled_coarsely_and_life_goes_on(store):
    """After three days of standstill a reading each few minutes, no more than a day has minutes; then each interval."""
    clock = SetClock(now() - timedelta(days=4))
    services = services_over(store, clock, **SMALL)
    await seed(services)
    ids = [row["id"] for row in await rows_of(store)]
    before = sum(await counts(store, ids))
    clock.forward(days=3)
    fleet = await living(services)
    assert len(fleet) == 2
    filled = await fleet.catch_up()
    assert 2 * 1000 <= filled <= 2 * 1440
    assert sum(await counts(store, ids)) == before + filled
    assert 0 < fleet.seconds_to_next() <= 5
    await fleet.step()
    clock.forward(seconds=20)
    assert 1 <= await fleet.step() <= 8


async def test_the_fleet_obeys_the_controls_of_the_database(store):
    """A heater that is set to vacation cools to its lowest target; its readings show it after a while."""
    clock = SetClock(now() - timedelta(days=4))
    services = services_over(store, clock, simulator={**SMALL["simulator"], "interval_seconds": 600})
    await seed(services)
    fleet = await living(services)
    await fleet.catch_up()
    for row in await rows_of(store):
        await water_heaters.update(Scope(services, ANONYMOUS), row["id"], None, {"mode": WaterHeaterMode.OFF})
    clock.forward(days=3)
    await fleet.step()
    rows = await rows_of(store)
    latest: Any = await readings.latest(store, "WATER_HEATER", [(row["id"], row["latest_reading_at"]) for row in rows])
    assert all(reading["temperature"] < 50 for reading in latest)
    assert not any(reading["heating"] for reading in latest)


async def test_a_heater_that_was_deleted_stops_nobody(store):
    """Its readings are refused; those of the others go on."""
    clock = SetClock(now() - timedelta(hours=1))
    services = services_over(store, clock, **SMALL)
    await seed(services)
    fleet = await living(services)
    async with store.transaction() as transaction:
        deleted = (await rows_of(store))[0]["id"]
        await device_changes.remove(transaction, deleted)
    clock.forward(seconds=60)
    assert await fleet.step() >= 6
    assert await counts(store, [deleted]) == [0]


async def test_there_is_no_fleet_in_an_empty_database(store):
    """Nothing is simulated until somebody seeds."""
    assert await open_fleet(services_over(store)) is None


async def test_a_drill_is_an_anomaly_within_a_minute(store):
    """Who watches the living demo sees the pressure of a heater spike, found and told by the detector."""
    clock = SetClock(now() - timedelta(hours=1))
    staged = {**SMALL["simulator"], "history_days": 1.3, "drill_interval_seconds": 60}
    services = services_over(store, clock, simulator=staged)
    await seed(services)
    fleet = await living(services)
    await fleet.catch_up()
    before = (await store.run("SELECT count(*) FROM anomalies WHERE metric = 'pressure'"))[0][0]
    for _ in range(12):
        clock.forward(seconds=5)
        await fleet.step()
    assert (await store.run("SELECT count(*) FROM anomalies WHERE metric = 'pressure'"))[0][0] > before
