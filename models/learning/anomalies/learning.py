"""What a baseline takes in: sums within a block, and the block at its end."""

import numpy as np

from models.learning.anomalies.nonconformity import Traces
from models.learning.anomalies.pieces import Piece
from models.learning.anomalies.tuning import MICROS_PER_HOUR, BoolArray, FloatArray, IntArray, Packed, Tuning


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
    added = np.concatenate([work["sums"][None], np.concatenate([taken, off, off * off, change], axis=2)])
    work["sums"] = np.add.accumulate(added)[-1]
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
    old = rows["weight"] * kept
    weight = old + count
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.where(weight > 0, off / weight, 0.0)
        variance = (old * rows["variance"] + square) / weight - moved * moved
        usual = (old * rows["change"] + change) / weight
    rows["variance"] = np.where(weight > 0, np.maximum(variance, 0.0), 0.0)
    rows["change"] = np.where(weight > 0, usual, 0.0)
    rows["mean"] += moved
    rows["weight"] = weight
    rows["limit"] = np.maximum(rows["limit"] * kept.astype(np.float32), rows["greatest"])
    rows["sums"] = 0.0
    rows["greatest"] = 0.0
    rows["phase"] = 0
    elapsed = (newest[is_ended] - rows["first"]) / MICROS_PER_HOUR
    rows["is_warm"] |= (rows["readings"] >= tuning.warm_up_readings) & (elapsed >= tuning.warm_up_hours)
    work[is_ended] = rows
