"""What a baseline takes in: sums within a block, and the block at its end."""

import numpy as np
from numpy.typing import NDArray

from models.learning.anomalies.nonconformity import EVIDENCES, Traces
from models.learning.anomalies.pieces import Piece, summed
from models.learning.anomalies.tuning import HOURS, MICROS_PER_HOUR, BoolArray, FloatArray, IntArray, Packed, Tuning

# A block that took so many times as long as usual has a silence in it, which says nothing about the pace.
_LONGEST_BLOCK = 4.0


def accumulate(piece: Piece, work: Packed, traces: Traces, found: FloatArray, is_learnt: BoolArray) -> None:
    """Add the readings that are learnt from to the sums of their blocks.

    Args:
        piece: the readings.
        work: the states of its devices.
        traces: what follows the readings.
        found: (length, d, kinds * channels + 1) nonconformities, as far as they are to be remembered.
        is_learnt: (length, d) whether the baseline learns from a reading.
    """
    _begin_means(piece, work)
    taken = piece.is_known & is_learnt[:, :, None]
    off = np.where(taken, piece.values - work["mean"], 0.0)
    change = np.where(taken & ~np.isnan(traces.change), traces.change, 0.0)
    added: FloatArray = np.concatenate([taken.astype(np.float64), off, off * off, change], axis=2)
    work["sums"] = summed(work["sums"], added)
    work["greatest"] = np.maximum(work["greatest"], found.max(axis=0).astype(np.float32))
    work["readings"] += is_learnt.sum(axis=0, dtype=np.int32)


def _begin_means(piece: Piece, work: Packed) -> None:
    """Measure a channel's deviations from its first reading until its mean is known."""
    if not np.isnan(work["mean"]).any():
        return
    first = np.take_along_axis(piece.values, piece.is_known.argmax(axis=0)[None], axis=0)[0]
    for name in ("mean", "origin"):
        work[name] = np.where(np.isnan(work[name]), first, work[name])


def end_blocks(work: Packed, is_ended: BoolArray, newest: IntArray, tuning: Tuning) -> None:
    """Let the baselines of devices whose block has ended take it in."""
    if not is_ended.any():
        return
    rows = work[is_ended]
    channels = rows["mean"].shape[1]
    count, off, square, change = (rows["sums"][:, part * channels : (part + 1) * channels] for part in range(4))
    hours = (newest[is_ended] - rows["block_began"]) / MICROS_PER_HOUR
    faded = np.minimum(hours / tuning.memory_hours, tuning.block_readings / tuning.memory_readings)
    kept = np.exp(-faded)[:, None]
    pace = np.where(rows["count"] > 0, rows["hours"] / np.maximum(rows["count"], 1.0), np.inf)
    rows["hours"] = rows["hours"] * kept[:, 0] + np.minimum(hours, _LONGEST_BLOCK * tuning.block_readings * pace)
    rows["count"] = rows["count"] * kept[:, 0] + tuning.block_readings
    old = rows["weight"] * kept
    weight = old + count
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.where(weight > 0, off / weight, 0.0)
        variance = (old * rows["variance"] + square) / weight - moved * moved
        usual = (old * rows["change"] + change) / weight
    before = rows["variance"].copy()
    rows["variance"] = np.where(weight > 0, np.maximum(variance, 0.0), 0.0)
    rows["change"] = np.where(weight > 0, usual, 0.0)
    rows["mean"] += moved
    rows["weight"] = weight
    _remember_limits(rows, before, newest[is_ended], kept, tuning)
    rows["sums"] = 0.0
    rows["greatest"] = 0.0
    rows["phase"] = 0
    elapsed = (newest[is_ended] - rows["first"]) / MICROS_PER_HOUR
    rows["is_warm"] |= (rows["readings"] >= tuning.warm_up_readings) & (elapsed >= tuning.warm_up_hours)
    work[is_ended] = rows


def _remember_limits(
    rows: Packed, variance_before: FloatArray, newest: IntArray, kept: FloatArray, tuning: Tuning
) -> None:
    """Let limits fade, and rise where the block went beyond them.

    Once a device is warm they rise by a part of the way only, and by the rest when a day is over without an alarm: what
    rises slowly is not to take its limit along.
    """
    rescaling = _rescaling(variance_before, rows)
    limit, greatest = rows["limit"] * (kept ** (1 / tuning.limit_memories)).astype(np.float32), rows["greatest"]
    is_known = rows["is_warm"][:, None] & (limit > 0)
    part = np.where(is_known, greatest / np.where(is_known, limit, 1.0), 1.0) ** np.float32(tuning.limit_step)
    limit = np.where(greatest > limit, np.where(is_known, limit * part, greatest), limit)
    of_day = np.maximum(rows["day_greatest"], greatest)
    is_over = newest - rows["day_began"] >= HOURS * MICROS_PER_HOUR
    rows["day_began"] = np.where(is_over, newest, rows["day_began"])
    rows["limit"] = np.where(is_over[:, None], np.maximum(limit, of_day), limit) * rescaling
    rows["day_greatest"] = np.where(is_over[:, None], np.float32(0), of_day * rescaling)


def _rescaling(before: FloatArray, rows: Packed) -> NDArray[np.float32]:
    """Return by what limits, which count in standard deviations, change with these, so that they stay what they are."""
    after = rows["variance"]
    is_known = (before > 0) & (after > 0)
    factor = np.where(is_known, np.sqrt(before / np.where(is_known, after, 1.0)), 1.0)
    joint = np.sqrt(np.where(is_known, factor * factor, 1.0).mean(axis=1, keepdims=True))
    return np.concatenate([*[factor] * len(EVIDENCES), joint], axis=1).astype(np.float32)
