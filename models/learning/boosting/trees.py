"""Boosted trees by LightGBM: training with out-of-fold predictions, reading from text, contributions.

Source: Ke et al., LightGBM: a highly efficient gradient boosting decision tree (2017), NeurIPS; Lundberg, Erion and
Lee, Consistent individualized feature attribution for tree ensembles (2018), arXiv 1802.03888, for TreeSHAP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import lightgbm
import numpy as np
from lightgbm.callback import CallbackEnv

from models.learning.boosting.artefacts import ArtefactError
from models.learning.boosting.table import FloatArray, NothingToLearn, Progress, Table, folds_of, telling_columns

Objective = Literal["regression", "binary"]


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
    row_share: float = 0.7
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
        fold: (n,) which fold each row was tested in.
    """

    trees: Trees
    out_of_fold: FloatArray
    fold: Any


def grow(table: Table, objective: Objective, boosting: Boosting, progress: Progress | None = None) -> Grown:
    """Grow trees on all rows, and on all but each fold's for its out-of-fold sums.

    Raises:
        NothingToLearn: there are fewer than two units, or no feature varies.
    """
    fold = folds_of(table.units, table.targets, boosting.folds, boosting.seed)
    columns = telling_columns(table.features)
    if not len(columns):
        raise NothingToLearn("No feature varies over the histories, so there is nothing to learn from.")
    parameters = _parameters(objective, boosting, len(table.targets))
    used = np.ascontiguousarray(table.features[:, columns])
    whole = lightgbm.Dataset(used, table.targets, weight=table.weights, params=parameters, free_raw_data=False)
    whole.construct()
    count = int(fold.max()) + 1
    out_of_fold = np.empty(len(table.targets))
    for part in range(count):
        tested = fold == part
        learnt = whole.subset(np.flatnonzero(~tested).tolist())
        booster = _train(parameters, learnt, boosting.trees, _step(progress, part, count + 1))
        out_of_fold[tested] = _predicted(booster, used[tested], boosting.threads, raw_score=True)
    booster = _train(parameters, whole, boosting.trees, _step(progress, count, count + 1))
    places: list[int] = columns.tolist()
    trees = Trees(booster, tuple(table.names[place] for place in places), tuple(places), boosting.threads)
    return Grown(trees, out_of_fold, fold)


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


def _train(
    parameters: dict[str, Any], rows: lightgbm.Dataset, trees: int, step: Callable[[CallbackEnv], None]
) -> lightgbm.Booster:
    train: Any = lightgbm.train  # partly typed in LightGBM 4.7
    booster: lightgbm.Booster = train(parameters, rows, trees, callbacks=[step])
    return booster


def _predicted(booster: lightgbm.Booster, used: FloatArray, threads: int, **kind: bool) -> FloatArray:
    predict: Any = booster.predict  # partly typed in LightGBM 4.7
    return np.asarray(predict(used, num_threads=threads, **kind), np.float64)


def _step(progress: Progress | None, done: int, count: int) -> Callable[[CallbackEnv], None]:
    def report(env: CallbackEnv) -> None:
        if progress is not None:
            progress((done + (env.iteration + 1) / env.end_iteration) / count)

    return report
