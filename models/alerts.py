"""The words for alerts."""

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
