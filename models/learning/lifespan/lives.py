"""The lives that remaining life is learnt from, those that have ended and those that go on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.boosting import NothingToLearn, Table
from models.learning.features import Features, FloatArray, History, IntArray
from models.learning.lifespan.beyond import Watched

BoolArray = NDArray[np.bool_]

_FEWEST_READINGS = 5
# Hardly any unit is known to have lived on for longer.
_MOST_KNOWN = 0.95


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


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """The rows that remaining life is learnt from.

    Attributes:
        table: with remaining life as the target, no further than the reach.
        instants: (n,) when the unit was looked at.
        reach: longest remaining life that is told apart; None where there is no limit.
    """

    table: Table
    instants: FloatArray
    reach: float | None


def looks_at(features: Features, lives: Sequence[Life], cuts: Sequence[FloatArray], cap: float | None) -> Looks:
    """Return the rows of which is known how long the unit lived on, or that it did for as long as the reach.

    Where units go on and no cap is given, the reach follows from how long they have been watched. Rows of which is not
    known enough are left out, and those of which it is stand for them.

    Args:
        features: how histories become rows.
        lives: with readings.
        cuts: instants at which each is looked at.
        cap: longest remaining life to tell apart.

    Raises:
        NothingToLearn: there are hardly any readings.
    """
    units: IntArray = np.repeat(np.arange(len(lives)), [len(times) for times in cuts])
    if len(units) < _FEWEST_READINGS * len({*units.tolist()}) or not len(units):
        raise NothingToLearn(
            f"Too little history: {len(units)} readings of {len(lives)} units; "
            f"at least {_FEWEST_READINGS} of each are needed."
        )
    seen = np.concatenate([life.end - times for life, times in zip(lives, cuts, strict=True)])
    failed: BoolArray = np.repeat([life.failed for life in lives], [len(times) for times in cuts])
    watched = Watched.of(seen, failed)
    reach = cap
    if cap is None and not failed.all():
        reach = min(watched.reach(), float(np.quantile(seen[failed], _MOST_KNOWN)))
    known = failed if reach is None else failed | (seen >= reach)
    remaining = seen[known] if reach is None else np.minimum(seen[known], reach)
    rows = np.concatenate([features.rows(life.history, times) for life, times in zip(lives, cuts, strict=True)])
    table = Table(
        features=rows[known],
        names=features.names,
        targets=remaining,
        units=units[known],
        weights=None if failed.all() else watched.weights(remaining),
    )
    return Looks(table, np.concatenate(cuts)[known], reach)
