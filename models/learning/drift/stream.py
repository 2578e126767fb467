"""Drift of one feature as its values come, with a memory that does not grow."""

import numpy as np

from models.learning.drift.compare import last_run
from models.learning.drift.findings import Finding
from models.learning.drift.judging import FEWEST_KNOWN
from models.learning.drift.noise import SCALES
from models.learning.drift.rows import KNOWN, LEVEL, SPREAD, WIDTH, measure
from models.learning.drift.scores import FloatArray
from models.learning.drift.sketch import Sketch
from models.learning.drift.verdict import drift, lacking, missing, outside, stale, stuck

# Rows of a block; its counts fit a byte.
BLOCK = 25
_BLOCKS = SCALES[-1] // BLOCK
_SUMS = [LEVEL, SPREAD]
_COUNTS = [column for column in range(WIDTH) if column not in _SUMS]
# A drift that was found goes on until the score is below the limit by so much.
_RELIEF = 1.0


class Watch:
    """Looks at the newest 50 to 800 rows of a feature, whenever another block of 25 is full."""

    def __init__(self, sketch: Sketch) -> None:
        """Begin with no rows; `sketch` is that of the training window."""
        self.sketch = sketch
        self._counts = np.zeros((_BLOCKS, len(_COUNTS)), np.uint8)
        self._sums = np.zeros((_BLOCKS, len(_SUMS)), np.float32)
        self._open = np.zeros(WIDTH)
        self._blocks = 0
        self._score = float("nan")
        self._newest = float("nan")
        self._newest_at = float("nan")
        self._repeats = 0
        self._finding = lacking(sketch, 0.0) or drift(sketch, self._open)

    @property
    def finding(self) -> Finding:
        """The newest verdict."""
        return self._finding

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without the sketch."""
        return self._counts.nbytes + self._sums.nbytes + self._open.nbytes + 6 * 8

    def update(self, values: FloatArray, seconds: FloatArray | None = None) -> Finding:
        """Take in (n,) further values and return the verdict over all up to the last full block.

        Args:
            values: in the order of time, NaN or infinite where missing.
            seconds: (n,) their instants since 1970; None if not known.
        """
        if not len(values):
            return self._finding
        rows, self._score = measure(self.sketch.ruler, values, seconds, self._score)
        self._note(values, seconds)
        place, is_full = 0, False
        while place < len(rows):
            taken = rows[place : place + BLOCK - int(self._open[0])]
            self._open += taken.sum(axis=0)
            place += len(taken)
            if self._open[0] >= BLOCK:
                self._keep()
                is_full = True
        if is_full or self._repeats >= FEWEST_KNOWN:
            self._finding = self._judge()
        return self._finding

    def look(self, now: float) -> Finding:
        """Return the verdict at an instant at which perhaps no value has come for long."""
        return stale(self.sketch, self._newest_at, now) or self._finding

    def _note(self, values: FloatArray, seconds: FloatArray | None) -> None:
        is_known = np.isfinite(values)
        known = values[is_known]
        if not len(known):
            return
        run = last_run(known)
        self._repeats = run + (self._repeats if run == len(known) and known[-1] == self._newest else 0)
        self._newest = float(known[-1])
        if seconds is not None:
            self._newest_at = float(seconds[is_known][-1])

    def _keep(self) -> None:
        place = self._blocks % _BLOCKS
        self._counts[place], self._sums[place] = self._open[_COUNTS], self._open[_SUMS]
        self._blocks += 1
        self._open[:] = 0.0

    def _windows(self) -> list[FloatArray]:
        """Return the sums of the newest windows, shortest first."""
        order = (self._blocks - 1 - np.arange(min(self._blocks, _BLOCKS))) % _BLOCKS
        blocks = np.zeros((len(order), WIDTH))
        blocks[:, _COUNTS], blocks[:, _SUMS] = self._counts[order], self._sums[order]
        cumulated = np.cumsum(blocks, axis=0)
        return [cumulated[scale // BLOCK - 1] for scale in SCALES if scale // BLOCK <= len(order)]

    def _judge(self) -> Finding:
        windows = self._windows()
        judged = [sums for sums in windows if lacking(self.sketch, sums[KNOWN]) is None]
        poor = [missing(self.sketch, sums) for sums in windows] if self.sketch.is_usable else []
        poor += [outside(self.sketch, sums) for sums in judged]
        if judged:
            poor.insert(0, stuck(self.sketch, self._repeats, judged[-1][KNOWN]))
        named = next((finding for finding in poor if finding is not None), None)
        if named is not None:
            return named
        if not judged:
            return lacking(self.sketch, windows[-1][KNOWN] if windows else 0.0) or self._finding
        relief = _RELIEF if self._finding.drifted else 0.0
        verdicts = [drift(self.sketch, sums, relief) for sums in judged]
        return next((verdict for verdict in reversed(verdicts) if verdict.drifted), verdicts[-1])
