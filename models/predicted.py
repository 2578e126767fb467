"""What is found when a device is looked at: a prediction, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


class AbsentReason(Enum):
    """Why there is no prediction."""

    RETIRED = "RETIRED"
    NOT_OFFERED = "NOT_OFFERED"
    NO_READINGS = "NO_READINGS"
    TOO_LITTLE_HISTORY = "TOO_LITTLE_HISTORY"
    NO_MODEL = "NO_MODEL"
    MODEL_UNFIT = "MODEL_UNFIT"


class PredictionMethod(Enum):
    """How a prediction was made."""

    REGRESSION = "REGRESSION"
    BOOSTED_TREES = "BOOSTED_TREES"
    WEIBULL = "WEIBULL"
    WEIBAYES = "WEIBAYES"
    STREAMING_DETECTOR = "STREAMING_DETECTOR"
    CROSS_CHANNEL_RESIDUALS = "CROSS_CHANNEL_RESIDUALS"
    PROFILE = "PROFILE"


class Urgency(Enum):
    """How soon something is to be done."""

    PLAN = "PLAN"
    SOON = "SOON"
    NOW = "NOW"


class Action(Enum):
    """What is to be done."""

    PLAN_REPLACEMENT = "PLAN_REPLACEMENT"
    INSPECT = "INSPECT"
    DESCALE = "DESCALE"
    INSPECT_ANODE = "INSPECT_ANODE"
    CHECK_FOR_LEAKS = "CHECK_FOR_LEAKS"
    CHECK_THERMOSTAT = "CHECK_THERMOSTAT"
    CHECK_PRESSURE = "CHECK_PRESSURE"
    CHECK_HEATING = "CHECK_HEATING"
    CHECK_COOLING = "CHECK_COOLING"
    CHECK_SENSOR = "CHECK_SENSOR"
    LOWER_TARGET = "LOWER_TARGET"
    SET_SCHEDULE = "SET_SCHEDULE"
    INSULATE = "INSULATE"


@dataclass(frozen=True, slots=True)
class Absent:
    """Why there is no prediction.

    Attributes:
        reason: for programs.
        message: one sentence, with what would be needed.
    """

    reason: AbsentReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """One prediction, not stored yet.

    Attributes:
        method: how it was found.
        model_id: version of the model that made it; None where none is stored.
        data_until: the newest data that it rests on.
        confidence: from 0 to 1.
        value: what is compared with the outcome; see PredictionRow.
        lower: lower end of the value's interval.
        upper: its upper end.
        details: the rest of the answer, JSON values only.
        features: what the model was given, in the order of its feature names; None where missing.
        missing_share: share of what the model uses that is missing; None for methods without features.
    """

    method: str
    model_id: int | None
    data_until: datetime | None
    confidence: float
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    features: Sequence[float | None] | None = None
    missing_share: float | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """What one thing adds to a prediction.

    Attributes:
        name: channel, kind of event, attribute, part of the day.
        value: its own value, in `unit`; None where unknown.
        unit: symbol, "" for a number of times.
        contribution: what it adds, in the unit of the prediction.
    """

    name: str
    value: float | None
    unit: str
    contribution: float


@dataclass(frozen=True, slots=True)
class RiskFactor:
    """What factors of one sort add to a risk.

    Attributes:
        name: of the sort.
        weight: how much the sort matters to the model in general; those of a prediction add up to 1.
        score: share of all contributions, from -1 (lowers the risk) to 1 (raises it).
        explanation: what it rests on, in words.
        value: of the factor that adds most, in `unit`; None where unknown.
        unit: symbol.
    """

    name: str
    weight: float
    score: float
    explanation: str
    value: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A prediction taken apart: the baseline and all contributions add up to its value.

    Attributes:
        baseline: what would be predicted without knowing the device.
        factors: those that add something, what adds most first.
        risk_factors: the same by sort, with weights; of MULTI_FACTOR only.
        known: feature values that recommendations cite, by name, where they are known.
    """

    baseline: float
    factors: tuple[Factor, ...]
    risk_factors: tuple[RiskFactor, ...] = ()
    known: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Something to do.

    Attributes:
        action: what.
        urgency: how soon.
        reason: why, with the values that it rests on.
        due_by: until when; None where no date follows from the prediction.
    """

    action: Action
    urgency: Urgency
    reason: str
    due_by: datetime | None = None
