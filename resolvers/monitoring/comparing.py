"""Drift: what a version was given and made of it in the newest window, against its training."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from models.charts import FloatArray
from models.learning.drift import (
    ErrorReference,
    Finding,
    Sketch,
    SketchProblem,
    compare_errors,
    unknown,
)
from models.learning.drift_of_units import compare_units
from models.learning.features import AGE
from models.monitoring import ERROR_FEATURE, PREDICTION_FEATURE
from models.repositories import model_drift, watched_predictions
from models.statements import Row
from resolvers.monitoring import inputs
from resolvers.monitoring.rounds import Round

logger = logging.getLogger("iotsphere.models")

# What grows with time leaves the training's range by itself; how often something happens is told by other features.
_GROWING = ".count"
_GROWING_TIME = f"{AGE}.time"
# A finding that nothing could be said has no statistic.
_NO_STATISTIC = "NONE"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a version's training looked like.

    Attributes:
        features: sketch by the name of the feature, in the order of the version's feature names.
        prediction: of the out-of-fold predictions; None where a training does not know what is predicted later.
        error: of their errors; None where none is stored.
    """

    features: Mapping[str, Sketch]
    prediction: Sketch | None
    error: ErrorReference | None

    @property
    def missing(self) -> float:
        """Mean share of the features that was missing."""
        return float(np.mean([sketch.missing for sketch in self.features.values()])) if self.features else 0.0


def reference_of(model: Row) -> Reference | None:
    """Return what a version's training looked like; None where it has kept nothing, or nothing that can be read."""
    if model["reference"] is None:
        return None
    stored = orjson.loads(model["reference"])
    try:
        features = {name: Sketch.from_json(stored["features"][name]) for name in orjson.loads(model["feature_names"])}
        error, prediction = stored.get("error"), stored.get("prediction")
        return Reference(
            features,
            None if prediction is None else Sketch.from_json(prediction),
            None if error is None else ErrorReference.from_json(error),
        )
    except (KeyError, SketchProblem) as problem:
        told = "version %d of the model '%s' cannot be compared with its training: %s"
        logger.warning(told, model["version"], model["name"], problem)
        return None


def reach_of(model: Row) -> float:
    """Return the remaining life, in days, up to which the errors of a version were measured at its training.

    What it says of longer ones rests on ages, not on readings: further errors are no errors of what it has learnt.
    """
    return float(orjson.loads(model["metrics"]).get("reach", np.inf))


async def compare(watch: Round, model: Row) -> bool:
    """Compare the newest window with the training and store what is found; False if there is nothing to do.

    Nothing is stored of a window in which the version predicted nothing: it says nothing, not even that it is unknown.
    """
    window = watch.compared
    if model["reference"] is None or await model_drift.is_evaluated(watch.store, model["id"], window.end):
        return False
    rows = await watched_predictions.inputs(watch.store, model, window.start, window.end)
    if not rows:
        return False
    judged = watch.judged
    errors = await watched_predictions.judged(watch.store, model, judged.start, judged.end)
    found = await asyncio.to_thread(_found, model, rows, errors)
    if not found:
        return False
    found |= await inputs.compare(watch, model, [row["device_id"] for row in rows])
    findings = [_row(model, feature, finding, window.end) for feature, finding in found.items()]
    async with watch.transaction() as transaction:
        await model_drift.add_many(transaction, findings)
    return True


def _found(model: Row, rows: Sequence[Row], judged: Sequence[Row]) -> dict[str, Finding]:
    reference = reference_of(model)
    if reference is None:
        return {}
    given = [row for row in rows if row["feature_values"] is not None]
    columns = matrix([row["feature_values"] for row in given], len(reference.features))
    units = len({row["device_id"] for row in given})
    found = {
        name: compare_units(sketch, columns[:, place], units)
        for place, (name, sketch) in enumerate(reference.features.items())
        if name != _GROWING_TIME and not name.endswith(_GROWING)
    }
    if reference.prediction is not None:
        found[PREDICTION_FEATURE] = _compared_predictions(reference.prediction, rows)
    if reference.error is not None and judged:
        found[ERROR_FEATURE] = compare_unit_errors(reference.error, judged, reach_of(model))
    return found


def _compared_predictions(sketch: Sketch, rows: Sequence[Row]) -> Finding:
    predicted = np.array([np.nan if row["value"] is None else row["value"] for row in rows], np.float64)
    return compare_units(sketch, predicted, len({row["device_id"] for row in rows}))


def compare_unit_errors(reference: ErrorReference, judged: Sequence[Row], reach: float = np.inf) -> Finding:
    """Return whether errors are greater than at the training, each device's taken together: they share its fate.

    Both values and outcomes count as far as the reach.
    """
    by_device: dict[int, list[float]] = {}
    for row in judged:
        if not row["is_lower_bound"] and row["value"] is not None:
            by_device.setdefault(row["device_id"], []).append(
                abs(min(row["value"], reach) - min(row["outcome"], reach))
            )
    if not by_device:
        return unknown(0, "no outcomes have arrived")
    return compare_errors(reference, np.array([np.mean(errors) for errors in by_device.values()], np.float64))


def matrix(texts: Sequence[str], width: int) -> FloatArray:
    """Return feature values, JSON lists with null where missing, as (n, width); lists of another length are all NaN."""
    rows = [orjson.loads(text) for text in texts]
    fitting = [row if len(row) == width else [None] * width for row in rows]
    return np.array(fitting, np.float64).reshape(len(fitting), width)


def _row(model: Row, feature: str, finding: Finding, at: Any) -> dict[str, Any]:
    return {
        "model_id": model["id"],
        "feature": feature[:200],
        "finding": finding.kind.value,
        "statistic": _NO_STATISTIC if finding.statistic is None else finding.statistic.value,
        "value": _finite(finding.value),
        "threshold": _finite(finding.threshold),
        "drifted": finding.drifted,
        "severity": None if finding.severity is None else finding.severity.value,
        "sample_count": finding.sample_count,
        "message": f"{finding.reason[:1].upper()}{finding.reason[1:]}.",
        "evaluated_at": at,
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
