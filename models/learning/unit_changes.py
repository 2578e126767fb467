"""Channels that go on in another unit from some day on, as after an exchange of a sensor or an update of a device.

A fault moves a level by any amount, a change of unit by a known one, from one day to the next, and leaves the level as
steady as it was. Which side has the right unit cannot be told from the values, so nothing is converted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_FEWEST_DAYS = 5
# Deviation within the two sides over the step between them, at most.
_STEADY = 0.3
# Allowed error of a step: of a factor's logarithm, absolute; of a temperature, as a share of the step.
_SAME_FACTOR = 0.12
_SAME_TEMPERATURE = 0.12
_SMALLEST_FACTOR = 3.0

_FAHRENHEIT = (1.8, 32.0)
_KELVIN = (1.0, 273.15)
_FACTORS: dict[str, dict[str, float]] = {
    "bar": {"psi": 14.5038, "kPa": 100.0, "MPa": 0.1},
    "L/min": {"gal/min": 0.264172, "L/h": 60.0, "L/s": 1 / 60},
    "L": {"gal": 0.264172, "m³": 0.001},
    "W": {"kW": 0.001, "BTU/h": 3.41214},
    "kWh": {"Wh": 1000.0, "MJ": 3.6, "BTU": 3412.14},
}


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A step that looks like a change of unit.

    Attributes:
        column: of the values.
        row: the first one after the step.
        before: median before it.
        after: median after it.
        units: the two units between which it would lead, as "bar and psi".
    """

    column: int
    row: int
    before: float
    after: float
    units: str


def unit_changes(values: FloatArray, units: Sequence[str]) -> list[UnitChange]:
    """Return the columns that look like a change of unit, each with its greatest step.

    Args:
        values: (n, c) one row a day, ascending in time; NaN where unknown. Zeros count as unknown, but for °C.
        units: (c,) the catalogue's symbols; columns of other units are not looked at.
    """
    if len(values) < 2 * _FEWEST_DAYS:
        return []
    found: list[UnitChange] = []
    for is_degrees in (False, True):
        places = [place for place, unit in enumerate(units) if (unit == "°C" if is_degrees else unit in _FACTORS)]
        if places:
            found += _steps(values[:, places], places, units, is_degrees=is_degrees)
    return sorted(found, key=lambda change: change.column)


def _steps(values: FloatArray, places: Sequence[int], units: Sequence[str], *, is_degrees: bool) -> list[UnitChange]:
    known = np.isfinite(values) if is_degrees else np.isfinite(values) & (values > 0)
    levels = np.where(known, values, 1.0) if is_degrees else np.log(np.where(known, values, 1.0))
    levels = np.where(known, levels, 0.0)
    count = np.cumsum(known, axis=0)
    total = np.cumsum(levels, axis=0)
    every, whole = count[-1], total[-1]
    rest = every - count
    usable = (count >= _FEWEST_DAYS) & (rest >= _FEWEST_DAYS)
    with np.errstate(invalid="ignore", divide="ignore"):
        step = (whole - total) / rest - total / count
        gain = np.where(usable, step**2 * count * rest / every, -1.0)
    last_before = gain.argmax(axis=0)
    found: list[UnitChange] = []
    for index, place in enumerate(places):
        row = int(last_before[index])
        if gain[row, index] <= 0 or abs(step[row, index]) < (8.0 if is_degrees else np.log(_SMALLEST_FACTOR)):
            continue
        before = levels[: row + 1, index][known[: row + 1, index]]
        after = levels[row + 1 :, index][known[row + 1 :, index]]
        named = _named(before, after, units[place])
        if named is not None:
            sides = [float(np.median(side)) for side in (before, after)]
            start, end = sides if is_degrees else np.exp(sides).tolist()
            found.append(UnitChange(place, row + 1, start, end, named))
    return found


def _named(before: FloatArray, after: FloatArray, unit: str) -> str | None:
    """Return the units of a step between two sides, of which those of factors are logarithms; None if it is none."""
    step = float(np.median(after) - np.median(before))
    spread = np.concatenate([before - np.median(before), after - np.median(after)])
    # Taken at the step itself as well: a level that drifts there day by day is no change of unit.
    nearby = float(np.median(after[:3]) - np.median(before[-3:]))
    deviation = float(np.median(np.abs(spread))) * 1.4826
    if deviation > _STEADY * abs(step):
        return None
    if unit != "°C":
        for other, factor in _FACTORS[unit].items():
            for expected in (np.log(factor), -np.log(factor)):
                if abs(step - expected) < _SAME_FACTOR and abs(nearby - expected) < _SAME_FACTOR + 2 * deviation:
                    return f"{unit} and {other}"
        return None
    for other, (factor, offset) in (("°F", _FAHRENHEIT), ("K", _KELVIN)):
        for start, end in ((before, after), (after, before)):
            converted = float(np.median(start)) * factor + offset
            size = abs(converted - float(np.median(start)))
            near = abs(converted - float(np.median(end))) < _SAME_TEMPERATURE * size
            if near and abs(nearby - step) < _SAME_TEMPERATURE * size + 2 * deviation:
                return f"°C and {other}"
    return None
