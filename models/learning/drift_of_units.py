"""Drift of windows whose rows come from few units, each with several rows that resemble each other."""

from dataclasses import replace

import numpy as np

from models.learning.drift import Finding, Kind, Sketch, Statistic, compare
from models.learning.performance import FloatArray, design_effect


def compare_units(sketch: Sketch, values: FloatArray, units: int) -> Finding:
    """Return what a window is, compared with the training window, as if each unit had been looked at once.

    The thresholds of `drift.compare` hold for rows of different units. Here they are widened by the design effect: a
    mean of 48 rows of 24 units strays as one of 24 rows does.

    Args:
        sketch: of the training window.
        values: (n,) in order of time, NaN where missing.
        units: that the rows are of.
    """
    found = compare(sketch, values)
    if found.kind is not Kind.DRIFT or found.statistic is None:
        return found
    effect = design_effect(len(values), units)
    threshold = _widened(found.statistic, found.threshold, effect)
    if _is_beyond(found.value, found.threshold, threshold):
        return replace(found, threshold=threshold)
    reason = f"what has changed is no more than {units} units may differ by"
    return replace(found, kind=Kind.STABLE, drifted=False, severity=None, threshold=threshold, reason=reason)


def _widened(statistic: Statistic, threshold: float, effect: float) -> float:
    if statistic is Statistic.SPREAD:
        # About 1, and a ratio: what doubles is as far from it as what halves.
        return float(np.exp(np.log(max(threshold, 1e-9)) * np.sqrt(effect)))
    # The index is a sum of squares; what is left are means.
    return threshold * (effect if statistic is Statistic.SHAPE else float(np.sqrt(effect)))


def _is_beyond(value: float, threshold: float, widened: float) -> bool:
    return value >= widened if value >= threshold else value <= widened
