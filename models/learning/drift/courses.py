"""The course that all devices of a fleet take together: a day against what the days before lead one to expect.

Learnt features tell of weeks and of single devices, and leave out what tells the season. What all devices read in one
day is known far better: the weather, the weekday and the season are in the days before, and the rest is noise.
"""

import math
from dataclasses import dataclass

import numpy as np

from models.learning.drift.findings import Finding, Kind, Statistic, severity_of_size, unknown
from models.learning.drift.judging import Test
from models.learning.drift.noise import autoregressive_effect
from models.learning.drift.scores import FloatArray, IntArray, normal_quantile

# Days of which the mean is judged, each with the chance to either side that it is beyond its limit: one day shows a
# jump, four show a rise. Windows of four overlap, so they exceed a limit several times in a row.
WINDOWS = {1: 5e-4, 4: 2e-5}
# What is expected of a day is a line through so many days before it.
BASE_DAYS = 42
FEWEST_BASE_DAYS = 12
FEWEST_DEVICES = 5
# A break that a version has learnt from began no longer before its training than this.
_ACCEPTED_DAYS = 14
_FEWEST_BEFORE_STEP = 3
_FEWEST_DAYS_OF_DEVICE = 7
# A device's day counts for at most so many of its own deviations.
_MOST = 4.0
# A device that hardly varies says no more than one with half of the usual deviation.
_LEAST_SCALE_SHARE = 0.5
# What devices have wholly in common is limited by none of them.
_LEAST_SHARE = 1e-3
_ROUNDS = 3
_MOST_CORRELATION = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What t days have in common.

    Attributes:
        level: (t,) of all devices less each one's own mean, in the unit of the values; NaN where too few tell.
        devices: (t,) that tell of each day.
        deviation: by which a device's days differ, of the median device.
    """

    level: FloatArray
    devices: IntArray
    deviation: float


def common_course(values: FloatArray) -> Course | None:
    """Return what days have in common; None where fewer than five devices tell of them, or most never vary.

    Devices that come, go or miss days do not move it, since each is measured by its own mean.

    Args:
        values: (devices, t) NaN where not known.

    Source: the additive two-way fit of Tukey, Exploratory Data Analysis (1977), section 10, with means of limited
    residuals in place of medians.
    """
    usable = values[np.isfinite(values).sum(axis=1) >= _FEWEST_DAYS_OF_DEVICE]
    known = np.isfinite(usable)
    if len(usable) < FEWEST_DEVICES:
        return None
    varied = float(np.median(np.nanstd(usable, axis=1)))
    if varied <= 0:
        return None
    own, usual = np.nanmean(usable, axis=1), 0.0
    level = np.zeros(values.shape[1])
    for _ in range(_ROUNDS):
        left = usable - own[:, None] - level
        scale = np.sqrt(np.nanmean(left**2, axis=1))
        usual = float(np.median(scale))
        bounds = np.maximum(scale, max(_LEAST_SCALE_SHARE * usual, _LEAST_SHARE * varied))[:, None]
        limited = np.where(known, np.clip(left, -_MOST * bounds, _MOST * bounds), 0.0)
        weights = np.where(known, 1 / bounds**2, 0.0)
        total = weights.sum(axis=0)
        level = level + np.divide((limited * weights).sum(axis=0), total, out=np.zeros_like(level), where=total > 0)
        own = np.nanmean(usable - level, axis=1)
    devices = known.sum(axis=0)
    told = devices >= max(FEWEST_DEVICES, len(usable) // 2)
    deviation = math.hypot(usual, float(level[told].std()) if told.any() else 0.0)
    return Course(np.where(told, level, np.nan), devices, deviation)


def compare_days(values: FloatArray, learnt: int, unit: str = "") -> Finding:
    """Return whether the newest days of a fleet are what those before lead one to expect.

    Days that stand out are left out of what later ones are compared with, so a break is told for as long as a season
    could not have brought it. One that the version has learnt from, be it in its last days only, is its normal: what
    came before is compared with, moved by as much as the days since tell.

    Args:
        values: (devices, t) of successive days, NaN where not known.
        learnt: how many of the days the version has learnt from.
        unit: of the values.
    """
    course = common_course(values)
    if course is None:
        return unknown(0, f"fewer than {FEWEST_DEVICES} devices tell of enough days, or hardly any varies")
    walk = _Walk(course, learnt)
    for day in range(values.shape[1]):
        walk.look(day)
    count = int(course.devices[-1])
    if walk.newest is None:
        return unknown(count, f"too few days are known; {FEWEST_BASE_DAYS} before the newest are needed")
    days, test = walk.newest
    limit = _limit(days)
    threshold = test.value_at(math.copysign(limit, test.value))
    if abs(test.score) <= limit:
        reason = "as the days before lead one to expect"
        return Finding(Kind.STABLE, Statistic.COURSE, test.value, threshold, False, None, count, reason)
    severity = severity_of_size(Statistic.COURSE, abs(test.value) / max(course.deviation, 1e-300))
    when = "in the newest day" if days == 1 else f"in the newest {days} days"
    side, own_unit = "above" if test.value > 0 else "below", f" {unit}" if unit else ""
    reason = (
        f"{when} {count} devices together were {abs(test.value):.3g}{own_unit} {side} what the days before lead one to "
        f"expect; by chance it is at most {abs(threshold):.3g}{own_unit}"
    )
    return Finding(Kind.DRIFT, Statistic.COURSE, test.value, threshold, True, severity, count, reason)


def _limit(days: int) -> float:
    return -normal_quantile(WINDOWS[days])


class _Walk:
    """Goes from day to day.

    Attributes:
        newest: days and test of the window up to the newest day that stands out most; None where it cannot be judged.
    """

    def __init__(self, course: Course, learnt: int) -> None:
        self._level = course.level
        self._learnt = learnt
        self._usual: list[int] = []
        self._news: list[int] = []
        self._step: int | None = None
        self.newest: tuple[int, Test] | None = None

    def look(self, day: int) -> None:
        if day == self._learnt:
            self._accept()
        self.newest = None
        if not np.isfinite(self._level[day]):
            return
        tests = [(days, test) for days in WINDOWS if (test := self._test(day, days)) is not None]
        self.newest = max(tests, key=lambda each: abs(each[1].score) - _limit(each[0]), default=None)
        stands_out = self.newest is not None and abs(self.newest[1].score) > _limit(self.newest[0])
        (self._news if stands_out else self._usual).append(day)

    def _accept(self) -> None:
        """Take the break that was going on at the training for known."""
        recent = [day for day in self._news if day >= self._learnt - _ACCEPTED_DAYS]
        if recent:
            self._step = recent[0]
            self._usual = sorted([*self._usual, *recent])

    def _test(self, day: int, days: int) -> Test | None:
        first = day - days + 1
        # Days that were learnt from say nothing of those that came after.
        if day >= self._learnt > first:
            return None
        late = [each for each in range(max(first, 0), day + 1) if np.isfinite(self._level[each])]
        base = [each for each in self._usual if each < first][-BASE_DAYS:]
        if self._step is not None:
            before = sum(each < self._step for each in base)
            if before == len(base) and late[0] >= self._step:
                return None
            base = base[before:] if before < _FEWEST_BEFORE_STEP else base
        if len(late) < days or len(base) < FEWEST_BASE_DAYS:
            return None
        return _expectation(self._level, base, late, self._step)


def _expectation(level: FloatArray, base: list[int], late: list[int], step: int | None) -> Test:
    """Return the test of the mean of late days against a line through the base, moved where a step is known.

    The error is that of a prediction by least squares. Residuals that resemble those of the day before count for fewer:
    both the uncertainty of the line and that of a mean of days are multiplied by the design effect.

    Source: Draper and Smith, Applied Regression Analysis (1998), chapter 3, for the prediction; Box and Tiao,
    Intervention analysis (1975), Journal of the American Statistical Association 70, for the step; Bayley and
    Hammersley, The "effective" number of independent observations in an autocorrelated time series (1946), Supplement
    to the Journal of the Royal Statistical Society 8, for how well the variance is known.
    """
    steps = [step] if step is not None and base[0] < step <= base[-1] else []
    design, asked = (_design(days, late[-1], steps) for days in (base, late))
    known = level[base]
    inverse = np.linalg.inv(design.T @ design)
    line = inverse @ (design.T @ known)
    residuals = known - design @ line
    freedom = len(base) - design.shape[1]
    variance = float(residuals @ residuals) / freedom
    correlation = _resemblance(residuals, design.shape[1])
    effect = (1 + correlation) / (1 - correlation)
    point = asked.mean(axis=0)
    # A few weeks say little of how long the weather lasts: with a standard error more, means of days are not overrated.
    lasting = min(correlation + math.sqrt((1 - correlation**2) / len(base)), _MOST_CORRELATION)
    share = autoregressive_effect(lasting, len(late)) / len(late) + effect * float(point @ inverse @ point)
    error = math.sqrt(max(variance * share, np.finfo(np.float64).tiny))
    value = float(level[late].mean() - point @ line)
    known_by = freedom * (1 - correlation**2) / (1 + correlation**2)
    return Test(Statistic.COURSE, value, 0.0, error, 0.0, known_by)


def _resemblance(residuals: FloatArray, fitted: int) -> float:
    """Return the correlation of (n,) residuals of neighbouring days; a line takes a part of it with it."""
    count = len(residuals)
    squares = max(float(residuals @ residuals), np.finfo(np.float64).tiny)
    found = float(residuals[1:] @ residuals[:-1]) / squares
    found += (fitted * (1 + found) + 2 * found) / count
    return min(max(found, 0.0), _MOST_CORRELATION)


def _design(days: list[int], newest: int, steps: list[int]) -> FloatArray:
    places = np.array(days, np.float64)
    return np.column_stack(
        [np.ones(len(days)), (places - newest) / BASE_DAYS, *((places >= step).astype(np.float64) for step in steps)]
    )
