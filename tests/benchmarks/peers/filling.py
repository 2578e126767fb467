"""Our own tables, filled from the lab's in the same database.

A device of the lab is a water heater of ours with the same id. Its columns are ours of the same meaning; beside them:

- A reading of ours has no id, its key being device and time. The lab's id stands in `energy`, so that our server too
  answers with a sixth number of each reading.
- The time of a prediction stands in `data_until`. Ours are listed newest first and the lab's by their ids, which is
  oldest first: `predicted_at` is the lab's time mirrored within the device, so that both lists are in the same order.
- Anomalies are closed: a device has one open incident at most.
- One more heater has no past. What is published to subscribers is of this one, and removed before the next run.
"""

from datetime import UTC, datetime
from typing import Any

from models import migrator
from models.devices import KINDS, WATER_HEATER
from models.repositories import partitions
from models.statements import table_of
from models.store import Store
from resolvers import summing
from tests.benchmarks.peers.lab import Lab
from tests.benchmarks.peers.spelling import Counts, connected, counts
from tests.factories import database_settings, event_settings

LISTENED = 1_000_001
_FILLING_SECONDS = 600
_OURS = """SELECT (SELECT count(*) FROM water_heaters WHERE device_id <> $1) AS devices,
  (SELECT count(*) FROM water_heater_readings WHERE device_id <> $1) AS readings,
  (SELECT count(*) FROM predictions JOIN public.prediction USING (id)) AS predictions,
  (SELECT count(*) FROM anomalies JOIN public.anomaly USING (id)) AS anomalies"""
_DEVICES = """INSERT INTO devices (id, kind, name, serial_number, firmware_version, location, status, last_seen_at,
  latest_reading_at, installed_at, created_at, updated_at, version)
SELECT d.id, d.kind, d.name, d.serial, d.firmware, d.location, d.status, now(), newest.at, d.created_at, d.created_at,
  d.created_at, 1
FROM public.device d
LEFT JOIN (SELECT device_id, max(ts) AS at FROM public.reading GROUP BY device_id) newest ON newest.device_id = d.id
ORDER BY d.id"""
_HEATERS = """INSERT INTO water_heaters
  (device_id, target_temperature, min_temperature, max_temperature, mode, heater_type, capacity_liters,
   rated_power_watts)
SELECT id, 55, 30, 75, 'ECO', 'RESISTIVE', 200, 2000 FROM devices
WHERE NOT EXISTS (SELECT 1 FROM water_heaters WHERE device_id = id) ORDER BY id"""
# In the order of the lab's rows, which is that of arrival.
_READINGS = """INSERT INTO water_heater_readings
  (device_id, recorded_at, temperature, pressure, flow_rate, power, energy)
SELECT device_id, ts, temperature, pressure, flow, power, id FROM public.reading ORDER BY id"""
_PREDICTIONS = """INSERT INTO predictions
  (id, device_id, device_kind, kind, method, predicted_at, data_until, confidence, value, lower, upper, details)
SELECT id, device_id, 'WATER_HEATER', kind, 'WEIBULL',
  min(created_at) OVER device + (max(created_at) OVER device - created_at), created_at, confidence, value, value, value,
  '{"doubts": []}'
FROM public.prediction WINDOW device AS (PARTITION BY device_id) ORDER BY id"""
_ANOMALIES = """INSERT INTO anomalies
  (id, device_id, device_kind, metric, metrics, pattern, score, severity, state, explanation, detector_version,
   detected_at, peak_at, ended_at, created_at)
SELECT id, device_id, 'WATER_HEATER', 'temperature', '["temperature"]', 'HIGH', score, severity, 'CLOSED',
  'The temperature was high.', '1', detected_at, detected_at, detected_at, detected_at
FROM public.anomaly ORDER BY id"""
_NUMBERED = ("devices", "predictions", "anomalies")
_LISTENED = """INSERT INTO devices
  (id, kind, name, serial_number, status, last_seen_at, created_at, updated_at, version)
SELECT $1::bigint, 'WATER_HEATER', 'Listened to', 'listened-to', 'ONLINE', now(), now(), now(), 1"""
_ADDED = """DELETE FROM predictions WHERE id NOT IN (SELECT id FROM public.prediction)"""
# Nobody sends readings of the others: that they are heard of at the start of a run keeps them as the lab has them.
_HEARD = """UPDATE devices SET status = d.status, last_seen_at = now() FROM public.device d WHERE d.id = devices.id"""


async def fill(lab: Lab, database: str) -> None:
    """Bring our tables to this version, and fill them unless they hold what the lab's tables hold."""
    async with connected(lab.url_of(database)) as connection:
        store = Store(database_settings(our_url(lab, database), statement_timeout_seconds=60), event_settings())
        await store.open()
        try:
            await migrator.upgrade(store)
            wanted = await counts(connection)
            if await _ours(connection) != wanted:
                print(f"Filling our tables with {_text(wanted)} …", flush=True)
                await _make_partitions(store, connection)
                await _refill(connection)
                await summing.ask_for_unknown(store)
                await summing.sum_up(store, datetime.now(UTC), patient=True)
                await connection.execute("VACUUM (ANALYZE, FREEZE)", timeout=_FILLING_SECONDS)
                await connection.execute("CHECKPOINT", timeout=_FILLING_SECONDS)
        finally:
            await store.close()
        await _make_ready(connection)


def our_url(lab: Lab, database: str) -> str:
    """Return the address of a database of the lab's PostgreSQL as our settings hold it."""
    return lab.url_of(database).replace("postgresql://", "postgresql+asyncpg://", 1)


async def _ours(connection: Any) -> Counts:
    return dict(await connection.fetchrow(_OURS, LISTENED))


def _text(wanted: Counts) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in wanted.items())


async def _make_partitions(store: Store, connection: Any) -> None:
    span = await connection.fetchrow("SELECT min(ts) AS first, max(ts) AS last FROM public.reading")
    month, last = partitions.month_of(span["first"]), partitions.month_of(span["last"])
    months = [month]
    while months[-1] < last:
        months.append(partitions.following(months[-1], 1))
    async with store.transaction() as transaction:
        await partitions.ensure(transaction, [WATER_HEATER.name], months)


async def _refill(connection: Any) -> None:
    """Fill our tables in one transaction: they are never seen half full."""
    async with connection.transaction():
        await connection.execute(f"TRUNCATE devices, {', '.join(_reading_tables())}, events CASCADE")
        await connection.execute(_DEVICES, timeout=_FILLING_SECONDS)
        for statement in (_HEATERS, _READINGS, _PREDICTIONS, _ANOMALIES):
            await connection.execute(statement, timeout=_FILLING_SECONDS)
        for table in _NUMBERED:
            key = f"pg_get_serial_sequence('{table}', 'id')"
            await connection.execute(f"SELECT setval({key}, (SELECT max(id) FROM {table}))")


async def _make_ready(connection: Any) -> None:
    """Undo what servers did to devices and predicted, and what was published."""
    async with connection.transaction():
        await connection.execute(_ADDED)
        await connection.execute("DELETE FROM water_heater_readings WHERE device_id = $1", LISTENED)
        await connection.execute("DELETE FROM devices WHERE id = $1", LISTENED)
        await connection.execute(_LISTENED, LISTENED)
        await connection.execute(_HEATERS)
        await connection.execute(_HEARD)


def _reading_tables() -> list[str]:
    return [str(table_of(kind.reading_table).name) for kind in KINDS.values()]
