"""The fleet of the benchmark of predictions: heaters with weeks of hours, the detector's memory, trained models."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
import orjson

from models.devices import WATER_HEATER
from models.learning import lifespan, risk
from models.learning.anomalies import Detector
from models.predictions import PredictionKind
from models.repositories import watching
from models.store import Store
from resolvers.predicting.data import load_fleet
from tests.benchmarks.documents import global_id
from tests.lives import add_model

HEATERS = 50
_FAILED = 50
_DAYS = 90
_READINGS = 2000

_FIELDS = {
    "lifespan": "remainingDays lowerDays upperDays",
    "anomaly": "isAnomalous score findings { metric score }",
    "usagePatterns": "dailyAverageLiters hourlyProfile peakHours optimizations { description }",
    "multiFactor": "riskScore riskLevel",
}
_ABOUT = "id kind confidence predictedAt model { id version }"
_WHY = "contributingFactors { name value contribution direction } recommendations { action urgency reason dueBy }"


def document(*, explained: bool = False) -> str:
    """Return the document that asks for all four kinds of predictions of all heaters."""
    common = f"{_ABOUT} {_WHY}" if explained else _ABOUT
    kinds = " ".join(f"{name} {{ {common} {fields} }}" for name, fields in _FIELDS.items())
    return f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on WaterHeater {{ id predictions {{ {kinds} }} }} }} }}"


def body(text: str) -> bytes:
    """Return the body of a request."""
    return orjson.dumps({"query": text, "variables": {"ids": [global_id(id_) for id_ in range(1, HEATERS + 1)]}})


async def fill(store: Store, dsn: str, now: datetime) -> None:
    """Store the fleet in a migrated PostgreSQL: heaters 1 to 50 run, 51 to 100 were given up."""
    connection: Any = await asyncpg.connect(dsn)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        await connection.execute(_DEVICES, HEATERS + _FAILED, midnight - timedelta(days=_DAYS))
        await connection.execute(_HEATERS)
        await connection.execute(_HOURS, HEATERS + _FAILED, _DAYS * 24, midnight)
        await connection.execute(_FAILURES, HEATERS, midnight)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    await _remember(store, now)
    fleet = await load_fleet(store, WATER_HEATER.name)
    learnt = lifespan.train(fleet.layout, fleet.lives())
    names = orjson.dumps(learnt.feature_names).decode()
    await add_model(store, PredictionKind.LIFESPAN, learnt.text, feature_names=names)
    risky = risk.train(fleet.layout, fleet.cases(), 30.0)
    names = orjson.dumps(risky.feature_names).decode()
    await add_model(store, PredictionKind.MULTI_FACTOR, risky.text, feature_names=names)


async def _remember(store: Store, now: datetime) -> None:
    """Let the detector have seen the running heaters."""
    detector = Detector([channel.name for channel in WATER_HEATER.watched])
    states = detector.load([None] * HEATERS)
    random = np.random.default_rng(1)
    newest = int(now.timestamp()) * 1_000_000
    at = np.repeat(newest - 60_000_000 * np.arange(_READINGS)[::-1], HEATERS)
    device = np.tile(np.arange(HEATERS), _READINGS)
    values = random.normal(50, 1, (len(at), len(detector.channels)))
    detector.score(states, device, at, values)
    blobs = dict(zip(range(1, HEATERS + 1), states.dump_hot(np.arange(HEATERS)), strict=True))
    async with store.transaction() as transaction:
        await watching.save_states(transaction, blobs, ())


_DEVICES = """INSERT INTO devices (kind, name, serial_number, status, installed_at, created_at, updated_at, version)
SELECT 'WATER_HEATER', 'Heater ' || i, 'WH-' || i, 'ONLINE', $2::timestamptz - i % 10 * interval '20 days',
  $2::timestamptz, $2::timestamptz, 1
FROM generate_series(1, $1::int) i ORDER BY i"""
_HEATERS = """INSERT INTO water_heaters
  (device_id, target_temperature, min_temperature, max_temperature, mode, heater_type, capacity_liters,
   rated_power_watts)
SELECT id, 60, 30, 75, 'ECO', 'RESISTIVE', 100 + 50 * (id % 4), 2000 + 500 * (id % 3) FROM devices"""
# Wear grows with time: more energy, hotter and longer, until those of the second half fail.
_HOURS = """INSERT INTO water_heater_hours
  (device_id, hour, reading_count, temperature_mean, temperature_minimum, temperature_maximum, temperature_deviation,
   inlet_temperature_mean, inlet_temperature_minimum, inlet_temperature_maximum, inlet_temperature_deviation,
   pressure_mean, pressure_minimum, pressure_maximum, pressure_deviation, flow_rate_mean, flow_rate_minimum,
   flow_rate_maximum, flow_rate_deviation, power_mean, power_minimum, power_maximum, power_deviation,
   liters, liters_seconds, kwh, kwh_seconds)
SELECT d, $3::timestamptz - ($2::int - h) * interval '1 hour', 60, 58 + random(), 55, 61 + 4 * worn, 1 + random(),
  12 + random(), 11, 13, 0.3, 3 + random() / 9, 2.7, 3.4 + worn, 0.2 + worn / 5, drawn / 60, 0, 8, 2,
  1000 * (0.3 + worn), 0, 2000, 600, drawn, 3600, drawn * 0.055 * (1 + worn) + 0.06, 3600
FROM generate_series(1, $1::int) d CROSS JOIN generate_series(0, $2::int - 1) h
CROSS JOIN LATERAL (SELECT CASE WHEN d > $1 / 2 THEN greatest(h::float / $2 - 0.3 - d % 7 / 20.0, 0) ELSE 0 END,
  CASE WHEN (h + d) % 24 IN (6, 7, 12, 19, 20) THEN 20 + 10 * random() ELSE 0 END) AS made (worn, drawn)"""
_FAILURES = """INSERT INTO device_failures (device_id, failed_at, ends_life, created_at)
SELECT id, $2::timestamptz - id % 30 * interval '1 day', true, $2 FROM devices WHERE id > $1::int"""
