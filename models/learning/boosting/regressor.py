"""A boosted regression whose interval is calibrated on units that it had not seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.learning.boosting.conformal import COVERAGE, Bands, fit_bands
from models.learning.boosting.explanation import Explanation, grouped, rescaled
from models.learning.boosting.support import Support, fit_support
from models.learning.boosting.table import FloatArray, Progress, Table
from models.learning.boosting.trees import Boosting, Trees, grow


@dataclass(frozen=True, slots=True, eq=False)
class Regressor:
    """Predicts a number with an interval.

    Attributes:
        trees: the ensemble.
        bands: the interval.
        support: what the features were in training.
        lowest: no prediction is less.
        highest: no prediction is greater.
        is_logarithmic: trees and interval are of log(1 + target): what counts is how many times, not by how much, a
            prediction is off.
    """

    trees: Trees
    bands: Bands
    support: Support
    lowest: float
    highest: float
    is_logarithmic: bool = False

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return (n,) predictions, lower and upper ends of the interval, for (n, f) features."""
        value = self._told(self.trees.raw(features))
        lower, upper = self.bands.around(scaled(value, is_logarithmic=self.is_logarithmic))
        return value, self._told(lower), self._told(upper)

    def explain(self, features: FloatArray) -> Explanation:
        """Return the contributions by channel, in the unit of the prediction, for (n, f) features."""
        contributions, base = self.trees.contributions(features)
        groups, sums = grouped(self.trees.names, contributions)
        start = self._told(base)
        return Explanation(groups, start, rescaled(sums, start, self._told(self.trees.raw(features))))

    def doubts(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n,) shares of what the model uses that is missing, and that lies beyond what it has seen."""
        used = features[:, self.trees.columns]
        return self.support.missing(used), self.support.outside(used)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        parts = {"trees": self.trees.to_json(), "bands": self.bands.to_json(), "support": self.support.to_json()}
        return parts | {"lowest": self.lowest, "highest": self.highest, "is_logarithmic": self.is_logarithmic}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], threads: int = 1) -> "Regressor":
        """Return what `to_json` wrote.

        Raises:
            ArtefactError: LightGBM does not understand the trees.
        """
        trees, bands = Trees.from_json(stored["trees"], threads), Bands.from_json(stored["bands"])
        support, is_logarithmic = Support.from_json(stored["support"]), bool(stored.get("is_logarithmic"))
        return cls(trees, bands, support, stored["lowest"], stored["highest"], is_logarithmic)

    def _told(self, raw: FloatArray) -> FloatArray:
        """Return what the trees or the interval say, in the unit of the target and within its limits."""
        return np.clip(unscaled(raw, is_logarithmic=self.is_logarithmic), self.lowest, self.highest)


def scaled(values: FloatArray, *, is_logarithmic: bool) -> FloatArray:
    """Return values on the scale on which is learnt."""
    return np.log1p(values) if is_logarithmic else values


def unscaled(values: FloatArray, *, is_logarithmic: bool) -> FloatArray:
    """Return values back from the scale on which was learnt."""
    return np.expm1(values) if is_logarithmic else values


def fit_regressor(
    table: Table,
    *,
    certain: FloatArray | None = None,
    coverage: float = COVERAGE,
    boosting: Boosting | None = None,
    progress: Progress | None = None,
    is_logarithmic: bool = False,
) -> tuple[Regressor, FloatArray]:
    """Train on a table.

    Args:
        table: rows to learn from.
        certain: (n,) whether a row's target is known rather than estimated; only such ones make the interval.
        coverage: share of the truths that the interval is to hold.
        boosting: how trees are grown.
        progress: told the share that is done.
        is_logarithmic: learn log(1 + target), where targets of very different size are to be told alike well; they
            must not be negative.

    Returns:
        The model, and (n,) its out-of-fold predictions.

    Raises:
        NothingToLearn: there are fewer than two units, or no feature varies.
    """
    truths = scaled(table.targets, is_logarithmic=is_logarithmic)
    grown = grow(replace(table, targets=truths), "regression", boosting or Boosting(), progress)
    lowest, highest = float(min(table.targets.min(), 0.0)), float(table.targets.max())
    predicted = np.clip(unscaled(grown.out_of_fold, is_logarithmic=is_logarithmic), lowest, highest)
    known = np.ones(len(predicted), np.bool_) if certain is None else certain > 0
    inward = scaled(predicted[known], is_logarithmic=is_logarithmic)
    bands = fit_bands(inward, truths[known], table.units[known], coverage)
    support = fit_support(table.features[:, grown.trees.columns], grown.trees.gains)
    return Regressor(grown.trees, bands, support, lowest, highest, is_logarithmic), predicted
