"""How devices are used: profiles, peaks, averages and changes, each with what it rests on or why it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.localtime import FloatArray
from models.learning.usage.calendar import Calendar
from models.learning.usage.daily import FEWEST_DAYS, Daily, daily_figures
from models.learning.usage.estimated import EstimatedLiters, liters_from_energy
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


_FIGURES = (
    "hour_of_week",
    "hourly_profile",
    "peak_hours",
    "daily_average",
    "daily_liters",
    "weekday_weekend_ratio",
    "weekly_trend",
    "change_to_previous_month",
)


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
class _Found:
    """What was found of all devices."""

    bases: list[Basis | None]
    estimated: EstimatedLiters | None
    profile: Profiles
    peak: NDArray[np.bool_]
    daily: Daily
    coverage: FloatArray


def usage_patterns(use: HourlyUse, heaters: Sequence[Heater] | None, calendar: Calendar) -> list[UsagePatterns]:
    """Return the patterns of each device.

    A device's water counts if it is known for at least half as long as its energy is; else litres are estimated from
    energy where the heater allows it, else its energy counts.

    Args:
        use: (devices, hours), one hour at least.
        heaters: (devices,); None where litres are not to be estimated.
        calendar: of the hours.
    """
    estimated = None if heaters is None else liters_from_energy(use, heaters)
    bases = _bases(use, estimated)
    amounts, seconds = _amounts(use, estimated, bases)
    profile = profiles(amounts, seconds, calendar)
    by_day = filled_days(amounts, seconds, profile.hour_of_day, calendar)
    by_hour = _without_negatives(profile.hour_of_day)
    profile = Profiles(_without_negatives(profile.hour_of_week), by_hour, profile.standard_error, profile.weight)
    found = _Found(
        bases=bases,
        estimated=estimated,
        profile=profile,
        peak=peaks(by_hour, profile.standard_error),
        daily=daily_figures(by_day, calendar.weekday),
        coverage=_coverage(seconds),
    )
    return [_of_device(found, row) for row in range(len(amounts))]


def _bases(use: HourlyUse, estimated: EstimatedLiters | None) -> list[Basis | None]:
    water, energy = use.liters_seconds.sum(axis=1), use.kwh_seconds.sum(axis=1)
    guessed = np.zeros(len(water)) if estimated is None else estimated.seconds.sum(axis=1)
    bases: list[Basis | None] = []
    for row in range(len(water)):
        if water[row] > 0 and water[row] >= energy[row] / 2:
            bases.append(Basis.METERED_LITERS)
        elif energy[row] > 0:
            bases.append(Basis.ESTIMATED_LITERS if guessed[row] > 0 else Basis.ENERGY)
        else:
            bases.append(None)
    return bases


def _amounts(
    use: HourlyUse, estimated: EstimatedLiters | None, bases: list[Basis | None]
) -> tuple[FloatArray, FloatArray]:
    amounts, seconds = use.liters.copy(), use.liters_seconds.copy()
    for row, basis in enumerate(bases):
        if basis is Basis.ENERGY:
            amounts[row], seconds[row] = use.kwh[row], use.kwh_seconds[row]
        elif basis is Basis.ESTIMATED_LITERS and estimated is not None:
            amounts[row], seconds[row] = estimated.liters[row], estimated.seconds[row]
    return amounts, seconds


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
    basis, days = found.bases[row], int(found.daily.days[row])
    enough = days >= FEWEST_DAYS
    used = enough and float(np.nansum(found.profile.hour_of_day[row])) > 0
    average = _estimate(found.daily.average[row])
    quality = float(found.coverage[row]) * (0.0 if basis is None else _RELIABILITY[basis])
    is_estimated = found.estimated is not None and basis is Basis.ESTIMATED_LITERS
    patterns = UsagePatterns(
        basis=basis,
        assumed=found.estimated.assumed[row] if found.estimated is not None and is_estimated else (),
        hour_of_week=_whole(found.profile.hour_of_week[row]) if enough else None,
        hourly_profile=_whole(found.profile.hour_of_day[row]) if enough else None,
        peak_hours=tuple(np.flatnonzero(found.peak[row]).tolist()) if used else None,
        daily_average=average,
        daily_liters=None if basis is Basis.ENERGY else average,
        weekday_weekend_ratio=_estimate(found.daily.ratio[row]),
        weekly_trend=_estimate(found.daily.trend[row]),
        change_to_previous_month=_estimate(found.daily.change[row]),
        missing={},
        days_covered=days,
        coverage=float(found.coverage[row]),
        quality=quality,
        confidence=_confidence(quality, days, average),
    )
    missing = {name: _why(name, basis, enough, used) for name in _FIGURES if getattr(patterns, name) is None}
    return replace(patterns, missing=missing)


def _estimate(values: FloatArray) -> Estimate | None:
    return None if np.isnan(values).any() else Estimate(*values.tolist())


def _whole(profile: FloatArray) -> FloatArray | None:
    return None if np.isnan(profile).any() else profile


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
