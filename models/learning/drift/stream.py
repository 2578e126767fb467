"""Drift of one feature as its values come, with a memory that does not grow."""

import numpy as np

from models.learning.drift.compare import last_run
from models.learning.drift.findings import Finding, unknown
from models.learning.drift.ring import Ring
from models.learning.drift.rows import KNOWN, LEVEL, SPREAD, WIDTH, measure
from models.learning.drift.scores import FloatArray
from models.learning.drift.sketch import Sketch
from models.learning.drift.verdict import drift, lacking, missing, outside, repeats_limit, stale, stuck

# Rows of the windows. Between doublings a change would have grown into a window that is half of the old world: where
# middling changes are decided, they lie closer.
WINDOWS = (50, 100, 200, 300, 400, 500, 800)
# A drift that was found goes on until the score is below the limit by so much.
RELIEF = 1.0
_OTHER_NUMBERS = 5


class Watch:
    """Looks at the newest 50, 100, 200, 300, 400, 500 and 800 rows of a feature, whenever another block of 25 is full.

    Short windows find large changes soon, long ones small changes at all.

    Source: Lai, Sequential changepoint detection in quality control and dynamical systems (1995), Journal of the Royal
    Statistical Society B 57, section 3, window-limited generalised likelihood ratios.
    """

    def __init__(self, sketch: Sketch) -> None:
        """Begin with no rows; `sketch` is that of the training window."""
        self.sketch = sketch
        self._ring = Ring(WIDTH, (LEVEL, SPREAD), WINDOWS)
        self._score = self._newest = self._newest_at = float("nan")
        self._repeats = 0
        self._repeats_limit = repeats_limit(sketch)
        self._finding = self._judge(None)

    @property
    def finding(self) -> Finding:
        """The newest verdict."""
        return self._finding

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers that are kept, without the sketch."""
        return self._ring.nbytes + _OTHER_NUMBERS * 8

    def update(self, values: FloatArray, seconds: FloatArray | None = None) -> Finding:
        """Take in (n,) further values and return the verdict over all up to the last full block.

        Judged once a call: changes that come and go within many rows handed in at once are not told.

        Args:
            values: in the order of time, NaN or infinite where missing.
            seconds: (n,) their instants since 1970; None if not known.
        """
        if not len(values):
            return self._finding
        rows, self._score = measure(self.sketch.ruler, values, seconds, self._score)
        self._note(values, seconds)
        if self._ring.add(rows) or self._repeats >= self._repeats_limit:
            self._finding = self._judge(self._finding)
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

    def _judge(self, before: Finding | None) -> Finding:
        windows = self._ring.windows()
        longest = windows[-1][KNOWN] if windows else 0.0
        named = next((found for found in self._poor(windows, longest) if found is not None), None)
        if named is not None:
            return named
        judged = [sums for sums in windows if lacking(self.sketch, sums[KNOWN]) is None]
        if not judged:
            return lacking(self.sketch, longest) or unknown(0, "no rows yet")
        relief = RELIEF if before is not None and before.drifted else 0.0
        verdicts = [drift(self.sketch, sums, relief) for sums in judged]
        return next((verdict for verdict in reversed(verdicts) if verdict.drifted), verdicts[-1])

    def _poor(self, windows: list[FloatArray], known: float) -> list[Finding | None]:
        if not self.sketch.is_usable:
            return []
        found = [stuck(self.sketch, self._repeats, known)]
        found += [missing(self.sketch, sums) for sums in windows]
        return found + [outside(self.sketch, sums) for sums in windows]
