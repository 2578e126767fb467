"""Usage patterns on recorded data: what they are, how well they forecast, and how near estimates are to the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.evaluation.usage_files import UsageFile, UsageOptions, read_usage
from app.evaluation.usage_forecast import ForecastErrors, forecast_errors
from app.evaluation.usage_recovery import Recovery, recover
from models.learning.demand.localtime import FloatArray
from models.learning.usage import (
    Basis,
    Calendar,
    Estimate,
    Heater,
    HeatSource,
    HourlyUse,
    Savings,
    UsagePatterns,
    savings,
    usage_patterns,
)

_BARS = " ▁▂▃▄▅▆▇█"
_UNITS = {Basis.METERED_LITERS: "L", Basis.ESTIMATED_LITERS: "L (estimated from energy)", Basis.ENERGY: "kWh"}


@dataclass(frozen=True, slots=True, eq=False)
class UsageEvaluation:
    """One series of a file.

    Attributes:
        name: the device, or the column of a year of draws.
        patterns: of all its days.
        savings: what could be saved; None where no heater was described.
        errors: of the profile on days held out, in the amounts' metered unit; None where there are too few.
        unit: of these errors.
    """

    name: str
    patterns: UsagePatterns
    savings: Savings | None
    errors: ForecastErrors | None
    unit: str


def resistive_heater(capacity_liters: float, target_temperature: float, rated_power_watts: float) -> Heater:
    """Describe the heater of a file, which tells nothing of it."""
    return Heater(
        source=HeatSource.RESISTIVE,
        capacity_liters=capacity_liters,
        rated_power_watts=rated_power_watts,
        target_temperature=target_temperature,
        min_temperature=min(target_temperature, 35.0),
        max_temperature=max(target_temperature, 75.0),
    )


def evaluate(file: UsageFile, heater: Heater | None = None) -> list[UsageEvaluation]:
    """Evaluate each series of a file.

    Args:
        file: as read.
        heater: what heats the water of all series; None where it is not known, so that litres are not estimated.
    """
    use = file.use
    calendar = Calendar.of(use.first_hour, use.shape[1], file.zone)
    heaters = None if heater is None else [heater] * use.shape[0]
    patterns = usage_patterns(use, heaters, calendar)
    saved = [None] * use.shape[0] if heaters is None else savings(use, heaters, calendar)
    evaluations: list[UsageEvaluation] = []
    for row, name in enumerate(file.names):
        metered = patterns[row].basis is Basis.METERED_LITERS
        amounts, seconds = (use.liters, use.liters_seconds) if metered else (use.kwh, use.kwh_seconds)
        errors = _errors(amounts[row], seconds[row], use, file.zone)
        evaluations.append(UsageEvaluation(name, patterns[row], saved[row], errors, "L" if metered else "kWh"))
    return evaluations


def run(
    paths: Sequence[Path],
    options: UsageOptions | None = None,
    heater: Heater | None = None,
    *,
    simulated: bool = True,
) -> list[str]:
    """Return the lines that `iotsphere evaluate usage` prints.

    Args:
        paths: files of readings, draws and years.
        options: how to read them.
        heater: what heats the water, if it is known.
        simulated: whether to tell how near estimates come to the truth of the simulation too.

    Raises:
        FileProblem: a file cannot be read.
    """
    lines: list[str] = []
    for file in read_usage(paths, options):
        lines += [*file.notes]
        lines += [line for found in evaluate(file, heater) for line in lines_of(found)]
    return lines + (recovery_lines(recover()) if simulated else [])


def lines_of(found: UsageEvaluation) -> list[str]:
    """Return one series' evaluation as text."""
    patterns = found.patterns
    if patterns.basis is None:
        return [f"{found.name}: no readings of flow, power or energy"]
    unit = _UNITS[patterns.basis]
    covered = f"{patterns.days_covered} days, {patterns.coverage:.0%} covered"
    lines = [f"{found.name}: {covered}, confidence {patterns.confidence:.2f}, amounts in {unit}"]
    lines += [f"  estimated with: {'; '.join(patterns.assumed)}"] if patterns.assumed else []
    lines += [f"  {name:<31}{_text(value)}" for name, value in _figures(patterns).items()]
    if patterns.peak_hours is not None:
        lines.append(f"  {'peak hours':<31}{', '.join(map(str, patterns.peak_hours)) or 'no hour stands out'}")
    if patterns.hourly_profile is not None:
        lines.append(f"  {'hours 0 to 23':<31}{_bars(patterns.hourly_profile.tolist())}")
    reasons = ", ".join(f"{name}: {reason}" for name, reason in patterns.missing.items())
    lines += [f"  missing: {reasons}"] if reasons else []
    return lines + _saving_lines(found.savings) + _error_lines(found)


def recovery_lines(found: Recovery) -> list[str]:
    """Return what simulated heaters tell, as text."""
    lines = [f"simulated heaters, {found.days} days: estimates against the truth (median error, largest error)"]
    lines += [
        f"  daily litres from {name:<36}{np.median(np.abs(errors)):7.1%}{np.max(np.abs(errors)):8.1%}"
        for name, errors in found.liters.items()
        if len(errors)
    ]
    if len(found.loss):
        lines.append(
            f"  {'standing loss from cooling':<54}{np.median(np.abs(found.loss)):7.1%}{np.max(np.abs(found.loss)):8.1%}"
        )
        lines.append(f"  true loss within the 90 % interval: {found.within} of {len(found.loss)}")
    return lines


def _errors(amounts: FloatArray, seconds: FloatArray, use: HourlyUse, zone: str) -> ForecastErrors | None:
    known = np.flatnonzero(seconds > 0)
    if not len(known):
        return None
    # Whole days back from the last known hour, so that a year that ends earlier than another is judged on its own.
    last = int(known[-1]) + 1
    first = int(known[0])
    return forecast_errors(amounts[first:last], seconds[first:last], use.first_hour + first, zone)


def _figures(patterns: UsagePatterns) -> dict[str, Estimate | None]:
    return {
        "a day": patterns.daily_average,
        "working day / weekend day": patterns.weekday_weekend_ratio,
        "change from week to week": patterns.weekly_trend,
        "newest month / before, less 1": patterns.change_to_previous_month,
    }


def _text(estimate: Estimate | None) -> str:
    if estimate is None:
        return "not known"
    return f"{estimate.value:.2f} (90 %: {estimate.lower:.2f} to {estimate.upper:.2f})"


def _bars(profile: Sequence[float]) -> str:
    most = max(profile) or 1.0
    return "".join(_BARS[round(8 * value / most)] for value in profile)


def _saving_lines(saved: Savings | None) -> list[str]:
    if saved is None:
        return []
    lines = [
        f"  {saving.kind}: {saving.annual_savings_kwh:.0f} kWh a year. {saving.description} {saving.estimated_from}"
        for saving in saved.optimizations
    ]
    return lines + [f"  {text}" for text in dict.fromkeys(saved.declined.values())]


def _error_lines(found: UsageEvaluation) -> list[str]:
    if found.errors is None:
        return []
    lines = [
        f"  errors of an hour in {found.unit}, last {found.errors.days} days held out (root mean square, absolute)"
    ]
    return lines + [
        f"    {method:<24}{rmse:8.3f}{found.errors.mae[method]:8.3f}" for method, rmse in found.errors.rmse.items()
    ]
