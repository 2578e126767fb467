"""Sums of the newest rows in blocks of 25: a memory that does not grow."""

import numpy as np

from models.learning.drift.scores import FloatArray, IntArray

# Rows of a block; its counts fit a byte.
BLOCK = 25


class Ring:
    """Takes in rows of numbers and gives back their sums over the newest windows."""

    def __init__(self, width: int, sums: tuple[int, ...], lengths: tuple[int, ...]) -> None:
        """Begin with no rows.

        Args:
            width: numbers of a row; the first is always 1.
            sums: columns of numbers of any size; the others hold 0 or 1.
            lengths: rows of the windows, ascending multiples of 25.
        """
        self._lengths = [length // BLOCK for length in lengths]
        longest = lengths[-1]
        self._sums: IntArray = np.array(sums)
        self._counts: IntArray = np.array([column for column in range(width) if column not in sums])
        self._count_blocks = np.zeros((longest // BLOCK, len(self._counts)), np.uint8)
        self._sum_blocks = np.zeros((longest // BLOCK, len(self._sums)), np.float32)
        self._open = np.zeros(width)
        self._blocks = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers that are kept."""
        return self._count_blocks.nbytes + self._sum_blocks.nbytes + self._open.nbytes

    def add(self, rows: FloatArray) -> bool:
        """Take in (n, width) rows and return whether a block has become full."""
        place, is_full = 0, False
        while place < len(rows):
            taken = rows[place : place + BLOCK - int(self._open[0])]
            self._open += taken.sum(axis=0)
            place += len(taken)
            if self._open[0] >= BLOCK:
                self._close()
                is_full = True
        return is_full

    def windows(self) -> list[FloatArray]:
        """Return the (width,) sums of each window over the newest rows in full blocks, as far as there are."""
        size = len(self._sum_blocks)
        order = (self._blocks - 1 - np.arange(min(self._blocks, size))) % size
        blocks = np.zeros((len(order), len(self._open)))
        blocks[:, self._counts], blocks[:, self._sums] = self._count_blocks[order], self._sum_blocks[order]
        cumulated = np.cumsum(blocks, axis=0)
        return [cumulated[length - 1] for length in self._lengths if length <= len(order)]

    def _close(self) -> None:
        place = self._blocks % len(self._sum_blocks)
        self._count_blocks[place], self._sum_blocks[place] = self._open[self._counts], self._open[self._sums]
        self._blocks += 1
        self._open[:] = 0.0
