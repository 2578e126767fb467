"""What tanks lose while nobody draws and nothing heats, and how much of the energy reaches the water."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.localtime import FloatArray
from models.learning.usage.calendar import Calendar
from models.learning.usage.heaters import (
    ASSUMED_ROOM_TEMPERATURE,
    JOULES_PER_KWH,
    JOULES_PER_LITER_KELVIN,
    ROOM_DEVIATION,
    Heater,
    HeatSource,
)
from models.learning.usage.hours import HOUR_SECONDS, HourlyUse

# An hour is idle if less than this is drawn and used; electronics take some watts and warm no water.
_IDLE_LITERS = 0.02
_IDLE_KWH = 0.005
_NEARLY_WHOLE = 0.9 * HOUR_SECONDS
_FEWEST_DAYS = 5
_FEWEST_PAIRS = 12
# Below this lift over the room, its unknown temperature decides more than the insulation.
_LEAST_LIFT = 15.0
_OUTLIER_DEVIATIONS = 3.5
_Z = 1.6448536
_FEWEST_YIELD_HOURS = 14 * 24
_LEAST_YIELD_KWH = 5.0
_PLAUSIBLE_YIELDS = {
    HeatSource.RESISTIVE: (0.4, 1.1),
    HeatSource.GAS: (0.3, 1.1),
    HeatSource.HEAT_PUMP: (0.8, 6.0),
    HeatSource.HYBRID: (0.6, 6.0),
}
_HEAT_PUMPS = (HeatSource.HEAT_PUMP, HeatSource.HYBRID)


@dataclass(frozen=True, slots=True, eq=False)
class StandbyLoss:
    """What tanks lose, each (devices,), NaN where it could not be measured.

    Attributes:
        watts_per_kelvin: loss over the difference between the water and a room of 20 °C.
        lower: end of its 90 % interval, which allows for a room that is 3 K off (one standard deviation).
        upper: the other end.
        lift: mean of the water's temperature above 20 °C over all hours, K; clipped at 0.
        days: days with idle hours that it rests on.
    """

    watts_per_kelvin: FloatArray
    lower: FloatArray
    upper: FloatArray
    lift: FloatArray
    days: FloatArray


def standby_loss(use: HourlyUse, heaters: Sequence[Heater], calendar: Calendar) -> StandbyLoss:
    """Estimate the loss from how fast the water cools between two idle hours that follow each other.

    A tank without draw or heat follows C dT/dt = -UA (T - room), Newton's law of cooling, so the fall of its hourly
    mean from one hour to the next is UA / C times the mean lift. Falls and lifts are summed by day; days whose quotient
    lies 3.5 robust deviations from the median are left out; the quotient of the sums is the estimate, and the days'
    residuals around it give its standard error.

    Args:
        use: hours; water and energy both have to be metered, or an hour is not known to be idle.
        heaters: (devices,) for the volumes.
        calendar: of the hours.
    """
    capacity = np.array([heater.heat_capacity for heater in heaters])
    lift = use.temperature - ASSUMED_ROOM_TEMPERATURE
    idle = _idle(use) & (lift >= _LEAST_LIFT)
    pair = idle[:, 1:] & idle[:, :-1]
    fall, mean_lift = (
        calendar.by_day(_placed(np.where(pair, values, 0.0), use.shape))
        for values in (lift[:, :-1] - lift[:, 1:], (lift[:, 1:] + lift[:, :-1]) / 2)
    )
    kept = _without_outliers(fall, mean_lift)
    fall, mean_lift = np.where(kept, fall, 0.0), np.where(kept, mean_lift, 0.0)
    days = kept.sum(axis=1)
    exposure = mean_lift.sum(axis=1)
    rate = np.divide(fall.sum(axis=1), exposure, out=np.full(len(days), np.nan), where=exposure > 0)
    residual = np.where(kept, fall - rate[:, None] * mean_lift, 0.0)
    error = np.sqrt((residual**2).sum(axis=1) * days / np.maximum(days - 1, 1)) / np.maximum(exposure, 1e-9)
    pairs = pair.sum(axis=1)
    error = np.hypot(error, rate * ROOM_DEVIATION * pairs / np.maximum(exposure, 1e-9))
    known = (days >= _FEWEST_DAYS) & (pairs >= _FEWEST_PAIRS) & (rate > 0)
    loss, half = np.where(known, rate, np.nan) * capacity / HOUR_SECONDS, _Z * error * capacity / HOUR_SECONDS
    return StandbyLoss(loss, np.maximum(loss - half, 0.0), loss + half, _mean_lift(lift), days.astype(np.float64))


def measured_yield(use: HourlyUse, heaters: Sequence[Heater], loss: StandbyLoss) -> FloatArray:
    """Return (devices,) heat that reaches the water per energy drawn; NaN where it is not known or not plausible.

    Heat carried away by the water drawn and heat lost to the room, over the energy used in the same hours; two weeks of
    hours at least, so that what the tank holds more at the end than at the beginning is a small part.

    Args:
        use: hours with water, energy and both temperatures.
        heaters: (devices,).
        loss: of the same hours.
    """
    known = (use.liters_seconds >= _NEARLY_WHOLE) & (use.kwh_seconds >= _NEARLY_WHOLE) & np.isfinite(use.temperature)
    inlet_known = np.isfinite(use.inlet_temperature)
    known &= inlet_known | (use.liters <= _IDLE_LITERS)
    rise = np.where(known & inlet_known, use.temperature - use.inlet_temperature, 0.0)
    lift = np.where(known, use.temperature - ASSUMED_ROOM_TEMPERATURE, 0.0)
    carried = (use.liters * rise).sum(axis=1) * JOULES_PER_LITER_KELVIN
    lost = lift.sum(axis=1) * HOUR_SECONDS * loss.watts_per_kelvin
    used = np.where(known, use.kwh, 0.0).sum(axis=1)
    enough = (known.sum(axis=1) >= _FEWEST_YIELD_HOURS) & (used >= _LEAST_YIELD_KWH)
    found = np.where(enough, (carried + lost) / JOULES_PER_KWH / np.maximum(used, 1e-9), np.nan)
    least, most = np.array([_PLAUSIBLE_YIELDS[heater.source] for heater in heaters]).reshape(-1, 2).T
    # No element or burner gives more heat than it draws; what lies above is the unknown temperature of the room.
    most_possible = np.array([np.inf if heater.source in _HEAT_PUMPS else 1.0 for heater in heaters])
    return np.where((found >= least) & (found <= most), np.minimum(found, most_possible), np.nan)


def _idle(use: HourlyUse) -> NDArray[np.bool_]:
    metered = (use.liters_seconds >= _NEARLY_WHOLE) & (use.kwh_seconds >= _NEARLY_WHOLE)
    return metered & (use.liters <= _IDLE_LITERS) & (use.kwh <= _IDLE_KWH)


def _placed(pairs: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return (devices, hours) with each pair at its first hour."""
    placed = np.zeros(shape)
    placed[:, :-1] = pairs
    return placed


def _without_outliers(fall: FloatArray, lift: FloatArray) -> NDArray[np.bool_]:
    known = lift > 0
    quotient = np.divide(fall, lift, out=np.full(fall.shape, np.nan), where=known)
    middle = _median(quotient)
    deviation = np.abs(quotient - middle[:, None])
    # 1.4826 makes the median deviation of normal values their standard deviation.
    return known & (deviation <= _OUTLIER_DEVIATIONS * 1.4826 * _median(deviation)[:, None] + 1e-12)


def _median(values: FloatArray) -> FloatArray:
    """Return (devices,) lower medians of (devices, n) values, NaN where none is known."""
    ordered = np.sort(values, axis=1)
    place = np.maximum(np.isfinite(values).sum(axis=1) - 1, 0) // 2
    return (
        np.take_along_axis(ordered, place[:, None], axis=1)[:, 0] if values.shape[1] else np.full(len(values), np.nan)
    )


def _mean_lift(lift: FloatArray) -> FloatArray:
    known = np.isfinite(lift)
    count = known.sum(axis=1)
    total = np.where(known, lift, 0.0).sum(axis=1)
    return np.maximum(np.divide(total, count, out=np.full(len(lift), np.nan), where=count > 0), 0.0)
