"""The comparison of channels on the series of SKAB: learnt from the first readings of the other files.

The pipeline is that of devices, with readings in the place of hours: each file is a device, its first readings are what
tells its level and range, and stretches of fifty readings are looked at together.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.evaluation.anomalies_files import LabelledSeries
from models.learning.boosting import NothingToLearn
from models.learning.residuals import MEAN, Judged, Looks, Pace, StepLayout, TrainedResiduals, joined, look_at, train

_PACE = Pace(judged=50, baseline=0, fewest=100, windows=(1, 10, 30), period=0)


def alarms(series: Sequence[LabelledSeries], fitted: int) -> list[NDArray[np.bool_]] | None:
    """Return for each series which readings after the fitted ones do not fit together.

    Args:
        series: labelled, of one kind of machine: with the same channels.
        fitted: first readings of each, which are known to be normal.

    Returns:
        None where the series are not of one kind, or there are too few to learn from.
    """
    if len({one.channels for one in series}) != 1 or len(series[0].channels) < 2:
        return None
    channels = series[0].channels
    layout = StepLayout(
        channels=channels,
        units=("",) * len(channels),
        inputs=tuple(f"{channel}.{MEAN}" for channel in channels),
        pace=_PACE,
    )
    starts = range(_PACE.judged, fitted - _PACE.judged + 1, _PACE.judged)
    looks = [_looks(layout, one, fitted, starts) for one in series]
    units = np.repeat(np.arange(len(series)), len(starts))
    try:
        trained = train(layout, joined(_with_baseline(layout, fitted), looks), units)
    except NothingToLearn:
        return None
    return [_alarming(trained, layout, one, place, fitted) for place, one in enumerate(series)]


def _alarming(
    trained: TrainedResiduals, layout: StepLayout, one: LabelledSeries, place: int, fitted: int
) -> NDArray[np.bool_]:
    count = len(one.values) - fitted
    starts = range(fitted, len(one.values), _PACE.judged)
    looks = _looks(layout, one, fitted, starts)
    judged: Judged = trained.judge_unseen(looks, np.full(len(starts), place))
    strange = np.nan_to_num(judged.extents, nan=-1.0).max(axis=2) >= 1
    return strange.reshape(-1)[:count]


def _looks(layout: StepLayout, one: LabelledSeries, fitted: int, starts: Sequence[int]) -> Looks:
    """Return looks at stretches of a series, all with its first readings as what is usual."""
    looks = look_at(layout, one.values, 0, [start + _PACE.judged for start in starts])
    usual = np.repeat(one.values[None, :fitted], len(starts), axis=0)
    return replace(looks, baseline=usual)


def _with_baseline(layout: StepLayout, fitted: int) -> StepLayout:
    return replace(layout, pace=replace(layout.pace, baseline=fitted))
