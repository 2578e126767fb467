"""The worker of alerts: it moves them on with the time, sweeps the fleet, and shares the work with other servers."""

import asyncio
from datetime import timedelta

import pytest

from app.workers import AlertWatching, SilenceWatching, Supervisor
from models.alerts import AlertKind
from models.repositories import alerts, device_changes
from models.severity import Severity
from models.store import Store
from resolvers import alert_rules
from resolvers.alerting import Alerting, Observation
from tests.alerting import AlertLab, second
from tests.factories import MIDDAY, add_heater, event_settings
from tests.graph import graph_over
from tests.shops import fill, open_machine


@pytest.fixture
def lab(store: Store) -> AlertLab:
    """A server whose OFFLINE conditions hold for 300 s and recover for 60 s."""
    return AlertLab(store)


def watching(lab: AlertLab, batch_size: int = 2) -> AlertWatching:
    """Return a worker that looks at few devices in each transaction."""
    return AlertWatching(lab.store, lab.alerting, lab.services.settings.alerts, batch_size)


async def found(lab: AlertLab, severity: Severity | None, *devices: int) -> None:
    """Let devices be silent, or heard again."""
    async with lab.store.transaction() as transaction:
        await lab.alerting.observe(
            transaction, [Observation(id_, AlertKind.OFFLINE, lab.clock(), severity, "silent") for id_ in devices]
        )


async def test_time_raises_and_resolves(lab: AlertLab):
    """What has held for long enough fires, what has been gone for long enough is over, whatever the batches."""
    worker, heaters = watching(lab), [await add_heater(lab.store) for _ in range(5)]
    await found(lab, Severity.HIGH, *heaters)
    lab.clock.forward(seconds=299)
    assert await worker.check() == 0
    lab.clock.forward(seconds=1)
    assert await worker.check() == 5
    assert len(await lab.standing()) == 5
    await found(lab, None, *heaters[:3])
    lab.clock.forward(seconds=59)
    assert await worker.check() == 0
    lab.clock.forward(seconds=30)
    assert await worker.check() == 3
    assert list(await lab.standing()) == [(heater, "OFFLINE") for heater in heaters[3:]]
    assert {row["resolved_at"] for row in await lab.alerts()} == {second(360), None}


async def test_timing_of_a_single_device_counts(lab: AlertLab):
    """One that shall fire sooner does, one that shall fire later waits."""
    soon, late, plain = [await add_heater(lab.store) for _ in range(3)]
    await alert_rules.put(lab.scope(), soon, "OFFLINE", {"hold_seconds": 10.0})
    await alert_rules.put(lab.scope(), late, "OFFLINE", {"hold_seconds": 1000.0})
    await found(lab, Severity.HIGH, soon, late, plain)
    lab.clock.forward(seconds=10)
    await watching(lab).check()
    assert list(await lab.standing()) == [(soon, "OFFLINE")]
    lab.clock.forward(seconds=290)
    await watching(lab).check()
    assert sorted(await lab.standing()) == [(soon, "OFFLINE"), (plain, "OFFLINE")]


async def test_what_readings_tell_is_not_moved_by_time(lab: AlertLab):
    """A heater that was too hot in its last reading is not said to be so for ever."""
    heater = await add_heater(lab.store)
    await lab.read(heater, [0], temperature=[95.0])
    lab.clock.forward(days=1)
    assert await watching(lab).check() == 0
    assert await lab.phases(heater) == {"OVER_TEMPERATURE": "PENDING"}


async def test_a_sweep_finds_what_nobody_told(store: Store):
    """Silence, low slots and due maintenance of before the server knew of alerts; a second sweep finds nothing."""
    lab = AlertLab(store, alerts={"offline_hold_seconds": 0})
    graph = graph_over(store, lab.services.settings)
    machine = await open_machine(graph)
    await fill(graph, machine, quantity=10, lowStockThreshold=4)
    await store_quietly(store, "UPDATE vending_machine_products SET quantity = 3")
    due = await add_heater(store, installed_at=MIDDAY - timedelta(days=366), created_at=MIDDAY)
    silent = await add_heater(store, last_seen_at=MIDDAY - timedelta(days=1), created_at=MIDDAY)
    await add_heater(store, created_at=MIDDAY)
    serviced = {"status": "MAINTENANCE", "last_seen_at": MIDDAY, "installed_at": MIDDAY - timedelta(days=900)}
    await add_heater(store, created_at=MIDDAY, **serviced)
    assert await watching(lab).sweep() == 3
    assert await lab.standing() == {
        (1, "LOW_STOCK"): "HIGH",
        (due, "MAINTENANCE_DUE"): "MEDIUM",
        (silent, "OFFLINE"): "HIGH",
    }
    assert await watching(lab).sweep() == 0
    await store_quietly(store, "UPDATE vending_machine_products SET quantity = 9")
    await store_quietly(store, "UPDATE devices SET status = 'ONLINE'")
    await watching(lab).sweep()
    lab.clock.forward(minutes=5)
    await watching(lab).check()
    assert list(await lab.standing()) == [(due, "MAINTENANCE_DUE"), (serviced_id(due), "MAINTENANCE_DUE")]


async def test_several_servers_raise_each_alert_once(lab: AlertLab):
    """Three servers over one database that check at the same time share the work, or pass it over."""
    heaters = [await add_heater(lab.store) for _ in range(12)]
    await found(lab, Severity.HIGH, *heaters)
    lab.clock.forward(seconds=300)
    stores = [Store(lab.store.settings, event_settings()) for _ in range(2)]
    for each in stores:
        await each.open()
    try:
        workers = [
            AlertWatching(each, Alerting(lab.services.settings, lab.clock), lab.services.settings.alerts, 3)
            for each in (lab.store, *stores)
        ]
        await asyncio.gather(*(worker.check() for worker in workers))
        await workers[0].check()
    finally:
        for each in stores:
            await each.close()
    assert await lab.words() == ["RAISED"] * 12
    assert len(await lab.standing()) == 12


async def test_the_database_itself_refuses_a_second_alert_of_a_key(lab: AlertLab):
    """An alert that another process has raised meanwhile is left alone; resolved ones do not stand in the way."""
    heater = await add_heater(lab.store)
    new = {
        "deduplication_key": "device:1:OFFLINE",
        "device_id": heater,
        "kind": "OFFLINE",
        "severity": "HIGH",
        "state": "OPEN",
        "message": "silent",
        "raised_at": MIDDAY,
        "updated_at": MIDDAY,
    }
    async with lab.store.transaction() as transaction:
        assert len(await alerts.add_many(transaction, [new])) == 1
        assert await alerts.add_many(transaction, [new]) == []
        over = {"deduplication_key": new["deduplication_key"], **alerts.resolution(MIDDAY, MIDDAY)}
        assert len(await alerts.resolve_many(transaction, [over])) == 1
        assert await alerts.resolve_many(transaction, [over]) == []
        assert len(await alerts.add_many(transaction, [new])) == 1


async def test_a_fleet_that_falls_silent_is_taken_in_parts(lab: AlertLab, statements: list[str]):
    """However many devices a site takes along, each transaction is of some hundred."""
    async with lab.store.transaction() as transaction:
        for number in range(600):
            await device_changes.add(transaction, device_row(number), HEATER)
    statements.clear()
    silence = SilenceWatching(lab.store, lab.alerting, lab.services.settings.devices, lab.clock)
    assert len(await silence.check()) == 600
    assert len([sql for sql in statements if sql.lstrip().startswith("INSERT INTO alert_conditions")]) == 2
    lab.clock.forward(seconds=300)
    worker = AlertWatching(lab.store, lab.alerting, lab.services.settings.alerts)
    statements.clear()
    assert await worker.check() == 600
    assert len(statements) < 40
    assert len(await lab.standing()) == 600


async def test_the_worker_goes_on_until_it_is_cancelled(store: Store):
    """It checks and sweeps again and again, and says so."""
    lab = AlertLab(store, alerts={"check_seconds": 0.05, "sweep_seconds": 0.05})
    beats: list[str] = []
    supervisor = Supervisor([watching(lab)], on_failure=beats.append)
    (state,) = supervisor.states
    async with supervisor.running(), asyncio.timeout(20):
        while state.last_beat is None:  # noqa: ASYNC110 - the state tells nobody
            await asyncio.sleep(0.01)
        first = state.last_beat
        while state.last_beat == first:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert beats == []


HEATER = {
    "target_temperature": 55.0,
    "min_temperature": 30.0,
    "max_temperature": 70.0,
    "mode": "ECO",
    "heater_type": "RESISTIVE",
    "capacity_liters": 150.0,
    "rated_power_watts": 2000.0,
}


def device_row(number: int) -> dict[str, object]:
    """Return the columns of a device that was last heard of an hour ago."""
    seen = MIDDAY - timedelta(hours=1)
    return {
        "kind": "WATER_HEATER",
        "name": f"Heater {number}",
        "serial_number": f"S-{number}",
        "status": "ONLINE",
        "last_seen_at": seen,
        "created_at": seen,
        "updated_at": seen,
        "version": 1,
    }


def serviced_id(due: int) -> int:
    """Return the id of the heater that was stored three after another."""
    return due + 3


async def store_quietly(store: Store, sql: str) -> None:
    """Change rows behind the back of the use cases."""
    async with store.transaction() as transaction:
        await transaction.run(sql)
