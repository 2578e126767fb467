"""How devices are used: profiles, peaks, averages and changes, each with what it rests on or why it is missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from models.learning.demand.localtime import FloatArray
from models.learning.usage.calendar import Calendar
from models.learning.usage.daily import FEWEST_DAYS, Daily, daily_figures
from models.learning.usage.estimated import liters_from_energy
from models.learning.usage.heaters import Heater
from models.learning.usage.hours import HOUR_SECONDS, HourlyUse
from models.learning.usage.profile import Profiles, filled_days, peaks, profiles
from models.learning.usage.statistics import Estimate

# After so many days half of the doubt that a short history leaves is gone.
_HALF_CERTAIN_DAYS = 14.0


class Basis(StrEnum):
    """What the amounts are.

    METERED_LITERS: litres from a flow meter.
    ESTIMATED_LITERS: litres estimated from energy.
    ENERGY: kWh, where litres can be neither metered nor estimated.
    """

    METERED_LITERS = "METERED_LITERS"
    ESTIMATED_LITERS = "ESTIMATED_LITERS"
    ENERGY = "ENERGY"


# How far amounts of each basis can be relied on.
_RELIABILITY = {Basis.METERED_LITERS: 1.0, Basis.ESTIMATED_LITERS: 0.6, Basis.ENERGY: 0.8}


class Missing(StrEnum):
    """Why a figure is missing.

    NO_READINGS: neither water nor energy is known in any hour.
    TOO_LITTLE_HISTORY: too few days of the kind that the figure needs.
    NO_USE: nothing was drawn, so there is no share of it.
    LITERS_UNKNOWN: no flow meter, and how much heat the heater makes of energy is not known.
    """

    NO_READINGS = "NO_READINGS"
    TOO_LITTLE_HISTORY = "TOO_LITTLE_HISTORY"
    NO_USE = "NO_USE"
    LITERS_UNKNOWN = "LITERS_UNKNOWN"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UsagePatterns:
    """How one device is used. Amounts are litres, or kWh where `basis` is ENERGY; a missing figure has a reason.

    Attributes:
        basis: what the amounts are; None without readings.
        assumed: what an estimate of litres takes for granted, in words; empty for metered ones.
        hour_of_week: (168,) expected amount of each local hour from Monday 00:00.
        hourly_profile: (24,) mean amount of each local hour of the day.
        peak_hours: local hours of the day, rising; empty where no hour stands out.
        daily_average: amount a day.
        daily_liters: the same, but missing where the amounts are no litres.
        weekday_weekend_ratio: mean working day over mean weekend day.
        weekly_trend: change of a day's amount from week to week.
        change_to_previous_month: newest 30 days over the 30 before, less 1.
        missing: by name of a figure, why it is None.
        days_covered: local days at least three quarters of which are known.
        coverage: share of the hours since the first known one that are known, 0 to 1.
        quality: coverage times how far the basis can be relied on: 1 for metered litres, 0.8 for energy, 0.6 for
            estimated litres.
        confidence: quality * n / (n + 14) / (1 + w) for n days covered and w half the width of the average's 90 %
            interval over the average; 0 without an average.
    """

    basis: Basis | None
    assumed: tuple[str, ...]
    hour_of_week: FloatArray | None
    hourly_profile: FloatArray | None
    peak_hours: tuple[int, ...] | None
    daily_average: Estimate | None
    daily_liters: Estimate | None
    weekday_weekend_ratio: Estimate | None
    weekly_trend: Estimate | None
    change_to_previous_month: Estimate | None
    missing: Mapping[str, Missing]
    days_covered: int
    coverage: float
    quality: float
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """What counts of each device.

    Attributes:
        bases: (devices,) what the amounts are.
        amounts: (devices, hours) sums.
        seconds: (devices, hours) that they cover.
        assumed: (devices,) what an estimate takes for granted.
    """

    bases: list[Basis | None]
    amounts: FloatArray
    seconds: FloatArray
    assumed: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was found of all devices; lists, since single numbers are read from them."""

    counted: _Counted
    profile: Profiles
    is_whole: list[list[bool]]
    is_used: list[bool]
    peaks: list[list[bool]]
    days: list[int]
    estimates: list[list[list[float]]]
    coverage: list[float]

    @classmethod
    def of(cls, counted: _Counted, profile: Profiles, daily: Daily) -> "_Found":
        week, day = profile.hour_of_week, profile.hour_of_day
        return cls(
            counted,
            profile,
            is_whole=np.stack([~np.isnan(each).any(axis=1) for each in (week, day)], axis=1).tolist(),
            is_used=(np.nansum(day, axis=1) > 0).tolist(),
            peaks=peaks(day, profile.standard_error).tolist(),
            days=daily.days.tolist(),
            estimates=np.stack([daily.average, daily.ratio, daily.trend, daily.change], axis=1).tolist(),
            coverage=_coverage(counted.seconds).tolist(),
        )


def usage_patterns(use: HourlyUse, heaters: Sequence[Heater] | None, calendar: Calendar) -> list[UsagePatterns]:
    """Return the patterns of each device.

    A device's water counts if it is known for at least half as long as its energy is; else litres are estimated from
    energy where the heater allows it, else its energy counts.

    Args:
        use: (devices, hours), one hour at least.
        heaters: (devices,); None where litres are not to be estimated.
        calendar: of the hours.
    """
    counted = _counted(use, heaters)
    profile = profiles(counted.amounts, counted.seconds, calendar)
    by_day = filled_days(counted.amounts, counted.seconds, profile.hour_of_day, calendar)
    by_hour = _without_negatives(profile.hour_of_day)
    profile = Profiles(_without_negatives(profile.hour_of_week), by_hour, profile.standard_error, profile.weight)
    found = _Found.of(counted, profile, daily_figures(by_day, calendar.weekday))
    return [_of_device(found, row) for row in range(len(counted.bases))]


def _counted(use: HourlyUse, heaters: Sequence[Heater] | None) -> _Counted:
    water, energy = use.liters_seconds.sum(axis=1), use.kwh_seconds.sum(axis=1)
    is_metered = (water > 0) & (water >= energy / 2)
    bases: list[Basis | None] = [Basis.METERED_LITERS if each else None for each in is_metered.tolist()]
    amounts, seconds = use.liters.copy(), use.liters_seconds.copy()
    assumed: list[tuple[str, ...]] = [()] * len(bases)
    others = [int(row) for row in np.flatnonzero(~is_metered & (energy > 0))]
    amounts[others], seconds[others] = use.kwh[others], use.kwh_seconds[others]
    for row in others:
        bases[row] = Basis.ENERGY
    if heaters is not None and others:
        estimated = liters_from_energy(use.of_devices(others), [heaters[row] for row in others])
        for place in np.flatnonzero(estimated.seconds.sum(axis=1) > 0):
            row = others[int(place)]
            bases[row], assumed[row] = Basis.ESTIMATED_LITERS, estimated.assumed[int(place)]
            amounts[row], seconds[row] = estimated.liters[place], estimated.seconds[place]
    return _Counted(bases, amounts, seconds, assumed)


def _without_negatives(profile: FloatArray) -> FloatArray:
    """Return profiles without amounts below 0, which estimates have, with the same sums."""
    clipped = np.maximum(profile, 0.0)
    total, kept = np.nansum(profile, axis=1), np.nansum(clipped, axis=1)
    scale = np.divide(np.maximum(total, 0.0), kept, out=np.ones(len(profile)), where=kept > 0)
    return clipped * scale[:, None]


def _coverage(seconds: FloatArray) -> FloatArray:
    known = seconds > 0
    since = seconds.shape[1] - np.argmax(known, axis=1)
    return np.where(known.any(axis=1), seconds.sum(axis=1) / (np.maximum(since, 1) * HOUR_SECONDS), 0.0)


def _of_device(found: _Found, row: int) -> UsagePatterns:
    basis, days = found.counted.bases[row], found.days[row]
    enough = days >= FEWEST_DAYS
    used = enough and found.is_used[row]
    average, ratio, trend, change = (_estimate(values) for values in found.estimates[row])
    quality = found.coverage[row] * (0.0 if basis is None else _RELIABILITY[basis])
    has_week, has_day = (enough and whole for whole in found.is_whole[row])
    figures: dict[str, Any] = {
        "hour_of_week": found.profile.hour_of_week[row] if has_week else None,
        "hourly_profile": found.profile.hour_of_day[row] if has_day else None,
        "peak_hours": tuple(hour for hour, stands_out in enumerate(found.peaks[row]) if stands_out) if used else None,
        "daily_average": average,
        "daily_liters": None if basis is Basis.ENERGY else average,
        "weekday_weekend_ratio": ratio,
        "weekly_trend": trend,
        "change_to_previous_month": change,
    }
    return UsagePatterns(
        basis=basis,
        assumed=found.counted.assumed[row],
        **figures,
        missing={name: _why(name, basis, enough, used) for name, value in figures.items() if value is None},
        days_covered=days,
        coverage=found.coverage[row],
        quality=quality,
        confidence=_confidence(quality, days, average),
    )


def _estimate(values: list[float]) -> Estimate | None:
    return None if any(map(math.isnan, values)) else Estimate(*values)


def _why(name: str, basis: Basis | None, enough: bool, used: bool) -> Missing:
    if basis is None:
        return Missing.NO_READINGS
    if name == "daily_liters" and basis is Basis.ENERGY:
        return Missing.LITERS_UNKNOWN
    return Missing.NO_USE if enough and not used else Missing.TOO_LITTLE_HISTORY


def _confidence(quality: float, days: int, average: Estimate | None) -> float:
    if average is None:
        return 0.0
    half = (average.upper - average.lower) / 2
    width = half / average.value if average.value > 0 else half
    return quality * days / (days + _HALF_CERTAIN_DAYS) / (1 + width)
