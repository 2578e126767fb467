"""Robust and plain statistics of many devices at once, where values may be missing."""

from dataclasses import dataclass

import numpy as np

from models.learning.demand.localtime import FloatArray

# Two-sided 90 %.
_Z = 1.6448536


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the ends of its 90 % interval."""

    value: float
    lower: float
    upper: float


def t_quantile(freedom: FloatArray) -> FloatArray:
    """Return the 95 % quantile of Student's t for (n,) degrees of freedom, at least 1.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5; within 0.5 % from 4 degrees on.
    """
    v = np.maximum(freedom, 1.0)
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3


def mean_and_half_width(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (devices,) means of (devices, n) values and half of their 90 % intervals; NaN with fewer than two.

    Neighbouring values that resemble each other count for less: the variance of the mean grows by (1 + r) / (1 - r)
    with r the correlation of neighbours, if positive.

    Source: Wilks, Statistical Methods in the Atmospheric Sciences, section 5.2.4, the variance of means of AR(1) data.
    """
    known = np.isfinite(values)
    count = known.sum(axis=1)
    filled = np.where(known, values, 0.0)
    enough = count >= 2
    mean = np.divide(filled.sum(axis=1), count, out=np.full(len(values), np.nan), where=enough)
    deviation = np.where(known, values - mean[:, None], 0.0)
    squares = (deviation**2).sum(axis=1)
    lagged = (deviation[:, 1:] * deviation[:, :-1]).sum(axis=1)
    correlation = np.clip(np.divide(lagged, squares, out=np.zeros(len(values)), where=squares > 0), 0.0, 0.9)
    variance = squares / np.maximum(count - 1, 1) / np.maximum(count, 1)
    half = t_quantile(count - 1.0) * np.sqrt(variance * (1 + correlation) / (1 - correlation))
    return mean, np.where(enough, half, np.nan)


def slopes(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (devices,) median slopes per column of (devices, n) values, and the ends of their 90 % intervals.

    Source: Sen, Estimates of the regression coefficient based on Kendall's tau (1968), Journal of the American
    Statistical Association 63.
    """
    first, second = np.triu_indices(values.shape[1], 1)
    pairs = np.sort((values[:, second] - values[:, first]) / (second - first), axis=1)
    total = np.isfinite(pairs).sum(axis=1)
    count = np.isfinite(values).sum(axis=1)
    reach = _Z * np.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return (
        (_at(pairs, (total - 1) // 2, total) + _at(pairs, total // 2, total)) / 2,
        _at(pairs, np.floor((total - reach) / 2).astype(np.int64), total),
        _at(pairs, np.ceil((total + reach) / 2).astype(np.int64), total),
    )


def _at(ordered: FloatArray, place: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", total: FloatArray) -> FloatArray:
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    inside = np.clip(place, 0, np.maximum(total - 1, 0)).astype(np.int64)
    return np.take_along_axis(ordered, inside[:, None], axis=1)[:, 0]
