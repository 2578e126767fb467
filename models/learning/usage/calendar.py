"""The local calendar of consecutive hours."""

from dataclasses import dataclass

import numpy as np

from models.learning.demand.localtime import DAY, HOUR, FloatArray, IntArray, local_micros, weekdays


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Where each of (hours,) lies in the local week; all whole days of UTC offsets are kept, half hours too.

    Attributes:
        day: (hours,) number of the local day, 0 for the first.
        hour: (hours,) local hour of the day. In zones whose clocks are half an hour off, that of the hour's middle.
        weekday: (days,) Monday 0.
    """

    day: IntArray
    hour: IntArray
    weekday: IntArray

    @classmethod
    def of(cls, first_hour: int, hours: int, zone: str) -> "Calendar":
        """Lay consecutive hours of UTC on the days of a zone.

        Raises:
            zoneinfo.ZoneInfoNotFoundError: there is no such zone.
        """
        middles = (first_hour + np.arange(hours, dtype=np.int64)) * HOUR + HOUR // 2
        clock = local_micros(middles, zone)
        date = clock // DAY
        first = int(date[0]) if hours else 0
        count = int(date[-1]) - first + 1 if hours else 0
        return cls(date - first, clock % DAY // HOUR, weekdays(first + np.arange(count)))

    @property
    def days(self) -> int:
        """Number of local days, the first and the last of which may be incomplete."""
        return len(self.weekday)

    @property
    def cell(self) -> IntArray:
        """(hours,) hour of the week, 0 to 167 from Monday."""
        return self.weekday[self.day] * 24 + self.hour

    def by_day(self, values: FloatArray) -> FloatArray:
        """Return (devices, days) sums of (devices, hours)."""
        return grouped(values, self.day, self.days)

    def by_day_and_hour(self, values: FloatArray) -> FloatArray:
        """Return (devices, days, 24) sums of (devices, hours); the hour that comes twice in autumn is one cell."""
        return grouped(values, self.day * 24 + self.hour, self.days * 24).reshape(len(values), self.days, 24)


def grouped(values: FloatArray, group: IntArray, count: int) -> FloatArray:
    """Return (devices, count) sums of (devices, n) values by the (n,) group of each column."""
    rows = np.arange(len(values))[:, None] * count + group
    sums = np.bincount(rows.ravel(), values.ravel(), len(values) * count)
    return sums.astype(np.float64, copy=False).reshape(len(values), count)
