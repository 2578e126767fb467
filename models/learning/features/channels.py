"""Statistics of the channels of several units, each at some instants of its own.

Every statistic is a weighted sum over the readings up to its instant. So all instants of a unit are one matrix product,
and the present of many units is one product for each of them, taken in one call.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.learning.blocks import blocks
from models.learning.features.history import FloatArray, History, IntArray, Layout
from models.learning.features.regimes import Regimes

STATISTICS = ("level", "change", "drift", "mean_change", "deviation", "slope")
_NO_TIME = 1e-6


class Halves(NamedTuple):
    """Lengths of time, in the histories' unit: how long a unit counts as young, and two half-lives of its level."""

    baseline: float
    fast: float
    slow: float


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """Readings of h units in one block; a unit with fewer than n readings is filled up with what counts for nothing.

    Attributes:
        times: (h, n) of the readings; infinite where there is none.
        first: (h, 1) time of the first one; 0 where there is none.
        values: (h, n, c) readings; NaN where one is missing.
        settings: (h, n, s) operating conditions; NaN where one is missing.
    """

    times: FloatArray
    first: FloatArray
    values: FloatArray
    settings: FloatArray

    @classmethod
    def of(cls, layout: Layout, histories: Sequence[History]) -> "SideBySide":
        """Put histories that fit a layout side by side."""
        count, longest = len(histories), max((len(history.times) for history in histories), default=0)
        times, first = np.full((count, longest), np.inf), np.zeros((count, 1))
        values = np.full((count, longest, len(layout.channels)), np.nan)
        settings = np.full((count, longest, len(layout.settings)), np.nan)
        for place, history in enumerate(histories):
            if size := len(history.times):
                times[place, :size], first[place] = history.times, history.times[0]
                values[place, :size] = history.values
                if history.settings.size:
                    settings[place, :size] = history.settings
        return cls(times, first, values, settings)


def alike(layout: Layout, histories: Sequence[History]) -> Iterator[IntArray]:
    """Yield the places of histories of about the same length, as many at a time as fit into memory well."""
    lengths = np.array([len(history.times) for history in histories], np.int64)
    return blocks(lengths, len(layout.channels) + len(layout.settings) + 1)


def channel_statistics(read: SideBySide, instants: FloatArray, regimes: Regimes, halves: Halves) -> FloatArray:
    """Return (h, m, 6 c) statistics, in the order of `STATISTICS`; NaN where nothing is known.

    The slope is that of a line through the fast and the slow level, each at its own mean time, which is exact for a
    channel that moves evenly.

    Args:
        read: the readings.
        instants: (h, m) at which each unit is looked at.
        regimes: what channels are expected to read.
        halves: lengths of time.
    """
    sums = _Sums.of(read, regimes)
    age = instants[:, :, None] - read.times[:, None, :]
    ever = (age >= 0).astype(np.float64)
    newest = np.min(age, axis=2, where=age >= 0, initial=np.inf, keepdims=True)
    # Counted from the newest reading, so that weights do not vanish when it is old.
    since = np.where(ever > 0, age - np.where(np.isfinite(newest), newest, 0.0), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        base = sums.weighted(ever * (sums.times < halves.baseline)[:, None, :]).mean
        whole = sums.weighted(ever)
        fast = sums.weighted(ever * np.exp2(-since / halves.fast))
        slow = sums.weighted(ever * np.exp2(-since / halves.slow))
        variance = np.maximum(whole.mean_square - whole.mean**2, 0.0)
        deviation = np.where(whole.known > 1, np.sqrt(variance), np.nan)
        apart = fast.mean_time - slow.mean_time
        slope = np.where(apart > _NO_TIME * halves.slow, (fast.mean - slow.mean) / apart, np.nan)
    level = fast.mean if read.settings.shape[2] else fast.mean * regimes.spread[0] + regimes.coefficients[0, 0]
    changes = (fast.mean - base, slow.mean - base, whole.mean - base)
    return np.concatenate([level, *changes, deviation, slope], axis=2)


class _Weighted(NamedTuple):
    """Means over the known readings of each channel; each (h, m, c), NaN where there are none."""

    known: FloatArray
    mean: FloatArray
    mean_square: FloatArray
    mean_time: FloatArray


class _Sums(NamedTuple):
    """Readings prepared for weighted sums.

    Attributes:
        stacked: (h, n, 4 c) whether a reading is known, its value, its square and its time, all 0 where it is not.
        times: (h, n) times since the first reading.
    """

    stacked: FloatArray
    times: FloatArray

    @classmethod
    def of(cls, read: SideBySide, regimes: Regimes) -> "_Sums":
        times = read.times - read.first
        values, settings = (part.reshape(times.size, part.shape[2]) for part in (read.values, read.settings))
        values = regimes.normalise(values, settings).reshape(read.values.shape)
        known = np.isfinite(values)
        filled = np.where(known, values, 0.0)
        timed = np.where(known, times[:, :, None], 0.0)
        return cls(np.concatenate([known.astype(np.float64), filled, filled**2, timed], axis=2), times)

    def weighted(self, weights: FloatArray) -> _Weighted:
        """Return means under (h, m, n) weights of the readings."""
        summed = weights @ self.stacked
        wide = summed.shape[2] // 4
        count, value, square, time = (summed[:, :, place * wide : (place + 1) * wide] for place in range(4))
        return _Weighted(count, value / count, square / count, time / count)
