"""The verdict over a window: poor data by its name, drift by the statistic that shows it most, or neither."""

import math

import numpy as np

from models.learning.drift.findings import Finding, Kind, Statistic, severity_of_size, unknown
from models.learning.drift.judging import (
    FEWEST_KNOWN,
    LEAST_OUTSIDE_SHARE,
    Test,
    limit_of,
    missing_test,
    outside_test,
    tests_of,
)
from models.learning.drift.rows import KNOWN, OUTSIDE, ROWS
from models.learning.drift.scores import FloatArray
from models.learning.drift.sketch import FEWEST_VALUES, Sketch
from models.severity import Severity

# Equal values in a row are a stuck sensor from so many on, and from this multiple of the longest run in training.
_FEWEST_REPEATS = 10
_REPEATS_FACTOR = 2
# Chance of a run of equal values that is called stuck.
_RARE = 1e-8
# A smaller rise of the share that is missing does not matter.
_MISSING_MARGIN = 0.05
# A gap is no longer usual from this multiple of the longest in training.
_GAP_FACTOR = 2.0
_FEWEST_ROWS_MISSING = 50


def repeats_limit(sketch: Sketch) -> float:
    """Return from how many equal values in a row a sensor is stuck; infinite where training had but one value."""
    if sketch.ruler.scores.is_constant or sketch.ruler.minimum == sketch.ruler.maximum:
        return float("inf")
    by_chance = math.log(_RARE) / math.log(sketch.repeated) if 0 < sketch.repeated < 1 else 0.0
    return max(_FEWEST_REPEATS, _REPEATS_FACTOR * sketch.longest_repeat + _FEWEST_REPEATS // 2, math.ceil(by_chance))


def lacking(sketch: Sketch, known: float) -> Finding | None:
    """Return why nothing can be said of a window with so many values; None where something can."""
    if not sketch.is_usable:
        reason = f"the training window has {sketch.count} values; {FEWEST_VALUES} are needed to compare with"
        return unknown(int(known), reason)
    if known < FEWEST_KNOWN:
        return unknown(int(known), f"the window has {int(known)} values; {FEWEST_KNOWN} are needed")
    return None


def stale(sketch: Sketch, newest: float, now: float) -> Finding | None:
    """Return that no value has come for too long; None where one has, or the usual time between values is not known.

    Args:
        sketch: of the training window.
        newest: instant of the newest value in seconds since 1970.
        now: the present instant.
    """
    limit = _GAP_FACTOR * sketch.longest_gap
    if not now - newest > limit:
        return None
    reason = f"no value for {now - newest:.0f} s; in training the longest time between values was {limit / 2:.0f} s"
    return Finding(Kind.STALE, Statistic.AGE, now - newest, limit, True, Severity.HIGH, 0, reason)


def stuck(sketch: Sketch, repeats: int, known: float) -> Finding | None:
    """Return that the newest values repeat one another for too long; None where they do not.

    Args:
        sketch: of the training window.
        repeats: equal values in a row up to the newest.
        known: values of the window.
    """
    limit = repeats_limit(sketch)
    if repeats < limit:
        return None
    kind = Kind.CONSTANT if repeats >= known else Kind.STUCK
    reason = f"the newest {repeats} values are the same; in training at most {sketch.longest_repeat} in a row were"
    return Finding(kind, Statistic.REPEATS, float(repeats), float(limit), True, Severity.HIGH, int(known), reason)


def missing(sketch: Sketch, sums: FloatArray) -> Finding | None:
    """Return that more rows of a window lack a value than in training; None where they do not."""
    rows = float(sums[ROWS])
    if rows < _FEWEST_ROWS_MISSING or not sketch.rows:
        return None
    test = missing_test(sketch, sums)
    share, limit = test.value, max(test.value_at(limit_of(rows)), sketch.missing + _MISSING_MARGIN)
    if share <= limit:
        return None
    reason = f"{share:.0%} of {rows:.0f} rows lack a value; in training {sketch.missing:.0%} did"
    severity = severity_of_size(Statistic.MISSING_SHARE, share - sketch.missing)
    return Finding(Kind.MISSING, Statistic.MISSING_SHARE, share, limit, True, severity, int(sums[KNOWN]), reason)


def outside(sketch: Sketch, sums: FloatArray) -> Finding | None:
    """Return that values lie far beyond the training's; None where none, or only single ones do."""
    if not outside_test(sums) or sketch.ruler.minimum == sketch.ruler.maximum:
        return None
    share, known = float(sums[OUTSIDE] / sums[KNOWN]), int(sums[KNOWN])
    severity = severity_of_size(Statistic.OUTSIDE_SHARE, share)
    low, high = sketch.ruler.minimum, sketch.ruler.maximum
    reason = f"{share:.0%} of {known} values lie far beyond the training's, which were from {low:.6g} to {high:.6g}"
    return Finding(
        Kind.OUT_OF_RANGE, Statistic.OUTSIDE_SHARE, share, LEAST_OUTSIDE_SHARE, True, severity, known, reason
    )


def drift(sketch: Sketch, sums: FloatArray, relief: float = 0.0) -> Finding:
    """Return the verdict on the distribution of a window: DRIFT or STABLE.

    Args:
        sketch: of the training window.
        sums: (WIDTH,) of the window, with enough values.
        relief: taken off the limit, as while a drift that was found goes on.
    """
    limit = limit_of(float(sums[KNOWN])) - relief
    known = int(sums[KNOWN])
    found = [(test.score, test) for test in tests_of(sketch, sums)]
    score, test = max(found, key=_excess)
    drifted = _is_beyond(score, test, limit)
    threshold = test.value_at(limit if score > 0 or _is_one_sided(test) else -limit)
    if not drifted:
        return Finding(Kind.STABLE, test.statistic, test.value, threshold, False, None, known, "as in training")
    severity = severity_of_size(test.statistic, _size(test))
    reason = f"{_words(test)}; without drift {test.statistic.lower()} stays within {threshold:.3g} over {known} values"
    return Finding(Kind.DRIFT, test.statistic, test.value, threshold, True, severity, known, reason)


def _excess(one: tuple[float, Test]) -> float:
    score, test = one
    return score if _is_one_sided(test) else abs(score)


def _is_beyond(score: float, test: Test, limit: float) -> bool:
    return score > limit or (not _is_one_sided(test) and score < -limit)


def _is_one_sided(test: Test) -> bool:
    return test.statistic in (Statistic.SHAPE, Statistic.CHANGED_SHARE)


def _size(test: Test) -> float:
    if test.statistic is Statistic.SPREAD:
        return abs(float(np.log(max(test.value, 1e-6))))
    return abs(test.value)


def _words(test: Test) -> str:
    if test.statistic is Statistic.LEVEL:
        return (
            f"the values have moved {'up' if test.value > 0 else 'down'} by {abs(test.value):.2f} standard deviations"
        )
    if test.statistic is Statistic.SPREAD:
        return f"the values vary {np.sqrt(max(test.value, 0.0)):.2f} times as much as in training"
    if test.statistic is Statistic.CHANGED_SHARE:
        return f"{test.value:.1%} of the values differ from the one that training had"
    return f"the distribution differs by a stability index of {test.value:.2f}"
