"""How bad something is, for anomalies and alerts alike."""

from enum import Enum


class Severity(Enum):
    """How bad something is, from least to most."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """Its place, 0 for the least; names do not sort."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
