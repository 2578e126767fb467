"""How water heaters are used, and what could be saved."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from models.charts import FloatArray
from models.learning.unit_changes import UnitChange, unit_changes
from models.learning.usage import Basis, Estimate, Heater, HeaterUsage, HeatSource, HourlyUse, analyse
from models.predicted import Absent, AbsentReason, Found
from models.predictions import PredictionKind
from models.reading_hours import HOUR, HOUR_MICROS, HourRows
from models.types import from_micros, to_micros
from resolvers.predicting.doubts import LEFT_OF_CONFIDENCE, staleness
from resolvers.predicting.methods import METHODS
from resolvers.predicting.subjects import Compute, Outcomes, Subjects, same_for_all

if TYPE_CHECKING:
    from resolvers.context import Services

# Ten whole weeks: enough for two months to be compared and for a trend.
HISTORY_HOURS = 10 * 168
COLUMNS = ("liters", "liters_seconds", "kwh", "kwh_seconds", "temperature_mean", "inlet_temperature_mean")
# Clocks of heaters are not known: profiles are those of UTC.
ZONE = "UTC"
_METHOD = METHODS[PredictionKind.USAGE_PATTERNS].name
_METERS = (("liters", "L", "drawn water"), ("kwh", "kWh", "used energy"))
_FEWEST_DAYS = 7


class UsagePredictor:
    """Measures profiles, peaks, averages and trends, and what could be saved."""

    needs_histories = False

    async def prepare(self, services: "Services", subjects: Subjects) -> Compute:
        """Load the hours of the last weeks."""
        absent = subjects.no_model(PredictionKind.USAGE_PATTERNS)
        if absent is not None:
            return same_for_all(subjects, absent)
        end = from_micros(to_micros(subjects.now) // HOUR_MICROS * HOUR_MICROS)
        start = end - HISTORY_HOURS * HOUR
        rows = await services.hours.hours(services.store, subjects.kind.name, subjects.ids, (start, end), COLUMNS)
        return lambda: _analysed(subjects, rows, to_micros(start))


def _analysed(subjects: Subjects, rows: HourRows, start_micros: int) -> Outcomes:
    use, doubts = _use(subjects, rows, start_micros)
    model_id = subjects.models[PredictionKind.USAGE_PATTERNS].id
    usages = analyse(use, [_heater(row) for row in subjects.rows], ZONE)
    seen = (use.liters_seconds > 0) | (use.kwh_seconds > 0)
    # Hours from the beginning to the end of the last one that was seen.
    lasting = np.where(seen.any(axis=1), HISTORY_HOURS - seen[:, ::-1].argmax(axis=1), 0).tolist()
    profiles = (
        _rounded([getattr(usage.patterns, name) for usage in usages]) for name in ("hour_of_week", "hourly_profile")
    )
    outcomes: Outcomes = []
    for place, (usage, *profile) in enumerate(zip(usages, *profiles, strict=True)):
        if not lasting[place] or usage.patterns.daily_average is None:
            outcomes.append(_too_little(usage))
            continue
        until = from_micros(start_micros + lasting[place] * HOUR_MICROS)
        factor, stale = staleness(to_micros(until) / 86.4e9, to_micros(subjects.now) / 86.4e9)
        average = usage.patterns.daily_average
        outcomes.append(
            Found(
                method=_METHOD,
                model_id=model_id,
                data_until=until,
                confidence=usage.patterns.confidence * factor * (LEFT_OF_CONFIDENCE if doubts[place] else 1.0),
                value=average.value,
                lower=average.lower,
                upper=average.upper,
                details=_details(usage, profile, [*doubts[place], *stale]),
            )
        )
    return outcomes


def _use(subjects: Subjects, rows: HourRows, start_micros: int) -> tuple[HourlyUse, list[list[str]]]:
    """Return the hours as (devices, hours), without what seems to have changed its unit, and why for each device."""
    ids = np.array(subjects.ids, np.int64)
    order = np.argsort(ids, kind="stable")
    device = order[np.searchsorted(ids[order], rows.device_ids)]
    place = device * HISTORY_HOURS + (rows.micros - start_micros) // HOUR_MICROS
    shape = (len(ids), HISTORY_HOURS)
    filled = {name: np.full(shape, np.nan) for name in COLUMNS}
    for name, values in rows.values.items():
        filled[name].reshape(-1)[place] = values
    doubts = _left_out(filled, start_micros)
    use = HourlyUse.of(
        start_micros // HOUR_MICROS,
        shape,
        liters=filled["liters"],
        liters_seconds=filled["liters_seconds"],
        kwh=filled["kwh"],
        kwh_seconds=filled["kwh_seconds"],
        temperature=filled["temperature_mean"],
        inlet_temperature=filled["inlet_temperature_mean"],
    )
    return use, doubts


def _left_out(filled: Mapping[str, FloatArray], start_micros: int) -> list[list[str]]:
    """Remove meters whose unit seems to have changed; return for each device a sentence for each of them."""
    # The greatest hour of a day says what the meter's unit is; how much is used changes from day to day.
    meters = [filled[name].reshape(-1, HISTORY_HOURS // 24, 24) for name, _, _ in _METERS]
    days = np.stack([np.fmax.reduce(hours, axis=2) for hours in meters], axis=2)
    changes = unit_changes(list(days), [unit for _, unit, _ in _METERS])
    return [
        [_remove(filled, place, change, start_micros) for change in changed] for place, changed in enumerate(changes)
    ]


def _remove(filled: Mapping[str, FloatArray], place: int, change: UnitChange, start_micros: int) -> str:
    name, _, label = _METERS[change.column]
    filled[name][place] = np.nan
    day = from_micros(start_micros + change.row * 24 * HOUR_MICROS).date().isoformat()
    return (
        f"The {label} in the strongest hour of a day went from {change.before:.4g} to {change.after:.4g} about "
        f"{day}, as from {change.units}; it is left out."
    )


def _heater(row: Any) -> Heater:
    return Heater(
        source=HeatSource(row["heater_type"]),
        capacity_liters=row["capacity_liters"],
        rated_power_watts=row["rated_power_watts"],
        target_temperature=row["target_temperature"],
        min_temperature=row["min_temperature"],
        max_temperature=row["max_temperature"],
    )


def _too_little(usage: HeaterUsage) -> Absent:
    if usage.patterns.basis is None:
        return Absent(
            AbsentReason.NO_READINGS,
            f"Neither water nor energy is known of any of the last {HISTORY_HOURS // 168} weeks.",
        )
    known = f"{usage.patterns.days_covered} days of the last {HISTORY_HOURS // 168} weeks are known"
    return Absent(AbsentReason.TOO_LITTLE_HISTORY, f"{known}, {_FEWEST_DAYS} are needed.")


def _details(usage: HeaterUsage, profiles: Sequence[list[float] | None], doubts: list[str]) -> dict[str, Any]:
    patterns, saved = usage.patterns, usage.savings
    return {
        "basis": patterns.basis and patterns.basis.value,
        "unit": "kWh" if patterns.basis is Basis.ENERGY else "L",
        "assumed": list(patterns.assumed),
        "hour_of_week": profiles[0],
        "hourly_profile": profiles[1],
        "peak_hours": None if patterns.peak_hours is None else list(patterns.peak_hours),
        "weekday_weekend_ratio": _estimate(patterns.weekday_weekend_ratio),
        "weekly_trend": _estimate(patterns.weekly_trend),
        "change_to_previous_month": _estimate(patterns.change_to_previous_month),
        "missing": [{"figure": name, "reason": why.value} for name, why in patterns.missing.items()],
        "days_covered": patterns.days_covered,
        "coverage": patterns.coverage,
        "optimizations": [
            {
                "kind": each.kind.value,
                "description": each.description,
                "annual_savings_kwh": each.annual_savings_kwh,
                "estimated_from": each.estimated_from,
                "target_temperature": each.target_temperature,
            }
            for each in saved.optimizations
        ],
        "declined": [{"kind": kind.value, "reason": reason} for kind, reason in saved.declined.items()],
        "standby_watts_per_kelvin": saved.standby_watts_per_kelvin,
        "doubts": doubts,
    }


def _estimate(estimate: Estimate | None) -> list[float] | None:
    return None if estimate is None else [estimate.value, estimate.lower, estimate.upper]


def _rounded(profiles: Sequence[FloatArray | None]) -> list[list[float] | None]:
    # A thousandth of a litre is finer than anything that meters water; it keeps stored rows small.
    known = [profile for profile in profiles if profile is not None]
    rounded = iter(np.round(np.array(known, np.float64), 3).tolist())
    return [None if profile is None else next(rounded) for profile in profiles]
