"""Local time at the machines, in hours."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from models.devices.simulation.hashing import IntArray

SECONDS_PER_HOUR = 3600
MICROS_PER_HOUR = 3_600_000_000


class LocalClock:
    """The time zones of a fleet."""

    def __init__(self, time_zones: Sequence[str]) -> None:
        names = sorted(set(time_zones))
        self._zones = [ZoneInfo(name) for name in names]
        self._zone_of_machine = np.array([names.index(name) for name in time_zones], dtype=np.int64)

    def hours_of_week(self, hours: IntArray) -> IntArray:
        """Return the local hours, from Monday 0:00, at the starts of (n,) hours since 1970: (n, machines)."""
        starts = [datetime.fromtimestamp(hour * SECONDS_PER_HOUR, UTC) for hour in hours.tolist()]
        local = [[start.astimezone(zone) for zone in self._zones] for start in starts]
        by_zone = np.array([[at.weekday() * 24 + at.hour for at in row] for row in local], dtype=np.int64)
        return by_zone.reshape(len(starts), len(self._zones))[:, self._zone_of_machine]
