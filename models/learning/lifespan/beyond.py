"""Remaining lives beyond what readings can tell: by the lives of the fleet, as far as a unit may reach there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learning.features import FloatArray
from models.learning.lifespan.survival import Survival

_MOST_BINS = 20
_FEWEST_ROWS = 40
_MOST_WEIGHT = 10.0
_WATCHED_SHARE = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Beyond:
    """Up to which remaining life readings tell units apart, and how likely a unit reaches further.

    Attributes:
        reach: longest remaining life that is learnt from readings.
        predicted: (b,) ascending predictions.
        shares: (b,) share of the units with such a prediction that live for longer than the reach; ascending.
    """

    reach: float
    predicted: FloatArray
    shares: FloatArray

    def value(self, told: FloatArray, ages: FloatArray, survival: Survival) -> FloatArray:
        """Return (n,) medians: what readings tell where most units end within the reach, else what ages tell of others.

        Args:
            told: (n,) predictions from readings, no further than the reach.
            ages: (n,) at the prediction.
            survival: lives of the fleet.
        """
        return np.maximum(told, self._quantile(0.5, told, told, ages, survival))

    def interval(  # noqa: PLR0917 - an interval and what it is widened by
        self,
        told: FloatArray,
        lower: FloatArray,
        upper: FloatArray,
        ages: FloatArray,
        survival: Survival,
        coverage: float,
    ) -> tuple[FloatArray, FloatArray]:
        """Return (n,) lower and upper ends, moved out to where units may reach."""
        tail = (1 - coverage) / 2
        low, high = (self._quantile(*each, told, ages, survival) for each in ((tail, lower), (1 - tail, upper)))
        return np.maximum(lower, low), np.maximum(upper, high)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"reach": self.reach, "predicted": self.predicted.tolist(), "shares": self.shares.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Beyond":
        """Return what `to_json` wrote."""
        predicted, shares = (np.asarray(stored[name], np.float64) for name in ("predicted", "shares"))
        return cls(float(stored["reach"]), predicted, shares)

    def _quantile(
        self, share: float, otherwise: FloatArray, told: FloatArray, ages: FloatArray, survival: Survival
    ) -> FloatArray:
        """Return (n,) quantiles of remaining life where they lie beyond the reach; others as they are."""
        beyond = np.interp(told, self.predicted, self.shares)
        failed = np.divide(share - (1 - beyond), beyond, out=np.full_like(beyond, -1.0), where=beyond > 0)
        found = np.flatnonzero(failed >= 0)
        result = otherwise.copy()
        # Those that reach so far are older by then.
        result[found] = self.reach + survival.remaining(ages[found] + self.reach, failed[found])
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """For how long units are watched, so that the outcome would be known.

    Attributes:
        seen: (m,) ascending lengths of time.
        shares: (m,) share of the rows that are watched for longer, if they do not fail before.

    Source: Kaplan and Meier, Nonparametric estimation from incomplete observations (1958), Journal of the American
    Statistical Association 53, with the roles of failing and of going on exchanged.
    """

    seen: FloatArray
    shares: FloatArray

    @classmethod
    def of(cls, seen: FloatArray, failed: NDArray[np.bool_]) -> "Watched":
        """Learn from (m,) lengths of time after which rows were seen last, and whether the unit failed then."""
        order = np.argsort(seen, kind="stable")
        at_risk = len(seen) - np.arange(len(seen))
        return cls(seen[order], np.asarray(np.cumprod(1 - ~failed[order] / at_risk), np.float64))

    def reach(self) -> float:
        """Return the longest time for which at least three of four rows are watched; infinite where all are."""
        short = np.flatnonzero(self.shares < _WATCHED_SHARE)
        return float(self.seen[short[0]]) if len(short) else np.inf

    def weights(self, known: FloatArray) -> FloatArray:
        """Return (n,) how many rows one with a known outcome stands for: others like it were not watched so long.

        Source: Robins and Rotnitzky, Recovery of information and adjustment for dependent censoring (1992), in AIDS
        Epidemiology; weights are limited to ten.
        """
        shares = np.concatenate([[1.0], self.shares])[np.searchsorted(self.seen, known, side="left")]
        return 1 / np.maximum(shares, 1 / _MOST_WEIGHT)


def fit_beyond(predicted: FloatArray, outcomes: FloatArray, weights: FloatArray, reach: float) -> Beyond:
    """Learn how likely a unit reaches further, by its prediction, in bins of equally many rows.

    Args:
        predicted: (n,) out-of-fold predictions.
        outcomes: (n,) remaining lives, no further than the reach.
        weights: (n,) how many rows each stands for.
        reach: the longest remaining life that is learnt.
    """
    bins = int(np.clip(len(predicted) // _FEWEST_ROWS, 1, _MOST_BINS))
    parts = np.array_split(np.argsort(predicted, kind="stable"), bins)
    centres = np.array([predicted[rows].mean() for rows in parts])
    shares = np.array([np.average(outcomes[rows] >= reach, weights=weights[rows]) for rows in parts])
    return Beyond(reach, centres, _ascending(shares))


def _ascending(values: FloatArray) -> FloatArray:
    """Return the nearest values that never fall: neighbours in the wrong order share their mean."""
    blocks: list[tuple[float, int]] = []
    for value in values.tolist():
        mean, count = value, 1
        while blocks and blocks[-1][0] >= mean:
            before, many = blocks.pop()
            mean, count = (mean * count + before * many) / (count + many), count + many
        blocks.append((mean, count))
    return np.repeat([mean for mean, _ in blocks], [count for _, count in blocks])
