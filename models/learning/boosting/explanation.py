"""What each channel adds to a prediction, in the prediction's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.learning.boosting.table import FloatArray

_NO_DIFFERENCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Predictions taken apart: each is the base plus its contributions.

    Attributes:
        groups: (g,) names: channels, events, attributes, or derived quantities.
        base: (n,) what would be predicted without knowing the unit.
        contributions: (n, g) what each group adds, in the unit of the prediction.
    """

    groups: tuple[str, ...]
    base: FloatArray
    contributions: FloatArray


def group_of(name: str) -> str:
    """Return the channel of a feature that is named channel.statistic."""
    return name.rpartition(".")[0]


def groups_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the channels of features, each once, in their order."""
    return tuple(dict.fromkeys(group_of(name) for name in names))


def grouped(names: Sequence[str], contributions: FloatArray) -> tuple[tuple[str, ...], FloatArray]:
    """Return the groups of (k,) features and (n, g) sums of their (n, k) contributions."""
    groups = groups_of(names)
    place = {group: index for index, group in enumerate(groups)}
    belongs = np.zeros((len(names), len(groups)))
    belongs[np.arange(len(names)), [place[group_of(name)] for name in names]] = 1.0
    return groups, contributions @ belongs


def rescaled(contributions: FloatArray, base: FloatArray, value: FloatArray) -> FloatArray:
    """Return (n, g) contributions in proportion, so that they lead from a base to a value of another unit.

    A monotone link (log-odds to probability, a limit) keeps signs and shares; the sum is exact.

    Args:
        contributions: (n, g) what groups add in the old unit.
        base: (n,) the base in the new unit.
        value: (n,) the prediction in the new unit.
    """
    total = contributions.sum(axis=1)
    factor = np.divide(value - base, total, out=np.zeros_like(total), where=np.abs(total) > _NO_DIFFERENCE)
    return contributions * factor[:, None]
