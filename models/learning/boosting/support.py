"""How far a case lies within what a model has seen: missing values, and values beyond all that were learnt from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.boosting.table import FloatArray

_TAIL = 0.001
_MARGIN = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """What the used features were in training.

    Attributes:
        low: (k,) lowest value, a margin below the 0.1 % quantile.
        high: (k,) highest value, a margin above the 99.9 % quantile.
        known: (k,) share of the rows in which it was known.
        weight: (k,) its share of the model's gain.
    """

    low: FloatArray
    high: FloatArray
    known: FloatArray
    weight: FloatArray

    def missing(self, used: FloatArray) -> FloatArray:
        """Return (n,) weighted share of the used features (n, k) that are missing but were known in training."""
        return ~np.isfinite(used) @ (self.weight * self.known)

    def outside(self, used: FloatArray) -> FloatArray:
        """Return (n,) weighted share of the used features (n, k) that lie beyond the values seen in training."""
        with np.errstate(invalid="ignore"):
            return ((used < self.low) | (used > self.high)) @ self.weight

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: getattr(self, name).tolist() for name in ("low", "high", "known", "weight")}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Support":
        """Return what `to_json` wrote."""
        return cls(*(np.asarray(stored[name], np.float64) for name in ("low", "high", "known", "weight")))


def fit_support(used: FloatArray, weight: FloatArray) -> Support:
    """Learn the ranges of the used features (n, k), each of which is known somewhere."""
    low, high = np.nanquantile(np.where(np.isfinite(used), used, np.nan), [_TAIL, 1 - _TAIL], axis=0)
    margin = _MARGIN * (high - low)
    return Support(low - margin, high + margin, np.isfinite(used).mean(axis=0), weight)
