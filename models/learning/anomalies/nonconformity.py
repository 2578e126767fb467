"""How strange each reading is, in several simple ways; none knows the past of the others."""

from dataclasses import dataclass

import numpy as np

from models.learning.anomalies.pieces import Piece
from models.learning.anomalies.season import Season
from models.learning.anomalies.steps import Evidence
from models.learning.anomalies.tuning import MICROS_PER_HOUR, FloatArray, Packed

# Of each channel, in the order in which they are computed; JOINT, of all channels together, comes last.
EVIDENCES = (Evidence.HIGH, Evidence.LOW, Evidence.SHIFT, Evidence.JUMP, Evidence.NOISE, Evidence.SEASON)
# Nonconformity that is never alarming by itself however quiet the device has been, in standard deviations.
FLOORS = (2.0, 2.0, 1.0, 0.5, 0.25, 0.75)
JOINT_FLOOR = 1.0
# Usual intervals after which the reading before is too old to compare with.
_LONGEST_JUMP = 8.0
# What is stranger makes no difference, and would leave no score below 1.
_GREATEST = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """What follows the readings of a piece, whatever is thought of them; each (length, d, channels).

    Attributes:
        before: the reading before, NaN for none.
        change: absolute difference from it.
        fast: short mean of the readings.
        fast_change: short mean of the differences.
    """

    before: FloatArray
    change: FloatArray
    fast: FloatArray
    fast_change: FloatArray


def follow(piece: Piece, work: Packed, weight: float) -> Traces:
    """Compute the short means, and leave their last values in `work`, the states of the piece's devices.

    Every sum is made reading by reading, so the result does not depend on how the readings were cut.
    """
    values, is_known = piece.values, piece.is_known
    before = _before(piece, work)
    share = _share_of_usual_interval(piece, work)
    change = np.where((share < _LONGEST_JUMP)[:, :, None], np.abs(values - before), np.nan)
    channels = values.shape[2]
    given = np.concatenate([values, change], axis=2)
    is_given = ~np.isnan(given)
    weights = np.where(is_given, (1 - np.exp(-weight * share))[:, :, None], 0.0)
    given[~is_given] = 0.0
    state = work["fast"].copy()
    trace = np.empty_like(given)
    has_new = bool(np.isnan(state).any())
    for row in range(len(values)):
        if has_new:
            is_new = np.isnan(state) & is_given[row]
            state[is_new] = given[row][is_new]
        state += weights[row] * (given[row] - state)
        trace[row] = state
    work["fast"] = state
    newest = values[-1]
    if not is_known[-1].all():
        last = np.where(is_known, np.arange(1, len(values) + 1)[:, None, None], 0).max(axis=0)
        newest = np.take_along_axis(np.concatenate([work["previous"][None], values]), last[None], axis=0)[0]
    work["previous"] = newest
    return Traces(before, change, trace[:, :, :channels], trace[:, :, channels:])


def _share_of_usual_interval(piece: Piece, work: Packed) -> FloatArray:
    """Return (length, d) time since the reading before over the usual one, 1 while that is not known."""
    hours = np.diff(np.concatenate([work["newest"][None], piece.at]), axis=0) / MICROS_PER_HOUR
    return np.where(work["hours"] > 0, hours * work["count"] / np.where(work["hours"] > 0, work["hours"], 1.0), 1.0)


def _before(piece: Piece, work: Packed) -> FloatArray:
    values, is_known = piece.values, piece.is_known
    shifted = np.concatenate([work["previous"][None], values])[:-1]
    if is_known.all():
        return shifted
    steps = np.arange(len(values))[:, None, None]
    last = np.maximum.accumulate(np.where(is_known, steps + 1, 0), axis=0)
    last = np.concatenate([np.zeros_like(last[:1]), last[:-1]])
    return np.take_along_axis(np.concatenate([work["previous"][None], values]), last, axis=0)


def nonconformities(piece: Piece, work: Packed, traces: Traces, season: Season) -> FloatArray:
    """Return (length, d, kinds * channels + 1) nonconformities, kind by kind as of `EVIDENCES`; 0 where unknown."""
    variance = work["variance"]
    deviation = np.sqrt(np.where(variance > 0, variance, np.nan))
    mean = work["mean"]
    values, is_known = piece.values, piece.is_known
    length, devices, channels = values.shape
    found = np.empty((length, devices, len(EVIDENCES) * channels + 1))
    scaled, negative, shift, jump, noise, seasonal = np.split(found[:, :, :-1], len(EVIDENCES), axis=2)
    np.divide(values - mean, deviation, out=scaled)
    np.negative(scaled, out=negative)
    np.divide(np.abs(traces.fast - mean), deviation, out=shift)
    np.divide(traces.change, deviation, out=jump)
    np.divide(traces.fast_change, deviation, out=noise)
    if not is_known.all():
        for part in (shift, noise):
            part[~is_known] = np.nan
    np.divide(np.abs(values - season.usual), deviation, out=seasonal)
    squares = np.where(shift > 0, shift * shift, 0.0)
    found[:, :, -1] = np.sqrt(squares.sum(axis=2) / channels)
    # Of a number and NaN the number is the greater one here.
    np.fmax(found, 0.0, out=found)
    return np.minimum(found, _GREATEST, out=found)
