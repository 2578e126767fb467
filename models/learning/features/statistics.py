"""Features of a unit's own past at some instants: one code for training and for serving.

Training looks at one unit at many instants, serving at many units at one: both are a block of units by instants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.features.channels import STATISTICS, Halves, SideBySide, alike, channel_statistics
from models.learning.features.history import FloatArray, History, Layout, check_layout
from models.learning.features.regimes import Regimes, fit_regimes

EVENT_STATISTICS = ("since", "recent_count", "count", "rate")
AGE = "age"
_BASELINE_SHARE, _FAST_SHARE, _SLOW_SHARE, _RECENT_SHARE = 0.05, 0.02, 0.1, 0.05
_FEWEST_STEPS = 2.0


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
        return self._together([history], instants[None, :])[0]

    def levels(self, rows: FloatArray) -> FloatArray:
        """Return (n, c) present levels of the channels, of (n, f) features."""
        return rows[:, : len(self.layout.channels)]

    def present(self, histories: Sequence[History], instants: FloatArray) -> FloatArray:
        """Return (h, f) features, one instant for each history.

        Raises:
            HistoryProblem: a history does not fit the layout.
        """
        check_layout(self.layout, histories)
        rows = np.empty((len(histories), len(self.names)))
        for places in alike(self.layout, histories):
            part = [histories[int(place)] for place in places]
            rows[places] = self._together(part, instants[places, None])[:, 0]
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        scales = {name: getattr(self.scales, name) for name in Scales.__slots__}
        return {"layout": self.layout.to_json(), "scales": scales, "regimes": self.regimes.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Features":
        """Return what `to_json` wrote."""
        layout, scales = Layout.from_json(stored["layout"]), Scales(**stored["scales"])
        return cls(layout, scales, Regimes.from_json(stored["regimes"]))

    def _together(self, histories: Sequence[History], instants: FloatArray) -> FloatArray:
        """Return (h, m, f) features of units, each at (m,) instants of its own."""
        read, width = SideBySide.of(self.layout, histories), len(self.layout.attributes)
        halves = Halves(self.scales.baseline, self.scales.fast, self.scales.slow)
        ages = instants - np.array([history.start for history in histories], np.float64)[:, None]
        attributes = np.array([[history.attributes] for history in histories], np.float64)
        parts = (
            channel_statistics(read, instants, self.regimes, halves),
            ages[:, :, None],
            self._events(histories, instants, ages),
            np.broadcast_to(attributes, (*instants.shape, width)),
        )
        return np.concatenate(parts, axis=2)

    def _events(self, histories: Sequence[History], instants: FloatArray, ages: FloatArray) -> FloatArray:
        """Return (h, m, 4 e): time since the last, counts of both windows, and how many there were a unit of time."""
        windows = (0.0, self.scales.recent, self.scales.lately)
        found = np.zeros((*instants.shape, len(self.layout.events), len(EVENT_STATISTICS)))
        found[..., 0] = np.nan
        with np.errstate(invalid="ignore"):
            watched = np.maximum(ages, self.scales.lately)
            found[..., 3] = 0.0 / watched[:, :, None]
        # Most things have never happened to most units.
        happened = (
            (unit, event, times)
            for unit, history in enumerate(histories)
            for event, times in enumerate(history.events)
            if len(times)
        )
        for unit, event, times in happened:
            at: FloatArray = instants[unit]
            told: FloatArray = found[unit, :, event]
            count, recent, lately = (np.searchsorted(times, at - window, side="right") for window in windows)
            told[:, 0] = at - np.where(count > 0, times[np.maximum(count - 1, 0)], np.nan)
            told[:, 1], told[:, 2] = count - recent, count - lately
            told[:, 3] = count / watched[unit]
        return found.reshape(*instants.shape, len(self.layout.events) * len(EVENT_STATISTICS))


def fit_features(layout: Layout, histories: Sequence[History], scales: Scales | None = None) -> Features:
    """Learn how a fleet's histories become features, from the units that are trained on.

    Raises:
        HistoryProblem: a history does not fit the layout.
    """
    check_layout(layout, histories)
    return Features(layout, scales or scales_of(histories), fit_regimes(layout, histories))
