"""Which derived quantities failures depend on, asked of the training data: names and units do not matter.

Trees on what is there already leave residuals on units that they have not seen. The quantity that explains most of
these is added, and kept if the residuals of trees that know it are smaller by more than chance.

Source: Lou, Caruana, Gehrke and Hooker, Accurate intelligible models with pairwise interactions (2013), KDD, for
ranking pairs by what they explain of the residual; the residuals are out-of-fold ones of trees here.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from models.learning.boosting import Boosting, Table, logistic, out_of_fold
from models.learning.features import FloatArray, IntArray
from models.learning.risk.interactions import Interaction, Kind, every_interaction

MOST_INTERACTIONS = 6
_MOST_CHANNELS = 12
_MOST_REFUSED = 4
_MOST_NEGATIVES = 7000
_MOST_POSITIVES = 4000
_REFINEMENTS = 4
# Bins are finer at the ends: what breaks a machine is rare.
_EDGES = np.array([0.003, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5])
_QUANTILES = np.unique(np.concatenate([_EDGES, 1 - _EDGES]))
_RIDGE = 1.0
# About half the number of bins: what a quantity gains that tells nothing.
_FEWEST_GAIN = 4.0
# A quantity is kept, and a more complicated form of it preferred, if its losses are less by so many standard errors.
_TO_KEEP, _TO_COMPLICATE = 1.5, 1.0
# Trees that see all rows and features differ by what they know, not by chance.
_QUICK = Boosting(trees=60, learning_rate=0.12, leaves=15, rows_in_leaf=20, feature_share=1.0, row_share=1.0, folds=3)


def find_interactions(table: Table, levels: FloatArray, seed: int, threads: int = 1) -> tuple[Interaction, ...]:
    """Return the derived quantities worth having, in the order in which they were found.

    Args:
        table: features and outcomes, 0 or 1.
        levels: (n, c) levels of the channels.
        seed: of the sample of cases and of the trees.
        threads: of LightGBM.
    """
    rows = _sample(table.targets, seed)
    sampled = Table(
        features=table.features[rows], names=table.names, targets=table.targets[rows], units=table.units[rows]
    )
    return _search(sampled, levels[rows], replace(_QUICK, seed=seed, threads=threads))


def _search(table: Table, levels: FloatArray, boosting: Boosting) -> tuple[Interaction, ...]:
    known = _Known(table, _residual_of(table, boosting))
    candidates = _candidates(levels, table)
    chosen: list[Interaction] = []
    refused = 0
    while candidates and len(chosen) < MOST_INTERACTIONS and refused < _MOST_REFUSED:
        forms = _most_telling(known.residual, candidates, levels)
        if not forms:
            break
        candidates = [each for each in candidates if not each[0].pairs_with(forms[0])]
        found = _simplest_that_helps(known, forms, levels, boosting)
        if found is None:
            refused += 1
        else:
            chosen.append(found[0])
            known, refused = found[1], 0
    return tuple(chosen)


class _Known(NamedTuple):
    """What trees know so far, and what they leave unexplained."""

    table: Table
    residual: "_Residual"

    def with_one(self, derived: FloatArray, boosting: Boosting) -> "_Known":
        features = np.column_stack([self.table.features, derived])
        table = replace(self.table, features=features, names=(*self.table.names, "derived.level"))
        return _Known(table, _residual_of(table, boosting))


def _residual_of(table: Table, boosting: Boosting) -> "_Residual":
    return _Residual(table, out_of_fold(table, "binary", boosting))


def _simplest_that_helps(
    known: _Known, forms: Sequence[Interaction], levels: FloatArray, boosting: Boosting
) -> tuple[Interaction, _Known] | None:
    """Return the first form that none of the more complicated ones betters by more than chance; None if it is no help.

    The most complicated form comes nearest to any rule, so that a pair for which it is no help is given up at once.
    """
    last = known.with_one(forms[-1].of(levels), boosting)
    if not last.residual.is_better_than(known.residual, 0.0):
        return None
    tried = [(form, known.with_one(form.of(levels), boosting)) for form in forms[:-1]]
    best = tried[0]
    for each in (*tried[1:], (forms[-1], last)):
        if each[1].residual.is_better_than(best[1].residual, _TO_COMPLICATE):
            best = each
    return best if best[1].residual.is_better_than(known.residual, _TO_KEEP) else None


class _Residual:
    """What trees leave unexplained on units that they have not seen."""

    def __init__(self, table: Table, log_odds: FloatArray) -> None:
        expected = logistic(log_odds)
        losses = np.logaddexp(0.0, log_odds) - table.targets * log_odds
        # The rows of one unit err together, so that units are what is counted.
        self.losses = np.bincount(table.units, losses)
        self.slope = table.targets - expected
        self.curvature = expected * (1 - expected)

    def gain(self, place: IntArray) -> float:
        """Return by how much a quantity's bins would better the log-likelihood, to second order."""
        slope = np.bincount(place, self.slope)
        return float(np.sum(slope**2 / (np.bincount(place, self.curvature) + _RIDGE)) / 2)

    def is_better_than(self, other: "_Residual", standard_errors: float) -> bool:
        """Return whether its loss is smaller by more than so many standard errors, reckoned over units."""
        saved = other.losses - self.losses
        return float(saved.mean()) > standard_errors * float(saved.std()) / np.sqrt(len(saved))


def _most_telling(
    residual: _Residual, candidates: Sequence[tuple[Interaction, IntArray]], levels: FloatArray
) -> list[Interaction]:
    """Return the forms to try of the pair that gains most, the simplest first; none where no pair gains enough."""
    gains = [residual.gain(place) for _, place in candidates]
    best = max(gains)
    if best < _FEWEST_GAIN:
        return []
    found = candidates[gains.index(best)][0]
    of_pair = [(gain, each) for gain, (each, _) in zip(gains, candidates, strict=True) if each.pairs_with(found)]
    plain = [each for each in of_pair if each[1].is_plain]
    forms = [
        max((each for each in plain if each[1].kind is kind), key=_gain)[1]
        for kind in (Kind.DIFFERENCE, Kind.PRODUCT, Kind.RATIO)
    ]
    weighted = max((each for each in of_pair if not each[1].is_plain), key=_gain)[1]
    forms.append(_sharpened(weighted, residual, levels))
    return forms


def _gain(found: tuple[float, Interaction]) -> float:
    return found[0]


def _sharpened(found: Interaction, residual: _Residual, levels: FloatArray) -> Interaction:
    """Return it with the weight that gains most nearby."""
    best, step = residual.gain(_bins(found.of(levels))), 1.2
    for _ in range(_REFINEMENTS):
        for weight in (found.weight / step, found.weight * step):
            tried = replace(found, weight=weight)
            if (gain := residual.gain(_bins(tried.of(levels)))) > best:
                found, best = tried, gain
        step = float(np.sqrt(step))
    return found


def _candidates(levels: FloatArray, table: Table) -> list[tuple[Interaction, IntArray]]:
    """Return what may be derived of the varying channels, with its bins; of many channels the most telling."""
    spread = {column: _spread(levels[:, column]) for column in range(levels.shape[1])}
    targets = table.targets
    rate = float(targets.mean())
    alone = _Residual(table, np.full(len(targets), np.log(rate / (1 - rate))))
    varying = [column for column, deviation in spread.items() if deviation > 0]
    varying.sort(key=lambda column: -alone.gain(_bins(levels[:, column])))
    tried = every_interaction({column: spread[column] for column in varying[:_MOST_CHANNELS]})
    return [(candidate, _bins(candidate.of(levels))) for candidate in tried]


def _sample(targets: FloatArray, seed: int) -> IntArray:
    random = np.random.default_rng(seed)
    kept = [
        random.choice(rows, min(len(rows), most), replace=False)
        for rows, most in (
            (np.flatnonzero(targets > 0), _MOST_POSITIVES),
            (np.flatnonzero(targets == 0), _MOST_NEGATIVES),
        )
    ]
    return np.sort(np.concatenate(kept)).astype(np.int64)


def _spread(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else 0.0


def _bins(values: FloatArray) -> IntArray:
    """Return (n,) bins by quantiles; the missing values are one bin of their own."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), np.int64)
    edges = np.quantile(values[known], _QUANTILES)
    return np.where(known, np.searchsorted(edges, values, side="right") + 1, 0)
