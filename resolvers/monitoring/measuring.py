"""Metrics: what a version predicted in a window, and how far that was from what came of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import orjson

from models.anomalies import Verdict
from models.charts import FloatArray
from models.learning.drift import WidthErrors, expected_mae, expected_of_probabilities
from models.learning.performance import errors_of_probabilities, errors_of_values
from models.monitoring import EXTERNAL, MetricName
from models.predictions import PredictionKind
from models.repositories import model_metrics, prediction_outcomes, watched_predictions
from models.statements import Row
from resolvers.monitoring.comparing import reach_of
from resolvers.monitoring.rounds import Round, Window

_LATE = 95
Measured = dict[MetricName, tuple[float, int]]
"""Values with the number of samples that they are made of: of predictions; of devices where outcomes are needed."""


async def measure(watch: Round, model: Row, *, is_drifting: bool) -> bool:
    """Match outcomes, and store the metrics of the newest window; False if that was done before.

    Args:
        watch: the round.
        model: the version.
        is_drifting: its inputs are no longer those of the training; then nothing is estimated from its own certainty.
    """
    window = watch.measured
    if model["method"] == EXTERNAL or await model_metrics.is_measured(
        watch.store, model["id"], MetricName.VOLUME.value, window.end
    ):
        return False
    await match(watch, model)
    volume, devices = await watched_predictions.volume(watch.store, model, window.start, window.end)
    made = await watched_predictions.made(watch.store, model, window.start, window.end)
    found: Measured = {MetricName.VOLUME: (float(volume), devices)}
    found |= await asyncio.to_thread(_of_predictions, made)
    if not is_drifting:
        found |= await asyncio.to_thread(_estimated, model, made)
    rows = [_row(watch, model, window, name, *value) for name, value in found.items()]
    judged = watch.judged
    rows += [_row(watch, model, judged, name, *value) for name, value in (await _judged(watch, model)).items()]
    async with watch.transaction() as transaction:
        await model_metrics.add_many(transaction, rows)
    return True


async def match(watch: Round, model: Row) -> None:
    """Match outcomes to the predictions of a version."""
    kind, at = PredictionKind(model["kind"]), watch.at
    # What is reported late, as after a vacation, is found as long as it is looked for.
    since = at - timedelta(days=watch.settings.outcome_days)
    async with watch.transaction() as transaction:
        if kind is PredictionKind.LIFESPAN:
            await prediction_outcomes.match_survival(transaction, model["id"], watch.measured.end)
            await prediction_outcomes.match_ends_of_life(transaction, since)
        elif kind is PredictionKind.MULTI_FACTOR:
            days = _horizon_days(watch, model)
            horizon = timedelta(days=days)
            bounds = (since - horizon, at - horizon)
            await prediction_outcomes.match_failures(transaction, model["id"], days, *bounds)
        elif kind is PredictionKind.ANOMALY:
            await prediction_outcomes.match_verdicts(transaction, model["id"], since)


def _horizon_days(watch: Round, model: Row) -> float:
    stored = orjson.loads(model["parameters"]).get("horizon_days")
    return float(watch.services.settings.predictions.horizon_days if stored is None else stored)


async def _judged(watch: Round, model: Row) -> Measured:
    window = watch.judged
    if model["kind"] == PredictionKind.ANOMALY.value:
        return await _alarms(watch, model, window)
    rows = await watched_predictions.judged(watch.store, model, window.start, window.end)
    return await asyncio.to_thread(_errors, PredictionKind(model["kind"]), rows, reach_of(model))


async def _alarms(watch: Round, model: Row, window: Window) -> Measured:
    parameters = orjson.loads(model["parameters"])
    # A trained version predicts together with the detector, whose alarms are judged.
    version = parameters.get("version") or parameters.get("detector_version", "")
    of_kind = (watch.store, model["device_kind"])
    verdicts = await watched_predictions.verdicts(*of_kind, version, window.start, window.end)
    lead_days = watch.services.settings.anomaly_health.lead_days
    # What failed before the detector could have warned of it says nothing.
    began = (model["promoted_at"] or model["trained_at"]) + timedelta(days=lead_days)
    failures = await watched_predictions.warned(*of_kind, lead_days, max(window.start, began), window.end)
    found: Measured = {}
    if verdicts:
        true = sum(row["verdict"] == Verdict.TRUE_ALARM.value for row in verdicts)
        found[MetricName.PRECISION] = (true / len(verdicts), len({row["device_id"] for row in verdicts}))
    if failures:
        known = sum(row["before"] > 0 for row in failures)
        found[MetricName.RECALL] = (known / len(failures), len({row["device_id"] for row in failures}))
    return found


def _of_predictions(rows: Sequence[Row]) -> Measured:
    columns = _Columns(rows)
    found = {
        MetricName.MISSING_SHARE: columns.of("missing_share"),
        MetricName.LATENCY_MS: columns.of("duration_ms"),
        MetricName.INTERVAL_WIDTH: columns.of("upper") - columns.of("lower"),
        MetricName.CONFIDENCE: columns.of("confidence"),
        MetricName.PREDICTION_MEAN: columns.of("value"),
    }
    known = {name: values[np.isfinite(values)] for name, values in found.items()}
    measured: Measured = {name: (float(values.mean()), len(values)) for name, values in known.items() if len(values)}
    latencies = known[MetricName.LATENCY_MS]
    if len(latencies):
        measured[MetricName.LATENCY_P95_MS] = (float(np.percentile(latencies, _LATE)), len(latencies))
    return measured


def _estimated(model: Row, rows: Sequence[Row]) -> Measured:
    columns, kind = _Columns(rows), PredictionKind(model["kind"])
    if kind is PredictionKind.MULTI_FACTOR:
        brier = expected_of_probabilities(columns.of("value"))["BRIER"]
        return {MetricName.ESTIMATED_BRIER: (brier.value, brier.sample_count)} if brier.is_valid else {}
    trained: Mapping[str, Any] = orjson.loads(model["metrics"])
    if kind is not PredictionKind.LIFESPAN or not trained.get("interval_width") or trained.get("mae") is None:
        return {}
    # One bin: the training tells the mean error and the mean width of its intervals.
    numbers = (trained["interval_width"], trained["mae"], 0.0)
    by_width = WidthErrors(*(np.array([number], np.float64) for number in numbers))
    reach = reach_of(model)
    mae = expected_mae(by_width, np.minimum(columns.of("upper"), reach) - np.minimum(columns.of("lower"), reach))
    return {MetricName.ESTIMATED_MAE: (mae.value, mae.sample_count)} if mae.is_valid else {}


def _errors(kind: PredictionKind, rows: Sequence[Row], reach: float) -> Measured:
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return {}
    columns = _Columns(known)
    devices = len({row["device_id"] for row in known})
    values, outcomes = columns.of("value"), columns.of("outcome")
    if kind is PredictionKind.MULTI_FACTOR:
        errors = errors_of_probabilities(values, outcomes)
    elif kind is PredictionKind.LIFESPAN:
        is_bound = np.array([bool(row["is_lower_bound"]) for row in known])
        lower, upper = (np.minimum(columns.of(name), reach) for name in ("lower", "upper"))
        errors = errors_of_values(np.minimum(values, reach), lower, upper, np.minimum(outcomes, reach), is_bound)
    else:
        return {}
    return {MetricName(name): (value, devices) for name, value in errors.items()}


@dataclass(frozen=True, slots=True)
class _Columns:
    rows: Sequence[Row]

    def of(self, name: str) -> FloatArray:
        return np.array([np.nan if row[name] is None else row[name] for row in self.rows], np.float64)


def _row(  # noqa: PLR0917 - of what, over which window, how much
    watch: Round, model: Row, window: Window, name: MetricName, value: float, count: int
) -> dict[str, Any]:
    return {
        "model_id": model["id"],
        "name": name.value,
        "value": value,
        "sample_count": count,
        "window_start": window.start,
        "window_end": window.end,
        "recorded_at": watch.at,
        "reported_by": None,
    }
