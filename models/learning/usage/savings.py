"""What could be saved at a water heater, how much of it a year, and what that rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.learning.demand.localtime import FloatArray
from models.learning.usage.calendar import Calendar
from models.learning.usage.demand import USEFUL_TEMPERATURE, coldest_drawn, quiet_windows
from models.learning.usage.heaters import ASSUMED_ROOM_TEMPERATURE, Heater, HeatSource, reference_loss
from models.learning.usage.hours import HourlyUse
from models.learning.usage.standby import StandbyLoss, measured_yield, standby_loss
from models.learning.usage.windows import QuietWindow, described

HOURS_A_YEAR = 8766.0
WEEKS_A_YEAR = HOURS_A_YEAR / 168
# Less than this a year is not worth anybody's attention, nor certain.
_LEAST_KWH = 10.0
_LEAST_REDUCTION = 2.0
_MOST_BELOW_TARGET = 8.0


class OptimizationKind(StrEnum):
    """What could be done.

    SCHEDULE: heat only before and during the hours in which water is drawn.
    SET_POINT: lower the target while the highest demand is still met.
    STANDBY_LOSS: insulate a tank that loses more than one of its volume may.
    """

    SCHEDULE = "SCHEDULE"
    SET_POINT = "SET_POINT"
    STANDBY_LOSS = "STANDBY_LOSS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimization:
    """A saving that the data support.

    Attributes:
        kind: what could be done.
        description: the same in a sentence, with its values.
        annual_savings_kwh: energy drawn less in a year.
        estimated_from: how that was estimated, with the values it rests on.
        target_temperature: to be set instead of the present one, °C; of SET_POINT only.
        windows: when not to heat; of SCHEDULE only.
    """

    kind: OptimizationKind
    description: str
    annual_savings_kwh: float
    estimated_from: str
    target_temperature: float | None = None
    windows: tuple[QuietWindow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What could be saved at one heater.

    Attributes:
        optimizations: those that the data support, the largest first.
        declined: why each of the others is not recommended, one sentence.
        standby_watts_per_kelvin: measured loss, None where it could not be measured.
        standby_interval: its 90 % interval.
        heat_per_energy: heat into the water per energy drawn; None where it is not known.
    """

    optimizations: tuple[Optimization, ...]
    declined: dict[OptimizationKind, str]
    standby_watts_per_kelvin: float | None
    standby_interval: tuple[float, float] | None
    heat_per_energy: float | None


@dataclass(frozen=True, slots=True)
class _Case:
    """One heater with a measured loss; loss in W/K, lift and temperatures in K and °C."""

    heater: Heater
    loss: float
    lower: float
    upper: float
    lift: float
    days: int
    gain: float
    gain_is_measured: bool

    @property
    def grounds(self) -> str:
        source = "measured" if self.gain_is_measured else "taken"
        return (
            f"a loss of {self.loss:.2f} W/K ({self.lower:.2f} to {self.upper:.2f}) measured on {self.days} days while "
            f"the {self.heater.capacity_liters:.0f} L cooled, a tank {self.lift:.1f} K above a room of "
            f"{ASSUMED_ROOM_TEMPERATURE:.0f} °C, and {self.gain:.2f} kWh of heat per kWh drawn ({source})"
        )

    def annual_kwh(self, watts: float) -> float:
        return watts * HOURS_A_YEAR / 1000 / self.gain


def savings(use: HourlyUse, heaters: Sequence[Heater], calendar: Calendar) -> list[Savings]:
    """Return what could be saved at each heater.

    Args:
        use: hours, one at least; nothing is recommended unless water, energy and the tank's temperature are metered.
        heaters: (devices,).
        calendar: of the hours.
    """
    loss = standby_loss(use, heaters, calendar)
    measured = measured_yield(use, heaters, loss)
    found = [_case(heater, loss, measured, row) for row, heater in enumerate(heaters)]
    cases = {row: case for row, case in enumerate(found) if isinstance(case, _Case)}
    # What is drawn, and when, only matters where the loss is known.
    asked = use.of_devices(list(cases))
    coldest, drawn_days = coldest_drawn(asked, calendar)
    demanded = zip(coldest.tolist(), drawn_days.tolist(), quiet_windows(asked, calendar), strict=True)
    told = {row: _of_heater(case, *demand) for (row, case), demand in zip(cases.items(), demanded, strict=True)}
    return [case if isinstance(case, Savings) else told[row] for row, case in enumerate(found)]


def _case(heater: Heater, loss: StandbyLoss, measured: FloatArray, row: int) -> _Case | Savings:
    found = float(loss.watts_per_kelvin[row])
    if np.isnan(found):
        why = (
            "its standing loss is not known; that takes five days with hours in a row in which water and energy are "
            "metered, nothing is drawn, nothing heats, and the tank is 15 K warmer than its room"
        )
        return _none(why)
    interval = (float(loss.lower[row]), float(loss.upper[row]))
    gain = None if np.isnan(measured[row]) else float(measured[row])
    known = gain if gain is not None else heater.known_efficiency
    if known is None:
        why = "how much heat it makes of the energy is not known: water, energy and both temperatures are needed"
        return _none(why, found, interval)
    return _Case(heater, found, *interval, float(loss.lift[row]), int(loss.days[row]), known, gain is not None)


def _none(why: str, loss: float | None = None, interval: tuple[float, float] | None = None) -> Savings:
    declined = dict.fromkeys(OptimizationKind, f"Nothing is recommended: {why}.")
    return Savings(
        optimizations=(),
        declined=declined,
        standby_watts_per_kelvin=loss,
        standby_interval=interval,
        heat_per_energy=None,
    )


def _of_heater(case: _Case, coldest: float, drawn_days: int, windows: tuple[QuietWindow, ...]) -> Savings:
    outcomes: dict[OptimizationKind, Optimization | str] = {
        OptimizationKind.SCHEDULE: _schedule(case, windows),
        OptimizationKind.SET_POINT: _set_point(case, coldest, drawn_days),
        OptimizationKind.STANDBY_LOSS: _insulation(case),
    }
    found = [outcome for outcome in outcomes.values() if isinstance(outcome, Optimization)]
    return Savings(
        optimizations=tuple(sorted(found, key=lambda outcome: -outcome.annual_savings_kwh)),
        declined={kind: outcome for kind, outcome in outcomes.items() if isinstance(outcome, str)},
        standby_watts_per_kelvin=case.loss,
        standby_interval=(case.lower, case.upper),
        heat_per_energy=case.gain,
    )


def _schedule(case: _Case, windows: tuple[QuietWindow, ...]) -> Optimization | str:
    """Let the tank cool while nobody draws, T - room falling as exp(-UA t / C), and heat again before they do."""
    if not windows:
        return "No schedule: no four hours of the week in a row are without draws, or too few weeks were seen."
    rate = case.loss * 3600 / case.heater.heat_capacity
    kept: list[QuietWindow] = []
    watt_hours = 0.0
    for window in windows:
        fall = case.lift * -np.expm1(-rate * window.hours)
        again = case.heater.heat_capacity * fall / (case.heater.rated_power_watts * case.gain * 3600)
        off = window.shortened(int(np.ceil(again)))
        if off.hours > 0:
            kept.append(off)
            watt_hours += case.loss * case.lift * (off.hours + np.expm1(-rate * off.hours) / rate)
    kwh = float(watt_hours) * WEEKS_A_YEAR / 1000 / case.gain
    if kwh < _LEAST_KWH:
        return f"No schedule: letting the tank cool while nobody draws would save {kwh:.0f} kWh a year."
    text = described(tuple(kept))
    return Optimization(
        kind=OptimizationKind.SCHEDULE,
        description=f"Do not heat {text}: water is hardly ever drawn then.",
        annual_savings_kwh=kwh,
        estimated_from=(
            f"The tank cools in these {sum(window.hours for window in kept)} hours a week instead of being held, by "
            f"Newton's law of cooling; from {case.grounds}. Time to heat up again is left."
        ),
        windows=tuple(kept),
    )


def _set_point(case: _Case, coldest: float, days: int) -> Optimization | str:
    """Lower the target by what the water drawn is too warm; a lower target moves all temperatures by as much."""
    heater = case.heater
    held = case.lift + ASSUMED_ROOM_TEMPERATURE
    if np.isnan(coldest):
        return "No lower target: the water drawn and its temperature have to be known for 28 days."
    if held < heater.target_temperature - _MOST_BELOW_TARGET:
        return (
            f"No lower target: the tank is at {held:.0f} °C on average, far below its target of "
            f"{heater.target_temperature:.0f} °C."
        )
    grounds = (
        f"99 % of the water of {days} days was drawn above {coldest:.0f} °C, of which {USEFUL_TEMPERATURE:.0f} °C are "
        f"needed; the tank is at {held:.0f} °C on average, of which hygiene needs {heater.coldest_hygienic:.0f} °C "
        f"(DVGW W 551)"
    )
    spare = min(coldest - USEFUL_TEMPERATURE, min(held, heater.target_temperature) - heater.coldest_hygienic)
    reduction = float(np.floor(min(spare, heater.target_temperature - heater.min_temperature)))
    kwh = case.annual_kwh(case.loss * reduction)
    if reduction < _LEAST_REDUCTION or kwh < _LEAST_KWH:
        return f"No lower target: {grounds}."
    target = heater.target_temperature - reduction
    return Optimization(
        kind=OptimizationKind.SET_POINT,
        description=f"Lower the target from {heater.target_temperature:.0f} °C to {target:.0f} °C.",
        annual_savings_kwh=kwh,
        estimated_from=f"{grounds}; {reduction:.0f} K less to lose, from {case.grounds}.",
        target_temperature=target,
    )


def _insulation(case: _Case) -> Optimization | str:
    if case.heater.source is HeatSource.GAS:
        return "No insulation: a gas heater loses most through its flue, which insulation does not keep."
    allowed = float(reference_loss(np.array([case.heater.capacity_liters]))[0])
    kwh = case.annual_kwh((case.loss - allowed) * case.lift)
    if case.lower <= allowed or kwh < _LEAST_KWH:
        return (
            f"No insulation: the tank loses {case.loss:.2f} W/K ({case.lower:.2f} to {case.upper:.2f}), one of its "
            f"volume may lose {allowed:.2f} W/K (Regulation (EU) No 814/2013)."
        )
    return Optimization(
        kind=OptimizationKind.STANDBY_LOSS,
        description=f"Insulate the tank and its pipes: it loses {case.loss:.2f} W/K instead of {allowed:.2f} W/K.",
        annual_savings_kwh=kwh,
        estimated_from=(
            f"A tank of {case.heater.capacity_liters:.0f} L may lose {allowed:.2f} W/K, (16.66 + 8.33 V^0.4) W over "
            f"45 K by Regulation (EU) No 814/2013; this one has {case.grounds}."
        ),
    )
