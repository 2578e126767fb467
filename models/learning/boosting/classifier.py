"""A boosted classification whose probability is calibrated on units that it had not seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.boosting.calibration import Sigmoid, fit_sigmoid
from models.learning.boosting.explanation import Explanation, grouped, groups_of, rescaled
from models.learning.boosting.support import Support, fit_support
from models.learning.boosting.table import FloatArray, NothingToLearn, Progress, Table
from models.learning.boosting.trees import Boosting, Trees, grow


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """Predicts the probability of a case.

    Attributes:
        trees: the ensemble.
        sigmoid: from its log-odds to the probability.
        support: what the features were in training.
    """

    trees: Trees
    sigmoid: Sigmoid
    support: Support

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of an explanation."""
        return groups_of(self.trees.names)

    def probability(self, features: FloatArray) -> FloatArray:
        """Return (n,) probabilities for (n, f) features."""
        return self.sigmoid.probability(self.trees.raw(features))

    def explain(self, features: FloatArray) -> Explanation:
        """Return the contributions by channel, in parts of the probability, for (n, f) features."""
        contributions, base = self.trees.contributions(features)
        groups, sums = grouped(self.trees.names, contributions)
        start = self.sigmoid.probability(base)
        return Explanation(groups, start, rescaled(sums, start, self.probability(features)))

    def doubts(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n,) shares of what the model uses that is missing, and that lies beyond what it has seen."""
        used = features[:, self.trees.columns]
        return self.support.missing(used), self.support.outside(used)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        sigmoid = {"slope": self.sigmoid.slope, "offset": self.sigmoid.offset}
        return {"trees": self.trees.to_json(), "sigmoid": sigmoid, "support": self.support.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], threads: int = 1) -> "Classifier":
        """Return what `to_json` wrote.

        Raises:
            ArtefactError: LightGBM does not understand the trees.
        """
        trees, support = Trees.from_json(stored["trees"], threads), Support.from_json(stored["support"])
        return cls(trees, Sigmoid(**stored["sigmoid"]), support)


def fit_classifier(
    table: Table, *, boosting: Boosting | None = None, progress: Progress | None = None
) -> tuple[Classifier, FloatArray]:
    """Train on a table whose targets are 0 or 1.

    Returns:
        The model, and (n,) its out-of-fold probabilities.

    Raises:
        NothingToLearn: one of the two outcomes is missing, there are fewer than two units, or no feature varies.
    """
    if not np.any(table.targets > 0):
        raise NothingToLearn("There is no positive case to learn from.")
    if np.all(table.targets > 0):
        raise NothingToLearn("There is no negative case to learn from.")
    grown = grow(table, "binary", boosting or Boosting(), progress)
    sigmoid = fit_sigmoid(grown.out_of_fold, table.targets)
    support = fit_support(table.features[:, grown.trees.columns], grown.trees.gains)
    return Classifier(grown.trees, sigmoid, support), sigmoid.probability(grown.out_of_fold)
