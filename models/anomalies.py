"""The words for anomalies."""

from enum import Enum


class AnomalyState(Enum):
    """How an anomaly stands."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    RESOLVED = "RESOLVED"


class Verdict(Enum):
    """What people found an anomaly to be; a label for those who learn from it."""

    TRUE_ALARM = "TRUE_ALARM"
    FALSE_ALARM = "FALSE_ALARM"
