"""Generated streams of numbers, and what happens to them: what the evaluation of drift is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SECONDS_A_ROW = 900.0
_DAY_SECONDS = 86400.0
_RAMP_ROWS = 1000
_MISSING_SHARE = 0.05
_BURST_ROWS = 30
_FAHRENHEIT = (1.8, 32.0)

Generator = Callable[[np.random.Generator, int, int], FloatArray]
# From (runs, n) values after the change, and (runs, 1) mean and standard deviation of the values before it.
Change = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is demanded of a change: found in so many of twelve runs within so many rows."""

    found: int
    rows: int


def seconds_of(rows: int) -> FloatArray:
    """Return the instants of rows, a quarter of an hour apart."""
    return np.arange(rows, dtype=np.float64) * SECONDS_A_ROW


def independent(rng: np.random.Generator, runs: int, rows: int) -> FloatArray:
    """Return (runs, rows) independent normal values."""
    return rng.standard_normal((runs, rows))


def autocorrelated(correlation: float) -> Generator:
    """Return a generator of autoregressive values of deviation 1."""

    def generate(rng: np.random.Generator, runs: int, rows: int) -> FloatArray:
        values = rng.standard_normal((rows, runs))
        values[1:] *= np.sqrt(1 - correlation**2)
        for row in range(1, rows):
            values[row] += correlation * values[row - 1]
        return np.ascontiguousarray(values.T)

    return generate


def daily(rng: np.random.Generator, runs: int, rows: int) -> FloatArray:
    """Return values with a course of the day of twice their noise's deviation, at an hour of its own for each run."""
    phase = rng.random((runs, 1)) * 2 * np.pi
    return 2 * np.sin(2 * np.pi * seconds_of(rows) / _DAY_SECONDS + phase) + rng.standard_normal((runs, rows))


def log_normal(rng: np.random.Generator, runs: int, rows: int) -> FloatArray:
    """Return skewed values."""
    return np.exp(rng.standard_normal((runs, rows)))


def missing_bursts(rng: np.random.Generator, runs: int, rows: int) -> FloatArray:
    """Return normal values of which a twentieth is missing, thirty in a row on average."""
    values = rng.standard_normal((rows, runs))
    ends = 1 / _BURST_ROWS
    begins = ends * _MISSING_SHARE / (1 - _MISSING_SHARE)
    is_missing: NDArray[np.bool_] = rng.random(runs) < _MISSING_SHARE
    for row, chance in enumerate(rng.random((rows, runs))):
        is_missing = (is_missing & (chance >= ends)) | (~is_missing & (chance < begins))
        values[row, is_missing] = np.nan
    return np.ascontiguousarray(values.T)


STREAMS: Mapping[str, Generator] = {
    "independent": independent,
    "autocorrelated 0.7": autocorrelated(0.7),
    "autocorrelated 0.9": autocorrelated(0.9),
    "daily season": daily,
    "log-normal": log_normal,
    "missing bursts": missing_bursts,
}

# False alarms in 10,000 rows that are allowed.
MOST_FALSE_ALARMS: Mapping[str, float] = {
    "independent": 1,
    "daily season": 1,
    "autocorrelated 0.7": 2,
    "autocorrelated 0.9": 2,
}


def shift(size: float) -> Change:
    """Return a move of the mean by so many standard deviations."""

    def move(values: FloatArray, _mean: FloatArray, deviation: FloatArray) -> FloatArray:
        return values + size * deviation

    return move


def wider(values: FloatArray, mean: FloatArray, _deviation: FloatArray) -> FloatArray:
    """Return values with one and a half times the variance."""
    return mean + np.sqrt(1.5) * (values - mean)


def ramp(values: FloatArray, _mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return values whose mean moves to one standard deviation within 1,000 rows."""
    rows = np.arange(values.shape[1], dtype=np.float64)
    return values + deviation * np.minimum(rows / _RAMP_ROWS, 1.0)


def unit(values: FloatArray, _mean: FloatArray, _deviation: FloatArray) -> FloatArray:
    """Return values in another unit, as °F for °C."""
    factor, offset = _FAHRENHEIT
    return values * factor + offset


def stuck(values: FloatArray, mean: FloatArray, _deviation: FloatArray) -> FloatArray:
    """Return the same value again and again."""
    return np.broadcast_to(mean, values.shape).copy()


CHANGES: Mapping[str, tuple[Change, Mark | None]] = {
    "shift .25 sd": (shift(0.25), None),
    "shift .5 sd": (shift(0.5), Mark(10, 500)),
    "shift 1 sd": (shift(1.0), Mark(12, 400)),
    "variance x 1.5": (wider, Mark(12, 400)),
    "ramp to 1 sd": (ramp, None),
    "unit change": (unit, None),
    "stuck sensor": (stuck, None),
}
