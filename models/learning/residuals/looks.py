"""Looks at devices: their newest steps, and what was usual before, each channel on the device's own scale.

A level and a range are told by the device's own past, so that one model serves devices of different levels. A channel
that is constant there, known too rarely, or has changed its unit, has no scale: it is not judged, and the others are
judged without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.boosting.explanation import group_of
from models.learning.residuals.layout import DEVIATION, StepLayout
from models.learning.unit_changes import unit_changes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LOW, _HIGH = 0.05, 0.95
# On a device's own scale ordinary values lie between -1 and 1 about the median; what lies further teaches no more.
_FURTHEST = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """n looks at devices.

    Attributes:
        newest: (n, lead + judged, inputs) steps, the judged ones last; NaN where unknown.
        baseline: (n, baseline, groups) the steps before the judged ones, of each group its leading input.
        start: (n,) number of the first judged step since 1970.
    """

    newest: FloatArray
    baseline: FloatArray
    start: IntArray

    def __len__(self) -> int:
        return len(self.start)

    def at(self, places: Sequence[int] | IntArray | slice) -> "Looks":
        """Return some of them."""
        return Looks(self.newest[places], self.baseline[places], self.start[places])


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a model is given of n looks.

    Attributes:
        features: (n, judged, features) on each device's own scale; NaN where unknown.
        targets: (n, judged, channels) the channels' means on the same scale.
        level: (n, channels) of each device, in the channels' units; NaN where there is none.
        scale: (n, channels) half of its usual range, in the units; NaN where there is none.
        changed: (n, channels) whether the unit seems to have changed.
    """

    features: FloatArray
    targets: FloatArray
    level: FloatArray
    scale: FloatArray
    changed: NDArray[np.bool_]


def look_at(layout: StepLayout, values: FloatArray, first: int, ends: Sequence[int]) -> Looks:
    """Return looks at one device.

    Args:
        layout: of the steps.
        values: (steps, inputs) without a gap in time: NaN where nothing is known.
        first: number of the first step since 1970.
        ends: numbers of the steps after the judged ones; what lies outside of the values is unknown.
    """
    pace = layout.pace
    reach = max(pace.lead, pace.baseline) + pace.judged
    begins = [end - reach - first for end in ends]
    before = max(-min(begins, default=0), 0)
    after = max(max((end - first for end in ends), default=0) - len(values), 0)
    padded = np.pad(values, ((before, after), (0, 0)), constant_values=np.nan)
    places = np.array(begins, np.int64)[:, None] + before + np.arange(reach)
    taken = padded[places]
    return Looks(
        newest=taken[:, reach - pace.lead - pace.judged :],
        baseline=taken[:, reach - pace.baseline - pace.judged : reach - pace.judged, layout.leading],
        start=np.array(ends, np.int64) - pace.judged,
    )


def joined(layout: StepLayout, looks: Sequence[Looks]) -> Looks:
    """Return looks one after the other."""
    none = look_at(layout, np.empty((0, len(layout.inputs))), 0, ())
    parts = [none, *looks]
    return Looks(*(np.concatenate([getattr(part, name) for part in parts]) for name in Looks.__slots__))


def see(layout: StepLayout, looks: Looks) -> Seen:
    """Return features and targets of looks: one code for training and serving."""
    groups = layout.groups
    of_input = [groups.index(group_of(name)) for name in layout.inputs]
    changed = _changed(layout, looks)
    level, scale = _scales(looks.baseline, layout.pace.fewest)
    own = [groups.index(channel) for channel in layout.channels]
    for column, place in enumerate(own):
        level[changed[:, column], place] = scale[changed[:, column], place] = np.nan
    spread = np.array([name.rpartition(".")[2] == DEVIATION for name in layout.inputs])
    shift = np.where(spread & np.isfinite(level[:, of_input]), 0.0, level[:, of_input])
    scaled = (looks.newest - shift[:, None]) / scale[:, None, of_input]
    scaled = np.clip(scaled, -_FURTHEST, _FURTHEST)
    return Seen(
        features=_features(layout, scaled, looks.start),
        targets=scaled[:, layout.pace.lead :, layout.targets],
        level=level[:, own],
        scale=scale[:, own],
        changed=changed,
    )


def feature_names(layout: StepLayout) -> tuple[str, ...]:
    """Return the names of the features as channel.statistic, in the order of `see`."""
    pace = layout.pace
    names = list(layout.inputs)
    names += [f"{channel}.before_{lag}" for lag in pace.lags for channel in layout.channels]
    names += [f"{channel}.mean_{first}_{end}" for first, end in pace.means for channel in layout.channels]
    names += [f"{channel}.{_OWN}" for channel in layout.channels]
    return (*names, *(_OF_TIME if pace.period else ()))


def features_of(layout: StepLayout, channel: str) -> IntArray:
    """Return the places of the features by which a channel is judged: those of the others, and its own level before."""
    own, names = f"{channel}.{_OWN}", feature_names(layout)
    chosen = [
        place
        for place, name in enumerate(names)
        if name == own or (group_of(name) != channel and not name.endswith(f".{_OWN}"))
    ]
    return np.array(chosen, np.int64)


_OWN = "level_before"
_OF_TIME = ("time_of_day.sine", "time_of_day.cosine")


def _features(layout: StepLayout, scaled: FloatArray, start: IntArray) -> FloatArray:
    pace, means = layout.pace, scaled[:, :, layout.targets]
    steps = slice(pace.lead, pace.lead + pace.judged)
    parts = [scaled[:, steps]]
    parts += [means[:, pace.lead - lag : pace.lead - lag + pace.judged] for lag in pace.lags]
    known = np.isfinite(means)
    totals, counts = (
        np.cumsum(np.pad(part, ((0, 0), (1, 0), (0, 0))), axis=1)
        for part in (np.where(known, means, 0.0), known.astype(np.float64))
    )
    for begin, end in (*pace.means, pace.own):
        first = slice(pace.lead - end + 1, pace.lead - end + 1 + pace.judged)
        last = slice(pace.lead - begin + 1, pace.lead - begin + 1 + pace.judged)
        count = counts[:, last] - counts[:, first]
        total = totals[:, last] - totals[:, first]
        parts.append(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
    if pace.period:
        turn = 2 * np.pi * ((start[:, None] + np.arange(pace.judged)) % pace.period) / pace.period
        parts.append(np.stack([np.sin(turn), np.cos(turn)], axis=2))
    return np.concatenate(parts, axis=2)


def _scales(baseline: FloatArray, fewest: int) -> tuple[FloatArray, FloatArray]:
    """Return (n, groups) medians, and halves of the ranges that hold 90 %, or of the whole ranges where these are 0."""
    # NaN is sorted last.
    ordered = np.sort(np.where(np.isfinite(baseline), baseline, np.nan), axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    last = np.maximum(count - 1, 0)

    def quantile(share: float) -> FloatArray:
        place = np.rint(share * last).astype(np.int64)
        return np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]

    if not ordered.shape[1]:
        nothing = np.full(count.shape, np.nan)
        return nothing, nothing.copy()
    half = (quantile(_HIGH) - quantile(_LOW)) / 2
    half = np.where(half > 0, half, (quantile(1.0) - quantile(0.0)) / 2)
    is_told = (count >= fewest) & (half > 0)
    return np.where(is_told, quantile(0.5), np.nan), np.where(is_told, half, np.nan)


def changed_units(layout: StepLayout, means: FloatArray) -> NDArray[np.bool_]:
    """Return (n, channels) whether the unit of a channel seems to have changed from one day to the next.

    Args:
        layout: of the steps; channels without a unit, and steps without days, are not looked at.
        means: (n, steps, channels) of each step, NaN where unknown; days are counted back from the last.
    """
    period = layout.pace.period
    days = means.shape[1] // period if period else 0
    found = np.zeros((len(means), len(layout.channels)), np.bool_)
    if not days or not any(layout.units):
        return found
    whole = means[:, means.shape[1] - days * period :].reshape(len(means), days, period, means.shape[2])
    count = np.isfinite(whole).sum(axis=2)
    total = np.where(np.isfinite(whole), whole, 0.0).sum(axis=2)
    with np.errstate(invalid="ignore"):
        daily: FloatArray = total / count
    for place, changes in enumerate(unit_changes(list(daily), layout.units)):
        found[place, [change.column for change in changes]] = True
    return found


def _changed(layout: StepLayout, looks: Looks) -> NDArray[np.bool_]:
    own = [layout.groups.index(channel) for channel in layout.channels]
    judged = looks.newest[:, -layout.pace.judged :, layout.targets]
    return changed_units(layout, np.concatenate([looks.baseline[:, :, own], judged], axis=1))
