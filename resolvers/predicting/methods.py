"""Kinds of predictions that need no training: their method has a version of its own, which the registry tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.devices import KINDS
from models.learning.anomalies import DETECTOR_VERSION
from models.predictions import ModelStage, PredictionKind
from models.repositories import prediction_models
from models.repositories.prediction_models import as_json, changed
from models.statements import Row
from models.store import Store

USAGE_VERSION = "1"
_WORDS = {
    PredictionKind.LIFESPAN: "lifespan",
    PredictionKind.ANOMALY: "anomalies",
    PredictionKind.USAGE_PATTERNS: "usage",
    PredictionKind.MULTI_FACTOR: "risk of failure",
}
_REASON = "A method that needs no training."


@dataclass(frozen=True, slots=True)
class Method:
    """How something is predicted without training.

    Attributes:
        name: as the registry tells it.
        version: of the code; a new one becomes a new version of the model.
    """

    name: str
    version: str


METHODS: Mapping[PredictionKind, Method] = {
    PredictionKind.ANOMALY: Method("STREAMING_DETECTOR", DETECTOR_VERSION),
    PredictionKind.USAGE_PATTERNS: Method("PROFILE", USAGE_VERSION),
}


def name_of(kind: PredictionKind, device_kind: str) -> str:
    """Return what people call a model, as "water heater lifespan"."""
    return f"{KINDS[device_kind].label} {_WORDS[kind]}"


async def register(store: Store, device_kind: str, at: datetime) -> None:
    """Put the methods of a kind of device into production, in the versions that this code has."""
    async with store.transaction() as transaction:
        await prediction_models.lock(transaction)
        for kind, method in METHODS.items():
            if kind not in KINDS[device_kind].predicted:
                continue
            present = await prediction_models.production(transaction, kind.value, device_kind)
            if present is not None and _is_of(present, method):
                continue
            if present is not None:
                archived = await prediction_models.move(transaction, present, ModelStage.ARCHIVED, at)
                transaction.emit(changed("ARCHIVED", archived))
            added = await prediction_models.add(transaction, _values(kind, device_kind, method, at))
            transaction.emit(changed("PROMOTED", added))


async def register_all(store: Store, at: datetime) -> None:
    """Put the methods of all kinds of devices into production, in the versions that this code has."""
    for device_kind in KINDS:
        await register(store, device_kind, at)


def _is_of(row: Row, method: Method) -> bool:
    return row["method"] == method.name and orjson.loads(row["parameters"]).get("version") == method.version


def _values(kind: PredictionKind, device_kind: str, method: Method, at: datetime) -> dict[str, Any]:
    return {
        "name": name_of(kind, device_kind),
        "kind": kind.value,
        "device_kind": device_kind,
        "stage": ModelStage.PRODUCTION.value,
        "method": method.name,
        "trained_at": at,
        "window_from": None,
        "window_to": None,
        "sample_count": 0,
        "feature_names": as_json([]),
        "parameters": as_json({"version": method.version}),
        "metrics": as_json({}),
        "reference": None,
        "artefact": as_json({}),
        "promoted_at": at,
        "promoted_by": None,
        "promotion_reason": _REASON,
    }
