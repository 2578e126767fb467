"""How water heaters are used, and what could be saved: many devices at once, from hourly sums.

use = HourlyUse.of(first_hour, (devices, hours), liters=…, kwh=…, …)   # or hourly_use(readings)
usages = analyse(use, heaters, zone)                                   # patterns and savings of each device
"""

from models.learning.usage.analysis import HeaterUsage, analyse
from models.learning.usage.calendar import Calendar
from models.learning.usage.heaters import Heater, HeatSource, reference_loss
from models.learning.usage.hours import DeviceReadings, HourlyUse, hourly_use
from models.learning.usage.patterns import Basis, Missing, UsagePatterns, usage_patterns
from models.learning.usage.profile import Profiles, profiles
from models.learning.usage.savings import Optimization, OptimizationKind, Savings, savings
from models.learning.usage.standby import StandbyLoss, standby_loss
from models.learning.usage.statistics import Estimate
from models.learning.usage.windows import QuietWindow

__all__ = [
    "Basis",
    "Calendar",
    "DeviceReadings",
    "Estimate",
    "HeatSource",
    "Heater",
    "HeaterUsage",
    "HourlyUse",
    "Missing",
    "Optimization",
    "OptimizationKind",
    "Profiles",
    "QuietWindow",
    "Savings",
    "StandbyLoss",
    "UsagePatterns",
    "analyse",
    "hourly_use",
    "profiles",
    "reference_loss",
    "savings",
    "standby_loss",
    "usage_patterns",
]
