"""Training a model of how channels go together, on looks at the devices of a fleet."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.learning.boosting import Boosting, Folded, NothingToLearn, Progress, Table, Trees, grow_folded
from models.learning.residuals.layout import StepLayout
from models.learning.residuals.looks import FloatArray, IntArray, Looks, Seen, feature_names, features_of, see
from models.learning.residuals.model import (
    Judged,
    Limits,
    ResidualModel,
    extents_of,
    judged_by,
    residuals_of,
    run_means,
)

BOOSTING = Boosting(
    trees=60, learning_rate=0.1, leaves=15, rows_in_leaf=20, feature_share=0.5, row_share=0.7, ridge=5.0, folds=3
)
FALSE_ALARMS = 0.02
"""Share of looks at devices in good order that are called anomalies."""
FEWEST_LOOKS, FEWEST_DEVICES, FEWEST_CHANNELS = 50, 2, 2
# A channel of which the others explain less than this share of the variance is left to the detector.
LEAST_EXPLAINED = 0.1
# Runs beyond which lie no more than these are what residuals are measured by, below and above.
_TAIL = 0.005
# A residual of less than this share of a device's usual range is never unusual.
_LEAST_LIMIT = 0.05
# With fewer known steps a channel is not learnt.
_LEAST_KNOWN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedResiduals:
    """What a training gives.

    Attributes:
        model: ready to judge.
        seen: what it was trained on.
        out_of_fold: the looks of the training, judged by trees that saw no step of the device.
        explained: by channel, share of the variance that the other channels explain, out of fold; also of channels
            that are not judged, because it is too little.
        folds: by channel, trees for each fold.
        fold_of: by channel, the fold of each device.
    """

    model: ResidualModel
    seen: Seen
    out_of_fold: Judged
    explained: Mapping[str, float]
    folds: Mapping[str, tuple[Trees, ...]]
    fold_of: Mapping[str, Mapping[int, int]]

    def judge_unseen(self, looks: Looks, units: IntArray) -> Judged:
        """Return what trees that saw no step of the looks' devices make of them.

        Args:
            looks: any.
            units: (n,) the device of each, as in the training; others are judged by the trees of any fold.
        """
        layout, limits = self.model.layout, self.model.limits
        seen = see(layout, looks)
        residuals = np.full(seen.targets.shape, np.nan)
        for column, channel in enumerate(layout.channels):
            if channel not in self.folds:
                continue
            fold = np.array([self.fold_of[channel].get(unit, 0) for unit in units.tolist()], np.int64)
            for part, trees in enumerate(self.folds[channel]):
                mine = np.flatnonzero(fold == part)
                found = residuals_of(layout, {channel: trees}, _part(seen, mine))
                residuals[mine, :, column] = found[:, :, column]
        return judged_by(limits, residuals, layout.pace.windows, seen)


def train(
    layout: StepLayout,
    looks: Looks,
    units: IntArray,
    *,
    boosting: Boosting = BOOSTING,
    progress: Progress | None = None,
) -> TrainedResiduals:
    """Learn how channels go together, each predicted by the others.

    Args:
        layout: of the steps.
        looks: at devices in good order, as far as is known.
        units: (n,) the device of each look.
        boosting: how trees are grown.
        progress: told the share that is done; may raise to stop.

    Raises:
        NothingToLearn: there are fewer than 50 looks, two devices, or two channels that vary, or none of the channels
            follows the others.
    """
    seen = see(layout, looks)
    told = np.isfinite(seen.scale).any(axis=1)
    count, devices = int(told.sum()), len(np.unique(units[told]))
    if count < FEWEST_LOOKS or devices < FEWEST_DEVICES:
        raise NothingToLearn(
            f"Too little history to learn how channels go together: {count} days of {devices} devices can be compared "
            f"with the days before them, {FEWEST_LOOKS} of {FEWEST_DEVICES} devices are needed."
        )
    grown = _grown(layout, seen, units, boosting, progress)
    residuals = np.full(seen.targets.shape, np.nan)
    fold_of: dict[str, dict[int, int]] = {}
    explained: dict[str, float] = {}
    for channel, (folded, rows) in grown.items():
        column = layout.channels.index(channel)
        owners = np.repeat(units, layout.pace.judged)[rows]
        fold_of[channel] = dict(zip(owners.tolist(), folded.fold.tolist(), strict=True))
        found, explained[channel] = _out_of_fold(layout, channel, folded, rows, seen)
        if explained[channel] >= LEAST_EXPLAINED:
            residuals[:, :, column] = found
    grown = {channel: each for channel, each in grown.items() if explained[channel] >= LEAST_EXPLAINED}
    if not grown:
        best = max(explained, key=lambda channel: explained[channel])
        raise NothingToLearn(
            f"No channel follows the others: of {best} they explain the most, {max(explained[best], 0.0):.0%} of its "
            f"variance; {LEAST_EXPLAINED:.0%} are needed."
        )
    limits = fit_limits(residuals, layout)
    model = ResidualModel(layout, {channel: folded.trees for channel, (folded, _) in grown.items()}, limits)
    return TrainedResiduals(
        model=model,
        seen=seen,
        out_of_fold=judged_by(limits, residuals, layout.pace.windows, seen),
        explained=explained,
        folds={channel: folded.parts for channel, (folded, _) in grown.items()},
        fold_of=fold_of,
    )


def fit_limits(residuals: FloatArray, layout: StepLayout, false_alarms: float = FALSE_ALARMS) -> Limits:
    """Return how large (n, judged, channels) residuals of unseen devices are.

    A channel without residuals has infinite limits: nothing of it is unusual.
    """
    means = run_means(residuals, layout.pace.windows)
    low, high = (np.full(means.shape[2:], sign * np.inf) for sign in (-1, 1))
    for column in range(means.shape[2]):
        for window in range(means.shape[3]):
            known = means[:, :, column, window]
            known = known[np.isfinite(known)]
            if len(known):
                ends = np.quantile(known, [_TAIL, 1 - _TAIL])
                low[column, window] = min(ends[0], -_LEAST_LIMIT)
                high[column, window] = max(ends[1], _LEAST_LIMIT)
    extents = extents_of(means, low, high).reshape(len(means), -1)
    greatest = np.where(np.isfinite(extents), extents, -1.0).max(axis=1)
    days = np.sort(greatest[greatest >= 0])
    # The conformal quantile: of one look more than these, no larger share lies beyond.
    rank = int(np.ceil((len(days) + 1) * (1 - false_alarms)))
    return Limits(low, high, days, float(days[min(rank, len(days)) - 1]))


def _grown(
    layout: StepLayout, seen: Seen, units: IntArray, boosting: Boosting, progress: Progress | None
) -> dict[str, tuple[Folded, IntArray]]:
    """Return trees by channel, and the steps that they learnt from."""
    flat = seen.features.reshape(-1, seen.features.shape[2])
    names, owners = feature_names(layout), np.repeat(units, layout.pace.judged)
    grown: dict[str, tuple[Folded, IntArray]] = {}
    for column, channel in enumerate(layout.channels):
        targets = seen.targets[:, :, column].reshape(-1)
        rows = np.flatnonzero(np.isfinite(targets))
        if len(rows) < _LEAST_KNOWN * len(targets) or len(np.unique(owners[rows])) < FEWEST_DEVICES:
            continue
        places = features_of(layout, channel)
        used: list[int] = places.tolist()
        table = Table(
            features=flat[np.ix_(rows, places)],
            names=tuple(names[place] for place in used),
            targets=targets[rows],
            units=owners[rows],
        )
        step = None if progress is None else _step(progress, column, len(layout.channels))
        grown[channel] = grow_folded(table, "regression", boosting, step), rows
    if len(grown) < FEWEST_CHANNELS:
        told = ", ".join(grown) or "none"
        raise NothingToLearn(
            f"Channels can be compared with each other where at least {FEWEST_CHANNELS} vary and are known; here "
            f"{len(grown)} of {len(layout.channels)} do ({told})."
        )
    return grown


def _out_of_fold(
    layout: StepLayout, channel: str, folded: Folded, rows: IntArray, seen: Seen
) -> tuple[FloatArray, float]:
    """Return (n, judged) residuals of a channel, and the share of its variance that is explained."""
    targets = seen.targets[:, :, layout.channels.index(channel)]
    features = seen.features.reshape(-1, seen.features.shape[2])[np.ix_(rows, features_of(layout, channel))]
    predicted = np.empty(len(rows))
    for part, trees in enumerate(folded.parts):
        mine = folded.fold == part
        predicted[mine] = trees.raw(features[mine])
    known = targets.reshape(-1)[rows]
    residuals = np.full(targets.size, np.nan)
    residuals[rows] = known - predicted
    variance = float(known.var())
    explained = 1 - float(np.mean(residuals[rows] ** 2)) / variance if variance > 0 else 0.0
    return residuals.reshape(targets.shape), explained


def _part(seen: Seen, places: IntArray) -> Seen:
    return Seen(*(getattr(seen, name)[places] for name in Seen.__slots__))


def _step(progress: Progress, done: int, count: int) -> Progress:
    return lambda share: progress((done + share) / count)
