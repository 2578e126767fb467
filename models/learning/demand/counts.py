"""The distribution of how many units sell while a given number is expected.

A count N with expectation m is negative binomial with variance (1 + w) m + m² / e: Poisson noise, days that vary
beyond it (w), and a level that rests on no more than e units (a Gamma posterior of weight e).

Source: the Poisson-Gamma mixture of Cameron and Trivedi, Regression Analysis of Count Data (2nd edition), chapter 4.
"""

import numpy as np

from models.learning.demand.localtime import FloatArray

_BISECTIONS = 40
# Greater numbers are reckoned as this many larger units, which widens what is narrow by then and bounds the work.
_MOST_UNITS = 500


def probability_of_at_least(
    quantities: FloatArray, expected: FloatArray, excess: FloatArray, evidence: FloatArray
) -> FloatArray:
    """Return (n,) probabilities that at least so many units sell; they rise with the expectation.

    Args:
        quantities: (n,) whole numbers, 1 or more.
        expected: (n,) expected units, above 0.
        excess: (n,) w, 0 or more.
        evidence: (n,) e, above 0.
    """
    expected = expected / np.maximum(quantities / _MOST_UNITS, 1.0)
    quantities = np.minimum(quantities, _MOST_UNITS)
    size = expected / (excess + expected / evidence)
    most = int(quantities.max(initial=1))
    fewer = np.arange(1, most, dtype=np.float64)
    steps = np.log((size[:, None] + fewer - 1) / fewer) + np.log(expected / (size + expected))[:, None]
    start = -size * np.log1p(expected / size)
    logs = np.column_stack([start, start[:, None] + np.cumsum(steps, axis=1)])
    below = np.arange(most) < quantities[:, None]
    return 1.0 - np.minimum(np.where(below, np.exp(logs), 0.0).sum(axis=1), 1.0)


def expectation_at(probability: float, quantities: FloatArray, excess: FloatArray, evidence: FloatArray) -> FloatArray:
    """Return (n,) expectations at which so many units sell with a given probability; inf where beyond 10⁶-fold.

    Args:
        probability: in (0, 1).
        quantities: (n,) whole numbers, 1 or more.
        excess: (n,) as above.
        evidence: (n,) as above.
    """
    low, high = np.log(quantities * 1e-6), np.log(quantities * 1e6)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        reached = probability_of_at_least(quantities, np.exp(middle), excess, evidence) >= probability
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.where(high < np.log(quantities * 0.99e6), np.exp(high), np.inf)


def quantile(
    probability: float, expected: FloatArray, excess: FloatArray, evidence: FloatArray, most: FloatArray
) -> FloatArray:
    """Return (n,) fewest units that suffice with a given probability, at most `most` (whole numbers)."""
    low, high = np.zeros(len(expected)), np.maximum(most, 0.0)
    positive = np.maximum(expected, 1e-12)
    while np.any(low < high):
        middle = np.floor((low + high) / 2)
        suffices = probability_of_at_least(middle + 1, positive, excess, evidence) <= 1 - probability
        low, high = np.where(suffices, low, np.minimum(middle + 1, high)), np.where(suffices, middle, high)
    return low
