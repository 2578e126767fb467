"""Cutting a call into pieces within which nothing of a baseline changes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.learning.anomalies.tuning import HOURS, MICROS_PER_HOUR, BoolArray, FloatArray, IntArray, Packed

_DAY = HOURS * MICROS_PER_HOUR
# Squares of greater values, which no sensor reports, would overflow: they count as missing.
_GREATEST_VALUE = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Readings of several devices, each with up to `length` of its own, all in the same block and day.

    Attributes:
        devices: (d,) indices of different devices.
        counts: (d,) how many readings each has; the rest is padding.
        rows: (length, d) place of each reading in the call; of padding that of the device's last reading.
        present: (length, d) False for padding.
        at: (length, d) microseconds since 1970.
        hour: (length, d) hours since 1970.
        values: (length, d, channels) NaN where missing or padding.
        is_known: (length, d, channels) whether it is there, and finite.
    """

    devices: IntArray
    counts: IntArray
    rows: IntArray
    present: BoolArray
    at: IntArray
    hour: IntArray
    values: FloatArray
    is_known: BoolArray


def pieces(hot: Packed, block: int, device: IntArray, at: IntArray, values: FloatArray) -> Iterator[Piece]:
    """Cut a call into pieces, in an order in which each device's come by time.

    The pieces of a device end where its block ends, and at midnight, so that a piece has each hour of a day once.

    Args:
        hot: the states before the call.
        block: readings of a block.
        device: (n,) index of the device.
        at: (n,) microseconds since 1970.
        values: (n, channels).

    Yields:
        Pieces without the readings that are not newer than the ones before them.
    """
    order = np.lexsort((at, device))
    owner, moments = device[order], at[order]
    is_newer = moments > hot["newest"][owner]
    is_newer[1:] &= (owner[1:] != owner[:-1]) | (moments[1:] != moments[:-1])
    if not is_newer.all():
        order, owner, moments = order[is_newer], owner[is_newer], moments[is_newer]
    if not len(order):
        return
    is_first = np.concatenate([[True], owner[1:] != owner[:-1]])
    if is_first.all():
        yield _piece((device, at, values), order, np.arange(len(order)), np.ones(len(order), np.int64))
        return
    begins = np.flatnonzero(is_first)
    run = np.cumsum(is_first) - 1
    rank = np.arange(len(order)) - begins[run]
    day = moments // _DAY
    is_cut = is_first | ((rank + hot["phase"][owner]) % block == 0)
    is_cut[1:] |= day[1:] != day[:-1]
    starts = np.flatnonzero(is_cut)
    counts = np.diff(np.append(starts, len(order)))
    cut = np.cumsum(is_cut) - 1
    turn = cut[starts] - cut[begins[run[starts]]]
    # Devices with about as many readings go together, so that little is padded.
    size_class = np.ceil(np.log2(counts) / 2).astype(np.int64)
    key = turn * 64 + size_class
    by_turn = np.argsort(key, kind="stable")
    for group in np.split(by_turn, np.flatnonzero(np.diff(key[by_turn])) + 1):
        yield _piece((device, at, values), order, starts[group], counts[group])


def _piece(call: tuple[IntArray, IntArray, FloatArray], order: IntArray, starts: IntArray, counts: IntArray) -> Piece:
    device, at, values = call
    step = np.arange(int(counts.max()))[:, None]
    present = step < counts
    rows = order[starts + np.minimum(step, counts - 1)]
    own = values[rows]
    is_known = np.abs(own) < _GREATEST_VALUE
    if not present.all():
        is_known &= present[:, :, None]
    own[~is_known] = np.nan
    moments = at[rows]
    return Piece(device[rows[0]], counts, rows, present, moments, moments // MICROS_PER_HOUR, own, is_known)


def summed(before: FloatArray, added: FloatArray) -> FloatArray:
    """Return sums that rows are added to one by one, so that they do not depend on how the readings were cut.

    Args:
        before: (d, k) the sums so far; they stay as they are.
        added: (length, d, k).
    """
    sums = before.copy()
    for row in added:
        sums += row
    return sums
