"""The enums of all kinds. Those of the models are registered here, and imported from here by all types."""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from models.alerts import AlertChangeKind, AlertKind, AlertState
from models.anomalies import AnomalyState, Verdict
from models.devices import KINDS
from models.devices.catalogue import DeviceKind as Kind
from models.devices.status import DeviceStatus
from models.learning.drift.findings import Kind as DriftFinding
from models.learning.risk import Level
from models.learning.usage import Basis, Missing, OptimizationKind
from models.monitoring import HealthStatus
from models.predicted import AbsentReason, Action, PredictionMethod, Urgency
from models.predictions import ModelStage, PredictionKind, TrainingState
from models.severity import Severity
from resolvers import series
from resolvers.maintenance import MaintenanceKind
from resolvers.predicting.risk_words import Sort

__all__ = [
    "AbsentReason",
    "Action",
    "AlertChangeKind",
    "AlertKind",
    "AlertState",
    "AnomalyChangeKind",
    "AnomalyPattern",
    "AnomalyState",
    "Basis",
    "ContributionDirection",
    "DeviceKind",
    "DeviceOrderField",
    "DeviceStatus",
    "DriftFinding",
    "HealthStatus",
    "Level",
    "MaintenanceKind",
    "Metric",
    "Missing",
    "ModelStage",
    "OptimizationKind",
    "OrderDirection",
    "PredictionKind",
    "PredictionMethod",
    "SeriesMethod",
    "Severity",
    "Sort",
    "TrainingState",
    "Urgency",
    "Verdict",
    "metric_enum",
]

strawberry.enum(
    DeviceStatus,
    description="How a device stands: ONLINE while readings arrive, OFFLINE after a silence, MAINTENANCE when an "
    "operator has set it, RETIRED once a failure has ended its life.",
)
strawberry.enum(MaintenanceKind, description="What was done to a device.")
strawberry.enum(Severity, description="How bad something is, from least to most.")
strawberry.enum(
    AnomalyState,
    description="How an anomaly stands: OPEN while the detector sees it, CLOSED once readings are usual again, "
    "RESOLVED when a person has judged it.",
)
strawberry.enum(Verdict, description="What people found an anomaly to be; it counts as a label for those who learn.")
strawberry.enum(
    AlertKind,
    description="What an alert is about: a value beyond a threshold (OVER_TEMPERATURE, HIGH_PRESSURE, LOW_PRESSURE, "
    "CASH_FULL), products that run out (LOW_STOCK), silence (OFFLINE), an ANOMALY of high severity, or maintenance "
    "that is due (MAINTENANCE_DUE). Of models: inputs or predictions that are not as in training (MODEL_DRIFT), errors "
    "beyond their thresholds (MODEL_PERFORMANCE), inputs that are missing, stuck or out of range "
    "(MODEL_DATA_QUALITY), or a training of long ago (MODEL_STALE).",
)
strawberry.enum(
    AlertState,
    description="How an alert stands: OPEN until somebody takes it on, then ACKNOWLEDGED, and RESOLVED once its cause "
    "is gone or somebody says so.",
)


strawberry.enum(
    AlertChangeKind,
    description="What happened to an alert: it was RAISED, its severity rose (ESCALATED), only its message changed "
    "(UPDATED), somebody took it on (ACKNOWLEDGED), it is over (RESOLVED).",
)


strawberry.enum(
    DriftFinding,
    name="DriftFinding",
    description="What values are, compared with training: STABLE; of another distribution (DRIFT); of errors that have "
    "grown (CONCEPT_DRIFT); poor data (CONSTANT, STUCK, MISSING, OUT_OF_RANGE, STALE); or UNKNOWN, since there are too "
    "few.",
)
strawberry.enum(
    HealthStatus,
    description="How well a model does, or one thing about it: HEALTHY, WARNING, CRITICAL; UNKNOWN where there is too "
    "little to say anything.",
)
strawberry.enum(
    ModelStage,
    description="What a version of a model is used for: PRODUCTION predicts, a CANDIDATE waits to be promoted, an "
    "ARCHIVED one was in production before.",
)
strawberry.enum(
    TrainingState,
    description="How a training stands: QUEUED until a server takes it, RUNNING, then SUCCEEDED or FAILED.",
)
strawberry.enum(
    PredictionKind,
    description="What is predicted: the remaining life (LIFESPAN), whether a device is strange at present (ANOMALY), "
    "how it is used and what could be saved (USAGE_PATTERNS), the risk that it fails within a horizon (MULTI_FACTOR).",
)
strawberry.enum(
    PredictionMethod,
    description="How a prediction was made: from the device's own readings by boosted trees (REGRESSION of remaining "
    "life, BOOSTED_TREES of risk); from its age alone by the lives of the fleet (WEIBULL, or WEIBAYES with too few "
    "failures to learn how the risk grows); by the STREAMING_DETECTOR alone, or together with a trained model of how "
    "channels go together (CROSS_CHANNEL_RESIDUALS); by statistics of its hours (PROFILE).",
)
strawberry.enum(
    AbsentReason,
    name="UnavailableReason",
    description="Why there is no prediction: the device was given up (RETIRED); it is not predicted of its kind "
    "(NOT_OFFERED); nothing is known of it (NO_READINGS), or too little (TOO_LITTLE_HISTORY); no model is in "
    "production (NO_MODEL), or it cannot be used, being damaged or trained on other channels (MODEL_UNFIT).",
)
strawberry.enum(Action, name="RecommendedAction", description="What is to be done.")
strawberry.enum(
    Urgency, description="How soon something is to be done: with the next plans, within weeks (SOON), or at once (NOW)."
)
strawberry.enum(
    Level, name="RiskLevel", description="How urgent a risk is: MEDIUM from 10 % on, HIGH 30 %, CRITICAL 60 %."
)
strawberry.enum(
    Sort,
    name="RiskFactorSort",
    description="What a factor of a risk is about; past failures are among ANOMALIES, DESIGN is what the device is.",
)
strawberry.enum(
    Basis,
    name="UsageBasis",
    description="What amounts of use are: litres of a flow meter, litres estimated from energy, or energy in kWh.",
)
strawberry.enum(Missing, name="MissingUsageReason", description="Why a figure of use is missing.")
strawberry.enum(
    OptimizationKind,
    description="What could be saved: heat only when water is drawn (SCHEDULE), lower the target (SET_POINT), "
    "insulate the tank (STANDBY_LOSS).",
)


def _made(name: str, values: dict[str, object], description: str) -> type[Enum]:
    made: type[Enum] = Enum(name, values)  # pyright: ignore[reportAssignmentType, reportArgumentType] - the functional form
    strawberry.enum(made, description=description)
    return made


def metric_enum(kind: Kind) -> type[Enum]:
    """Return the enum of a kind's channels that can be charted; its values are the channels' names."""
    values: dict[str, object] = {
        each.name.upper(): strawberry.enum_value(each.name, description=each.description) for each in kind.metrics
    }
    return _made(f"{kind.type_name}Metric", values, f"What a {kind.label} reports and a chart can show.")


def _every_metric() -> dict[str, object]:
    """Return the channels of all kinds; where a name means several things, each kind says what it means."""
    meanings: dict[str, dict[str, str]] = {}
    for kind in KINDS.values():
        for each in kind.channels:
            meanings.setdefault(each.name, {})[kind.label] = each.description
    return {name.upper(): strawberry.enum_value(name, description=_told(by_kind)) for name, by_kind in meanings.items()}


def _told(by_kind: Mapping[str, str]) -> str:
    if len(set(by_kind.values())) == 1:
        return next(iter(by_kind.values()))
    return " ".join(f"Of a {label}: {meaning}" for label, meaning in by_kind.items())


@strawberry.enum(description="What happened to an anomaly.")
class AnomalyChangeKind(Enum):
    """What happened to an anomaly; the names are those of its events."""

    OPENED = strawberry.enum_value("OPENED", description="The first strange reading came.")
    ESCALATED = strawberry.enum_value("ESCALATED", description="Its severity rose.")
    CLOSED = strawberry.enum_value("CLOSED", description="Readings are usual again.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="A person judged it.")


@strawberry.enum(description="In which way readings were strange.")
class AnomalyPattern(Enum):
    """In which way readings were strange; the names are the detector's."""

    HIGH = strawberry.enum_value("HIGH", description="A value above all usual ones.")
    LOW = strawberry.enum_value("LOW", description="A value below all usual ones.")
    SHIFT = strawberry.enum_value(
        "SHIFT", description="The mean of the last values is off, though each of them might be usual."
    )
    JUMP = strawberry.enum_value("JUMP", description="A value that differs from the one before by more than usual.")
    NOISE = strawberry.enum_value("NOISE", description="Values that go up and down more than usual.")
    SEASON = strawberry.enum_value("SEASON", description="A value that is unusual for the hour of the day.")
    JOINT = strawberry.enum_value("JOINT", description="Several metrics that are off at once, each perhaps by little.")


@strawberry.enum(description="By what devices are sorted; equal ones by the order in which they were registered.")
class DeviceOrderField(Enum):
    """By what devices are sorted."""

    NAME = "name"
    LAST_SEEN_AT = "last_seen_at"
    CREATED_AT = "created_at"
    STATUS = "status"


@strawberry.enum(description="Smallest or largest first.")
class OrderDirection(Enum):
    """Smallest or largest first."""

    ASC = "asc"
    DESC = "desc"


@strawberry.enum(description="Which way a factor moves a prediction.")
class ContributionDirection(Enum):
    """Which way a factor moves a prediction."""

    RAISES = "RAISES"
    LOWERS = "LOWERS"


if TYPE_CHECKING:
    # Made of the catalogue at run time, which a type checker cannot follow.
    DeviceKind: TypeAlias = Enum
    Metric: TypeAlias = Enum
    SeriesMethod: TypeAlias = Enum
else:
    DeviceKind = _made("DeviceKind", {name: name for name in KINDS}, "The kind of a device.")
    Metric = _made("Metric", _every_metric(), "What devices report, whatever their kind.")
    SeriesMethod = _made(
        "SeriesMethod",
        {name: name for name in series.METHODS},
        "How readings become points. AVERAGE, MINIMUM, MAXIMUM, SUM, COUNT and LAST make one point of each time "
        "bucket; LTTB (largest triangle three buckets) picks the readings that keep the shape of the line.",
    )
