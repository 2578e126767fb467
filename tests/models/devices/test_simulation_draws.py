"""When households draw water, against common sense and against what was measured in homes."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.devices.simulation.draws import Draws, Habits, mean_flow
from models.devices.simulation.fleet import generate_fleet
from models.devices.simulation.hashing import hashed, normal, uniform
from models.devices.simulation.specs import Household

MEASURED = Path(__file__).resolve().parents[4] / "shared" / "data" / "water_heater" / "DailyProfiles.csv"
MONDAY = (datetime(2026, 3, 2, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
LITERS_PER_GALLON = 3.785


@pytest.fixture(scope="module")
def homes():
    """Return the habits of 300 households of the demo fleet."""
    fleet = generate_fleet(300, 5, datetime(2026, 3, 2, tzinfo=UTC))
    return Habits([spec.household for spec in fleet], hashed(5, np.arange(300)))


def hourly_shares(habits, days):
    """Return the share of each hour of the day in the volume at the taps."""
    volume = np.zeros(24)
    for day in days:
        draws = habits.draws_of_day(day)
        hour = ((draws.started_at - day * 86_400) // 3600).astype(int) % 24
        volume += np.bincount(hour, draws.seconds * draws.liters_per_minute, minlength=24)
    return volume / volume.sum()


def measured_shares(day_types):
    """Return the same of the measured days, whose names have a letter for working day (D), weekend (E), holiday (H)."""
    if not MEASURED.exists():
        pytest.skip("the measured draw profiles (shared/data/water_heater/DailyProfiles.csv) are not here")
    volume = np.zeros(24)
    with MEASURED.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["Day"][1] in day_types:
                hour = int(float(row["Start time (hr)"])) % 24
                volume[hour] += float(row["Duration (min)"]) * float(row["Flow Rate (gpm)"]) * LITERS_PER_GALLON
    return volume / volume.sum()


@pytest.mark.parametrize(("day_types", "days"), [("D", range(5)), ("EH", range(5, 7)), ("DEH", range(7))])
def test_hours_of_the_day_resemble_measured_ones(homes, day_types, days):
    """At most an eighth of the volume would have to be moved to another hour."""
    simulated = hourly_shares(homes, [MONDAY + day for day in days])
    assert np.abs(simulated - measured_shares(day_types)).sum() / 2 < 0.125


def test_people_get_up_later_on_weekends(homes):
    """The morning peak moves by an hour or more."""
    workday = hourly_shares(homes, range(MONDAY, MONDAY + 5))
    weekend = hourly_shares(homes, range(MONDAY + 5, MONDAY + 7))
    assert workday[5:8].sum() > 1.4 * weekend[5:8].sum()
    assert weekend[9:12].sum() > 1.2 * workday[9:12].sum()


def test_larger_households_draw_more():
    """The daily volume grows with the people, less than in proportion, and nobody draws nothing."""
    liters = []
    for people in (0, 1, 2, 4):
        habits = Habits([Household(people=people)] * 200, hashed(9, np.arange(200)))
        draws = habits.draws_of_day(MONDAY)
        liters.append((draws.seconds / 60 * draws.liters_per_minute).sum() / 200)
    assert liters[0] == 0
    assert 50 < liters[1] < liters[2] < liters[3] < 4 * liters[1]


def test_a_day_is_a_function_of_household_and_date(homes):
    """Asked again, or as part of another fleet, a household draws the same; on another day something else."""
    first, again, other = (homes.draws_of_day(day) for day in (MONDAY, MONDAY, MONDAY + 1))
    np.testing.assert_array_equal(first.started_at, again.started_at)
    assert len(first.started_at) != len(other.started_at)
    alone = Habits([Household(people=3)], hashed(1, [7])).draws_of_day(MONDAY)
    among = Habits([Household(people=3)] * 3, hashed(1, [8, 7, 9])).draws_of_day(MONDAY)
    np.testing.assert_array_equal(alone.started_at, among.started_at[among.device_index == 1])


def test_volumes_are_exact_on_any_grid():
    """Short draws, draws across intervals and draws that overlap the edges keep their litres."""
    draws = Draws(
        device_index=np.array([0, 0, 1, 1]),
        started_at=np.array([5.0, 30.0, -20.0, 100.0]),
        seconds=np.array([2.0, 90.0, 50.0, 500.0]),
        liters_per_minute=np.array([6.0, 3.0, 12.0, 1.2]),
        is_tempered=np.array([True, True, False, True]),
    )
    for edges in (np.array([0.0, 150.0]), np.linspace(0, 150, 16), np.array([0.0, 7.0, 31.0, 150.0])):
        liters = (mean_flow(draws, edges, 2) * np.diff(edges)[:, None] / 60).sum(axis=0)
        np.testing.assert_allclose(liters, [0.2 + 4.5, 6.0 + 1.0])


def test_a_closed_tap_does_not_trickle(homes):
    """Rounding leaves no flow where nothing is drawn."""
    draws = homes.draws_of_day(MONDAY)
    flow = mean_flow(draws, MONDAY * 86_400.0 + np.arange(0, 86_460, 60.0), 300)
    assert flow.min() == 0
    assert flow[flow > 0].min() > 1e-6
    assert (flow == 0).mean() > 0.8


def test_hashed_numbers_are_spread_as_they_should_be():
    """Mean, deviation and bounds of both distributions, without correlation between neighbours."""
    flat, bell = uniform(3, np.arange(20_000)), normal(3, np.arange(20_000))
    assert flat.min() >= 0
    assert flat.max() < 1
    assert flat.mean() == pytest.approx(0.5, abs=0.01)
    assert bell.mean() == pytest.approx(0, abs=0.03)
    assert bell.std() == pytest.approx(1, abs=0.02)
    assert np.abs(bell).max() < 3.5
    assert abs(np.corrcoef(flat[1:], flat[:-1])[0, 1]) < 0.03
