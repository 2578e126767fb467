"""Surroundings of the simulated heaters that change: harder water, colder mains."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.devices.simulation import (
    Cause,
    CauseKind,
    FleetSimulation,
    Household,
    Surroundings,
    generate_fleet,
)
from models.devices.simulation.surroundings import USUAL_SCALE_MM_PER_YEAR, scaled_up
from models.devices.simulation.wear import SCALE_RESISTANCE_PER_MM, SECONDS_PER_YEAR, levels
from models.devices.water_heater import HeaterType, WaterHeaterMode
from models.types import to_micros

START = datetime(2026, 3, 2, tzinfo=UTC)
CHANGE = START + timedelta(days=7)
END = CHANGE + timedelta(days=7)
SEED = 7
CHANNELS = ("inlet_temperature", "temperature", "flow_rate", "energy")


@pytest.fixture(scope="module")
def specs():
    """Return heaters with elements and nothing wrong, of households of three."""
    fleet = [spec for spec in generate_fleet(40, SEED, START) if spec.heater_type is HeaterType.RESISTIVE][:6]
    return [replace(spec, causes=(), mode=WaterHeaterMode.ELECTRIC, household=Household(people=3)) for spec in fleet]


def readings(specs, *surroundings, interval=600):
    """Return the instants and the channels of two weeks, of which the second may be otherwise."""
    simulation = FleetSimulation(specs, SEED, START, longest_step_seconds=600, surroundings=surroundings)
    blocks = list(simulation.advance(END, interval))
    at = np.concatenate([block.recorded_at_micros for block in blocks])
    return at, {name: np.concatenate([block.channels[name] for block in blocks]) for name in CHANNELS}


def kwh_per_liter_kelvin(at, channels, start, end):
    """Return the energy that was used from one instant to another per litre that was drawn and kelvin of warming."""
    within = (at > to_micros(start)) & (at <= to_micros(end))
    found = {name: values[within] for name, values in channels.items()}
    warmed = found["flow_rate"] * 10 * (found["temperature"] - found["inlet_temperature"])
    return np.nansum(found["energy"]) / np.nansum(warmed)


def test_colder_mains_are_so_much_colder_from_that_instant_on(specs):
    """Readings before are the same to the last digit, those after are colder by the offset, and cost more energy."""
    at, usual = readings(specs)
    _, colder = readings(specs, Surroundings(since=CHANGE, inlet_offset=-4))
    before = at <= to_micros(CHANGE)
    for name in CHANNELS:
        np.testing.assert_array_equal(colder[name][before], usual[name][before])
    difference = (colder["inlet_temperature"] - usual["inlet_temperature"])[~before]
    assert np.nanmean(difference) == pytest.approx(-4, abs=0.01)
    assert np.nansum(colder["energy"][~before]) > 1.05 * np.nansum(usual["energy"][~before])
    spans = [(START, CHANGE), (CHANGE, END)]
    ratios = [kwh_per_liter_kelvin(at, colder, *span) for span in spans]
    assert ratios[1] == pytest.approx(ratios[0], rel=0.05)


def test_harder_water_costs_ever_more_energy_for_the_same_water(specs):
    """The scale of a week, at the factor of the hardness, shows in the energy per litre and kelvin alone."""
    at, usual = readings(specs)
    _, harder = readings(specs, Surroundings(since=CHANGE, hardness_factor=5))
    np.testing.assert_array_equal(harder["inlet_temperature"], usual["inlet_temperature"])
    last = (END - timedelta(days=2), END)
    more = kwh_per_liter_kelvin(at, harder, *last) / kwh_per_liter_kelvin(at, usual, *last)
    scale = 4 * USUAL_SCALE_MM_PER_YEAR * 6 * 86_400 / SECONDS_PER_YEAR
    assert more == pytest.approx(1 + SCALE_RESISTANCE_PER_MM * scale, abs=0.03)


def test_it_is_the_same_however_the_time_is_cut(specs):
    """A change falls into the steps where it belongs, whatever calls they are part of."""
    change = Surroundings(since=START + timedelta(hours=7, minutes=3), hardness_factor=3, inlet_offset=2)
    whole = FleetSimulation(specs, SEED, START, surroundings=[change])
    cut = FleetSimulation(specs, SEED, START, surroundings=[change])
    until = START + timedelta(hours=12)
    expected = [block.channels["energy"] for block in whole.advance(until, 600)]
    found = [
        block.channels["energy"] for hours in (5, 7, 12) for block in cut.advance(START + timedelta(hours=hours), 600)
    ]
    assert sorted(np.concatenate(found).tolist()) == sorted(np.concatenate(expected).tolist())


def test_scale_grows_by_the_factor_while_it_lasts():
    """That of a heater that scales up anyway grows so many times as fast; with the usual water it goes on as before."""
    own = Cause(CauseKind.SCALE, START - timedelta(days=10), 10.0)
    changes = [Surroundings(since=START, hardness_factor=3), Surroundings(since=START + timedelta(days=20))]
    instants = [START, START + timedelta(days=20), START + timedelta(days=30)]
    seconds = np.array([to_micros(at) / 1e6 for at in instants])
    found = levels([scaled_up((own,), changes), scaled_up((), changes)], CauseKind.SCALE, seconds)
    day = 86_400 / SECONDS_PER_YEAR
    added = 2 * 20 * USUAL_SCALE_MM_PER_YEAR * day
    assert found[:, 0] == pytest.approx([100 * day, (10 + 60) * 10 * day + added, (10 + 60 + 10) * 10 * day + added])
    assert found[:, 1] == pytest.approx([0, added, added])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hardness_factor": 0.5}, "at least 1"),
        ({"hardness_factor": float("inf")}, "at least 1"),
        ({"inlet_offset": float("nan")}, "finite"),
    ],
)
def test_surroundings_that_cannot_be_are_refused(changes, told):
    """Softer water than that which upkeep copes with changes nothing, so it is no surroundings."""
    with pytest.raises(ValueError, match=told):
        Surroundings(since=START, **changes)
