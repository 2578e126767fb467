"""The one call that answers a document: patterns and savings of several water heaters."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.learning.usage.calendar import Calendar
from models.learning.usage.heaters import Heater
from models.learning.usage.hours import HourlyUse
from models.learning.usage.patterns import UsagePatterns, usage_patterns
from models.learning.usage.savings import Savings, savings


@dataclass(frozen=True, slots=True, eq=False)
class HeaterUsage:
    """How one water heater is used, and what could be saved."""

    patterns: UsagePatterns
    savings: Savings


def analyse(use: HourlyUse, heaters: Sequence[Heater], zone: str = "UTC") -> list[HeaterUsage]:
    """Return patterns and savings of each heater.

    Args:
        use: (devices, hours); 60 to 90 days tell most.
        heaters: (devices,).
        zone: IANA name of the clocks by which people live.

    Raises:
        ValueError: there are not as many heaters as devices.
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    if len(heaters) != use.shape[0]:
        raise ValueError(f"there are hours of {use.shape[0]} devices, but {len(heaters)} heaters")
    if not use.shape[1]:
        use = HourlyUse.of(use.first_hour, (use.shape[0], 1))
    calendar = Calendar.of(use.first_hour, use.shape[1], zone)
    found = usage_patterns(use, heaters, calendar)
    return [HeaterUsage(*pair) for pair in zip(found, savings(use, heaters, calendar), strict=True)]
