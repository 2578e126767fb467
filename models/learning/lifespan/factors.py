"""Remaining lives taken apart long after they were predicted, from the feature values that were kept."""

import numpy as np
from numpy.typing import NDArray

from models.learning.boosting import Explanation
from models.learning.features import AGE, FloatArray
from models.learning.lifespan.model import LifespanModel


def factors(model: LifespanModel, rows: FloatArray, by_readings: NDArray[np.bool_]) -> Explanation:
    """Return what each channel adds to remaining lives, in the unit of time.

    Args:
        model: the version that predicted them.
        rows: (n, f) its features.
        by_readings: (n,) whether it predicted by its trees; else by the age alone.
    """
    ages = rows[:, model.feature_names.index(f"{AGE}.time")]
    base = model.survival.remaining(np.zeros(len(ages)), 0.5)
    aged = model.survival.remaining(ages, 0.5) - base
    learnt = np.flatnonzero(by_readings)
    if model.regressor is None or not len(learnt):
        return Explanation((AGE,), base, aged[:, None])
    found = model.parts(model.regressor, rows[learnt], ages[learnt])
    groups = found.groups if AGE in found.groups else (*found.groups, AGE)
    contributions = np.zeros((len(ages), len(groups)))
    contributions[:, groups.index(AGE)] = aged
    contributions[learnt] = 0.0
    contributions[learnt, : len(found.groups)] = found.contributions
    base[learnt] = found.base
    return Explanation(groups, base, contributions)
