"""A model of how the channels of a kind of device go together: each predicted by the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.boosting import ArtefactError, Trees, seal, unseal
from models.learning.residuals.layout import StepLayout
from models.learning.residuals.looks import FloatArray, IntArray, Looks, Seen, features_of, see

KIND = "residuals/1"


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """How large residuals are where all is well: of steps that were predicted without their device.

    Attributes:
        low: (channels, windows) the mean residual of a run that so many runs lie below, negative.
        high: (channels, windows) the same above.
        days: (m,) ascending, for each look of the training how far its most unusual run was beyond these.
        alarm: how far a look must be to be an anomaly.
    """

    low: FloatArray
    high: FloatArray
    days: FloatArray
    alarm: float

    def chance(self, extents: FloatArray) -> FloatArray:
        """Return (n,) conformal p-values: which share of looks of unknown devices is at least so unusual.

        Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005), chapter 2.
        """
        beyond = len(self.days) - np.searchsorted(self.days, extents, side="left")
        return (1 + beyond) / (1 + len(self.days))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a model makes of n looks.

    Attributes:
        residuals: (n, judged, channels) on each device's own scale, NaN where unknown.
        extents: (n, judged, channels) how far the most unusual run that ends with a step is, over what is an anomaly:
            that is one from 1 on; NaN where no run is known.
        windows: (n, judged, channels) steps of that run.
        seen: what the model was given.
    """

    residuals: FloatArray
    extents: FloatArray
    windows: IntArray
    seen: Seen

    @property
    def greatest(self) -> FloatArray:
        """(n,) of the most unusual run of each look; NaN where nothing could be judged."""
        found = np.where(np.isfinite(self.extents), self.extents, -1.0).max(axis=(1, 2), initial=-1.0)
        return np.where(found >= 0, found, np.nan)

    @property
    def score(self) -> FloatArray:
        """(n,) the same in [0, 1), alarming from 0.5; NaN where nothing could be judged."""
        return self.greatest / (1 + self.greatest)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ResidualModel:
    """Judges looks at devices.

    Attributes:
        layout: of the steps that it was trained on.
        trees: by channel; channels that do not follow the others have none, and are not judged.
        limits: of the residuals.
    """

    layout: StepLayout
    trees: Mapping[str, Trees]
    limits: Limits

    def judge(self, looks: Looks) -> Judged:
        """Return what does not fit together in looks."""
        seen = see(self.layout, looks)
        return judged_by(self.limits, residuals_of(self.layout, self.trees, seen), self.layout.pace.windows, seen)

    def to_text(self) -> str:
        """Return the artefact, which `load` reads."""
        limits = {name: getattr(self.limits, name).tolist() for name in ("low", "high", "days")}
        return seal(
            KIND,
            {
                "layout": self.layout.to_json(),
                "trees": {channel: trees.to_json() for channel, trees in self.trees.items()},
                "limits": {**limits, "alarm": self.limits.alarm},
            },
        )


def load(text: str, threads: int = 1) -> ResidualModel:
    """Return the model of an artefact.

    Raises:
        ArtefactError: it is none.
    """
    content = unseal(KIND, text)
    try:
        layout = StepLayout.from_json(content["layout"])
        trees = {channel: Trees.from_json(stored, threads) for channel, stored in content["trees"].items()}
        limits = _limits(content["limits"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ArtefactError):
            raise
        raise ArtefactError(f"The stored {KIND} model lacks what belongs to it.") from None
    return ResidualModel(layout, trees, limits)


def _limits(stored: Mapping[str, Any]) -> Limits:
    arrays = [np.asarray(stored[name], np.float64) for name in ("low", "high", "days")]
    return Limits(*arrays, alarm=float(stored["alarm"]))


def residuals_of(layout: StepLayout, trees: Mapping[str, Trees], seen: Seen) -> FloatArray:
    """Return (n, judged, channels) targets less predictions; NaN where the target is unknown or not predicted."""
    residuals = np.full(seen.targets.shape, np.nan)
    flat = seen.features.reshape(-1, seen.features.shape[2])
    for column, channel in enumerate(layout.channels):
        if channel not in trees:
            continue
        targets = seen.targets[:, :, column]
        known = np.flatnonzero(np.isfinite(targets))
        predicted = trees[channel].raw(flat[np.ix_(known, features_of(layout, channel))])
        residuals[:, :, column].reshape(-1)[known] = targets.reshape(-1)[known] - predicted
    return residuals


def run_means(residuals: FloatArray, windows: Sequence[int]) -> FloatArray:
    """Return (n, judged, channels, windows) mean residuals of runs that end with a step; NaN for incomplete ones."""
    count = residuals.shape[1]
    totals = np.cumsum(np.pad(np.where(np.isfinite(residuals), residuals, 0.0), ((0, 0), (1, 0), (0, 0))), axis=1)
    missing = np.cumsum(np.pad(~np.isfinite(residuals), ((0, 0), (1, 0), (0, 0))), axis=1)
    means = np.full((*residuals.shape, len(windows)), np.nan)
    for place, length in enumerate(windows):
        if length > count:
            continue
        whole = missing[:, length:] == missing[:, :-length]
        mean = (totals[:, length:] - totals[:, :-length]) / length
        means[:, length - 1 :, :, place] = np.where(whole, mean, np.nan)
    return means


def extents_of(means: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return (n, judged, channels, windows) how many times as far from 0 as the limits mean residuals are."""
    return np.maximum(means / low, means / high)


def judged_by(limits: Limits, residuals: FloatArray, windows: Sequence[int], seen: Seen) -> Judged:
    """Return how unusual residuals are."""
    extents = extents_of(run_means(residuals, windows), limits.low, limits.high) / limits.alarm
    filled = np.where(np.isfinite(extents), extents, -1.0)
    best = filled.argmax(axis=3)
    most = np.take_along_axis(filled, best[..., None], axis=3)[..., 0]
    return Judged(residuals, np.where(most >= 0, most, np.nan), np.array(windows, np.int64)[best], seen)
