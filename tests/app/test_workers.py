"""Workers and their supervisor."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from app.workers import Partitioning, SilenceWatching, Simulating, Supervisor
from models.clock import now
from models.errors import Unavailable
from models.repositories import devices, partitions
from models.store import Store
from resolvers.alerting import Alerting
from tests.app.running import services_over
from tests.app.test_demo import seeded
from tests.factories import add_heater, settings


class Flaky:
    """A worker that fails as often as it is told, then goes on."""

    name = "flaky"

    def __init__(self, *failures):
        self.failures = list(failures)
        self.works = asyncio.Event()
        self.began_again = asyncio.Event()

    async def run(self, beat):
        """Fail with the next failure, or go on."""
        if self.failures:
            failure = self.failures.pop(0)
            if failure is None:
                return
            raise failure
        self.began_again.set()
        await self.works.wait()
        beat()
        await asyncio.Event().wait()


async def until(condition):
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - conditions of many kinds
            await asyncio.sleep(0.01)


async def test_a_worker_that_fails_begins_again_and_its_failure_shows_until_it_works():
    """Each failure is counted and told; the problem goes with the first round that goes well."""
    worker, told = Flaky(RuntimeError("broken"), None), []
    supervisor = Supervisor([worker], on_failure=told.append, first_pause_seconds=0.01)
    (state,) = supervisor.states
    async with supervisor.running():
        await worker.began_again.wait()
        assert told == ["flaky", "flaky"]
        assert state.failures == 2
        assert state.failing_since is not None
        assert state.problem == "It ended although it should go on."
        worker.works.set()
        await until(lambda: state.failing_since is None)
        assert state.problem is None
        assert state.last_beat is not None


async def test_an_outage_is_logged_as_a_sentence_and_a_defect_with_its_traceback(caplog):
    """What the database's absence means is known; a defect needs its place, and nobody outside is told its words."""
    worker = Flaky(Unavailable("The database cannot be reached; try again."), RuntimeError("secret"))
    supervisor = Supervisor([worker], on_failure=lambda _name: None, first_pause_seconds=0.01)
    with caplog.at_level(logging.WARNING, "iotsphere.workers"):
        async with supervisor.running():
            await worker.began_again.wait()
    outage, defect = caplog.records
    assert "The database cannot be reached; try again. It begins again in" in outage.getMessage()
    assert not outage.exc_info
    assert "secret" not in defect.getMessage()
    assert defect.exc_info


async def test_silent_devices_become_offline(store):
    """Those seen before the silence, but for devices in maintenance and devices that are still heard."""
    present = now()
    long_ago = present - timedelta(seconds=301)
    silent = await add_heater(store, status="ONLINE", last_seen_at=long_ago)
    heard = await add_heater(store, status="ONLINE", last_seen_at=present - timedelta(seconds=299))
    serviced = await add_heater(store, status="MAINTENANCE", last_seen_at=long_ago)
    watching = SilenceWatching(store, Alerting(settings()), settings().devices, clock=lambda: present)
    assert await watching.check() == [silent]
    assert await watching.check() == []
    rows: Any = await devices.by_ids(store, [silent, heard, serviced], frozenset({"status"}))
    assert [row["status"] for row in rows] == ["OFFLINE", "ONLINE", "MAINTENANCE"]


async def test_a_worker_goes_on_until_it_is_cancelled(store):
    """The status worker looks again and again."""
    chosen = settings(devices={"status_check_seconds": 0.05})
    watching = SilenceWatching(store, Alerting(chosen), chosen.devices)
    beats = []
    supervisor = Supervisor([watching], on_failure=beats.append)
    (state,) = supervisor.states
    async with supervisor.running():
        await until(lambda: state.last_beat is not None)
        first = state.last_beat
        await until(lambda: state.last_beat != first)
    assert beats == []


async def test_partitions_are_made_ahead(postgresql_url):
    """The worker makes those of this month and of the months that the settings name."""
    chosen = settings(database={"url": postgresql_url, "partitions_ahead_months": 3})
    store = Store(chosen.database, chosen.events)
    await store.open()
    supervisor = Supervisor([Partitioning(store)], on_failure=lambda _name: None)
    try:
        async with supervisor.running():
            await until(lambda: supervisor.states[0].last_beat is not None)
        month = partitions.following(partitions.month_of(now()), 3)
        name = partitions.partition_name("water_heater_readings", month)
        assert await store.run("SELECT 1 FROM pg_class WHERE relname = $1", name)
    finally:
        await store.close()


async def test_the_simulator_sends_readings_through_ingestion(store):
    """A fleet that exists is caught up with and goes on with the clock."""
    changes = {"simulator": {"device_count": 2, "interval_seconds": 0.2}}
    await seeded(services_over(store, **changes))
    simulating = Simulating(services_over(store, **changes))
    async with Supervisor([simulating], on_failure=pytest.fail).running():
        await until(lambda: simulating.stored_count >= 6)
    rows: Any = await devices.by_serial_numbers(
        store, ["WH-0001", "WH-0002"], frozenset({"status", "latest_reading_at"})
    )
    assert [row["status"] for row in rows] == ["ONLINE", "ONLINE"]
    assert all(now() - row["latest_reading_at"] < timedelta(seconds=30) for row in rows)


async def test_without_a_fleet_the_simulator_waits(store):
    """It says so once, and is well."""
    supervisor = Supervisor([Simulating(services_over(store))], on_failure=pytest.fail)
    async with supervisor.running():
        await until(lambda: supervisor.states[0].last_beat is not None)
    assert supervisor.states[0].failures == 0
