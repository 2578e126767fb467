"""How many things of different length are looked at together: as many as fit into memory well."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

# Numbers that a block takes at most, 8 MB: what a processor's cache may hold.
_MOST_TOGETHER = 2**20


def blocks(lengths: IntArray, width: int) -> Iterator[IntArray]:
    """Yield the places of things of about the same length, which are filled up to the longest of their block.

    Args:
        lengths: (n,) rows of each.
        width: numbers of each row.
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        # The longest of a block is its last: a block is as large as that one times their number.
        needed = lengths[order[start:]] * np.arange(1, len(order) - start + 1) * max(width, 1)
        end = start + max(int(np.searchsorted(needed, _MOST_TOGETHER, side="right")), 1)
        yield order[start:end].astype(np.int64)
        start = end
