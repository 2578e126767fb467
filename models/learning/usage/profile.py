"""How what is drawn spreads over the hours of the week and of the day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.localtime import FloatArray
from models.learning.usage.calendar import Calendar, grouped
from models.learning.usage.hours import HOUR_SECONDS

# One-sided 95 %.
_Z = 1.6448536
_FEWEST_DAYS_OF_AN_HOUR = 5


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Profiles of several devices, in the unit of what was summed.

    Attributes:
        hour_of_week: (devices, 168) expected amount of each hour from Monday 00:00, shrunk; NaN where an hour of the
            day was never seen.
        hour_of_day: (devices, 24) mean amount of each hour of the day over the week; NaN as above.
        standard_error: (devices, 24) of the mean of each hour of the day; NaN with fewer than five days.
        weight: (devices, 168) hours that were seen of each cell.
    """

    hour_of_week: FloatArray
    hour_of_day: FloatArray
    standard_error: FloatArray
    weight: FloatArray


def profiles(amounts: FloatArray, seconds: FloatArray, calendar: Calendar) -> Profiles:
    """Return the profiles of hourly sums.

    The mean of a cell is its sum over the time that it was seen. It is shrunk in two steps by the share of its variance
    that is noise: the hour's mean over working days, and that over weekends, towards the mean over all days, then each
    weekday's hour towards that. So a cell with few weeks is near its hour of the day. Two variances, noise and true
    difference, are estimated by moments over all hours of a device in each step.

    Args:
        amounts: (devices, hours) sums, below 0 where estimated ones are.
        seconds: (devices, hours) that they cover.
        calendar: of the hours.

    Source: Morris, Parametric Empirical Bayes Inference: Theory and Applications (1983), Journal of the American
    Statistical Association 78.
    """
    weight = grouped(seconds / HOUR_SECONDS, calendar.cell, 168).reshape(-1, 7, 24)
    means = _ratio(grouped(amounts, calendar.cell, 168).reshape(-1, 7, 24), weight)
    noise = _noise(amounts, seconds, means, weight, calendar)
    workdays, weekends = (_pooled(means[:, part], weight[:, part]) for part in (slice(0, 5), slice(5, 7)))
    kinds = np.stack([workdays[0], weekends[0]], axis=1)
    kind_weight = np.stack([workdays[1], weekends[1]], axis=1)
    by_hour, _ = _pooled(means, weight)
    kind = _shrunk(kinds, kind_weight, by_hour[:, None], noise)
    towards = np.repeat(kind, [5, 2], axis=1)
    hour_of_week = _shrunk(means, weight, towards, noise)
    return Profiles(
        hour_of_week=hour_of_week.reshape(-1, 168),
        hour_of_day=by_hour,
        standard_error=_standard_error(amounts, seconds, by_hour, calendar),
        weight=weight.reshape(-1, 168),
    )


def peaks(hour_of_day: FloatArray, standard_error: FloatArray) -> NDArray[np.bool_]:
    """Return (devices, 24) peak hours: of the fewest hours that hold half of the day's amount, those above its mean.

    Above the mean is an hour whose one-sided 95 % bound is; a flat or a noisy profile has no peak.

    Args:
        hour_of_day: (devices, 24) mean amounts.
        standard_error: (devices, 24) of these; NaN is no peak.
    """
    amounts = np.nan_to_num(np.maximum(hour_of_day, 0.0))
    order = np.argsort(-amounts, axis=1, kind="stable")
    ordered = np.take_along_axis(amounts, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    half = amounts.sum(axis=1, keepdims=True) / 2
    fewest = np.zeros(amounts.shape, np.bool_)
    np.put_along_axis(fewest, order, before < half, axis=1)
    bound = np.nan_to_num(amounts - _Z * standard_error, nan=-1.0)
    return fewest & (bound > amounts.mean(axis=1, keepdims=True))


def filled_days(amounts: FloatArray, seconds: FloatArray, hour_of_day: FloatArray, calendar: Calendar) -> FloatArray:
    """Return (devices, days) amounts of whole days, the hours that were not seen at their hour's mean.

    Args:
        amounts: (devices, hours) sums.
        seconds: (devices, hours) that they cover.
        hour_of_day: (devices, 24) mean amounts.
        calendar: of the hours.

    Returns:
        NaN for days less than three quarters of which were seen.
    """
    missing = 1 - np.minimum(seconds / HOUR_SECONDS, 1.0)
    filling = missing * np.nan_to_num(hour_of_day)[:, calendar.hour]
    seen = calendar.by_day(seconds) / HOUR_SECONDS
    return np.where(seen >= 18, calendar.by_day(amounts + filling), np.nan)


def _noise(
    amounts: FloatArray, seconds: FloatArray, means: FloatArray, weight: FloatArray, calendar: Calendar
) -> FloatArray:
    """Return (devices,) variances of an hour around its cell's mean, the mean over all hours of the day."""
    covered = seconds / HOUR_SECONDS
    expected = np.nan_to_num(means).reshape(len(means), 168)[:, calendar.cell]
    # An hour half seen has half of the weight: its rate counts, not its sum.
    rate = _ratio(amounts, covered, 0.0)
    squares = grouped(covered * np.where(covered > 0, rate - expected, 0.0) ** 2, calendar.cell, 168)
    freedom = np.maximum(weight - 1, 0.0).reshape(len(means), 168)
    within = np.where(freedom > 0, squares, 0.0).sum(axis=1)
    return _ratio(within, freedom.sum(axis=1))


def _pooled(means: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (devices, 24) means over weekdays, each weekday that was seen counting alike, and their weight."""
    seen = weight > 0
    count = seen.sum(axis=1)
    mean = _ratio(np.where(seen, means, 0.0).sum(axis=1), count.astype(np.float64))
    inverse = np.where(seen, 1 / np.where(seen, weight, 1.0), 0.0).sum(axis=1)
    return mean, np.where(count > 0, count**2 / np.where(inverse > 0, inverse, 1.0), 0.0)


def _shrunk(means: FloatArray, weight: FloatArray, towards: FloatArray, noise: FloatArray) -> FloatArray:
    """Return (devices, groups, 24) means moved towards others as far as they differ by chance."""
    seen = weight > 0
    variance = noise[:, None, None] / np.where(seen, weight, 1.0)
    excess = np.where(seen, (means - towards) ** 2 - variance, 0.0).sum(axis=(1, 2))
    groups = means.shape[1]
    # Of so many groups around their own mean one is no evidence of difference.
    between = np.maximum(excess, 0.0) / np.maximum(seen.sum(axis=(1, 2)) * (groups - 1) / groups, 1.0)
    total = between[:, None, None] + variance
    kept = np.where(total > 0, between[:, None, None] / np.where(total > 0, total, 1.0), 0.0)
    # Without a repetition there is no noise to be told from difference.
    kept = np.nan_to_num(kept)
    return np.where(seen, towards + kept * (np.nan_to_num(means) - towards), towards)


def _standard_error(amounts: FloatArray, seconds: FloatArray, by_hour: FloatArray, calendar: Calendar) -> FloatArray:
    covered = seconds / HOUR_SECONDS
    deviation = np.where(covered > 0, _ratio(amounts, covered, 0.0) - np.nan_to_num(by_hour)[:, calendar.hour], 0.0)
    squares = grouped(covered * deviation**2, calendar.hour, 24)
    count = grouped(covered, calendar.hour, 24)
    variance = squares / np.maximum(count - 1, 1.0) / np.maximum(count, 1.0)
    return np.where(count >= _FEWEST_DAYS_OF_AN_HOUR, np.sqrt(variance), np.nan)


def _ratio(amounts: FloatArray, weight: FloatArray, default: float = np.nan) -> FloatArray:
    # Dividing everything is several times as fast as dividing where there is a weight.
    known = weight > 0
    return np.where(known, amounts / np.where(known, weight, 1.0), default)
