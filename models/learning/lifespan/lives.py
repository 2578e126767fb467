"""The lives that remaining life is learnt from, those that have ended and those that go on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.boosting import NothingToLearn, Table
from models.learning.features import Features, FloatArray, History, IntArray
from models.learning.lifespan.survival import Survival

BoolArray = NDArray[np.bool_]

_FEWEST_READINGS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """One unit's history, and how it ended.

    Attributes:
        history: what was recorded; what lies after the failure is left out.
        failed_at: when it failed or was replaced; NaN for one that still runs.
        observed_until: until when it is known to have run, if longer than its history; NaN for the history's end.
    """

    history: History
    failed_at: float = float("nan")
    observed_until: float = float("nan")

    @property
    def failed(self) -> bool:
        """Whether its end is known."""
        return bool(np.isfinite(self.failed_at))

    @property
    def end(self) -> float:
        """When it failed, or until when it is known to have run."""
        return self.failed_at if self.failed else float(np.fmax(self.observed_until, self.history.end))

    @property
    def age(self) -> float:
        """Its length so far; NaN where nothing is known of it."""
        return self.end - self.history.start


def ages_of(lives: Sequence[Life]) -> tuple[FloatArray, BoolArray]:
    """Return (k,) ages and whether they ended in a failure, of the lives of which the age is known."""
    known = [life for life in lives if np.isfinite(life.age)]
    return np.array([life.age for life in known], np.float64), np.array([life.failed for life in known], np.bool_)


def cut_points(lives: Sequence[Life], most_rows: int) -> list[FloatArray]:
    """Return the instants at which each unit is looked at: its readings, thinned out evenly to so many rows in all."""
    instants = [life.history.times[life.history.times <= life.end] for life in lives]
    stride = max(-(-sum(map(len, instants)) // most_rows), 1)
    # Counted from the end, so that the last reading, the nearest to the failure, is among them.
    return [times[::-1][::stride][::-1] for times in instants]


def remaining_table(
    features: Features, lives: Sequence[Life], cuts: Sequence[FloatArray], survival: Survival, cap: float | None
) -> tuple[Table, FloatArray]:
    """Return rows with remaining life as their target, and (n,) whether that is known (1) or estimated (0).

    A unit that still runs has lived on for so long at least; what it will live beyond that is estimated by age.

    Raises:
        NothingToLearn: there are hardly any readings.

    Source: Buckley and James, Linear regression with censored data (1979), Biometrika 66(3): censored targets
    replaced by their conditional expectation, here once and by the median.
    """
    rows = [features.rows(life.history, times) for life, times in zip(lives, cuts, strict=True)]
    units: IntArray = np.repeat(np.arange(len(lives)), [len(times) for times in cuts])
    if len(units) < _FEWEST_READINGS * len({*units.tolist()}) or not len(units):
        raise NothingToLearn(
            f"Too little history: {len(units)} readings of {len(lives)} units; "
            f"at least {_FEWEST_READINGS} of each are needed."
        )
    targets = [_remaining(life, times, survival) for life, times in zip(lives, cuts, strict=True)]
    remaining = np.concatenate([target for target, _ in targets])
    known = np.concatenate([certain for _, certain in targets])
    if cap is not None:
        seen = np.concatenate([life.end - times for life, times in zip(lives, cuts, strict=True)])
        known = np.maximum(known, seen >= cap)
        remaining = np.minimum(remaining, cap)
    return Table(features=np.concatenate(rows), names=features.names, targets=remaining, units=units), known


def _remaining(life: Life, times: FloatArray, survival: Survival) -> tuple[FloatArray, FloatArray]:
    seen = life.end - times
    if life.failed:
        return seen, np.ones(len(times))
    beyond = float(survival.remaining(np.array([life.age]), 0.5)[0])
    return seen + beyond, np.zeros(len(times))
