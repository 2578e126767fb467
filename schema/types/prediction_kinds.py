"""The kinds of predictions."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from models.devices import KINDS
from models.predictions import PredictionKind
from models.repositories.anomalies import ANOMALIES
from models.types import from_micros
from resolvers import histories, predictions
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from resolvers.predicting.methods import METHODS
from schema.fields import derived, link, renamed
from schema.types.enums import (
    AnomalyPattern,
    Basis,
    Level,
    Metric,
    Missing,
    OptimizationKind,
    PredictionMethod,
    Severity,
    Sort,
)
from schema.types.node import id_of
from schema.types.prediction import TYPE_NAMES, Prediction, details

if TYPE_CHECKING:
    from schema.types.anomaly import Anomaly

_LITERS = ("METERED_LITERS", "ESTIMATED_LITERS")


def _detail(name: str, description: str) -> Any:
    """Declare a field that stands in the details of a prediction."""
    return derived(lambda row: details(row)[name], needs=("details",), description=description)


def _interval(values: Any) -> dict[str, float] | None:
    return None if values is None else dict(zip(("value", "lower", "upper"), values, strict=True))


def _estimate(name: str, description: str) -> Any:
    return derived(lambda row: _interval(details(row)[name]), needs=("details",), description=description)


def _end_of_life(row: Any) -> datetime | None:
    try:
        return row["predicted_at"] + timedelta(days=row["value"])
    except OverflowError:
        # Beyond the year 9999.
        return None


def _liters(row: Any) -> float | None:
    return row["value"] if details(row)["basis"] in _LITERS else None


def _findings(row: Any) -> list[dict[str, Any]]:
    return [{**_EARLIER, **finding, "device_kind": row["device_kind"]} for finding in details(row)["findings"]]


# What findings of predictions that were stored by earlier versions lack.
_EARLIER = {"method": METHODS[PredictionKind.ANOMALY].name, "began_at": None, "ended_at": None}


def _instant(name: str, description: str) -> Any:
    return derived(
        lambda finding: None if finding[name] is None else from_micros(finding[name]),
        needs=(name,),
        description=description,
    )


def _finding_unit(finding: Any) -> str:
    return KINDS[finding["device_kind"]].by_name[finding["metric"]].unit


def _anomaly(_scope: Scope) -> Batch:
    return histories.entries(ANOMALIES)


def _risk_factors(_scope: Scope) -> Batch:
    return batch(predictions.risk_factors)


@strawberry.type(description="In how many days a device will have to be replaced.")
class LifespanPrediction(Prediction):
    """In how many days a device will have to be replaced."""

    id: strawberry.ID = id_of(TYPE_NAMES[PredictionKind.LIFESPAN.value])
    remaining_days: float = renamed(
        "value", description="Days that are expected to remain, counted from `predictedAt`."
    )
    lower_days: float = renamed("lower", description="Lower end of its 90 % interval.")
    upper_days: float = renamed("upper", description="Upper end of its 90 % interval.")
    expected_end_of_life: datetime | None = derived(
        _end_of_life,
        needs=("predicted_at", "value"),
        description="When the days that are expected to remain are over; null beyond the year 9999.",
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="Something strange in the readings of a device, now or in the last seven days.")
class AnomalyFinding:
    """Something strange in the readings of a device."""

    metric: Metric = strawberry.field(description="What was strange.")
    pattern: AnomalyPattern | None = strawberry.field(
        description="In which way; null for what is strange just now and no incident yet, and for what does not fit "
        "the other metrics."
    )
    method: PredictionMethod = strawberry.field(
        description="STREAMING_DETECTOR: unlike the device's own past. CROSS_CHANNEL_RESIDUALS: unlike what the other "
        "metrics let expect, by the trained model."
    )
    began_at: datetime | None = _instant("began_at", "When it began; null for what is strange just now.")
    ended_at: datetime | None = _instant(
        "ended_at", "When it ended; of what does not fit the other metrics, the end of the last hour in which it did."
    )
    severity: Severity = strawberry.field(description="How bad it was.")
    score: float = strawberry.field(description="How strange it was, from 0 to 1; from 0.5 on it is an anomaly.")
    expected: float | None = strawberry.field(description="What was expected, in `unit`.")
    observed: float | None = strawberry.field(description="What was observed, in `unit`.")
    unit: str = derived(
        _finding_unit, needs=("device_kind", "metric"), description="Unit of `observed` and `expected`."
    )
    recorded_at: datetime = derived(
        lambda finding: from_micros(finding["at"]), needs=("at",), description="Time of the strangest reading."
    )
    is_present: bool = strawberry.field(description="Whether it goes on.")
    anomaly: Annotated["Anomaly", strawberry.lazy("schema.types.anomaly")] | None = link(
        _anomaly, key="anomaly_id", description="The incident; null for what is none yet."
    )


@strawberry.type(description="Whether a device is strange at present.")
class AnomalyPrediction(Prediction):
    """Whether a device is strange at present."""

    id: strawberry.ID = id_of(TYPE_NAMES[PredictionKind.ANOMALY.value])
    is_anomalous: bool = _detail(
        "is_anomalous",
        "Whether an incident goes on that nobody has called a false alarm, or metrics do not fit each other.",
    )
    score: float = renamed(
        "value",
        description="How strange its newest values are, from 0 to 1; while an incident goes on, at least as at its "
        "peak; while metrics do not fit each other, at least as much as they do not.",
    )
    findings: list[AnomalyFinding] = derived(
        _findings,
        needs=("details", "device_kind"),
        description="What is and was strange: incidents of the last seven days, the newest first and five at most, "
        "then metrics that are strange just now, then those that did not fit the others in the last 24 hours. False "
        "alarms are left out.",
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="A figure with its 90 % interval.")
class UsageEstimate:
    """A figure with its 90 % interval."""

    value: float = strawberry.field(description="The figure.")
    lower: float = strawberry.field(description="Lower end of its interval.")
    upper: float = strawberry.field(description="Upper end of its interval.")


@strawberry.type(description="A saving that the data support.")
class UsageOptimization:
    """A saving that the data support."""

    kind: OptimizationKind = strawberry.field(description="What could be done.")
    description: str = strawberry.field(description="The same in words, with its values.")
    estimated_annual_savings_kwh: float = derived(
        lambda saving: saving["annual_savings_kwh"],
        needs=("annual_savings_kwh",),
        description="Energy that it saves in a year, in kWh.",
    )
    estimated_from: str = strawberry.field(description="How that was estimated, with the values it rests on.")
    target_temperature: float | None = strawberry.field(
        description="Target to set instead of the present one, in °C; of SET_POINT only."
    )


@strawberry.type(description="A saving that is not recommended.")
class DeclinedOptimization:
    """A saving that is not recommended."""

    kind: OptimizationKind = strawberry.field(description="What could be done.")
    reason: str = strawberry.field(description="Why it is not recommended.")


@strawberry.type(description="A figure that is missing.")
class MissingUsage:
    """A figure that is missing."""

    figure: str = strawberry.field(description="Its name.")
    reason: Missing = strawberry.field(description="Why.")


@strawberry.type(
    description="How a water heater is used, by the last ten weeks, and what could be saved. Amounts are litres, or "
    "kWh where `basis` is ENERGY; hours are of UTC."
)
class UsagePatternsPrediction(Prediction):
    """How a water heater is used, and what could be saved."""

    id: strawberry.ID = id_of(TYPE_NAMES[PredictionKind.USAGE_PATTERNS.value])
    basis: Basis = _detail("basis", "What the amounts are.")
    assumed: list[str] = _detail("assumed", "What an estimate of litres takes for granted; empty for metered ones.")
    days_covered: int = _detail("days_covered", "Days at least three quarters of which are known.")
    daily_average: UsageEstimate = derived(
        lambda row: _interval((row["value"], row["lower"], row["upper"])),
        needs=("value", "lower", "upper"),
        description="Amount of a day.",
    )
    daily_average_liters: float | None = derived(
        _liters, needs=("value", "details"), description="Litres a day; null where `basis` is ENERGY."
    )
    peak_hours: list[int] | None = _detail(
        "peak_hours", "Hours of the day, 0 to 23, that stand out; empty where none does, null where it is not known."
    )
    hourly_profile: list[float] | None = _detail(
        "hourly_profile", "Mean amount of each of the 24 hours of the day; null with too few days."
    )
    hour_of_week_profile: list[float] | None = _detail(
        "hour_of_week", "Expected amount of each of the 168 hours from Monday 00:00; null with too few days."
    )
    weekday_weekend_ratio: float | None = derived(
        lambda row: (details(row)["weekday_weekend_ratio"] or (None,))[0],
        needs=("details",),
        description="A mean working day over a mean weekend day.",
    )
    weekly_trend: UsageEstimate | None = _estimate("weekly_trend", "Change of a day's amount from week to week.")
    change_to_previous_month: UsageEstimate | None = _estimate(
        "change_to_previous_month", "The newest 30 days over the 30 before, less 1."
    )
    missing: list[MissingUsage] = _detail("missing", "Why figures are null.")
    standby_loss: float | None = _detail(
        "standby_watts_per_kelvin", "Heat that the tank loses, in W/K; null where it could not be measured."
    )
    optimizations: list[UsageOptimization] = _detail("optimizations", "What could be saved, the largest first.")
    declined_optimizations: list[DeclinedOptimization] = _detail("declined", "Why the others are not recommended.")

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True


@strawberry.type(description="What factors of one sort add to a risk.")
class RiskFactor:
    """What factors of one sort add to a risk."""

    name: Sort = strawberry.field(description="Of the sort.")
    weight: float = strawberry.field(
        description="How much the sort matters to the model in general; the weights of a prediction add up to 1."
    )
    score: float = strawberry.field(
        description="Its share of what moves this risk, from -1 (lowers it) to 1 (raises it)."
    )
    explanation: str = strawberry.field(description="What it rests on, in words.")
    value: float | None = strawberry.field(description="Value of what adds most within the sort, in `unit`.")
    unit: str = strawberry.field(description="Unit of `value`.")


@strawberry.type(description="The risk that a device fails within a horizon.")
class MultiFactorPrediction(Prediction):
    """The risk that a device fails within a horizon."""

    id: strawberry.ID = id_of(TYPE_NAMES[PredictionKind.MULTI_FACTOR.value])
    risk_score: float = renamed("value", description="Probability of a failure within the horizon, from 0 to 1.")
    risk_level: Level = _detail("level", "How urgent it is.")
    horizon_days: float = _detail("horizon_days", "The horizon, in days from `predictedAt`.")
    factors: list[RiskFactor] = link(
        _risk_factors,
        key=predictions.EXPLAINED_BY,
        description="What makes the risk, by sort, the largest first. Computed when selected; empty where the model "
        "that made the prediction can no longer be read.",
    )

    @classmethod
    def is_type_of(cls, _row: Any, _info: Any) -> bool:
        """Return True: whatever leads here leads to no other type."""
        return True
