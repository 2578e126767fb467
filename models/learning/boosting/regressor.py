"""A boosted regression whose interval is calibrated on units that it had not seen."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """

    trees: Trees
    bands: Bands
    support: Support
    lowest: float
    highest: float

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return (n,) predictions, lower and upper ends of the interval, for (n, f) features."""
        value = self._limited(self.trees.raw(features))
        lower, upper = self.bands.around(value)
        return value, self._limited(lower), self._limited(upper)

    def explain(self, features: FloatArray) -> Explanation:
        """Return the contributions by channel, in the unit of the prediction, for (n, f) features."""
        contributions, base = self.trees.contributions(features)
        groups, sums = grouped(self.trees.names, contributions)
        limited = self._limited(base)
        return Explanation(groups, limited, rescaled(sums, limited, self._limited(self.trees.raw(features))))

    def doubts(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n,) shares of what the model uses that is missing, and that lies beyond what it has seen."""
        used = features[:, self.trees.columns]
        return self.support.missing(used), self.support.outside(used)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        parts = {"trees": self.trees.to_json(), "bands": self.bands.to_json(), "support": self.support.to_json()}
        return parts | {"lowest": self.lowest, "highest": self.highest}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], threads: int = 1) -> "Regressor":
        """Return what `to_json` wrote.

        Raises:
            ArtefactError: LightGBM does not understand the trees.
        """
        trees, bands = Trees.from_json(stored["trees"], threads), Bands.from_json(stored["bands"])
        return cls(trees, bands, Support.from_json(stored["support"]), stored["lowest"], stored["highest"])

    def _limited(self, values: FloatArray) -> FloatArray:
        return np.clip(values, self.lowest, self.highest)


def fit_regressor(
    table: Table,
    *,
    certain: FloatArray | None = None,
    coverage: float = COVERAGE,
    boosting: Boosting | None = None,
    progress: Progress | None = None,
) -> tuple[Regressor, FloatArray]:
    """Train on a table.

    Args:
        table: rows to learn from.
        certain: (n,) whether a row's target is known rather than estimated; only such ones make the interval.
        coverage: share of the truths that the interval is to hold.
        boosting: how trees are grown.
        progress: told the share that is done.

    Returns:
        The model, and (n,) its out-of-fold predictions.

    Raises:
        NothingToLearn: there are fewer than two units, or no feature varies.
    """
    grown = grow(table, "regression", boosting or Boosting(), progress)
    lowest, highest = float(min(table.targets.min(), 0.0)), float(table.targets.max())
    predicted = np.clip(grown.out_of_fold, lowest, highest)
    known = np.ones(len(predicted), np.bool_) if certain is None else certain > 0
    bands = fit_bands(predicted[known], table.targets[known], table.units[known], coverage)
    support = fit_support(table.features[:, grown.trees.columns], grown.trees.gains)
    return Regressor(grown.trees, bands, support, lowest, highest), predicted
