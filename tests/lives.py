"""Lives of water heaters for tests of predictions: hours and failures in the database, and models learnt from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np

from models import migrator
from models.clock import now
from models.devices import WATER_HEATER
from models.learning import lifespan, risk
from models.learning.boosting import Boosting
from models.predictions import ModelStage, PredictionKind
from models.repositories import device_failures, prediction_models
from models.repositories.prediction_models import as_json
from models.store import Store
from models.types import to_micros
from resolvers.predicting.data import load_fleet
from tests.factories import add_heater, database_settings, event_settings

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
QUICK = Boosting(trees=20, leaves=7, rows_in_leaf=5, feature_share=0.8)


def midnight(days_ago: float = 0.0) -> datetime:
    """Return the beginning of this day of UTC, or of one before it."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0) - days_ago * DAY


async def add_hours(store: Store, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store hours of heaters: device_id, hour and further columns, the same in all rows."""
    names = list(rows[0])
    plain = [
        tuple(
            to_micros(value) if isinstance(value, datetime) and store.dialect == "sqlite" else value
            for value in row.values()
        )
        for row in rows
    ]
    async with store.transaction() as transaction:
        await transaction.copy_in("water_heater_hours", names, plain)


async def add_days(
    store: Store, device_id: int, days: int, *, until: datetime | None = None, wear: float = 0.0, **changes: Any
) -> None:
    """Store days of a heater, each as one hour that holds the whole day.

    Args:
        store: a migrated database.
        device_id: of the heater.
        days: how many.
        until: when they end; this midnight if not given.
        wear: share of its life that is over at the end; energy and heating grow with it.
        changes: columns, as values or as functions of the day's number.
    """
    random = np.random.default_rng(device_id)
    end = until or midnight()
    rows: list[dict[str, Any]] = []
    for day in range(days):
        worn = max(wear - (days - 1 - day) / 120, 0.0)
        row = {
            "device_id": device_id,
            "hour": end - (days - day) * DAY,
            "reading_count": 24,
            "temperature_mean": 55 + random.normal(0, 0.3),
            "temperature_maximum": 60 + random.normal(0, 0.3) + 6 * worn,
            "temperature_deviation": 2 + random.normal(0, 0.1),
            "inlet_temperature_mean": 12 + random.normal(0, 0.3),
            "pressure_mean": 3 + random.normal(0, 0.05),
            "pressure_minimum": 2.5 + random.normal(0, 0.05),
            "pressure_maximum": 3.5 + random.normal(0, 0.05),
            "pressure_deviation": 0.2 + random.normal(0, 0.01),
            "flow_rate_minimum": 0.0,
            "power_mean": 375.0,
            # Of a power of 2,000 W that is off for the rest of the day.
            "power_deviation": 781 + random.normal(0, 4),
            "power_maximum": 2000 + random.normal(0, 10),
            "liters": 150 + random.normal(0, 15),
            "liters_seconds": 86_400.0,
            "kwh": 9 * (1 + worn) + random.normal(0, 0.3),
            "kwh_seconds": 86_400.0,
        }
        rows.append(row | {name: value(day) if callable(value) else value for name, value in changes.items()})
    await add_hours(store, rows)


async def add_worn_fleet(store: Store, count: int = 8) -> list[int]:
    """Store heaters that were given up after 60 to 120 days of growing wear, and return their ids."""
    ids: list[int] = []
    for place in range(count):
        life = 60 + 60 * place // count
        ended = midnight(3 + place)
        id_ = await add_heater(store, installed_at=ended - life * DAY, status="RETIRED")
        await add_days(store, id_, life, until=ended, wear=1.0)
        async with store.transaction() as transaction:
            values = {"device_id": id_, "failed_at": ended, "ends_life": True, "created_at": ended}
            await device_failures.add(transaction, values)
        ids.append(id_)
    return ids


async def learn(store: Store, kind: PredictionKind, *, by_age: bool = False, **changes: Any) -> int:
    """Put a small model into production and return its id; changes name columns.

    It is learnt once for all tests of a run, from a fleet of `add_worn_fleet` in a database of its own.

    Args:
        store: where the model is put.
        kind: LIFESPAN or MULTI_FACTOR.
        by_age: learn from ages alone, none of which ended in a failure.
        changes: columns.
    """
    key = (kind, by_age)
    if key not in _LEARNT:
        _LEARNT[key] = await _trained(kind, by_age=by_age)
    text, names = _LEARNT[key]
    return await add_model(store, kind, text, feature_names=as_json(names), **changes)


_LEARNT: dict[tuple[PredictionKind, bool], tuple[str, Sequence[str]]] = {}


async def _trained(kind: PredictionKind, *, by_age: bool) -> tuple[str, Sequence[str]]:
    store = Store(database_settings(), event_settings())
    await store.open()
    try:
        await migrator.upgrade(store)
        await add_worn_fleet(store)
        fleet = await load_fleet(store, WATER_HEATER.name)
    finally:
        await store.close()
    if kind is PredictionKind.MULTI_FACTOR:
        risky = risk.train(fleet.layout, fleet.cases(), 30.0, boosting=QUICK)
        return risky.text, risky.feature_names
    lives = [replace(life, failed_at=float("nan")) for life in fleet.lives()] if by_age else fleet.lives()
    train = lifespan.train_by_age if by_age else partial(lifespan.train, boosting=QUICK)
    trained = train(fleet.layout, lives)
    return trained.text, trained.feature_names


async def add_model(store: Store, kind: PredictionKind, artefact: str, **changes: Any) -> int:
    """Store a version of a model of heaters in production, in the place of the one before, and return its id."""
    at = now()
    values: dict[str, Any] = {
        "name": f"water heater {kind.value.lower()}",
        "kind": kind.value,
        "device_kind": WATER_HEATER.name,
        "stage": ModelStage.PRODUCTION.value,
        "method": "REGRESSION",
        "trained_at": at,
        "window_from": None,
        "window_to": None,
        "sample_count": 1,
        "feature_names": "[]",
        "parameters": "{}",
        "metrics": "{}",
        "reference": None,
        "artefact": artefact,
        "promoted_at": at,
        "promoted_by": None,
        "promotion_reason": None,
        **changes,
    }
    async with store.transaction() as transaction:
        await prediction_models.lock(transaction)
        present = await prediction_models.production(transaction, kind.value, WATER_HEATER.name)
        if present is not None:
            await prediction_models.move(transaction, present, ModelStage.ARCHIVED, at)
        return (await prediction_models.add(transaction, values))["id"]
