"""Channels that go on in another unit are found; faults, drifts and habits are not taken for it."""

from typing import Any

import numpy as np
import pytest

from models.learning import blocks
from models.learning.unit_changes import unit_changes

UNITS = ["°C", "bar", "L/min", "W", "kWh"]
DAYS = 200


def usual(seed: int = 1) -> np.ndarray:
    """Return days of a heater in the catalogue's units."""
    random = np.random.default_rng(seed)
    return np.column_stack(
        [
            55 + random.normal(0, 2, DAYS),
            3 + random.normal(0, 0.3, DAYS),
            8 * np.exp(random.normal(0, 0.2, DAYS)),
            2000 * np.exp(random.normal(0, 0.1, DAYS)),
            9 * np.exp(random.normal(0, 0.25, DAYS)),
        ]
    )


@pytest.mark.parametrize(
    ("column", "convert", "units"),
    [
        (0, lambda value: value * 1.8 + 32, "°C and °F"),
        (0, lambda value: value + 273.15, "°C and K"),
        (1, lambda value: value * 14.5038, "bar and psi"),
        (2, lambda value: value * 0.264172, "L/min and gal/min"),
        (2, lambda value: value * 60, "L/min and L/h"),
        (3, lambda value: value / 1000, "W and kW"),
        (4, lambda value: value * 3.6, "kWh and MJ"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
def test_change_of_unit_is_found(column: int, convert: object, units: str, is_first: bool):
    """Whichever side is converted, the column, the day and the units are told."""
    assert callable(convert)
    values = usual()
    side = slice(0, 120) if is_first else slice(120, DAYS)
    values[side, column] = convert(values[side, column])
    values[5, column] = np.nan
    ((change,),) = unit_changes([values], UNITS)
    assert (change.column, change.row, change.units) == (column, 120, units)


@pytest.mark.parametrize("seed", range(5))
def test_usual_days_are_none(seed: int):
    """Days that go up and down by chance are no change of unit."""
    assert unit_changes([usual(seed)], UNITS) == [[]]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda values: values * np.linspace(1, 4, DAYS)[:, None], id="drift"),
        pytest.param(lambda values: values * np.where(np.arange(DAYS) < 100, 1, 1.6)[:, None], id="other level"),
        pytest.param(lambda values: np.where(np.arange(DAYS)[:, None] % 30 < 15, values, values * 60), id="on and off"),
        pytest.param(lambda values: values * 0 + 7, id="constant"),
        pytest.param(lambda values: values * 0, id="zero"),
        pytest.param(lambda values: values * np.nan, id="missing"),
        pytest.param(lambda values: values[:6], id="few days"),
    ],
)
def test_what_is_no_change_of_unit(change: Any):
    """A drift, a fault of another size, what comes and goes, what is constant or missing is left alone."""
    assert unit_changes([change(usual())], UNITS) == [[]]


@pytest.mark.parametrize("most_together", [2**20, 3000])
def test_each_device_is_told_alone(monkeypatch: pytest.MonkeyPatch, most_together: int):
    """Devices of different length in one call are told as one by one, in their order."""
    monkeypatch.setattr(blocks, "_MOST_TOGETHER", most_together)
    days = [usual(seed)[: DAYS - 30 * seed] for seed in range(5)] + [np.empty((0, 0)), usual(9)[:12]]
    for device, column, factor in ((1, 3, 0.001), (4, 4, 3.6), (4, 1, 100.0)):
        days[device][40:, column] *= factor
    together = unit_changes(days, UNITS)
    assert together == [unit_changes([each], UNITS)[0] for each in days]
    assert [[change.column for change in changes] for changes in together] == [[], [3], [], [], [1, 4], [], []]
