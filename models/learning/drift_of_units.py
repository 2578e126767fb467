"""Drift of windows whose rows come from few units, each with several rows that resemble each other."""

from dataclasses import replace

import numpy as np

from models.learning.drift import Finding, Kind, Sketch, Statistic, compare
from models.learning.drift.noise import SCALES, Noise
from models.learning.performance import FloatArray, design_effect


def compare_units(sketch: Sketch, values: FloatArray, units: int) -> Finding:
    """Return what a window is, compared with the training window, as if each unit had been looked at once.

    The thresholds of `drift.compare` hold for rows of different units. Here they are widened by the design effect: a
    mean of 48 rows of 24 units strays as one of 24 rows does. What all units have in common, as the weather, is in the
    thresholds already, by the noise of the training's windows, and is not widened.

    Args:
        sketch: of the training window.
        values: (n,) in order of time, NaN where missing.
        units: that the rows are of.
    """
    found = compare(sketch, values)
    if found.kind is not Kind.DRIFT or found.statistic is None:
        return found
    noise = sketch.spread if found.statistic is Statistic.SPREAD else sketch.level
    effect = _further_effect(design_effect(len(values), units), noise, found.sample_count)
    threshold = _widened(found.statistic, found.threshold, effect)
    if _is_beyond(found.value, found.threshold, threshold):
        return replace(found, threshold=threshold)
    reason = f"what has changed is no more than {units} units may differ by"
    return replace(found, kind=Kind.STABLE, drifted=False, severity=None, threshold=threshold, reason=reason)


def _further_effect(effect: float, noise: Noise, count: int) -> float:
    """Return by how much the variance of a mean grows beyond that of the training's windows.

    These have the variance (own + common) with one row of each unit; several rows make the own part larger by the
    design effect, and leave the common part as it is.
    """
    scales = np.array(SCALES, np.float64)
    measured = float(np.interp(float(np.log(count)), np.log(scales), noise.effects))
    own = max(1 - measured / count, 0.0) / measured
    return 1 + (effect - 1) * min(own, 1.0)


def _widened(statistic: Statistic, threshold: float, effect: float) -> float:
    if statistic is Statistic.SPREAD:
        # About 1, and a ratio: what doubles is as far from it as what halves.
        return float(np.exp(np.log(max(threshold, 1e-9)) * np.sqrt(effect)))
    # The index is a sum of squares; what is left are means.
    return threshold * (effect if statistic is Statistic.SHAPE else float(np.sqrt(effect)))


def _is_beyond(value: float, threshold: float, widened: float) -> bool:
    return value >= widened if value >= threshold else value <= widened
