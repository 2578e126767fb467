"""What a channel is expected to read under given operating settings, learnt from young units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.features.history import FloatArray, History, IntArray, Layout

_MOST_REGIMES = 12
_SAMPLED_ROWS = 4000
_LLOYD_STEPS = 15
# Settings are taken for a few distinct regimes only where these leave so little of their variance.
_UNEXPLAINED = 0.01
_ROWS_FOR_MEAN = 10
_ROWS_FOR_SLOPE = 30
_YOUNG_SHARE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Regimes:
    """A linear expectation of each channel within each regime of the settings.

    Attributes:
        offset: (s,) mean of the settings.
        scale: (s,) their standard deviation; 1 for constant ones.
        centres: (r, s) regimes in scaled settings; the nearest one holds.
        coefficients: (r, 1 + s, c) expectation by the constant and the scaled settings' distance from the centre.
        spread: (r, c) standard deviation about the expectation; 1 for a constant channel.
    """

    offset: FloatArray
    scale: FloatArray
    centres: FloatArray
    coefficients: FloatArray
    spread: FloatArray

    def normalise(self, values: FloatArray, settings: FloatArray) -> FloatArray:
        """Return (n, c) deviations from what the settings let expect, in standard deviations; NaN stays.

        Args:
            values: (n, c) readings.
            settings: (n, s) settings; a missing one counts as the fleet's mean.
        """
        if not len(self.offset):
            # Without settings there is one regime, and one expectation.
            return (values - self.coefficients[0, 0]) / self.spread[0]
        scaled = _scaled(settings, self.offset, self.scale) if settings.size else np.zeros((len(values), 0))
        regime = _nearest(scaled, self.centres)
        design = np.column_stack([np.ones(len(values)), scaled - self.centres[regime]])
        expected = np.einsum("nk,nkc->nc", design, self.coefficients[regime])
        return (values - expected) / self.spread[regime]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: getattr(self, name).tolist() for name in _FIELDS} | {"shape": list(self.coefficients.shape)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Regimes":
        """Return what `to_json` wrote."""
        count, width, channels = stored["shape"]
        shapes = ((width - 1,), (width - 1,), (count, width - 1), (count, width, channels), (count, channels))
        arrays = (
            np.asarray(stored[name], np.float64).reshape(shape) for name, shape in zip(_FIELDS, shapes, strict=True)
        )
        return cls(*arrays)


_FIELDS = ("offset", "scale", "centres", "coefficients", "spread")


def fit_regimes(layout: Layout, histories: Sequence[History]) -> Regimes:
    """Learn from the first quarter of each unit's readings, before age shows in them."""
    values, settings = _young_rows(layout, histories)
    with np.errstate(all="ignore"):
        offset = np.nan_to_num(_over_finite(np.mean, settings))
        scale = np.nan_to_num(_over_finite(np.std, settings))
    scale = np.where(scale > 1e-9 * np.maximum(np.abs(offset), 1e-9), scale, 1.0)
    scaled = _scaled(settings, offset, scale)
    centres = _centres(scaled)
    regime = _nearest(scaled, centres)
    overall = _expectation(values, scaled - scaled.mean(axis=0) if len(scaled) else scaled, None)
    parts = [
        _expectation(values[regime == r], (scaled - centres[r])[regime == r], overall) for r in range(len(centres))
    ]
    return Regimes(offset, scale, centres, np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts]))


def _young_rows(layout: Layout, histories: Sequence[History]) -> tuple[FloatArray, FloatArray]:
    values = [np.empty((0, len(layout.channels)))]
    settings = [np.empty((0, len(layout.settings)))]
    for history in histories:
        count = int(np.ceil(len(history.times) * _YOUNG_SHARE))
        if count:
            values.append(history.values[:count])
            settings.append(history.settings[:count].reshape(count, len(layout.settings)))
    return np.where(np.isfinite(stacked := np.concatenate(values)), stacked, np.nan), np.concatenate(settings)


def _over_finite(statistic: Any, matrix: FloatArray) -> FloatArray:
    columns = (column[np.isfinite(column)] for column in matrix.T)
    return np.array([statistic(column) if len(column) else np.nan for column in columns], np.float64)


def _scaled(settings: FloatArray, offset: FloatArray, scale: FloatArray) -> FloatArray:
    return np.where(np.isfinite(settings), (settings - offset) / scale, 0.0)


def _nearest(scaled: FloatArray, centres: FloatArray) -> IntArray:
    if len(centres) == 1:
        return np.zeros(len(scaled), np.int64)
    return ((scaled[:, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)


def _centres(scaled: FloatArray) -> FloatArray:
    """Return the fewest centres that leave almost none of the settings' variance; one where no few do."""
    one = scaled.mean(axis=0, keepdims=True) if len(scaled) else np.zeros((1, scaled.shape[1]))
    sample = scaled[:: max(len(scaled) // _SAMPLED_ROWS, 1)]
    total = float(((sample - one) ** 2).sum())
    if total <= 0:
        return one
    for count in range(2, _MOST_REGIMES + 1):
        centres = _k_means(sample, count)
        left = float(((sample - centres[_nearest(sample, centres)]) ** 2).sum())
        if left <= _UNEXPLAINED * total:
            return centres
    return one


def _k_means(sample: FloatArray, count: int) -> FloatArray:
    """Return (count, s) centres by Lloyd's steps, begun with points that lie farthest from one another.

    Source: Gonzalez, Clustering to minimize the maximum intercluster distance (1985), Theoretical Computer Science
    38; Lloyd, Least squares quantization in PCM (1982), IEEE Transactions on Information Theory 28(2).
    """
    centres = [sample[((sample - sample.mean(axis=0)) ** 2).sum(axis=1).argmin()]]
    distance = ((sample - centres[0]) ** 2).sum(axis=1)
    for _ in range(count - 1):
        centres.append(sample[distance.argmax()])
        distance = np.minimum(distance, ((sample - centres[-1]) ** 2).sum(axis=1))
    found = np.stack(centres)
    for _ in range(_LLOYD_STEPS):
        nearest = _nearest(sample, found)
        means = [sample[nearest == k].mean(axis=0) if np.any(nearest == k) else found[k] for k in range(count)]
        found = np.stack(means)
    return found


def _expectation(
    values: FloatArray, distance: FloatArray, otherwise: tuple[FloatArray, FloatArray] | None
) -> tuple[FloatArray, FloatArray]:
    """Return (1 + s, c) coefficients and (c,) spread, channel by channel over its finite rows."""
    width = 1 + distance.shape[1]
    coefficients, spread = np.zeros((width, values.shape[1])), np.ones(values.shape[1])
    for channel in range(values.shape[1]):
        column: FloatArray = values[:, channel]
        rows = np.isfinite(column)
        if rows.sum() < _ROWS_FOR_MEAN and otherwise is not None:
            coefficients[:, channel], spread[channel] = otherwise[0][:, channel], otherwise[1][channel]
            continue
        if not rows.any():
            continue
        read = column[rows]
        coefficients[0, channel] = read.mean()
        residual: FloatArray = read - read.mean()
        if rows.sum() >= _ROWS_FOR_SLOPE * width and width > 1:
            design = distance[rows] - distance[rows].mean(axis=0)
            ridge = design.T @ design + len(design) * 1e-3 * np.eye(width - 1)
            slopes = np.asarray(np.linalg.solve(ridge, design.T @ residual), np.float64)
            coefficients[1:, channel] = slopes
            coefficients[0, channel] -= float(distance[rows].mean(axis=0) @ slopes)
            residual = np.asarray(residual - design @ slopes, np.float64)
        deviation = float(residual.std())
        spread[channel] = deviation if deviation > 1e-9 * max(abs(float(read.mean())), 1e-9) else 1.0
    return coefficients, spread
