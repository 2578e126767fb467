"""What is worth telling after something has been told, whatever the threshold of the alarms."""

import math

import numpy as np

from models.learning.anomalies.tuning import FloatArray, Tuning


def strangeness_of(score: float) -> float:
    """Return how many times as strange as what alarms a score is."""
    return score / (1 - score)


def faded(score: float, readings: int, tuning: Tuning) -> float:
    """Return how strange a reading must be, so many readings after one with this score was told."""
    return tuning.refractory_step * strangeness_of(score) * math.exp(-readings / tuning.refractory_readings)


def worth_telling(score: FloatArray, tuning: Tuning) -> FloatArray:
    """Return the scores of a device with 0 for those that are no news, each being compared with the last told one.

    The detector does so for its own threshold; this is the same for every threshold at once, for benchmarks that choose
    theirs.

    Args:
        score: (n,) by time, NaN for ignored readings.
        tuning: the detector's.
    """
    told = np.zeros(len(score))
    newest, last = 0.0, 0
    for row, value in enumerate(np.nan_to_num(score).tolist()):
        if strangeness_of(value) > faded(newest, row - last, tuning):
            told[row] = newest = value
            last = row
    return told
