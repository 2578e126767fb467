"""Features of a unit's own past at some instants: one code for training and for serving.

Every statistic is a weighted sum over the readings up to its instant, so that all instants of a unit are one matrix
product, and one instant alone is the same product with a single row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from models.learning.features.history import FloatArray, History, Layout, check_layout
from models.learning.features.regimes import Regimes, fit_regimes

STATISTICS = ("level", "change", "drift", "mean_change", "deviation", "slope")
EVENT_STATISTICS = ("since", "recent_count", "count", "rate")
AGE = "age"
_BASELINE_SHARE, _FAST_SHARE, _SLOW_SHARE, _RECENT_SHARE = 0.05, 0.02, 0.1, 0.05
_FEWEST_STEPS = 2.0
_NO_TIME = 1e-6


@dataclass(frozen=True, slots=True)
class Scales:
    """Lengths of time, in the histories' unit, that features look at.

    Attributes:
        baseline: how long after its first reading a unit counts as young.
        fast: half-life of the present level.
        slow: half-life of the level that it is compared with for drift and slope.
        recent: window of the short count of events.
        lately: window of the longer count of events.
    """

    baseline: float
    fast: float
    slow: float
    recent: float
    lately: float


def scales_of(histories: Sequence[History]) -> Scales:
    """Return lengths in proportion to the median span of some histories, no shorter than a few readings' distance.

    A span is that of the readings, since what came before them cannot be looked at; with hardly any readings it is
    that of the service.
    """
    spans = [span for history in histories if (span := _span(history)) > 0]
    steps = [float(np.median(np.diff(history.times))) for history in histories if len(history.times) > 1]
    span = float(np.median(spans)) if spans else 1.0
    step = float(np.median(steps)) if steps else 0.0
    shares = (_BASELINE_SHARE, _FAST_SHARE, _SLOW_SHARE, _RECENT_SHARE, 5 * _RECENT_SHARE)
    fewest = (5.0, _FEWEST_STEPS, 5 * _FEWEST_STEPS, 1.0, 5.0)
    return Scales(*(max(span * share, step * few) for share, few in zip(shares, fewest, strict=True)))


def _span(history: History) -> float:
    return float(history.times[-1] - history.times[0]) if len(history.times) > 1 else history.end - history.start


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """How histories become rows of numbers; learnt in training, stored, and used alike in serving.

    Attributes:
        layout: of the histories.
        scales: lengths of time that are looked at.
        regimes: what channels are expected to read under given settings.
    """

    layout: Layout
    scales: Scales
    regimes: Regimes

    @property
    def names(self) -> tuple[str, ...]:
        """Return names of the features, as channel.statistic."""
        layout = self.layout
        return (
            *(f"{channel}.{statistic}" for statistic in STATISTICS for channel in layout.channels),
            f"{AGE}.time",
            *(f"{event}.{statistic}" for event in layout.events for statistic in EVENT_STATISTICS),
            *(f"{attribute}.value" for attribute in layout.attributes),
        )

    def rows(self, history: History, instants: FloatArray) -> FloatArray:
        """Return (m, f) features of a unit at (m,) instants, from nothing that came later; NaN where unknown."""
        return np.column_stack(
            [
                self._channels(history, instants),
                instants - history.start,
                self._events(history, instants),
                np.broadcast_to(history.attributes, (len(instants), len(self.layout.attributes))),
            ]
        )

    def levels(self, rows: FloatArray) -> FloatArray:
        """Return (n, c) present levels of the channels, of (n, f) features."""
        return rows[:, : len(self.layout.channels)]

    def present(self, histories: Sequence[History], instants: FloatArray) -> FloatArray:
        """Return (h, f) features, one instant for each history.

        Raises:
            HistoryProblem: a history does not fit the layout.
        """
        check_layout(self.layout, histories)
        rows = [self.rows(history, instants[i : i + 1]) for i, history in enumerate(histories)]
        return np.concatenate(rows) if rows else np.empty((0, len(self.names)))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        scales = {name: getattr(self.scales, name) for name in Scales.__slots__}
        return {"layout": self.layout.to_json(), "scales": scales, "regimes": self.regimes.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Features":
        """Return what `to_json` wrote."""
        layout, scales = Layout.from_json(stored["layout"]), Scales(**stored["scales"])
        return cls(layout, scales, Regimes.from_json(stored["regimes"]))

    def _channels(self, history: History, instants: FloatArray) -> FloatArray:
        """Return (m, 6 c) statistics of the channels.

        The slope is that of a line through the fast and the slow level, each at its own mean time, which is exact for
        a channel that moves evenly.
        """
        width = len(self.layout.channels)
        if not len(history.times):
            return np.full((len(instants), len(STATISTICS) * width), np.nan)
        sums = _Sums.of(self.regimes.normalise(history.values, history.settings), history.times - history.times[0])
        age = instants[:, None] - history.times[None, :]
        ever = (age >= 0).astype(np.float64)
        newest = np.min(age, axis=1, where=age >= 0, initial=np.inf, keepdims=True)
        # Counted from the newest reading, so that weights do not vanish when it is old.
        since = np.where(ever > 0, age - np.where(np.isfinite(newest), newest, 0.0), 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            base = sums.weighted(ever * (sums.times < self.scales.baseline)).mean
            whole = sums.weighted(ever)
            fast = sums.weighted(ever * np.exp2(-since / self.scales.fast))
            slow = sums.weighted(ever * np.exp2(-since / self.scales.slow))
            variance = np.maximum(whole.mean_square - whole.mean**2, 0.0)
            deviation = np.where(whole.known > 1, np.sqrt(variance), np.nan)
            apart = fast.mean_time - slow.mean_time
            slope = np.where(apart > _NO_TIME * self.scales.slow, (fast.mean - slow.mean) / apart, np.nan)
        level = fast.mean if self.layout.settings else self._raw(fast.mean)
        return np.hstack([level, fast.mean - base, slow.mean - base, whole.mean - base, deviation, slope])

    def _raw(self, normalised: FloatArray) -> FloatArray:
        return normalised * self.regimes.spread[0] + self.regimes.coefficients[0, 0]

    def _events(self, history: History, instants: FloatArray) -> FloatArray:
        """Return (m, 4 e): time since the last, counts of both windows, and how many there were a unit of time."""
        columns: list[FloatArray] = []
        with np.errstate(invalid="ignore"):
            watched = np.maximum(instants - history.start, self.scales.lately)
            never = np.column_stack([np.full(len(instants), np.nan), *np.zeros((2, len(instants))), 0.0 / watched])
        for times in history.events:
            if not len(times):
                columns.append(never)
                continue
            count = np.searchsorted(times, instants, side="right")
            last = np.where(count > 0, times[np.maximum(count - 1, 0)], np.nan)
            windows = [
                (count - np.searchsorted(times, instants - window, side="right")).astype(np.float64)
                for window in (self.scales.recent, self.scales.lately)
            ]
            columns += [instants - last, *windows, count / watched]
        return np.column_stack(columns) if columns else np.empty((len(instants), 0))


def fit_features(layout: Layout, histories: Sequence[History], scales: Scales | None = None) -> Features:
    """Learn how a fleet's histories become features, from the units that are trained on.

    Raises:
        HistoryProblem: a history does not fit the layout.
    """
    check_layout(layout, histories)
    return Features(layout, scales or scales_of(histories), fit_regimes(layout, histories))


class _Weighted(NamedTuple):
    """Means over the known readings of each channel; each (m, c), NaN where there are none."""

    known: FloatArray
    mean: FloatArray
    mean_square: FloatArray
    mean_time: FloatArray


class _Sums(NamedTuple):
    """Readings prepared for weighted sums.

    Attributes:
        stacked: (n, 4 c) whether a reading is known, its value, its square and its time, all 0 where it is not.
        times: (n,) times since the first reading.
    """

    stacked: FloatArray
    times: FloatArray

    @classmethod
    def of(cls, values: FloatArray, times: FloatArray) -> "_Sums":
        known = np.isfinite(values)
        filled = np.where(known, values, 0.0)
        return cls(np.hstack([known.astype(np.float64), filled, filled**2, known * times[:, None]]), times)

    def weighted(self, weights: FloatArray) -> _Weighted:
        """Return means under (m, n) weights of the readings."""
        summed = weights @ self.stacked
        wide = summed.shape[1] // 4
        count, value, square, time = (summed[:, place * wide : (place + 1) * wide] for place in range(4))
        return _Weighted(count, value / count, square / count, time / count)
