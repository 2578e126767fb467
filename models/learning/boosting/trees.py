"""Boosted trees by LightGBM: training with out-of-fold predictions, reading from text, contributions.

Source: Ke et al., LightGBM: a highly efficient gradient boosting decision tree (2017), NeurIPS; Lundberg, Erion and
Lee, Consistent individualized feature attribution for tree ensembles (2018), arXiv 1802.03888, for TreeSHAP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import lightgbm
import numpy as np
from lightgbm.callback import CallbackEnv

from models.learning.boosting.artefacts import ArtefactError
from models.learning.boosting.table import (
    FloatArray,
    IntArray,
    NothingToLearn,
    Progress,
    Table,
    folds_of,
    telling_columns,
)

Objective = Literal["regression", "binary"]

# LightGBM 4.7 types its functions in part only.
_LIGHTGBM = cast("Any", lightgbm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """How trees are grown.

    Attributes:
        trees: how many.
        learning_rate: how much of each one counts.
        leaves: most leaves of a tree.
        rows_in_leaf: fewest rows in a leaf; fewer still where there are few rows.
        feature_share: share of the features that each tree may use.
        row_share: share of the rows that each tree sees.
        ridge: penalty on the leaves' squared values.
        folds: parts for out-of-fold predictions.
        threads: of LightGBM, in training and in predicting.
        seed: same seed, same rows, same threads: the same model.
    """

    trees: int = 300
    learning_rate: float = 0.03
    leaves: int = 31
    rows_in_leaf: int = 50
    feature_share: float = 0.3
    row_share: float = 0.4
    ridge: float = 5.0
    folds: int = 5
    threads: int = 1
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """A trained ensemble.

    Attributes:
        booster: of LightGBM.
        names: (k,) features that it uses.
        columns: their places among the features that it is given.
        threads: of LightGBM.
    """

    booster: lightgbm.Booster
    names: tuple[str, ...]
    columns: tuple[int, ...]
    threads: int = 1

    def raw(self, features: FloatArray) -> FloatArray:
        """Return (n,) sums of the trees: the target itself, or log-odds of the binary objective."""
        if not len(features):
            return np.empty(0)
        return _predicted(self.booster, features[:, self.columns], self.threads, raw_score=True)

    def contributions(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n, k) what each used feature adds to the raw sum, and (n,) the base that they start from."""
        if not len(features):
            return np.empty((0, len(self.names))), np.empty(0)
        found = _predicted(self.booster, features[:, self.columns], self.threads, pred_contrib=True)
        return found[:, :-1], found[:, -1]

    @property
    def gains(self) -> FloatArray:
        """Return (k,) share of the training's gain that each used feature brought; adds up to 1, or all 0."""
        gains = np.asarray(self.booster.feature_importance("gain"), np.float64)
        return gains / gains.sum() if gains.sum() > 0 else gains

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, the trees as LightGBM's text."""
        return {"trees": self.booster.model_to_string(), "names": list(self.names), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, stored: dict[str, Any], threads: int) -> "Trees":
        """Return what `to_json` wrote.

        Raises:
            ArtefactError: LightGBM does not understand the trees.
        """
        try:
            booster = lightgbm.Booster(model_str=stored["trees"])
        except lightgbm.basic.LightGBMError:
            raise ArtefactError("The stored model's trees cannot be read by LightGBM.") from None
        return cls(booster, tuple(stored["names"]), tuple(stored["columns"]), threads)


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """What training gives.

    Attributes:
        trees: grown on all rows.
        out_of_fold: (n,) raw sums of each row, from trees that saw no row of its unit.
    """

    trees: Trees
    out_of_fold: FloatArray


def grow(table: Table, objective: Objective, boosting: Boosting, progress: Progress | None = None) -> Grown:
    """Grow trees on all rows, and on all but each fold's for its out-of-fold sums.

    Raises:
        NothingToLearn: there are fewer than two units, or no feature varies.
    """
    growing = _Growing(table, objective, boosting, progress)
    out_of_fold = growing.out_of_fold()
    return Grown(growing.trees(growing.whole_booster()), out_of_fold)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """What training gives to those who ask about more than the rows that it had.

    Attributes:
        trees: grown on all rows.
        parts: (folds,) grown on all rows but those of one fold.
        fold: (n,) the fold of each row; all rows of a unit are in one.
    """

    trees: Trees
    parts: tuple[Trees, ...]
    fold: IntArray


def grow_folded(table: Table, objective: Objective, boosting: Boosting, progress: Progress | None = None) -> Folded:
    """Grow trees on all rows, and on all but each fold's, and keep them all; for errors see `grow`."""
    growing = _Growing(table, objective, boosting, progress)
    parts = tuple(growing.trees(growing.booster_without(part)) for part in range(growing.count))
    return Folded(growing.trees(growing.whole_booster()), parts, growing.fold)


def out_of_fold(table: Table, objective: Objective, boosting: Boosting) -> FloatArray:
    """Return (n,) raw sums of each row, from trees that saw no row of its unit; for errors see `grow`."""
    return _Growing(table, objective, boosting, None).out_of_fold()


class _Growing:
    def __init__(self, table: Table, objective: Objective, boosting: Boosting, progress: Progress | None) -> None:
        self.fold = folds_of(table.units, table.targets, boosting.folds, boosting.seed)
        self.columns = telling_columns(table.features)
        if not len(self.columns):
            raise NothingToLearn("No feature varies over the histories, so there is nothing to learn from.")
        self.places: tuple[int, ...] = tuple(self.columns.tolist())
        self.names = tuple(table.names[place] for place in self.places)
        self.boosting = boosting
        self.progress = progress
        self.parameters = _parameters(objective, boosting, len(table.targets))
        if table.preferences is not None:
            self.parameters["feature_contri"] = table.preferences[self.columns].tolist()
        self.used = np.ascontiguousarray(table.features[:, self.columns])
        self.whole = lightgbm.Dataset(
            self.used, table.targets, weight=table.weights, params=self.parameters, free_raw_data=False
        ).construct()
        self.count = int(self.fold.max()) + 1

    def out_of_fold(self) -> FloatArray:
        sums = np.empty(len(self.used))
        for part in range(self.count):
            tested = self.fold == part
            booster = self.booster_without(part)
            sums[tested] = _predicted(booster, self.used[tested], self.boosting.threads, raw_score=True)
        return sums

    def booster_without(self, part: int) -> lightgbm.Booster:
        return self._train(self.whole.subset(np.flatnonzero(self.fold != part).tolist()), part)

    def trees(self, booster: lightgbm.Booster) -> Trees:
        return Trees(booster, self.names, self.places, self.boosting.threads)

    def whole_booster(self) -> lightgbm.Booster:
        return self._train(self.whole, self.count)

    def _train(self, rows: lightgbm.Dataset, done: int) -> lightgbm.Booster:
        step = _step(self.progress, done, self.count + 1)
        booster: lightgbm.Booster = _LIGHTGBM.train(self.parameters, rows, self.boosting.trees, callbacks=[step])
        return booster


def _parameters(objective: Objective, boosting: Boosting, rows: int) -> dict[str, Any]:
    return {
        "objective": objective,
        "learning_rate": boosting.learning_rate,
        "num_leaves": boosting.leaves,
        "min_data_in_leaf": max(min(boosting.rows_in_leaf, rows // 40), 3),
        "feature_fraction": boosting.feature_share,
        "bagging_fraction": boosting.row_share,
        "bagging_freq": 1,
        "lambda_l2": boosting.ridge,
        "num_threads": boosting.threads,
        "seed": boosting.seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }


def _predicted(booster: lightgbm.Booster, used: FloatArray, threads: int, **kind: bool) -> FloatArray:
    untyped = cast("Any", booster)
    return np.asarray(untyped.predict(used, num_threads=threads, **kind), np.float64)


def _step(progress: Progress | None, done: int, count: int) -> Callable[[CallbackEnv], None]:
    def report(env: CallbackEnv) -> None:
        if progress is not None:
            progress((done + (env.iteration + 1) / env.end_iteration) / count)

    return report
