"""Why a version is as well as it is: each thing that is looked at, with its threshold and a sentence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from models.devices import KINDS
from models.monitoring import EXTERNAL, HealthStatus, MetricName
from models.predictions import PredictionKind
from models.severity import Severity
from models.statements import Row
from resolvers.monitoring.comparing import reference_of
from resolvers.monitoring.drifting import Drifting
from settings.prediction_types import MonitoringSettings
from settings.types import Settings

# Reasons that are no metrics of windows.
DRIFT, INPUT_DRIFT, DATA_QUALITY, PREDICTION_DRIFT, ERROR_DRIFT, AGE = (
    *("drifted_share", "broken_inputs", "poor_data_share", "prediction_drift", "error_drift"),
    "age_days",
)
# What says that a version works, and what says no more than that it is there.
_OF_WORK = frozenset({MetricName.LATENCY_P95_MS.value, MetricName.MISSING_SHARE.value})
_OF_USE = _OF_WORK | {MetricName.VOLUME.value, AGE, INPUT_DRIFT}
_MOST_NAMED = 3
_BAD = (HealthStatus.CRITICAL, HealthStatus.WARNING)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is looked at.

    Attributes:
        metric: its name.
        status: of this thing.
        value: that was found; None where nothing could be said.
        threshold: that the value is beyond; that it would first be beyond if it is well.
        message: one sentence.
    """

    metric: str
    status: HealthStatus
    value: float | None
    threshold: float | None
    message: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "status": self.status.value}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a version.

    Attributes:
        model: its row.
        metrics: its newest ones by name.
        drifting: what of it drifts.
        at: the present instant.
    """

    model: Row
    metrics: Mapping[str, Row]
    drifting: Drifting
    at: datetime


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a metric is compared with: from `warning` on it is one, or down from it."""

    warning: float
    critical: float
    unit: str = ""
    is_below: bool = False

    def judge(self, metric: str, value: float, said: str) -> Reason:
        side = value.__le__ if self.is_below else value.__ge__
        status, threshold = HealthStatus.HEALTHY, self.warning
        if side(self.critical):
            status, threshold = HealthStatus.CRITICAL, self.critical
        elif side(self.warning):
            status = HealthStatus.WARNING
        word = "or less" if self.is_below else "or more"
        grade = "critical" if status is HealthStatus.CRITICAL else "a warning"
        message = f"{said} is {_number(value)}{self.unit}; {_number(threshold)}{self.unit} {word} is {grade}."
        return Reason(metric, status, value, threshold, message)


def reasons_of(settings: Settings, known: Known) -> list[Reason]:
    """Return all that is looked at of a version, in the order in which people read it."""
    is_external = known.model["method"] == EXTERNAL
    found = [] if is_external else [*_use(settings.monitoring, known), *_world(settings.monitoring, known)]
    found += _outcomes(settings, known)
    if is_external and not known.metrics:
        message = "Nothing has been reported of it lately."
        found = [Reason(MetricName.VOLUME.value, HealthStatus.UNKNOWN, None, None, message)]
    found += _age(settings.monitoring, known)
    return found


def status_of(reasons: list[Reason]) -> HealthStatus:
    """Return how a version is: as the worst reason; UNKNOWN where neither its world nor its errors are known.

    Of a method that has neither, as one that only counts, it is enough that it works.
    """
    statuses = {reason.status for reason in reasons}
    for bad in _BAD:
        if bad in statuses:
            return bad
    telling = [reason for reason in reasons if reason.metric not in _OF_USE] or [
        reason for reason in reasons if reason.metric in _OF_WORK
    ]
    is_well = any(reason.status is HealthStatus.HEALTHY for reason in telling)
    return HealthStatus.HEALTHY if is_well else HealthStatus.UNKNOWN


def score_of(reasons: list[Reason]) -> float | None:
    """Return the mean over what is known, a warning counting half; at most 0.75 with a warning, 0.4 if critical."""
    worth = {HealthStatus.HEALTHY: 1.0, HealthStatus.WARNING: 0.5, HealthStatus.CRITICAL: 0.0}
    most = {HealthStatus.WARNING: 0.75, HealthStatus.CRITICAL: 0.4}
    status = status_of(reasons)
    if status is HealthStatus.UNKNOWN:
        return None
    known = [worth[reason.status] for reason in reasons if reason.status in worth]
    return min(sum(known) / len(known), most.get(status, 1.0))


def _use(settings: MonitoringSettings, known: Known) -> Iterator[Reason]:
    name = MetricName.VOLUME.value
    volume = known.metrics.get(name)
    least = settings.min_predictions
    if volume is None or volume["value"] < least:
        count = 0 if volume is None else volume["value"]
        message = f"It has made {count:g} predictions in the newest window; {least} are needed to judge them."
        yield Reason(name, HealthStatus.UNKNOWN, float(count), float(least), message)
        return
    told = f"It has made {volume['value']:g} predictions, of {volume['sample_count']} devices, in the newest window."
    yield Reason(name, HealthStatus.HEALTHY, volume["value"], float(least), told)
    latency = known.metrics.get(MetricName.LATENCY_P95_MS.value)
    if latency is not None:
        limits = _Limits(settings.latency_warning_ms, settings.latency_critical_ms, " ms")
        said = "The time within which 95 of 100 predictions were made"
        yield limits.judge(MetricName.LATENCY_P95_MS.value, latency["value"], said)
    missing = known.metrics.get(MetricName.MISSING_SHARE.value)
    if missing is not None:
        reference = reference_of(known.model)
        usual = 0.0 if reference is None else reference.missing
        limits = _Limits(usual + settings.missing_warning_share, usual + settings.missing_critical_share)
        yield limits.judge(MetricName.MISSING_SHARE.value, missing["value"], "The share of features without a value")


def _world(settings: MonitoringSettings, known: Known) -> Iterator[Reason]:
    drifting = known.drifting
    yield from _inputs(drifting)
    if known.model["reference"] is None:
        # Methods without training have nothing that they could drift from.
        return
    if not drifting.judged:
        why = drifting.unknown or "No window of predictions has been compared with its training lately."
        yield Reason(DRIFT, HealthStatus.UNKNOWN, None, None, f"Whether its inputs drift is not known: {why}")
        return
    for metric, rows, limits, said in (
        (
            *(DRIFT, drifting.moved),
            _Limits(settings.drifted_warning_share, settings.drifted_critical_share),
            "The share of features that have gone on drifting",
        ),
        (
            *(DATA_QUALITY, drifting.poor),
            _Limits(settings.poor_data_warning_share, settings.poor_data_critical_share),
            "The share of features with poor data",
        ),
    ):
        share = len(rows) / drifting.judged
        # One of very many features says nothing, but without any all is well, whatever the threshold.
        reason = limits.judge(metric, share, said) if rows else _well(metric, limits.warning, said)
        yield replace(reason, message=f"{reason.message}{_named(rows)}")
    yield from _distribution(PREDICTION_DRIFT, drifting.prediction, persists=drifting.prediction_persists)
    yield from _distribution(ERROR_DRIFT, drifting.error, persists=drifting.error_persists)


def _inputs(drifting: Drifting) -> Iterator[Reason]:
    """Yield what all devices read: a change that the version may do well with, so no reason is critical."""
    if not drifting.inputs:
        return
    count, said = len(drifting.broken), "The number of inputs that have left their course in all devices"
    status = HealthStatus.WARNING if count else HealthStatus.HEALTHY
    told = f"{said} is {count}.{_named(drifting.broken)}"
    yield Reason(INPUT_DRIFT, status, float(count), 1.0, told)


def _well(metric: str, threshold: float, said: str) -> Reason:
    return Reason(metric, HealthStatus.HEALTHY, 0.0, threshold, f"{said} is 0.")


def _distribution(metric: str, row: Row | None, *, persists: bool) -> Iterator[Reason]:
    if row is None:
        return
    what = "predictions" if metric == PREDICTION_DRIFT else "errors"
    if not persists:
        message = f"The {what} are as at the training, or not otherwise for long enough."
        yield Reason(metric, HealthStatus.HEALTHY, row["value"], row["threshold"], message)
        return
    severe = row["severity"] in {Severity.HIGH.value, Severity.CRITICAL.value}
    status = HealthStatus.CRITICAL if severe else HealthStatus.WARNING
    message = f"The {what} are not as at the training: {row['message']}"
    yield Reason(metric, status, row["value"], row["threshold"], message)


def _named(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    worst = sorted(rows, key=lambda row: -Severity(row["severity"] or "LOW").rank)
    told = "; ".join(
        f"{row['feature']}: {row['message'][:1].lower()}{row['message'][1:-1]}" for row in worst[:_MOST_NAMED]
    )
    more = len(rows) - _MOST_NAMED
    return f" {told}{f'; and {more} more' if more > 0 else ''}."


def _outcomes(settings: Settings, known: Known) -> Iterator[Reason]:
    kind = PredictionKind(known.model["kind"])
    limits = _error_limits(settings, kind, orjson.loads(known.model["metrics"]))
    least, certain = settings.monitoring.min_outcomes, 0
    for metric, (each, said) in limits.items():
        row = known.metrics.get(metric.value)
        if each is None or row is None:
            continue
        if row["sample_count"] < least:
            message = f"{said} rests on {row['sample_count']} devices with outcomes; {least} are needed to judge it."
            yield Reason(metric.value, HealthStatus.UNKNOWN, row["value"], each.warning, message)
            continue
        certain += 1
        yield each.judge(metric.value, row["value"], said)
    if not certain and limits:
        yield from _estimate(settings.monitoring, kind, known, limits)


def _estimate(
    settings: MonitoringSettings,
    kind: PredictionKind,
    known: Known,
    limits: "dict[MetricName, tuple[_Limits | None, str]]",
) -> Iterator[Reason]:
    pairs = {
        PredictionKind.LIFESPAN: (MetricName.ESTIMATED_MAE, MetricName.MAE),
        PredictionKind.MULTI_FACTOR: (MetricName.ESTIMATED_BRIER, MetricName.BRIER),
    }
    if kind not in pairs or known.model["method"] == EXTERNAL:
        few = f"There are outcomes of fewer than {settings.min_outcomes} devices, so that its errors are not known."
        yield Reason("outcomes", HealthStatus.UNKNOWN, None, float(settings.min_outcomes), few)
        return
    metric, real = pairs[kind]
    row, each = known.metrics.get(metric.value), limits[real][0]
    if known.drifting.persists:
        message = "Its error cannot be estimated while its inputs or its errors drift, and few outcomes have arrived."
        yield Reason(metric.value, HealthStatus.UNKNOWN, None, None, message)
    elif row is None or each is None:
        message = "Few outcomes have arrived, and there are too few predictions to estimate its error from."
        yield Reason(metric.value, HealthStatus.UNKNOWN, None, None, message)
    else:
        yield each.judge(metric.value, row["value"], f"{limits[real][1]}, estimated from its own certainty,")


def _error_limits(
    settings: Settings, kind: PredictionKind, trained: Mapping[str, Any]
) -> "dict[MetricName, tuple[_Limits | None, str]]":
    """Return what errors are compared with; None where the training has not told its own."""
    if kind is PredictionKind.LIFESPAN:
        own = settings.lifespan_health
        mae, days = trained.get("mae"), " days"
        share = (own.interval_coverage_warning_share, own.interval_coverage_critical_share)
        return {
            MetricName.MAE: (
                None if mae is None else _Limits(mae * own.mae_warning_ratio, mae * own.mae_critical_ratio, days),
                "The mean absolute error",
            ),
            MetricName.INTERVAL_COVERAGE: (
                _Limits(*share, is_below=True),
                "The share of outcomes within their intervals",
            ),
        }
    if kind is PredictionKind.MULTI_FACTOR:
        risk = settings.multi_factor_health
        brier = trained.get("brier")
        return {
            MetricName.BRIER: (
                None if brier is None else _Limits(brier * risk.brier_warning_ratio, brier * risk.brier_critical_ratio),
                "The Brier score",
            ),
            MetricName.CALIBRATION_ERROR: (
                _Limits(risk.calibration_warning_error, risk.calibration_critical_error),
                "The distance between predicted and observed shares",
            ),
        }
    if kind is PredictionKind.ANOMALY:
        alarms = settings.anomaly_health
        return {
            MetricName.PRECISION: (
                _Limits(alarms.precision_warning_share, alarms.precision_critical_share, is_below=True),
                "The share of true alarms among those that were judged",
            ),
            MetricName.RECALL: (
                _Limits(alarms.recall_warning_share, alarms.recall_critical_share, is_below=True),
                "The share of failures with an anomaly before them",
            ),
        }
    return {}


def _age(settings: MonitoringSettings, known: Known) -> Iterator[Reason]:
    newest = known.model["window_to"]
    if newest is None:
        return
    days = (known.at - newest).total_seconds() / 86_400
    limits = _Limits(settings.age_warning_days, settings.age_critical_days, " days")
    label = KINDS[known.model["device_kind"]].label
    yield limits.judge(AGE, days, f"The age of the newest {label} data that it learnt from")


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.1f}".rstrip("0").rstrip(".")
