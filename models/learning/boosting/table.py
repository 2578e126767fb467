"""What a boosted model learns from, and when it refuses to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Told the share of the work that is done, in [0, 1]. It may raise to end the training.
Progress = Callable[[float], None]


class NothingToLearn(ValueError):
    """There is too little to train on; the message says what is missing and how much is needed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Rows to learn from.

    Attributes:
        features: (n, f) numbers; NaN where unknown.
        names: (f,) names, as channel.statistic.
        targets: (n,) what is to be predicted, finite; 0 or 1 for a classifier.
        units: (n,) which unit each row is of; the rows of one are never divided between learning and testing.
        weights: (n,) how much each row counts; None for all alike.
        preferences: (f,) factors of the gain by which trees choose features; None for all alike.
    """

    features: FloatArray
    names: tuple[str, ...]
    targets: FloatArray
    units: IntArray
    weights: FloatArray | None = None
    preferences: FloatArray | None = None


def telling_columns(features: FloatArray) -> IntArray:
    """Return the columns that vary, of equal ones the first: what a single reading leaves of many statistics."""
    seen: set[bytes] = set()
    chosen: list[int] = []
    for index in range(features.shape[1]):
        column: FloatArray = features[:, index]
        known = column[np.isfinite(column)]
        varies = len(known) and known.min() < known.max()
        fingerprint: bytes = column.tobytes()
        if varies and fingerprint not in seen:
            seen.add(fingerprint)
            chosen.append(index)
    return np.array(chosen, np.int64)


def folds_of(units: NDArray[Any], targets: FloatArray, count: int, seed: int) -> IntArray:
    """Return (n,) the fold of each row: whole units, those of like targets dealt out evenly, the rest by chance.

    Raises:
        NothingToLearn: there are fewer than two units.
    """
    distinct, place = np.unique(units, return_inverse=True)
    if len(distinct) < 2:
        raise NothingToLearn("Training needs at least two units, so that one can be tested by what the other taught.")
    count = min(count, len(distinct))
    means = np.bincount(place, targets) / np.bincount(place)
    random = np.random.default_rng(seed)
    order = np.lexsort((random.random(len(distinct)), means))
    fold = np.empty(len(distinct), np.int64)
    for start in range(0, len(order), count):
        dealt = order[start : start + count]
        fold[dealt] = random.permutation(count)[: len(dealt)]
    return fold[place]
