"""The distribution of how many units sell while a given number is expected.

A count N with expectation m is negative binomial with variance (1 + w) m + m² / e: Poisson noise, days that vary
beyond it (w), and a level that rests on no more than e units (a Gamma posterior of weight e).

Source: the Poisson-Gamma mixture of Cameron and Trivedi, Regression Analysis of Count Data (2nd edition), chapter 4.
"""

import numpy as np

from models.learning.demand.localtime import FloatArray

_BISECTIONS, _FALSE_POSITIONS = 10, 5
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

    Halves find about where, false positions where exactly: to a hundred millionth with 0.1 and 0.9.

    Args:
        probability: in (0, 1).
        quantities: (n,) whole numbers, 1 or more.
        excess: (n,) as above.
        evidence: (n,) as above.

    Source: Dowell and Jarratt, A modified regula falsi method for computing the root of an equation (1971), BIT 11.
    """

    def above(logarithm: FloatArray) -> FloatArray:
        return probability_of_at_least(quantities, np.exp(logarithm), excess, evidence) - probability

    most = np.log(quantities * 1e6)
    low, high = np.log(quantities * 1e-6), most
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        reached = above(middle) >= 0
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    is_found = high < most
    below, beyond, side, middle = above(low), above(high), np.zeros(len(low)), high
    for _ in range(_FALSE_POSITIONS):
        # Where nothing is found both may be equal.
        middle = high - beyond * (high - low) / np.where(is_found, beyond - below, 1.0)
        error = above(middle)
        reached = error >= 0
        # An end that stays a second time counts half, or it would stay for good.
        below, beyond = (
            np.where(reached, np.where(side > 0, below / 2, below), error),
            np.where(reached, error, np.where(side < 0, beyond / 2, beyond)),
        )
        low, high, side = np.where(reached, low, middle), np.where(reached, middle, high), np.where(reached, 1, -1)
    return np.where(is_found, np.exp(middle), np.inf)


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
