"""A window of values against the training window, at once."""

import numpy as np

from models.learning.drift.findings import Finding
from models.learning.drift.rows import KNOWN, measure
from models.learning.drift.scores import FloatArray
from models.learning.drift.sketch import Sketch, SketchProblem
from models.learning.drift.verdict import drift, lacking, missing, outside, stale, stuck


def compare(
    sketch: Sketch, values: FloatArray, seconds: FloatArray | None = None, *, now: float | None = None
) -> Finding:
    """Return what a window of later values is, compared with the training window.

    Poor data are named before drift. The verdict is about this window alone; `persistent` says it of several.

    Args:
        sketch: of the training window.
        values: (n,) NaN or infinite where missing; in the order of time where `seconds` is None.
        seconds: (n,) their instants since 1970; the rows are put in order of time by them.
        now: the present instant, to tell whether values have stopped coming; needs `seconds`.

    Raises:
        SketchProblem: the instants are not as many as the values, or not finite.
    """
    if seconds is not None:
        if seconds.shape != values.shape or not np.isfinite(seconds).all():
            raise SketchProblem(f"{len(values)} values need as many finite instants, not {len(seconds)}")
        order = np.argsort(seconds, kind="stable")
        values, seconds = values[order], seconds[order]
    known = values[np.isfinite(values)]
    rows, _ = measure(sketch.ruler, values, seconds, float("nan"))
    sums = rows.sum(axis=0)
    if seconds is not None and now is not None and len(known):
        found = stale(sketch, float(seconds[np.isfinite(values)][-1]), now)
        if found is not None:
            return found
    return (
        (missing(sketch, sums) if sketch.is_usable else None)
        or lacking(sketch, sums[KNOWN])
        or stuck(sketch, last_run(known), len(known))
        or outside(sketch, sums)
        or drift(sketch, sums)
    )


def last_run(known: FloatArray) -> int:
    """Return how many of the newest of (n,) values are equal."""
    if not len(known):
        return 0
    others = np.flatnonzero(known != known[-1])
    return len(known) - (int(others[-1]) + 1 if len(others) else 0)
