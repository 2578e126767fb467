"""Channels that go on in another unit from some day on, as after an exchange of a sensor or an update of a device.

A fault moves a level by any amount, a change of unit by a known one, from one day to the next, and leaves the level as
steady as it was. Which side has the right unit cannot be told from the values, so nothing is converted here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.blocks import blocks

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


def unit_changes(days: Sequence[FloatArray], units: Sequence[str]) -> list[list[UnitChange]]:
    """Return for each device the columns that look like a change of unit, each with its greatest step.

    Args:
        days: for each device (n, c) one row a day, ascending in time; NaN where unknown. Zeros count as unknown, but
            for °C. Fewer columns than units are those of a device without days.
        units: (c,) the catalogue's symbols; columns of other units are not looked at.
    """
    found: list[list[UnitChange]] = [[] for _ in days]
    lengths = np.array([len(each) for each in days], np.int64)
    for places in blocks(lengths, len(units)):
        devices = [int(place) for place in places if lengths[place] >= 2 * _FEWEST_DAYS]
        for is_degrees in (False, True):
            columns = [place for place, unit in enumerate(units) if (unit == "°C" if is_degrees else unit in _FACTORS)]
            if devices and columns:
                values = _side_by_side([days[device][:, columns] for device in devices])
                for index, change in _steps(values, columns, units, is_degrees=is_degrees):
                    found[devices[index]].append(change)
    return [sorted(changes, key=lambda change: change.column) for changes in found]


def _side_by_side(parts: Sequence[FloatArray]) -> FloatArray:
    """Return (longest, all columns), NaN behind the end of each."""
    longest, width = max(len(part) for part in parts), parts[0].shape[1]
    values = np.full((longest, len(parts), width), np.nan)
    for place, part in enumerate(parts):
        values[: len(part), place] = part
    return values.reshape(longest, len(parts) * width)


def _steps(
    values: FloatArray, columns: Sequence[int], units: Sequence[str], *, is_degrees: bool
) -> Iterator[tuple[int, UnitChange]]:
    """Yield the place of a device and its change, of (n, devices * columns) values."""
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
    place = np.arange(len(last_before))
    least = 8.0 if is_degrees else np.log(_SMALLEST_FACTOR)
    likely = (gain[last_before, place] > 0) & (np.abs(step[last_before, place]) >= least)
    for index in np.flatnonzero(likely).tolist():
        end, column = int(last_before[index]) + 1, columns[index % len(columns)]
        before = levels[:end, index][known[:end, index]]
        after = levels[end:, index][known[end:, index]]
        named = _named(before, after, units[column])
        if named is not None:
            sides = [float(np.median(side)) for side in (before, after)]
            earlier, later = sides if is_degrees else np.exp(sides).tolist()
            yield index // len(columns), UnitChange(column, end, earlier, later, named)


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
