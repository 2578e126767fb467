"""What is known of models, for tests of the graph: as the watch over them would leave it."""

from datetime import datetime, timedelta
from typing import Any

import orjson

from models.predictions import PredictionKind
from models.repositories import model_drift, model_health, model_metrics, predictions
from models.store import Store
from schema import ids
from tests.factories import MIDDAY
from tests.findings import add_alert
from tests.lives import add_model

HOUR = timedelta(hours=1)
REASON = {
    "metric": "mae",
    "status": "WARNING",
    "value": 41.5,
    "threshold": 30.0,
    "message": "The mean absolute error is 41.5 d; 30 d or more is a warning.",
}


def model_alert_id(row_id: int) -> str:
    """Return the global id of an alert of a model."""
    return ids.encode("ModelAlert", row_id)


async def add_watched(store: Store, kind: PredictionKind = PredictionKind.LIFESPAN, **changes: Any) -> int:
    """Store a version of a model of heaters in production, which cannot predict, and return its id."""
    return await add_model(store, kind, "none", **changes)


async def add_metric(store: Store, model_id: int, window_end: datetime = MIDDAY, **changes: Any) -> int:
    """Store a metric of a model, its mean absolute error over an hour, and return its id."""
    row = {
        "model_id": model_id,
        "name": "mae",
        "value": 41.5,
        "sample_count": 12,
        "window_start": window_end - HOUR,
        "window_end": window_end,
        "recorded_at": window_end + HOUR,
        "reported_by": None,
        **changes,
    }
    async with store.transaction() as transaction:
        (added,) = await model_metrics.add_many(transaction, [row])
    return added["id"]


async def add_drift(store: Store, model_id: int, **changes: Any) -> None:
    """Store a finding of drift in the mean pressure."""
    row = {
        "model_id": model_id,
        "feature": "pressure.mean",
        "finding": "DRIFT",
        "statistic": "LEVEL",
        "value": 1.25,
        "threshold": 0.5,
        "drifted": True,
        "severity": "HIGH",
        "sample_count": 700,
        "message": "The level has moved by 1.25 standard deviations of the training.",
        "evaluated_at": MIDDAY,
        **changes,
    }
    async with store.transaction() as transaction:
        await model_drift.add_many(transaction, [row])


async def add_health(store: Store, model_id: int, previous: str | None = None, **changes: Any) -> int:
    """Store that the health of a model has changed, tell the log, and return the id of the entry."""
    began_at = changes.get("began_at", MIDDAY)
    row = {
        "model_id": model_id,
        "status": "WARNING",
        "score": 0.75,
        "reasons": orjson.dumps([REASON]).decode(),
        "began_at": began_at,
        "evaluated_at": began_at + HOUR,
        **changes,
    }
    async with store.transaction() as transaction:
        added = await model_health.add(transaction, row)
        transaction.emit(model_health.changed(added, previous))
    return added["id"]


async def add_model_alert(store: Store, model_id: int, **changes: Any) -> int:
    """Raise an alert of a model and return its id: open, of high severity, for drift; changes name columns."""
    about = {
        "device_kind": None,
        "model_id": model_id,
        "kind": "MODEL_DRIFT",
        "message": "The pressure is not as in training.",
        "metric": "pressure.mean",
        "value": 1.25,
        "threshold": 0.5,
        "impact": "LIFESPAN predictions of 7 devices rest on it.",
    }
    return await add_alert(store, None, **about | changes)


async def add_prediction(store: Store, model_id: int, device_id: int, predicted_at: datetime = MIDDAY) -> int:
    """Store a prediction of remaining life that a model made, and return its id."""
    row = {
        "device_id": device_id,
        "device_kind": "WATER_HEATER",
        "kind": "LIFESPAN",
        "model_id": model_id,
        "method": "REGRESSION",
        "predicted_at": predicted_at,
        "data_until": predicted_at,
        "confidence": 0.5,
        "value": 400.0,
        "lower": 300.0,
        "upper": 500.0,
        "details": '{"doubts":[]}',
        "missing_share": 0.0,
        "duration_ms": 2.0,
    }
    async with store.transaction() as transaction:
        added = await predictions.add(transaction, [row], {})
    return added[device_id, "LIFESPAN"]["id"]
