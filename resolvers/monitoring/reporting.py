"""What others tell of models: metrics of versions, also of those that run elsewhere."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from models.devices import KINDS
from models.errors import BadUserInput, Conflict, LimitExceeded, NotFound
from models.monitoring import EXTERNAL
from models.predictions import ModelStage, PredictionKind
from models.repositories import model_metrics, monitored_models, prediction_models
from models.repositories.prediction_models import as_json, changed
from models.statements import Row
from models.store import Transaction
from resolvers import checks
from resolvers.context import Scope

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_MOST = 1000
_MOST_SAMPLES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ReportedMetric:
    """A metric over a window of time, whose end does not belong to it.

    Attributes:
        name: lower case, with digits and underscores; one of `MetricName` is judged as if the server had measured it.
        value: finite.
        sample_count: what it is made of: devices for errors, predictions otherwise.
    """

    name: str
    value: float
    sample_count: int
    window_start: datetime
    window_end: datetime


async def report(
    scope: Scope,
    metrics: Sequence[ReportedMetric],
    *,
    model_id: int | None = None,
    name: str | None = None,
    version: int | None = None,
) -> list[Row]:
    """Store metrics of a version, all or none, and return them in the order given.

    Args:
        scope: of whoever reports them.
        metrics: at least one.
        model_id: of the version; otherwise it is named by
        name: of the model, and
        version: its number.

    Raises:
        BadUserInput: a value that cannot be, or windows of one name that overlap.
        LimitExceeded: there are too many.
        NotFound: there is no such model or version.
        Conflict: the window of a metric overlaps one that is stored, or the name and number are of several versions.
    """
    _check_all(metrics, scope.services.clock(), scope.services.settings.ingest.max_future_seconds)
    id_ = await _version(scope, model_id, name, version)
    at = scope.services.clock()
    rows = [_row(scope, id_, metric, at) for metric in metrics]
    async with scope.store.transaction() as transaction:
        if not await monitored_models.lock(transaction, [id_]):
            raise NotFound(f"There is no model version with id {id_}.", input_path=("input", "modelId"))
        await _check_stored(transaction, id_, rows)
        stored = {(row["name"], row["window_end"]): row for row in await model_metrics.add_many(transaction, rows)}
    return [stored[row["name"], row["window_end"]] for row in rows]


async def register_external(
    scope: Scope,
    *,
    name: str,
    kind: PredictionKind,
    device_kind: str,
    metrics: Mapping[str, float] | None = None,
) -> Row:
    """Register a version of a model that runs elsewhere, so that metrics can be reported of it, and return it.

    It stays a candidate: this server cannot predict by it, and so does not promote it.

    Args:
        scope: of whoever registers it.
        name: of the model.
        kind: what it predicts.
        device_kind: of which devices.
        metrics: its errors at its training, as mae or brier, which those that are reported are compared with.

    Raises:
        BadUserInput: the name is not one, or a metric is not finite.
    """
    text, at = checks.text(name, "name", longest=checks.LABEL_LENGTH), scope.services.clock()
    if device_kind not in KINDS:
        raise BadUserInput(f"There are no devices of kind {device_kind}.", input_path=("input", "deviceKind"))
    told = dict(metrics or {})
    for metric, value in told.items():
        if not _NAME.fullmatch(metric) or not math.isfinite(value):
            raise BadUserInput(
                f"'{metric[:60]}' must be a name in lower case with a finite value.", input_path=("input", "metrics")
            )
    values: dict[str, Any] = {
        "name": text,
        "kind": kind.value,
        "device_kind": device_kind,
        "stage": ModelStage.CANDIDATE.value,
        "method": EXTERNAL,
        "trained_at": at,
        "window_from": None,
        "window_to": None,
        "sample_count": 0,
        "feature_names": as_json([]),
        "parameters": as_json({}),
        "metrics": as_json(told),
        "reference": None,
        "artefact": as_json({}),
        "promoted_at": None,
        "promoted_by": None,
        "promotion_reason": None,
    }
    async with scope.store.transaction() as transaction:
        await prediction_models.lock(transaction)
        row = await prediction_models.add(transaction, values)
        transaction.emit(changed("TRAINED", row))
    return row


def _check_all(metrics: Sequence[ReportedMetric], now: datetime, tolerance_seconds: float) -> None:
    if not metrics:
        raise BadUserInput("Report at least one metric.", input_path=("input", "metrics"))
    if len(metrics) > _MOST:
        raise LimitExceeded(
            f"{_MOST} metrics may be reported at once, not {len(metrics)}.", input_path=("input", "metrics")
        )
    for place, metric in enumerate(metrics):
        _check(metric, place, now, tolerance_seconds)
    ordered = sorted(range(len(metrics)), key=lambda place: (metrics[place].name, metrics[place].window_start))
    for first, second in pairwise(ordered):
        if metrics[first].name == metrics[second].name and metrics[second].window_start < metrics[first].window_end:
            raise BadUserInput(
                f"Two windows of '{metrics[first].name}' overlap: one ends at {metrics[first].window_end.isoformat()}, "
                f"the other begins at {metrics[second].window_start.isoformat()}.",
                input_path=_path(max(first, second), "windowStart"),
            )


def _check(metric: ReportedMetric, place: int, now: datetime, tolerance_seconds: float) -> None:
    if not _NAME.fullmatch(metric.name):
        raise BadUserInput(
            "The name of a metric has lower case letters, digits and underscores, a letter first, 60 at most, and is "
            f"not '{metric.name[:60]}'.",
            input_path=_path(place, "name"),
        )
    if not math.isfinite(metric.value):
        raise BadUserInput(
            f"'value' of '{metric.name}' must be finite, not {metric.value}.", input_path=_path(place, "value")
        )
    if not 1 <= metric.sample_count <= _MOST_SAMPLES:
        raise BadUserInput(
            f"'sampleCount' of '{metric.name}' must be from 1 to {_MOST_SAMPLES:,}, not {metric.sample_count}.",
            input_path=_path(place, "sampleCount"),
        )
    if metric.window_end <= metric.window_start:
        raise BadUserInput(
            f"The window of '{metric.name}' ends at {metric.window_end.isoformat()}, which is not after its start.",
            input_path=_path(place, "windowEnd"),
        )
    if (metric.window_end - now).total_seconds() > tolerance_seconds:
        raise BadUserInput(
            f"The window of '{metric.name}' ends in the future: {metric.window_end.isoformat()}.",
            input_path=_path(place, "windowEnd"),
        )


async def _version(scope: Scope, model_id: int | None, name: str | None, version: int | None) -> int:
    if (model_id is None) == (name is None) or (name is None) != (version is None):
        raise BadUserInput("Name either 'modelId', or 'name' and 'version'.", input_path=("input",))
    if model_id is not None:
        return model_id
    assert name is not None  # noqa: S101 - as checked above
    versions = await monitored_models.by_name(scope.store, name)
    if not versions:
        raise NotFound(f"There is no model '{name[: checks.LABEL_LENGTH]}'.", input_path=("input", "name"))
    ids = [row["id"] for row in versions if row["version"] == version]
    if not ids:
        newest = max(row["version"] for row in versions)
        raise NotFound(
            f"The model '{name}' has no version {version}; its newest is {newest}.", input_path=("input", "version")
        )
    if len(ids) > 1:
        # Versions are numbered for each kind of prediction and device; people may use a name for several kinds.
        raise Conflict(
            f"There are {len(ids)} models '{name}' with a version {version}; name the version by 'modelId'.",
            input_path=("input", "name"),
        )
    return ids[0]


async def _check_stored(transaction: Transaction, model_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    stored = await model_metrics.overlapping(transaction, model_id, rows)
    if not stored:
        return
    other = stored[0]
    place = next(
        place
        for place, row in enumerate(rows)
        if row["name"] == other["name"]
        and row["window_start"] < other["window_end"]
        and other["window_start"] < row["window_end"]
    )
    by = other["reported_by"] or "the server"
    raise Conflict(
        f"'{other['name']}' is known from {other['window_start'].isoformat()} to {other['window_end'].isoformat()}, by "
        f"{by}; windows of one metric do not overlap.",
        input_path=_path(place, "windowStart"),
    )


def _path(place: int, field: str) -> tuple[str | int, ...]:
    return ("input", "metrics", place, field)


def _row(scope: Scope, model_id: int, metric: ReportedMetric, at: datetime) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "name": metric.name,
        "value": float(metric.value),
        "sample_count": metric.sample_count,
        "window_start": metric.window_start,
        "window_end": metric.window_end,
        "recorded_at": at,
        "reported_by": scope.principal.name,
    }
