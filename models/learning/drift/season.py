"""What is usual at each hour of the day in the training window, so that it is not taken for drift."""

import math

import numpy as np

from models.learning.drift.scores import FloatArray, IntArray

HOURS = 24
_HOUR_SECONDS = 3600.0
_DAY_SECONDS = HOURS * _HOUR_SECONDS
_FEWEST_DAYS = 4
_FEWEST_IN_HOUR = 8
_LEAST_EXPLAINED = 0.05
# A swing that chance alone makes as large in one of a hundred courses is part of it.
_LEAST_POWER = -math.log(0.01)


def fit_season(values: FloatArray, seconds: FloatArray) -> FloatArray:
    """Return (24,) deviations of the hours of the day (UTC) from their mean, or (0,) where there is no daily course.

    A course has to hold on days that it was not made from: each half of the days is predicted by the other.

    Args:
        values: (n,) NaN where missing.
        seconds: (n,) instants, since 1970.
    """
    known = np.isfinite(values)
    days = (seconds // _DAY_SECONDS).astype(np.int64)
    if len(np.unique(days[known])) < _FEWEST_DAYS:
        return np.zeros(0)
    halves = [known & (days % 2 == part) for part in (0, 1)]
    hours = (seconds // _HOUR_SECONDS).astype(np.int64) % HOURS
    if any(np.bincount(hours[half], minlength=HOURS).min() < _FEWEST_IN_HOUR // 2 for half in halves):
        return np.zeros(0)
    centred = values - np.nanmean(values)
    left = [
        centred[half] - season_at(_course(centred[other], hours[other]), seconds[half])
        for half, other in zip(halves, reversed(halves), strict=True)
    ]
    explained = 1 - float(np.mean(np.concatenate(left) ** 2)) / max(float(np.mean(centred[known] ** 2)), 1e-300)
    return _course(centred[known], hours[known]) if explained > _LEAST_EXPLAINED else np.zeros(0)


def season_at(course: FloatArray, seconds: FloatArray) -> FloatArray:
    """Return what the course adds at (n,) instants, between the middles of the hours linearly; 0 without a course."""
    if not len(course):
        return np.zeros(len(seconds))
    middle = seconds / _HOUR_SECONDS % HOURS - 0.5
    return np.interp(middle, np.arange(-1, HOURS + 1), np.concatenate([course[-1:], course, course[:1]]))


def _course(values: FloatArray, hours: IntArray) -> FloatArray:
    """Return the course as the swings, once a day to twelve times, that are more than chance.

    Means of 24 hours would follow the noise of the training window: what is left of it would vary by less than what is
    left of later values.
    """
    counts = np.maximum(np.bincount(hours, minlength=HOURS), 1)
    means = np.bincount(hours, values, HOURS) / counts
    chance = float(np.mean((values - means[hours]) ** 2)) * float(np.mean(1 / counts))
    swings = np.fft.rfft(means - means.mean())
    power = np.abs(swings) ** 2 / HOURS
    return np.fft.irfft(np.where(power > _LEAST_POWER * chance, swings, 0), HOURS)
