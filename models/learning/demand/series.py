"""The daily units that a forecast learns from."""

from dataclasses import dataclass

from models.learning.demand.history import LEARNT_DAYS
from models.learning.demand.localtime import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class DailySeries:
    """Units of consecutive days.

    Attributes:
        units: (d,) units a day, no NaN; a day without sales is 0.
        first_day: date of the first, as days since 1970-01-01.
    """

    units: FloatArray
    first_day: int

    def until(self, day: int) -> "DailySeries":
        """Return the newest LEARNT_DAYS of the days before row `day`; nothing from that row on."""
        start = max(day - LEARNT_DAYS, 0)
        return DailySeries(self.units[start:day], self.first_day + start)
