"""Methods that need no training: each has a version of its own, which the registry tells.

Beside the detector of anomalies models can be trained; one that is in production is left there.
"""

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
from models.store import Store, Transaction

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
            if present is not None and not is_untrained(present):
                await _keep(transaction, kind, device_kind, method, at)
                continue
            if present is not None:
                archived = await prediction_models.move(transaction, present, ModelStage.ARCHIVED, at)
                transaction.emit(changed("ARCHIVED", archived))
            added = await prediction_models.add(transaction, _values(kind, device_kind, method, at))
            transaction.emit(changed("PROMOTED", added))


async def register_beside(store: Store, kind: PredictionKind, device_kind: str, at: datetime) -> None:
    """See to it that the method is there, if there is one, which a trained version has to be better than."""
    if kind in METHODS:
        await register(store, device_kind, at)


async def register_all(store: Store, at: datetime) -> None:
    """Put the methods of all kinds of devices into production, in the versions that this code has."""
    for device_kind in KINDS:
        await register(store, device_kind, at)


async def _keep(transaction: Transaction, kind: PredictionKind, device_kind: str, method: Method, at: datetime) -> None:
    """See to it that one can go back to a method from the trained version that has its place."""
    rows = await prediction_models.of_kind(transaction, kind.value)
    if not any(row["device_kind"] == device_kind and _is_of(row, method) for row in rows):
        values = _values(kind, device_kind, method, at)
        unused = {"stage": ModelStage.ARCHIVED.value, "promoted_at": None, "promotion_reason": None}
        transaction.emit(changed("ARCHIVED", await prediction_models.add(transaction, {**values, **unused})))


def is_untrained(row: Row) -> bool:
    """Say whether a version is a method without training, whatever its version of the code."""
    method = METHODS.get(PredictionKind(row["kind"]))
    return method is not None and row["method"] == method.name


def is_of_this_server(row: Row) -> bool:
    """Say whether a version is a method without training, as this code has it."""
    method = METHODS.get(PredictionKind(row["kind"]))
    return method is not None and _is_of(row, method)


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
