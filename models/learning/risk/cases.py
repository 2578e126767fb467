"""The units that the risk of failure is learnt from, and the instants at which they are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.learning.features import Features, FloatArray, History, IntArray

_LOOKS_IN_HORIZON = 4


def _never() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class RiskCase:
    """One unit's history, and when it failed.

    Attributes:
        history: what was recorded, of the whole time; past failures may be among its events.
        failures: (k,) ascending instants of failures; none for a unit that never failed.
        observed_until: until when a failure would be known; NaN for the end of the history or the last failure.
        observed_from: since when failures and events were recorded; NaN for the start of the history.
    """

    history: History
    failures: FloatArray = field(default_factory=_never)
    observed_until: float = float("nan")
    observed_from: float = float("nan")

    @property
    def start(self) -> float:
        """Since when it is looked at."""
        return float(np.fmax(self.observed_from, self.history.start))

    @property
    def end(self) -> float:
        """Until when a failure would be known."""
        if np.isfinite(self.observed_until):
            return self.observed_until
        return float(np.fmax(self.history.end, self.failures[-1] if len(self.failures) else np.nan))


def looks_at(cases: Sequence[RiskCase], horizon: float, most_rows: int) -> list[FloatArray]:
    """Return the instants at which each unit is looked at: its readings, or without any a few in each horizon.

    Left out is what lies before a unit's records, and what is so late that the outcome within the horizon is not known.

    Args:
        cases: units.
        horizon: how far ahead a failure counts.
        most_rows: instants in all; more are thinned out evenly.
    """
    looks = [_looks(case, horizon) for case in cases]
    stride = max(-(-sum(map(len, looks)) // most_rows), 1)
    return [times[::stride] for times in looks]


def outcomes(case: RiskCase, instants: FloatArray, horizon: float) -> FloatArray:
    """Return (m,) 1 where the unit fails after an instant and no later than the horizon, else 0."""
    first = np.searchsorted(case.failures, instants, side="right")
    last = np.searchsorted(case.failures, instants + horizon, side="right")
    return (last > first).astype(np.float64)


def rows_of(
    features: Features, cases: Sequence[RiskCase], looks: Sequence[FloatArray], horizon: float
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return (n, f) features, (n,) outcomes and (n,) units of all looks."""
    empty = np.empty((0, len(features.names)))
    rows = [features.rows(case.history, times) for case, times in zip(cases, looks, strict=True) if len(times)]
    targets = [outcomes(case, times, horizon) for case, times in zip(cases, looks, strict=True)]
    units = np.repeat(np.arange(len(cases)), [len(times) for times in looks])
    return np.concatenate([empty, *rows]), np.concatenate([np.empty(0), *targets]), units


def _looks(case: RiskCase, horizon: float) -> FloatArray:
    times = case.history.times
    if not len(times):
        known = bool(np.isfinite(case.start) and np.isfinite(case.end))
        times = np.arange(case.start, case.end, horizon / _LOOKS_IN_HORIZON) if known else np.empty(0)
    times = times[times >= case.start]
    return times[(times + horizon <= case.end) | (outcomes(case, times, horizon) > 0)]
