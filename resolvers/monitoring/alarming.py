"""Alerts of models: what is wrong with a version moves its conditions on, as what is found of devices does theirs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from models.alerting import About, Finding, Timing
from models.alerts import AlertKind, AlertOwner
from models.devices import KINDS
from models.monitoring import HealthStatus, MetricName
from models.predictions import PredictionKind
from models.repositories import monitored_models
from models.repositories.alert_conditions import CONDITIONS
from models.severity import Severity
from models.statements import Row
from models.store import Transaction
from resolvers.alerting import writing
from resolvers.alerting.courses import Courses, read_conditions
from resolvers.monitoring import reasons
from resolvers.monitoring.reasons import Reason
from settings.prediction_types import MonitoringSettings

_KINDS: Mapping[AlertKind, frozenset[str]] = {
    AlertKind.MODEL_DRIFT: frozenset(
        {reasons.DRIFT, reasons.INPUT_DRIFT, reasons.PREDICTION_DRIFT, reasons.ERROR_DRIFT}
    ),
    AlertKind.MODEL_PERFORMANCE: frozenset(
        {
            *(MetricName.MAE, MetricName.INTERVAL_COVERAGE, MetricName.BRIER, MetricName.CALIBRATION_ERROR),
            *(MetricName.PRECISION, MetricName.RECALL, MetricName.ESTIMATED_MAE, MetricName.ESTIMATED_BRIER),
            MetricName.LATENCY_P95_MS,
        }
    ),
    AlertKind.MODEL_DATA_QUALITY: frozenset({reasons.DATA_QUALITY, MetricName.MISSING_SHARE}),
    AlertKind.MODEL_STALE: frozenset({reasons.AGE}),
}
# Nobody gets wet from a model: it is less urgent than a device for which the same words are used.
_SEVERITIES = {HealthStatus.WARNING: Severity.MEDIUM, HealthStatus.CRITICAL: Severity.HIGH}
_STALE_SEVERITIES = {HealthStatus.WARNING: Severity.LOW, HealthStatus.CRITICAL: Severity.MEDIUM}
_RETRAINABLE = frozenset({AlertKind.MODEL_DRIFT, AlertKind.MODEL_PERFORMANCE, AlertKind.MODEL_STALE})
_TRAINED = frozenset({PredictionKind.LIFESPAN.value, PredictionKind.MULTI_FACTOR.value})


async def tell(  # noqa: PLR0917 - of what, what was found, and when
    transaction: Transaction,
    settings: MonitoringSettings,
    model: Row,
    found: Sequence[Reason],
    volume: Row | None,
    at: datetime,
) -> list[AlertKind]:
    """Move the conditions of a locked version on, and raise, escalate and resolve its alerts.

    Args:
        transaction: holds the lock of the version.
        settings: timing.
        model: the version.
        found: what was looked at.
        volume: how many predictions of how many devices were made of late.
        at: the present instant.

    Returns:
        Those of its alerts that a new version could help with.
    """
    stored = await CONDITIONS[AlertOwner.MODEL].by_owners(transaction, [model["id"]])
    courses = Courses(read_conditions(list(stored.values()), AlertOwner.MODEL))
    hold, recover = (timedelta(seconds=each) for each in (settings.alert_hold_seconds, settings.alert_recover_seconds))
    for kind, finding in _findings(model, found, courses, volume, at):
        courses.move(model["id"], kind, finding, Timing(hold, recover))
    await writing.store(transaction, courses, at)
    return [kind for _, kind in courses.conditions if kind in _RETRAINABLE]


async def end(transaction: Transaction, model_ids: Sequence[int], at: datetime) -> None:
    """Resolve all alerts of versions that are no longer predicted by."""
    await monitored_models.lock(transaction, model_ids)
    stored = await CONDITIONS[AlertOwner.MODEL].by_owners(transaction, model_ids)
    courses = Courses(read_conditions(list(stored.values()), AlertOwner.MODEL))
    for model_id in model_ids:
        courses.end(model_id, at)
    await writing.store(transaction, courses, at)


def _findings(
    model: Row, found: Sequence[Reason], courses: Courses, volume: Row | None, at: datetime
) -> Iterator[tuple[AlertKind, Finding]]:
    for kind, metrics in _KINDS.items():
        mine = [reason for reason in found if reason.metric in metrics]
        bad = [reason for reason in mine if reason.status in _SEVERITIES]
        if bad:
            severities = _STALE_SEVERITIES if kind is AlertKind.MODEL_STALE else _SEVERITIES
            severity = max((severities[reason.status] for reason in bad), key=lambda each: each.rank)
            yield kind, Finding(at, severity, _about(model, kind, bad, volume))
            continue
        condition = courses.conditions.get((model["id"], kind))
        raised_by = None if condition is None else condition.about.metric
        # What nothing can be said of at present is not gone.
        if any(reason.status is HealthStatus.HEALTHY and reason.metric == raised_by for reason in mine):
            yield kind, Finding(at, None)


def _about(model: Row, kind: AlertKind, bad: Sequence[Reason], volume: Row | None) -> About:
    ordered = sorted(bad, key=lambda reason: reason.status is not HealthStatus.CRITICAL)
    worst = ordered[0]
    parts = [reason.message for reason in ordered]
    if kind in _RETRAINABLE and model["kind"] in _TRAINED and worst.metric != MetricName.LATENCY_P95_MS.value:
        parts.append("Train a new version.")
    elif kind is AlertKind.MODEL_DATA_QUALITY:
        parts.append("Look at the sensors and at what transmits their values; a new version does not help.")
    return About(
        message=" ".join(parts),
        metric=worst.metric,
        value=worst.value,
        threshold=worst.threshold,
        impact=impact(model, volume),
    )


def impact(model: Row, volume: Row | None) -> str:
    """Return what rests on a version, in a sentence."""
    label = KINDS[model["device_kind"]].label
    what = f"{model['kind']} predictions of {label}s"
    if volume is None or not volume["sample_count"]:
        return f"{what} rest on version {model['version']} of the model '{model['name']}'."
    hours = (volume["window_end"] - volume["window_start"]).total_seconds() / 3600
    made = f"{volume['value']:g} for {volume['sample_count']} devices within {hours:g} hours"
    return f"{what} rest on version {model['version']} of the model '{model['name']}': {made}."
