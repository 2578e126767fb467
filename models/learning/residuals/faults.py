"""Faults put into readings whose truth is known to be good: of one channel each, so that the others contradict it."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from models.learning.residuals.looks import FloatArray, IntArray

# What is longer is found by whoever looks; what is shorter than two hours is hardly seen in hours.
_SHORTEST_HOURS, _LONGEST_HOURS = 3, 12
# A fault that changes less than this share of the channel's usual range is none, as a frozen sensor of what rests.
_LEAST_CHANGE = 0.25
_LOW, _HIGH = 0.05, 0.95


class FaultKind(Enum):
    """What is wrong with a channel."""

    LOST = "LOST"
    """It stays at the lowest of its usual values: power without heating, or a pump without flow."""
    FROZEN = "FROZEN"
    """It stays at its last value."""
    DISPLACED = "DISPLACED"
    """It has the values of half a day before: each usual, and none in its place."""
    WEAK = "WEAK"
    """It moves half as far from its usual value as it should."""
    SHIFTED = "SHIFTED"
    """It is off by its whole usual range."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one channel over some hours."""

    kind: FaultKind
    column: int
    start_micros: int
    end_micros: int


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Readings of one device.

    Attributes:
        micros: (n,) rising microseconds since 1970.
        values: (n, channels), NaN where missing.
    """

    micros: IntArray
    values: FloatArray


_HOUR_MICROS = 3_600_000_000
_HALF_DAY_MICROS = 12 * _HOUR_MICROS


def with_fault(readings: Readings, end_micros: int, number: int, seed: int = 1) -> tuple[Fault, FloatArray] | None:
    """Return a fault of the day that ends at an instant, and the readings' values with it.

    Kinds and channels take turns by the number; a fault that would change next to nothing gives way to another one.

    Args:
        readings: with the days before, by which is known what is usual.
        end_micros: end of the day, a whole hour.
        number: of the fault, from 0 on.
        seed: same seed and number, same fault.

    Returns:
        None where no fault would change anything.
    """
    random = np.random.default_rng((seed, number))
    kinds, channels = list(FaultKind), readings.values.shape[1]
    for turn in range(number, number + len(kinds) * channels):
        hours = int(random.integers(_SHORTEST_HOURS, _LONGEST_HOURS + 1))
        start = end_micros - int(random.integers(hours, 25)) * _HOUR_MICROS
        column = turn // len(kinds) % channels
        fault = Fault(kinds[turn % len(kinds)], column, start, start + hours * _HOUR_MICROS)
        values = _faulty(readings, fault)
        if values is not None:
            return fault, values
    return None


def _faulty(readings: Readings, fault: Fault) -> FloatArray | None:
    """Return the values with a fault; None where it would change next to nothing."""
    micros, own = readings.micros, readings.values[:, fault.column]
    first, last = (int(np.searchsorted(micros, at)) for at in (fault.start_micros, fault.end_micros))
    known: FloatArray = np.extract(np.isfinite(own[:first]), own[:first])
    if first == last or not len(known):
        return None
    low, usual, high = (float(np.quantile(known, share)) for share in (_LOW, 0.5, _HIGH))
    span = (high - low) or float(np.ptp(known))
    inside = own[first:last]
    changed = _changed(readings, fault, inside, (low, usual, span), known)
    moved = np.abs(changed - inside)[np.isfinite(inside) & np.isfinite(changed)]
    if not len(moved) or not moved.mean() >= _LEAST_CHANGE * span / 2 > 0:
        return None
    values = readings.values.copy()
    values[first:last, fault.column] = np.where(np.isfinite(inside), changed, np.nan)
    return values


def _changed(
    readings: Readings, fault: Fault, inside: FloatArray, usual: tuple[float, float, float], known: FloatArray
) -> FloatArray:
    low, middle, span = usual
    if fault.kind is FaultKind.LOST:
        return np.full(len(inside), low)
    if fault.kind is FaultKind.FROZEN:
        return np.full(len(inside), known[-1])
    if fault.kind is FaultKind.WEAK:
        return middle + (inside - middle) / 2
    if fault.kind is FaultKind.SHIFTED:
        return inside + span
    micros = readings.micros
    first = int(np.searchsorted(micros, fault.start_micros))
    before = np.searchsorted(micros, micros[first : first + len(inside)] - _HALF_DAY_MICROS)
    return readings.values[np.maximum(before, 0), fault.column]
