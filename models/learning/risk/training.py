"""Training a model of the risk of failure on a fleet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.learning.backtest import Backtest
from models.learning.boosting import Boosting, Classifier, NothingToLearn, Progress, Table, fit_classifier, group_of
from models.learning.features import Features, FloatArray, Layout, fit_features, scales_of
from models.learning.risk.cases import RiskCase, looks_at, rows_of
from models.learning.risk.interactions import Interaction
from models.learning.risk.model import Levels, RiskModel, names_with, shown_values, with_interactions
from models.learning.risk.scores import pr_auc, roc_auc
from models.learning.risk.screening import find_interactions

MOST_ROWS = 40_000
FEWEST_FAILURES = 5
_EXPLAINED_ROWS = 1000
_JOINED_PREFERENCE = 0.5
BOOSTING = Boosting(trees=300, learning_rate=0.03, leaves=15, rows_in_leaf=20, feature_share=1.0, row_share=0.9)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedRisk:
    """What a training gives.

    Attributes:
        model: ready to predict.
        text: the artefact to store; `load` reads it.
        metrics: by name; of out-of-fold predictions.
        feature_names: as channel.statistic.
        window: the first and the last instant that was learnt from.
        backtest: what its errors were.
    """

    model: RiskModel
    text: str
    metrics: Mapping[str, float]
    feature_names: tuple[str, ...]
    window: tuple[float, float]
    backtest: Backtest


def train(
    layout: Layout,
    cases: Sequence[RiskCase],
    horizon: float,
    *,
    levels: Levels | None = None,
    boosting: Boosting = BOOSTING,
    most_rows: int = MOST_ROWS,
    progress: Progress | None = None,
    derives: bool = True,
) -> TrainedRisk:
    """Learn the probability that a unit fails within a horizon.

    Args:
        layout: of the histories.
        cases: the fleet.
        horizon: how far ahead a failure counts, in the histories' unit of time.
        levels: from which probability on a risk is urgent.
        boosting: how trees are grown.
        most_rows: instants to learn from at most; more are thinned out evenly.
        progress: told the share that is done; may raise to stop.
        derives: look for quantities of two channels; not needed where channels are such quantities already.

    Raises:
        NothingToLearn: there are too few instants, or too few of them lie before a failure.
        HistoryProblem: a history does not fit the layout.
    """
    histories = [case.history for case in cases]
    features = fit_features(layout, histories, replace(scales_of(histories), recent=horizon, lately=5 * horizon))
    looks = looks_at(cases, horizon, most_rows)
    plain, targets, units = rows_of(features, cases, looks, horizon)
    _check(targets)
    bare = Table(features=plain, names=features.names, targets=targets, units=units)
    interactions, table = _derived(bare, features, boosting) if derives else ((), bare)
    classifier, predicted = fit_classifier(table, boosting=boosting, progress=progress)
    weights, typical = _shown(classifier, table.names, table.features)
    model = RiskModel(
        features=features,
        interactions=interactions,
        classifier=classifier,
        weights=weights,
        typical=typical,
        horizon=horizon,
        skill=float(np.clip(2 * roc_auc(targets, predicted) - 1, 0.0, 1.0)),
        levels=levels or Levels(),
    )
    backtest = _backtest(table, looks, predicted)
    return TrainedRisk(
        model=model,
        text=model.to_text(),
        metrics={"units": float(len(cases)), "survivors": _survivors(cases, looks), **_metrics(backtest)},
        feature_names=table.names,
        window=(float(backtest.instants.min()), float(backtest.instants.max())),
        backtest=backtest,
    )


def _survivors(cases: Sequence[RiskCase], looks: Sequence[FloatArray]) -> float:
    """Return how many units that never failed are learnt from; else the others' good days are all there is."""
    return float(sum(bool(len(times)) and not len(case.failures) for case, times in zip(cases, looks, strict=True)))


def _backtest(table: Table, looks: Sequence[FloatArray], predicted: FloatArray) -> Backtest:
    return Backtest(
        features=table.features,
        units=table.units,
        instants=np.concatenate(looks),
        truths=table.targets,
        known=np.ones(len(table.targets), np.bool_),
        predicted=predicted,
    )


def _derived(bare: Table, features: Features, boosting: Boosting) -> tuple[tuple[Interaction, ...], Table]:
    """Return derived quantities and the table with them; trees prefer them to the channels that they are made of."""
    interactions = find_interactions(bare, features.levels(bare.features), boosting.seed, boosting.threads)
    names = names_with(features, interactions)
    table = replace(
        bare,
        features=with_interactions(features, bare.features, interactions),
        names=names,
        preferences=_preferences(names, features.layout, interactions),
    )
    return interactions, table


def _shown(classifier: Classifier, names: Sequence[str], rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (g,) weights and typical values of the factors, over a part of the rows."""
    explained = rows[:: max(len(rows) // _EXPLAINED_ROWS, 1)]
    found = classifier.explain(explained)
    weights = np.abs(found.contributions).mean(axis=0)
    typical = np.nan_to_num(np.nanmedian(shown_values(names, found, explained), axis=0))
    return weights / max(float(weights.sum()), 1e-12), typical


def _metrics(backtest: Backtest) -> dict[str, float]:
    truths, predicted = backtest.truths, backtest.predicted
    return {
        "rows": float(len(truths)),
        "base_rate": float(truths.mean()),
        "pr_auc": pr_auc(truths, predicted),
        "roc_auc": roc_auc(truths, predicted),
        "brier": float(np.mean((predicted - truths) ** 2)),
    }


def _preferences(names: Sequence[str], layout: Layout, interactions: Sequence[Interaction]) -> FloatArray:
    """Return (f,) factors that let trees split by a derived quantity rather than by one of its channels.

    Both carry the rule, so the choice costs little accuracy, and the explanation names the rule.
    """
    joined = {layout.channels[place] for each in interactions for place in (each.left, each.right)}
    return np.array([_JOINED_PREFERENCE if group_of(name) in joined else 1.0 for name in names])


def _check(targets: FloatArray) -> None:
    """Refuse what cannot be learnt from.

    Raises:
        NothingToLearn: there are too few instants, or too few of them lie before a failure.
    """
    positives = int(targets.sum())
    if not len(targets):
        raise NothingToLearn("Too little history: no unit was observed for as long as the horizon.")
    if positives < FEWEST_FAILURES:
        raise NothingToLearn(
            f"There is no positive case to learn from: of {len(targets)} instants {positives} lie before a failure "
            f"within the horizon, {FEWEST_FAILURES} are needed."
        )
