"""When simulated devices are read, in blocks that fit into memory."""

from dataclasses import dataclass

import numpy as np

from models.devices.simulation.hashing import IntArray

MICROS_PER_DAY = 86_400_000_000
# In longer steps heating begins too late by more than a minute.
LONGEST_STEP_SECONDS = 60
# Steps times devices of one block: it bounds the memory that a block needs to some hundred megabytes.
MOST_CELLS = 500_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often devices are read, and how finely they are run between two readings.

    Attributes:
        interval: microseconds between two readings of a device.
        parts: steps between two readings.
        most: most readings of a device in one block.
    """

    interval: int
    parts: int
    most: int

    @classmethod
    def of(cls, interval_seconds: float, device_count: int, longest_step_seconds: int = LONGEST_STEP_SECONDS) -> "Pace":
        """Choose the steps.

        Raises:
            ValueError: the interval is shorter than a microsecond.
        """
        interval = round(interval_seconds * 1e6)
        if interval < 1:
            raise ValueError(f"the interval is {interval_seconds} s; it must be at least a microsecond")
        parts = max(1, -(-interval // (longest_step_seconds * 1_000_000)))
        return cls(interval, parts, max(1, MOST_CELLS // max(1, parts * device_count)))

    def instants(self, now: int, until: int) -> IntArray:
        """Give the instants of the next block, microseconds since 1970: the multiples of the interval after `now`.

        Returns:
            (n,) instants up to `until` or to the first at or after midnight (UTC); none if no multiple is reached.
        """
        first, last = (now // self.interval + 1) * self.interval, until // self.interval * self.interval
        midnight = (now // MICROS_PER_DAY + 1) * MICROS_PER_DAY
        if last < first:
            return np.zeros(0, dtype=np.int64)
        count = min((last - first) // self.interval, max(0, (midnight - first) // self.interval), self.most - 1) + 1
        return first + self.interval * np.arange(count, dtype=np.int64)

    def edges(self, now: int, instants: IntArray) -> IntArray:
        """Return the (n parts + 1,) bounds of the steps from `now` through the (n,) instants, microseconds."""
        before = np.concatenate([[now], instants[:-1]])
        steps = before[:, None] + (instants - before)[:, None] * np.arange(1, self.parts + 1) // self.parts
        return np.concatenate([[now], steps.ravel()])
