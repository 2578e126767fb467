"""A small server whose clock is set, for tests of the watch over models: predictions in, health and alerts out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson

from models.learning.backtest import Backtest
from models.learning.features import FloatArray
from models.learning.reference import reference_of
from models.paging import Window
from models.predictions import PredictionKind
from models.principal import Principal, Role
from models.repositories import events, histories, predictions
from models.repositories.alerts import ALERTS
from models.repositories.events import Cursor
from models.repositories.histories import History
from models.repositories.model_drift import DRIFT
from models.repositories.model_health import HEALTH, MODEL_HEALTH_CHANGED
from models.repositories.model_metrics import METRICS
from models.repositories.prediction_models import as_json
from models.statements import Row
from models.store import Store
from models.types import EPOCH
from resolvers.context import Scope
from resolvers.monitoring.service import evaluate
from tests.app.running import SetClock, services_over
from tests.factories import add_heater
from tests.lives import add_model

NOON = datetime(2024, 7, 15, 12, tzinfo=EPOCH.tzinfo)
DAY = timedelta(days=1)
FEATURES = ("heat", "wear")
REPORTER = Principal("Grace", Role.OPERATOR)
LIFESPAN, RISK = PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR


def reference(rows: int = 2000, units: int = 40) -> str:
    """Return what a training keeps: normal features, predictions of about 1000 days, errors of 0.8."""
    random = np.random.default_rng(1)
    columns = random.standard_normal((rows, len(FEATURES)))
    predicted = 1000 + 50 * random.standard_normal(rows)
    backtest = Backtest(
        features=columns,
        units=np.arange(rows) % units,
        instants=(np.arange(rows) // units).astype(np.float64),
        truths=predicted + random.standard_normal(rows),
        known=np.ones(rows, np.bool_),
        predicted=predicted,
    )
    return as_json(reference_of(backtest, FEATURES))


class ModelLab:
    """Services over a store, at NOON to begin with, and heaters of which predictions are made."""

    def __init__(self, store: Store, **changes: Mapping[str, Any]) -> None:
        self.store = store
        self.clock = SetClock(NOON)
        self.services = services_over(store, self.clock, **changes)
        self.random = np.random.default_rng(7)
        self.devices: list[int] = []

    @property
    def scope(self) -> Scope:
        """A scope of an operator."""
        return Scope(self.services, REPORTER)

    async def add_devices(self, count: int) -> list[int]:
        """Store heaters."""
        added = [await add_heater(self.store, status="ONLINE") for _ in range(count)]
        self.devices += added
        return added

    async def add_model(self, kind: PredictionKind = LIFESPAN, **changes: Any) -> int:
        """Put a version into production and return its id; changes name columns."""
        values = {
            "feature_names": as_json(FEATURES),
            "reference": reference(),
            "metrics": as_json({"mae": 10.0, "interval_width": 40.0, "brier": 0.1}),
            "parameters": as_json({"horizon_days": 30.0}),
            "window_to": NOON - DAY,
            "trained_at": NOON - DAY,
            **changes,
        }
        return await add_model(self.store, kind, "{}", **values)

    async def predict(
        self,
        model_id: int,
        at: datetime | None = None,
        *,
        kind: PredictionKind = LIFESPAN,
        values: Sequence[float] | None = None,
        features: FloatArray | None = None,
        **changes: Any,
    ) -> list[Row]:
        """Store a prediction of each heater; values and features are as at the training unless given."""
        count = len(self.devices)
        chosen = (1000 + 50 * self.random.standard_normal(count)).tolist() if values is None else list(values)
        given = self.random.standard_normal((count, len(FEATURES))) if features is None else features
        rows = [
            {
                "device_id": device_id,
                "device_kind": "WATER_HEATER",
                "kind": kind.value,
                "model_id": model_id,
                "method": "REGRESSION",
                "predicted_at": at or self.clock(),
                "data_until": None,
                "confidence": 0.5,
                "value": value,
                "lower": value - 20,
                "upper": value + 20,
                "details": "{}",
                "missing_share": 0.0,
                "duration_ms": 20.0,
                **changes,
            }
            for device_id, value in zip(self.devices, chosen, strict=True)
        ]
        plain = [[None if np.isnan(value) else value for value in row] for row in given.tolist()]
        by_key = {(row["device_id"], kind.value): row for row in rows}
        async with self.store.transaction() as transaction:
            stored = await predictions.add(transaction, rows, dict(zip(by_key, plain, strict=True)))
        return list(stored.values())

    async def evaluate(self, model_id: int | None = None) -> list[Row]:
        """Do a round of the watch."""
        return await evaluate(self.services, model_id)

    async def next_day(self) -> None:
        """Move to the next noon: a window is over."""
        self.clock.time += DAY

    async def listed(self, history: History) -> list[Row]:
        """Return all entries of a list, oldest first."""
        page = await histories.page(self.store, history, Window(1000))
        return list(reversed(page.rows))

    async def metrics(self) -> dict[str, float]:
        """Return the newest value of each metric."""
        return {row["name"]: row["value"] for row in await self.listed(METRICS)}

    async def counts(self) -> dict[str, int]:
        """Return the number of samples of the newest value of each metric."""
        return {row["name"]: row["sample_count"] for row in await self.listed(METRICS)}

    async def drift(self) -> dict[str, str]:
        """Return the newest finding of each feature."""
        return {row["feature"]: row["finding"] for row in await self.listed(DRIFT)}

    async def health(self) -> list[Row]:
        """Return all rows of health, oldest first."""
        return await self.listed(HEALTH)

    async def alerts(self) -> list[Row]:
        """Return all alerts, oldest first."""
        return await self.listed(ALERTS)

    async def told(self, kind: str = MODEL_HEALTH_CHANGED) -> list[dict[str, Any]]:
        """Return the payloads of the events of a type, oldest first."""
        found = await events.after(self.store, Cursor(0, 0), 10_000)
        return [event.payload for event in found if event.type == kind]


def reasons(row: Row) -> dict[str, str]:
    """Return the status of each reason of a row of health."""
    return {reason["metric"]: reason["status"] for reason in orjson.loads(row["reasons"])}


def messages(row: Row) -> dict[str, str]:
    """Return the message of each reason of a row of health."""
    return {reason["metric"]: reason["message"] for reason in orjson.loads(row["reasons"])}
