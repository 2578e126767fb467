"""The words for alerts."""

from dataclasses import dataclass
from enum import Enum


class AlertKind(Enum):
    """What an alert is about."""

    OVER_TEMPERATURE = "OVER_TEMPERATURE"
    HIGH_PRESSURE = "HIGH_PRESSURE"
    LOW_PRESSURE = "LOW_PRESSURE"
    LOW_STOCK = "LOW_STOCK"
    CASH_FULL = "CASH_FULL"
    OFFLINE = "OFFLINE"
    ANOMALY = "ANOMALY"
    MAINTENANCE_DUE = "MAINTENANCE_DUE"
    MODEL_DRIFT = "MODEL_DRIFT"
    MODEL_PERFORMANCE = "MODEL_PERFORMANCE"
    MODEL_DATA_QUALITY = "MODEL_DATA_QUALITY"
    MODEL_STALE = "MODEL_STALE"


class AlertState(Enum):
    """How an alert stands."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


class ConditionPhase(Enum):
    """Where a condition that is not at rest stands."""

    PENDING = "PENDING"
    """It is there, but not yet for long enough to raise an alert."""
    FIRING = "FIRING"
    """It is there, and its alert with it."""
    RECOVERING = "RECOVERING"
    """It is gone, but not yet for long enough to resolve its alert."""


class AlertChangeKind(Enum):
    """What happened to an alert."""

    RAISED = "RAISED"
    ESCALATED = "ESCALATED"
    """Its severity rose."""
    UPDATED = "UPDATED"
    """Its message changed."""
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


ALERTS_OF_ALL_DEVICES = (AlertKind.OFFLINE, AlertKind.ANOMALY, AlertKind.MAINTENANCE_DUE)
"""What any device can alert about, whatever its kind."""

MODEL_ALERTS = (
    AlertKind.MODEL_DRIFT,
    AlertKind.MODEL_PERFORMANCE,
    AlertKind.MODEL_DATA_QUALITY,
    AlertKind.MODEL_STALE,
)
"""What is alerted about of models, not of devices."""


class AlertOwner(Enum):
    """What alerts are of; the value is the word for it in the names of columns, and in deduplication keys."""

    DEVICE = "device"
    MODEL = "model"

    @property
    def column(self) -> str:
        """The column that says which one."""
        return f"{self.value}_id"


@dataclass(frozen=True, slots=True)
class ThresholdAlert:
    """An alert that a kind of device raises where a channel lies beyond a threshold.

    The settings of the kind hold its thresholds and timing, as over_temperature_high_celsius,
    over_temperature_critical_celsius, over_temperature_hold_seconds and over_temperature_recover_seconds.

    Attributes:
        kind: of the alert.
        channel: whose values are compared.
        setting_unit: the last word of the names of the thresholds' settings, as celsius.
        is_above: values from the threshold up are bad, otherwise values from it down.
        counted_from: column of the kind's detail table that the settings' thresholds are added to; a device that has no
            value there has no thresholds.
        limited_by: column of the kind's detail table that a threshold of the settings does not exceed.
    """

    kind: AlertKind
    channel: str
    setting_unit: str
    is_above: bool = True
    counted_from: str | None = None
    limited_by: str | None = None

    @property
    def setting_prefix(self) -> str:
        """The first words of the names of its settings."""
        return self.kind.value.lower()

    @property
    def details(self) -> tuple[str, ...]:
        """The columns of the kind's detail table that it needs."""
        return tuple(name for name in (self.counted_from, self.limited_by) if name is not None)
