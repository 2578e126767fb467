"""The words for work on devices."""

from enum import Enum


class MaintenanceKind(Enum):
    """What was done."""

    INSPECTION = "INSPECTION"
    CLEANING = "CLEANING"
    REPAIR = "REPAIR"
    PART_REPLACEMENT = "PART_REPLACEMENT"
    INSTALLATION = "INSTALLATION"
    OTHER = "OTHER"
