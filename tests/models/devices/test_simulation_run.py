"""A fleet in time: its readings, its wear and its incidents."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.devices.simulation import (
    Cause,
    CauseKind,
    FleetSimulation,
    Household,
    IncidentKind,
    generate_fleet,
)
from models.devices.water_heater import WATER_HEATER, HeaterType, WaterHeaterMode

START = datetime(2026, 3, 2, tzinfo=UTC)
SEED = 7


def joined(blocks):
    """Return the columns of several blocks as one dict, ordered by time, then by device."""
    blocks = list(blocks)
    columns = {
        "device_index": np.concatenate([block.device_index for block in blocks]),
        "recorded_at": np.concatenate([block.recorded_at_micros for block in blocks]),
        "heating": np.concatenate([block.heating for block in blocks]),
    }
    for name in blocks[0].channels:
        columns[name] = np.concatenate([block.channels[name] for block in blocks])
    order = np.lexsort((columns["device_index"], columns["recorded_at"]))
    return {name: column[order] for name, column in columns.items()}


def simulated(specs, days=1.0, interval=60, seed=SEED):
    """Return the readings of the specifications from START on."""
    return joined(FleetSimulation(specs, seed, START).advance(START + timedelta(days=days), interval))


def plain(**changes):
    """Return a heater with nothing wrong, of a household of three."""
    spec = next(spec for spec in generate_fleet(40, SEED, START) if spec.heater_type is HeaterType.RESISTIVE)
    usual = {"causes": (), "mode": WaterHeaterMode.ELECTRIC, "household": Household(people=3)}
    return replace(spec, **(usual | changes))


def worn(kind, level):
    """Return the same heater, on which a cause has come to a level."""
    return plain(causes=(Cause(kind, START - timedelta(days=365.2425), level),))


@pytest.fixture(scope="module")
def week():
    """Return the specifications and one week of a fleet of 24, a reading a minute."""
    specs = generate_fleet(24, SEED, START)
    return specs, simulated(specs, days=7)


def test_readings_are_those_of_the_kind_and_plausible(week):
    """Exactly the kind's channels, each value within the range that ingestion accepts, hardly any missing."""
    _, readings = week
    assert set(readings) - {"device_index", "recorded_at"} == set(WATER_HEATER.by_name)
    for channel in WATER_HEATER.metrics:
        values = readings[channel.name]
        assert channel.minimum <= np.nanmin(values)
        assert np.nanmax(values) <= channel.maximum
        assert 0 < np.isnan(values).mean() < 0.002
    assert readings["heating"].dtype == np.bool_
    assert 0.99 < len(readings["heating"]) / (24 * 7 * 1440) < 1


def test_daily_litres_are_believable(week):
    """Homes where somebody lives draw 20 to 400 L of hot water a day, in the mean 80 to 200; empty ones nothing."""
    specs, readings = week
    liters = np.bincount(readings["device_index"], np.nan_to_num(readings["flow_rate"]), minlength=24) / 7
    is_home = np.array([spec.mode is not WaterHeaterMode.VACATION for spec in specs])
    assert np.all((liters[is_home] > 20) & (liters[is_home] < 400))
    assert 80 < liters[is_home].mean() < 200
    assert np.all(liters[~is_home] < 1)


def test_energy_is_what_the_power_sums_up_to(week):
    """The meter and the power at each instant agree over a week."""
    _, readings = week
    kwh = np.nansum(readings["power"]) / 60 / 1000
    assert np.nansum(readings["energy"]) == pytest.approx(kwh, rel=0.02)
    assert np.nanmax(readings["power"][~readings["heating"]]) == 0


def test_tanks_stay_in_their_band(week):
    """No tank without a stuck thermostat gets hotter than its target, and each is near it most of the time."""
    specs, readings = week
    for index, spec in enumerate(specs):
        drifts = any(cause.kind is CauseKind.THERMOSTAT_DRIFT for cause in spec.causes)
        if spec.mode is WaterHeaterMode.VACATION or drifts:
            continue
        temperature = readings["temperature"][readings["device_index"] == index]
        assert np.nanmax(temperature) < spec.target_temperature + 2
        assert np.nanmedian(temperature) > spec.target_temperature - 10


def test_draws_cool_the_tank_and_cause_heating():
    """Water that is drawn is followed by a colder tank and by heating, which an empty home hardly needs."""
    lived_in, empty = simulated([plain()], days=3), simulated([plain(household=Household(people=0))], days=3)
    flow, change = lived_in["flow_rate"][1:], np.diff(lived_in["temperature"])
    drawn = np.nan_to_num(flow) > 3
    assert np.nanmean(change[drawn]) < -0.5
    assert lived_in["heating"].mean() > 3 * empty["heating"].mean()
    assert np.nansum(empty["flow_rate"]) == 0


@pytest.mark.parametrize("interval", [5, 60, 150])
def test_cutting_the_time_changes_nothing(interval):
    """Many short calls give the readings of one long call, and another simulation of the same seed gives them again."""
    specs = generate_fleet(6, SEED, START)
    until = START + timedelta(hours=3)
    whole = joined(FleetSimulation(specs, SEED, START).advance(until, interval))
    cut = FleetSimulation(specs, SEED, START)
    pieces = [
        block for minutes in range(0, 181, 7) for block in cut.advance(START + timedelta(minutes=minutes), interval)
    ]
    pieces += cut.advance(until, interval)
    for name, column in joined(pieces).items():
        np.testing.assert_array_equal(column, whole[name], err_msg=name)
    assert cut.now == until


def test_blocks_are_days_in_the_order_of_the_key():
    """A block ends at midnight; its rows are ordered by device, then by time, on the multiples of the interval."""
    specs = generate_fleet(3, SEED, START)
    simulation = FleetSimulation(specs, SEED, START + timedelta(hours=5, seconds=17))
    blocks = list(simulation.advance(START + timedelta(days=2, hours=1), 60))
    assert len(blocks) == 3
    for block in blocks:
        order = np.lexsort((block.recorded_at_micros, block.device_index))
        assert np.array_equal(order, np.arange(len(block)))
        assert np.all(block.recorded_at_micros % 60_000_000 == 0)
        assert len({micros // 86_400_000_000 for micros in (block.recorded_at_micros - 1).tolist()}) == 1


def test_nothing_happens_before_the_next_instant():
    """Time that stands still, runs backwards or is shorter than the interval gives no block."""
    simulation = FleetSimulation([plain()], SEED, START)
    for seconds in (0, -3600, 59):
        assert list(simulation.advance(START + timedelta(seconds=seconds), 60)) == []
    with pytest.raises(ValueError, match="the interval is 0 s"):
        list(simulation.advance(START, 0))


def test_batches_are_what_ingestion_takes():
    """Identities instead of places, aware times, None for what is missing, no batch above the size."""
    simulation = FleetSimulation(generate_fleet(5, SEED, START), SEED, START)
    (block,) = simulation.advance(START + timedelta(hours=20), 60)
    batches = list(block.batches([11, 12, 13, 14, 15], 500))
    assert sum(map(len, batches)) == len(block)
    assert max(map(len, batches)) == 500
    assert set(batches[0].channels) == set(WATER_HEATER.by_name)
    assert batches[0].device_ids[0] == 11
    assert batches[0].recorded_at[0] == START + timedelta(minutes=1)
    for name, column in block.channels.items():
        values = [value for batch in batches for value in batch.channels[name]]
        assert values.count(None) == np.isnan(column).sum()
    assert any(np.isnan(column).any() for column in block.channels.values())
    assert {type(value) for value in batches[0].channels["heating"]} == {bool}


def test_a_simulation_can_take_over_from_another():
    """One that starts where another stands goes on at nearly the same temperatures."""
    specs = generate_fleet(24, SEED, START)
    later = START + timedelta(days=2)
    (first,) = FleetSimulation(specs, SEED, later).advance(later + timedelta(seconds=5), 5)
    ended = simulated(specs, days=2)
    last = ended["temperature"][ended["recorded_at"] == ended["recorded_at"].max()]
    assert np.nanmean(np.abs(first.channels["temperature"] - last)) < 2


def test_controls_take_effect_at_once():
    """A higher target is heated for from the next reading on; OFF stops it; a foreign mode is refused."""
    simulation = FleetSimulation([plain(target_temperature=50.0, household=Household(people=0))], SEED, START)
    simulation.set_controls(0, 58.0, WaterHeaterMode.ELECTRIC)
    heated = joined(simulation.advance(START + timedelta(hours=2), 60))
    assert heated["heating"][0]
    assert 57 < np.nanmax(heated["temperature"]) < 59
    simulation.set_controls(0, 70.0, WaterHeaterMode.OFF)
    assert not joined(simulation.advance(START + timedelta(hours=12), 60))["heating"].any()
    with pytest.raises(ValueError, match="has no mode GAS"):
        simulation.set_controls(0, 50.0, WaterHeaterMode.GAS)


def test_unchanged_controls_change_nothing():
    """Handing in the controls that a heater has already does not make it heat."""
    specs = generate_fleet(12, SEED, START)
    left, told = (FleetSimulation(specs, SEED, START) for _ in range(2))
    for index, spec in enumerate(specs):
        told.set_controls(index, spec.target_temperature, spec.mode)
    until = START + timedelta(hours=1)
    expected = joined(left.advance(until, 60))
    for name, column in joined(told.advance(until, 60)).items():
        np.testing.assert_array_equal(column, expected[name])


def test_scale_costs_energy():
    """Three millimetres of lime need a fifth more energy for the same water."""
    clean, limed = simulated([plain()], days=7), simulated([worn(CauseKind.SCALE, 3)], days=7)
    per_liter = [np.nansum(run["energy"]) / np.nansum(run["flow_rate"]) for run in (clean, limed)]
    assert per_liter[1] / per_liter[0] == pytest.approx(1.21, abs=0.03)


@pytest.mark.parametrize(("kind", "level"), [(CauseKind.LEAK, 0.05), (CauseKind.ANODE_DEPLETION, 1.5)])
def test_a_leak_flows_all_night_and_lowers_the_pressure(kind, level):
    """A leak, or a tank that has rusted through, is never without flow."""
    tight, leaking = simulated([plain()]), simulated([worn(kind, level)])
    assert np.nanmedian(tight["flow_rate"]) == 0
    assert np.nanmin(leaking["flow_rate"]) == pytest.approx(0.05, abs=0.011)
    assert np.nanmedian(leaking["pressure"]) < np.nanmedian(tight["pressure"]) - 0.2


def test_an_anode_in_time_shows_nothing():
    """Up to its end a worn anode cannot be seen in the readings."""
    new, half = simulated([plain()]), simulated([worn(CauseKind.ANODE_DEPLETION, 0.5)])
    for name, column in new.items():
        np.testing.assert_array_equal(column, half[name])


def test_an_aged_element_is_weaker():
    """The power is lower by the lost share, so it heats for longer."""
    new, aged = simulated([plain()]), simulated([worn(CauseKind.ELEMENT_AGEING, 0.3)])
    assert np.nanmax(aged["power"]) == pytest.approx(0.7 * np.nanmax(new["power"]), rel=0.03)
    assert aged["heating"].mean() > 1.2 * new["heating"].mean()


@pytest.mark.parametrize("kelvin", [5.0, -5.0])
def test_a_drifted_thermostat_misses_the_target(kelvin):
    """The tank is kept colder by what the thermostat reads too high."""
    true, drifted = simulated([plain()], days=2), simulated([worn(CauseKind.THERMOSTAT_DRIFT, kelvin)], days=2)
    difference = np.nanmax(drifted["temperature"]) - np.nanmax(true["temperature"])
    assert difference == pytest.approx(-kelvin, abs=0.6)


def test_incidents_happen_and_show():
    """Each kind of incident is rare, known, and visible in the readings of its device while it lasts."""
    specs = [replace(spec, causes=()) for spec in generate_fleet(300, SEED, START)]
    readings = simulated(specs, days=4, interval=120)
    incidents = FleetSimulation(specs, SEED, START).incidents(START, START + timedelta(days=4))
    assert {incident.kind for incident in incidents} == set(IncidentKind)
    assert len(incidents) < 0.05 * 1200
    for incident in incidents:
        within = readings["device_index"] == incident.device_index
        within &= readings["recorded_at"] >= max(incident.started_at, START).timestamp() * 1e6
        within &= readings["recorded_at"] < incident.ended_at.timestamp() * 1e6
        spec = specs[incident.device_index]
        if incident.kind is IncidentKind.SILENCE:
            assert not within.any()
        elif incident.kind is IncidentKind.PRESSURE_SPIKE:
            assert np.all(np.isnan(readings["pressure"][within]) | (readings["pressure"][within] > 4))
        elif incident.kind is IncidentKind.ELEMENT_FAILURE:
            assert np.nanmax(readings["power"][within]) == 0
        elif incident.ended_at < START + timedelta(days=4) and spec.mode is not WaterHeaterMode.VACATION:
            assert (
                readings["heating"][within].all() or np.nanmax(readings["temperature"][within]) > spec.max_temperature
            )


def test_the_energy_of_a_missed_reading_is_in_the_next():
    """After a silence the energy says what was used meanwhile: the sum over a day is that of the meter."""
    specs = [plain(serial_number=f"S-{number}") for number in range(60)]
    simulation = FleetSimulation(specs, SEED, START)
    readings = joined(simulation.advance(START + timedelta(days=1), 60))
    sums = np.bincount(readings["device_index"], np.nan_to_num(readings["energy"]), minlength=60)
    assert len(readings["energy"]) < 60 * 1440
    np.testing.assert_allclose(sums, simulation._metered, atol=1e-6)
    np.testing.assert_allclose(sums, simulation._state.energy, atol=0.1)
