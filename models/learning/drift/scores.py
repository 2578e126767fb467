"""Normal scores: values by their place in the training window, on the scale of a standard normal distribution.

Values of any distribution become comparable: skewed ones and those with heavy tails need no other thresholds.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_NORMAL = NormalDist()
# Knots at equal distances of the normal score; further out a training window of 2,000 rows has too few values.
_KNOT_SCORES = np.linspace(-2.6, 2.6, 27)
_TAIL_KNOTS = 4
# A single value counts for no more than this: one wild reading is not drift.
MOST = 5.0


def normal_cdf(score: float) -> float:
    """Return the share of a standard normal distribution below a score."""
    return _NORMAL.cdf(score)


def normal_quantile(share: float) -> float:
    """Return the score below which a share of a standard normal distribution lies."""
    return _NORMAL.inv_cdf(share)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The map from values to scores, linear between knots and beyond them.

    Attributes:
        values: (k,) ascending, distinct quantiles of the training window; one only if it is (nearly) constant.
        scores: (k,) their normal scores; of a value with several quantiles, their mean.
        centre: mean of the scores in training.
        deviation: their standard deviation, 0 of a constant.
    """

    values: FloatArray
    scores: FloatArray
    centre: float
    deviation: float

    @property
    def is_constant(self) -> bool:
        """Whether training saw but one value, or nearly so."""
        return len(self.values) < 2

    def of(self, values: FloatArray) -> FloatArray:
        """Return (n,) scores with mean 0 and deviation 1 over the training window; NaN stays."""
        if self.is_constant:
            return np.where(np.isfinite(values), 0.0, np.nan)
        return np.clip((self._raw(values) - self.centre) / self.deviation, -MOST, MOST)

    def _raw(self, values: FloatArray) -> FloatArray:
        scores = np.interp(values, self.values, self.scores)
        reach = min(_TAIL_KNOTS, len(self.values) - 1)
        low = (self.scores[reach] - self.scores[0]) / (self.values[reach] - self.values[0])
        high = (self.scores[-1] - self.scores[-1 - reach]) / (self.values[-1] - self.values[-1 - reach])
        scores += np.minimum(values - self.values[0], 0.0) * low + np.maximum(values - self.values[-1], 0.0) * high
        return np.clip(scores, -MOST, MOST)


def fit_scores(known: FloatArray) -> Scores:
    """Fit to (n,) known values, at least one."""
    shares = np.array([normal_cdf(score) for score in _KNOT_SCORES.tolist()])
    values, place = np.unique(np.quantile(known, shares), return_inverse=True)
    if len(values) < 2:
        return Scores(values, np.zeros(1), 0.0, 0.0)
    scores = np.bincount(place, _KNOT_SCORES) / np.bincount(place)
    raw = Scores(values, scores, 0.0, 1.0).of(known)
    return Scores(values, scores, float(raw.mean()), float(raw.std()))
