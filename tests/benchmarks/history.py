"""What has come of the fleet of the benchmark: vending machines beside it, work, anomalies, alerts, watched models."""

from datetime import datetime, timedelta
from typing import Any

from models.predictions import PredictionKind
from models.store import Store
from tests.lives import learn

MACHINES = 250
_METRICS = 200
_PREDICTIONS = 200


async def fill(connection: Any, store: Store, devices: int, distance: timedelta, end: datetime) -> None:
    """Store it all.

    Args:
        connection: to the database, which has the water heaters and their readings.
        store: the same.
        devices: water heaters, with ids from 1; the machines come behind them.
        distance: between two readings of a heater.
        end: of the history.
    """
    await connection.execute(_MACHINES, MACHINES, end)
    await connection.execute(_MACHINE_DETAILS)
    await connection.execute(_MACHINE_READINGS, end)
    await connection.execute(_PRODUCTS, end)
    await connection.execute(_WORK, devices, end)
    await connection.execute(_ANOMALIES, devices, end, distance)
    await connection.execute(_ALERTS, devices, end)
    for kind in (PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR):
        id_ = await learn(store, kind, trained_at=end, promoted_at=end, window_from=end - _YEAR, window_to=end)
        await connection.execute(_MODEL_METRICS, id_, _METRICS, end)
        await connection.execute(_MODEL_DRIFT, id_, end)
        await connection.execute(_MODEL_HEALTH, id_, end)
        await connection.execute(_MODEL_ALERTS, id_, end)
        await connection.execute(_MODEL_PREDICTIONS, id_, min(devices, _PREDICTIONS), end, kind.value)


_YEAR = timedelta(days=365)

# Every fifth device is a machine, in the order in which they were registered.
_MACHINES = """INSERT INTO devices (kind, name, serial_number, manufacturer, model, firmware_version, location, status,
  last_seen_at, latest_reading_at, installed_at, created_at, updated_at, version)
SELECT 'VENDING_MACHINE', 'Machine ' || lpad(i::text, 5, '0'), 'VM-' || lpad(i::text, 6, '0'), 'Snackwerk',
  'S-' || i % 5, '1.' || i % 10, 'Building ' || i % 40 || ', entrance', 'ONLINE', $2::timestamptz - i * interval '1 s',
  $2::timestamptz - i * interval '1 s', $2::timestamptz - interval '400 days',
  $2::timestamptz - interval '300 days' - i * interval '5 minutes', $2, 1
FROM generate_series(1, $1::int) i ORDER BY i"""
_MACHINE_DETAILS = """INSERT INTO vending_machines
  (device_id, machine_type, target_cabinet_temperature, currency, time_zone, cash_capacity_minor)
SELECT id, 'SNACK', 4, 'EUR', 'Europe/Berlin', 60000 FROM devices WHERE kind = 'VENDING_MACHINE'"""
_MACHINE_READINGS = """INSERT INTO vending_machine_readings
  (device_id, recorded_at, cabinet_temperature, power, door_open, cash_level)
SELECT id, latest_reading_at - s * interval '1 hour', round((4 + sin(s + id))::numeric, 2), 120 + s, false,
  10000 - 100 * s
FROM devices CROSS JOIN generate_series(0, 23) s WHERE kind = 'VENDING_MACHINE' AND latest_reading_at <= $1"""
_PRODUCTS = """INSERT INTO vending_machine_products
  (device_id, slot, name, price_minor, currency, capacity, quantity, low_stock_threshold, stocked_at, configured_at)
SELECT id, 'A' || s, 'Product ' || s, 100 + 10 * s, 'EUR', 20, (id * s) % 20, 4, $1::timestamptz, $1
FROM devices CROSS JOIN generate_series(1, 20) s WHERE kind = 'VENDING_MACHINE'"""
_WORK = """INSERT INTO maintenance_records
  (device_id, kind, performed_at, performed_by, notes, cost_minor, cost_currency, created_at)
SELECT d, 'INSPECTION', $2::timestamptz - w * interval '20 days' - d * interval '1 minute', 'Ada', 'All well: ' || w,
  12345 + w, 'EUR', $2
FROM generate_series(1, $1::int) d CROSS JOIN generate_series(1, 12) w"""
# One that goes on, whose strangest reading is the third newest; and those of before.
_ANOMALIES = """INSERT INTO anomalies
  (device_id, device_kind, metric, metrics, pattern, score, severity, state, observed, expected, explanation,
   detector_version, detected_at, peak_at, ended_at, created_at)
SELECT d, 'WATER_HEATER', 'temperature', '["temperature"]', 'HIGH', 0.75, 'HIGH',
  CASE WHEN a = 2 THEN 'OPEN' ELSE 'CLOSED' END, 71.5, 58.25, 'Temperature was 71.5 °C, 58.25 °C was expected.', '1',
  at, at, CASE WHEN a > 2 THEN at + interval '5 minutes' END, at
FROM generate_series(1, $1::int) d CROSS JOIN generate_series(2, 9) a
CROSS JOIN LATERAL (SELECT $2::timestamptz - a * $3::interval - d % 1000 * interval '1 second') AS made (at)"""
_ALERTS = """INSERT INTO alerts
  (deduplication_key, device_id, device_kind, kind, severity, state, message, metric, value, threshold, raised_at,
   updated_at, acknowledged_at, acknowledged_by, resolved_at)
SELECT 'benchmark:' || d || ':' || a, d, 'WATER_HEATER', 'OVER_TEMPERATURE', 'HIGH',
  CASE WHEN a = 1 THEN 'ACKNOWLEDGED' ELSE 'RESOLVED' END, 'Temperature is 77 °C; 76 °C or more is too hot.',
  'temperature', 77, 76, at, at, at + interval '5 minutes', 'Ada', CASE WHEN a > 1 THEN at + interval '1 hour' END
FROM generate_series(1, $1::int) d CROSS JOIN generate_series(1, 12) a
CROSS JOIN LATERAL (SELECT $2::timestamptz - a * interval '3 days' - d * interval '1 minute') AS made (at)"""
_MODEL_METRICS = """INSERT INTO model_metrics
  (model_id, name, value, sample_count, window_start, window_end, recorded_at)
SELECT $1::bigint, name, 20 + m % 7, 50, at - interval '1 day', at, at + interval '1 hour'
FROM generate_series(1, $2::int) m CROSS JOIN unnest(ARRAY['mae', 'rmse', 'coverage']) AS names (name)
CROSS JOIN LATERAL (SELECT $3::timestamptz - m * interval '1 day') AS made (at)"""
_MODEL_DRIFT = """INSERT INTO model_drift
  (model_id, feature, finding, statistic, value, threshold, drifted, severity, sample_count, message, evaluated_at)
SELECT $1::bigint, 'pressure.' || f, 'DRIFT', 'LEVEL', 1.25, 0.5, true, 'HIGH', 700, 'The level has moved.',
  $2::timestamptz - f * interval '1 day'
FROM generate_series(1, 40) f"""
_MODEL_HEALTH = """INSERT INTO model_health (model_id, status, score, reasons, began_at, evaluated_at)
SELECT $1::bigint, 'WARNING', 0.75, '[{"metric": "mae", "status": "WARNING", "value": 41.5, "threshold": 30.0,
  "message": "The mean absolute error is 41.5 d; 30 d or more is a warning."}]', at, at + interval '1 hour'
FROM generate_series(1, 5) h CROSS JOIN LATERAL (SELECT $2::timestamptz - h * interval '1 day') AS made (at)
ORDER BY at"""
_MODEL_ALERTS = """INSERT INTO alerts
  (deduplication_key, model_id, kind, severity, state, message, metric, value, threshold, impact, raised_at, updated_at,
   resolved_at)
SELECT 'benchmark:model:' || $1::bigint || ':' || a, $1, 'MODEL_DRIFT', 'HIGH', 'RESOLVED', 'The pressure has moved.',
  'pressure.mean', 1.25, 0.5, 'Predictions of 7 devices rest on it.', at, at, at + interval '1 day'
FROM generate_series(1, 12) a CROSS JOIN LATERAL (SELECT $2::timestamptz - a * interval '7 days') AS made (at)"""
_MODEL_PREDICTIONS = """INSERT INTO predictions
  (device_id, device_kind, kind, model_id, method, predicted_at, data_until, confidence, value, lower, upper, details,
   missing_share, duration_ms)
SELECT d, 'WATER_HEATER', $4::text, $1::bigint, 'REGRESSION', $3::timestamptz - d * interval '1 minute', $3, 0.5, 400,
  300, 500, '{"doubts":[]}', 0, 2
FROM generate_series(1, $2::int) d"""
