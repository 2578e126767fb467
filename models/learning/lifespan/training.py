"""Training a model of remaining life on the lives of a fleet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.learning.backtest import Backtest
from models.learning.boosting import (
    COVERAGE,
    Boosting,
    NothingToLearn,
    Progress,
    Regressor,
    Table,
    fit_bands,
    fit_regressor,
    scaled,
    unscaled,
)
from models.learning.features import AGE, FloatArray, IntArray, Layout, fit_features
from models.learning.lifespan.beyond import Beyond, fit_beyond
from models.learning.lifespan.lives import Life, Looks, ages_of, cut_points, looks_at
from models.learning.lifespan.model import LifespanModel
from models.learning.lifespan.survival import Survival, fit_survival

FEWEST_FAILURES = 5
MOST_ROWS = 20_000
_PARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedLifespan:
    """What a training gives.

    Attributes:
        model: ready to predict.
        text: the artefact to store; `load` reads it.
        metrics: by name; errors are out-of-fold and, like widths, in the histories' unit of time.
        feature_names: as channel.statistic.
        window: the first and the last instant that was learnt from.
        backtest: what its errors were; None where ages alone were learnt from.
    """

    model: LifespanModel
    text: str
    metrics: Mapping[str, float]
    feature_names: tuple[str, ...]
    window: tuple[float, float]
    backtest: Backtest | None = None


def train(
    layout: Layout,
    lives: Sequence[Life],
    *,
    cap: float | None = None,
    coverage: float = COVERAGE,
    boosting: Boosting | None = None,
    most_rows: int = MOST_ROWS,
    progress: Progress | None = None,
    is_logarithmic: bool = False,
) -> TrainedLifespan:
    """Learn remaining life from readings, of units that failed and of units that still run.

    Args:
        layout: of the histories.
        lives: of the fleet.
        cap: longest remaining life to tell apart and to predict, in the histories' unit of time: before signs of wear
            show, more cannot be read from them. If None, readings tell as much as can be known of units that still
            run, and what lies beyond is told by age.
        coverage: share of the truths that the interval is to hold.
        boosting: how trees are grown.
        most_rows: readings to learn from at most; more are thinned out evenly.
        progress: told the share that is done; may raise to stop.
        is_logarithmic: learn by how many times a prediction is off: for fleets of which some are about to fail and
            others last for years.

    Raises:
        NothingToLearn: fewer than five units failed, or there are hardly any readings; `train_by_age` needs neither.
        HistoryProblem: a history does not fit the layout.
    """
    failures = _failures(lives)
    survival = fit_survival(*ages_of(lives))
    places = [place for place, life in enumerate(lives) if len(life.history.times)]
    read = [lives[place] for place in places]
    features = fit_features(layout, [life.history.until(life.end) for life in read])
    looks = looks_at(features, read, cut_points(read, most_rows), cap)
    table = looks.table
    regressor, predicted = fit_regressor(
        table, coverage=coverage, boosting=boosting, progress=progress, is_logarithmic=is_logarithmic
    )
    beyond = _beyond(looks, predicted) if cap is None else None
    spread = _spread(table.targets, beyond, survival, coverage, is_logarithmic=is_logarithmic)
    model = LifespanModel(features, regressor, survival, spread, coverage, beyond)
    by_age = survival.remaining(table.features[:, features.names.index(f"{AGE}.time")], 0.5)
    metrics = _metrics(table, predicted, by_age, regressor) | ({} if looks.reach is None else {"reach": looks.reach})
    backtest = Backtest(
        features=table.features,
        units=np.array(places, np.int64)[table.units],
        instants=looks.instants,
        truths=table.targets,
        known=np.ones(len(predicted), np.bool_),
        predicted=predicted,
    )
    learnt: list[int] = np.unique(table.units).tolist()
    survivors = sum(not read[unit].failed for unit in learnt)
    counts = {"units": len(lives), "failures": failures, "survivors": survivors}
    return _trained(model, metrics | counts, lives, backtest)


def _failures(lives: Sequence[Life]) -> int:
    failures = sum(life.failed and bool(len(life.history.times)) for life in lives)
    if failures < FEWEST_FAILURES:
        raise NothingToLearn(
            f"Too few failures to learn remaining life from: {failures} units with readings have failed, "
            f"{FEWEST_FAILURES} are needed."
        )
    return failures


def _beyond(looks: Looks, predicted: FloatArray) -> Beyond | None:
    table = looks.table
    if looks.reach is None or table.weights is None:
        return None
    return fit_beyond(predicted, table.targets, table.weights, looks.reach)


def _spread(
    remaining: FloatArray, beyond: Beyond | None, survival: Survival, coverage: float, *, is_logarithmic: bool
) -> float:
    """Return the width of what is known of a unit of the fleet without a look at it, on the scale of the trees."""
    ends = np.quantile(remaining, [(1 - coverage) / 2, (1 + coverage) / 2])
    if beyond is not None:
        ends[1] = max(ends[1], float(survival.remaining(np.zeros(1), (1 + coverage) / 2)[0]))
    low, high = scaled(ends, is_logarithmic=is_logarithmic).tolist()
    return max(high - low, 1e-9)


def train_by_age(layout: Layout, lives: Sequence[Life], *, coverage: float = COVERAGE) -> TrainedLifespan:
    """Learn how long units last from their ages alone, where too few have failed to learn more.

    Raises:
        NothingToLearn: no unit has been observed for any time.
        HistoryProblem: a history does not fit the layout.
    """
    ages, failed = ages_of(lives)
    survival = fit_survival(ages, failed)
    tail = (1 - coverage) / 2
    new = np.zeros(1)
    spread = float((survival.remaining(new, 1 - tail) - survival.remaining(new, tail))[0])
    features = fit_features(layout, [life.history for life in lives])
    model = LifespanModel(features, None, survival, spread, coverage)
    return _trained(model, {"units": float(len(lives)), "failures": float(failed.sum())}, lives)


def _trained(
    model: LifespanModel, metrics: Mapping[str, float], lives: Sequence[Life], backtest: Backtest | None = None
) -> TrainedLifespan:
    known = [life for life in lives if np.isfinite(life.age)]
    window = min(life.history.start for life in known), max(life.end for life in known)
    return TrainedLifespan(
        model=model,
        text=model.to_text(),
        metrics=metrics,
        feature_names=model.feature_names,
        window=window,
        backtest=backtest,
    )


def _metrics(table: Table, predicted: FloatArray, by_age: FloatArray, regressor: Regressor) -> dict[str, float]:
    """Return errors and interval; where there is a reach, of remaining lives as far as that."""
    truths = table.targets
    errors = predicted - truths
    held, width = _held_out_interval(predicted, truths, table.units, regressor)
    return {
        "rows": float(len(table.targets)),
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mae": float(np.abs(errors).mean()),
        "bias": float(errors.mean()),
        "rmse_by_age": float(np.sqrt(np.mean((np.minimum(by_age, truths.max()) - truths) ** 2))),
        "interval_coverage": held,
        "interval_width": width,
    }


def _held_out_interval(
    values: FloatArray, truths: FloatArray, units: IntArray, regressor: Regressor
) -> tuple[float, float]:
    """Return coverage and mean width of the interval on units that it was not calibrated on."""
    held, widths = np.zeros(len(values)), np.zeros(len(values))
    distinct = np.unique(units)
    most, is_logarithmic = float(truths.max()), regressor.is_logarithmic
    inward, seen = (scaled(each, is_logarithmic=is_logarithmic) for each in (values, truths))
    for part in range(min(_PARTS, len(distinct))):
        tested = np.isin(units, distinct[part::_PARTS])
        rest = ~tested
        ends = fit_bands(inward[rest], seen[rest], units[rest], regressor.bands.coverage).around(inward[tested])
        held[tested] = (seen[tested] >= ends[0]) & (seen[tested] <= ends[1])
        lower, upper = (unscaled(end, is_logarithmic=is_logarithmic) for end in ends)
        widths[tested] = np.clip(upper, 0.0, most) - np.clip(lower, 0.0, most)
    return float(held.mean()), float(widths.mean())
