"""Intervals around predictions, from the errors that were made on units not learnt from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.boosting.table import FloatArray, IntArray

COVERAGE = 0.9
_MOST_BINS = 10
_FEWEST_ROWS = 40
_SPLITS = 11


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """How far the truth lies from a prediction, by the predicted value.

    Attributes:
        centres: (b,) ascending predicted values.
        lower: (b,) error, truth minus prediction, at the lower end of the interval.
        upper: (b,) error at its upper end.
        coverage: share of the truths that the interval is meant to hold.
    """

    centres: FloatArray
    lower: FloatArray
    upper: FloatArray
    coverage: float

    def around(self, predicted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n,) lower and upper ends about (n,) predictions, interpolated between the bins' centres."""
        return (
            predicted + np.interp(predicted, self.centres, self.lower),
            predicted + np.interp(predicted, self.centres, self.upper),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        ends = {"lower": self.lower.tolist(), "upper": self.upper.tolist()}
        return {"centres": self.centres.tolist(), **ends, "coverage": self.coverage}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Bands":
        """Return what `to_json` wrote."""
        centres, lower, upper = (np.asarray(stored[name], np.float64) for name in ("centres", "lower", "upper"))
        return cls(centres, lower, upper, float(stored["coverage"]))


def fit_bands(predicted: FloatArray, truths: FloatArray, units: IntArray, coverage: float = COVERAGE) -> Bands:
    """Take the shortest range of out-of-fold errors within bins of equally many predictions.

    The correction for a finite sample, (1 + coverage) / 2 / n at either end, counts units, not rows: the rows of one
    unit err together.

    Args:
        predicted: (n,) predictions for units that the predicting model had not seen.
        truths: (n,) what came true.
        units: (n,) which unit each row is of.
        coverage: share of the truths that the interval is to hold, in (0, 1).

    Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005), section 4.6 (Mondrian conformal
    prediction), with the predicted value as the category.
    """
    bins = int(np.clip(len(predicted) // _FEWEST_ROWS, 1, _MOST_BINS))
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, bins)
    errors = truths - predicted
    ends: list[tuple[float, float, float]] = []
    for rows in parts:
        share = min(coverage + (1 + coverage) / len(np.unique(units[rows])), 1.0)
        low, high = _shortest(errors[rows], share)
        # A truth at the prediction itself is never excluded.
        ends.append((float(predicted[rows].mean()), min(low, 0.0), max(high, 0.0)))
    centres, lower, upper = np.array(ends).T
    return Bands(centres, lower, upper, coverage)


def _shortest(errors: FloatArray, share: float) -> tuple[float, float]:
    """Return the narrowest of some ranges that hold a share of the errors: tails need not be alike.

    Where many truths are at a limit, no error lies beyond it, and all that may be missed is on the other side.
    """
    below = np.linspace(0.0, 1 - share, _SPLITS)
    low, high = np.quantile(errors, below), np.quantile(errors, np.minimum(below + share, 1.0))
    narrowest = int(np.argmin(high - low))
    return float(low[narrowest]), float(high[narrowest])
