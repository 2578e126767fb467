"""Simulated vending machines in time: readings, cash, cabinets, incidents, whatever way the time is cut."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.devices.simulation import Sales, VendingIncidentKind, VendingSimulation, generate_vending_fleet
from models.devices.simulation.vending_cabinet import HYSTERESIS
from models.devices.vending_machine import VENDING_MACHINE

START = datetime(2026, 3, 2, tzinfo=UTC)
SEED = 11
# Tighter than what ingestion accepts: least and most that a working machine could show.
BELIEVABLE = {"cabinet_temperature": (-30, 60), "power": (0, 10_000), "cash_level": (0, 100_000)}
COARSE = 3600


def joined(blocks):
    """Return the readings of blocks as columns, ordered by time, then by machine."""
    blocks = list(blocks)
    columns = {
        "device_index": np.concatenate([block.device_index for block in blocks]),
        "recorded_at": np.concatenate([block.recorded_at_micros for block in blocks]),
        "door_open": np.concatenate([block.door_open for block in blocks]),
    }
    for name in blocks[0].channels:
        columns[name] = np.concatenate([block.channels[name] for block in blocks])
    order = np.lexsort((columns["device_index"], columns["recorded_at"]))
    return {name: column[order] for name, column in columns.items()}


def sales_of(blocks):
    """Return the sales of blocks."""
    return Sales.joined([block.sales for block in blocks])


def assert_same_events(blocks, others, kind):
    """Check that the sales or restocks of two lists of blocks are the same."""
    for column in fields(getattr(blocks[0], kind)):
        one, other = (
            np.concatenate([getattr(getattr(block, kind), column.name) for block in run]) for run in (blocks, others)
        )
        np.testing.assert_array_equal(one, other, err_msg=column.name)


@pytest.fixture(scope="module")
def fortnight():
    """Return the specifications, the simulation and the blocks of two weeks of a fleet of 20, read every 5 minutes."""
    specs = generate_vending_fleet(20, SEED, START)
    simulation = VendingSimulation(specs, SEED, START)
    return specs, simulation, list(simulation.advance(START + timedelta(days=14), 300))


def test_readings_are_those_of_the_kind_and_plausible(fortnight):
    """Exactly the kind's channels, each value believable, hardly any missing."""
    _, _, blocks = fortnight
    readings = joined(blocks)
    assert set(readings) - {"device_index", "recorded_at"} == set(VENDING_MACHINE.by_name)
    for name, (least, most) in BELIEVABLE.items():
        assert least <= np.nanmin(readings[name])
        assert np.nanmax(readings[name]) <= most
        assert np.isnan(readings[name]).mean() < 0.002
    assert np.nanmin(readings["power"]) > 25
    assert np.nanmax(readings["power"]) < 3000
    assert 0.995 < len(readings["power"]) / (20 * 14 * 288) < 1


def test_batches_are_what_ingestion_takes(fortnight):
    """Identities instead of places, aware times, None for what is missing, no batch above the size."""
    _, _, blocks = fortnight
    batches = list(blocks[0].batches(range(101, 121), 500))
    assert sum(map(len, batches)) == len(blocks[0])
    assert max(map(len, batches)) == 500
    assert batches[0].kind == "VENDING_MACHINE"
    assert set(batches[0].channels) == set(VENDING_MACHINE.by_name)
    assert batches[0].device_ids[0] == 101
    assert batches[0].recorded_at[0] == START + timedelta(minutes=5)
    assert {type(value) for value in batches[0].channels["door_open"]} == {bool}
    for name, column in blocks[0].channels.items():
        values = [value for batch in batches for value in batch.channels[name]]
        assert values.count(None) == np.isnan(column).sum()


def test_the_cash_level_is_what_cash_sales_brought(fortnight):
    """From reading to reading it rises by the cash sales between, and falls only where the door is opened."""
    specs, simulation, blocks = fortnight
    readings, sales = joined(blocks), sales_of(blocks)
    is_cash = np.array(sales.payment_methods) == "CASH"
    emptied = np.concatenate([block.restocks.restocked_at_micros for block in blocks])
    emptied_machine = np.concatenate([block.restocks.machine_index for block in blocks])
    for index in range(len(specs)):
        rows = (readings["device_index"] == index) & ~np.isnan(readings["cash_level"])
        at, level = readings["recorded_at"][rows], readings["cash_level"][rows]
        own = is_cash & (sales.machine_index == index)
        paid = sales.units[own] * sales.unit_price_minor[own]
        between = np.bincount(np.searchsorted(at, sales.sold_at_micros[own], side="right"), paid, len(at) + 1)
        visits = np.bincount(np.searchsorted(at, emptied[emptied_machine == index]), minlength=len(at) + 1)
        quiet = visits[1 : len(at)] == 0
        np.testing.assert_array_equal(np.diff(level)[quiet], between[1 : len(at)][quiet])
        assert np.all(level >= 0)
        assert level[-1] <= simulation.cash_level(index) <= level[-1] + between[-1]


def test_visits_empty_the_cash_box(fortnight):
    """Right after a visit only change is left."""
    _, _, blocks = fortnight
    readings = joined(blocks)
    restocks = [block.restocks for block in blocks]
    for machine, at in {
        (int(machine), int(at))
        for part in restocks
        for machine, at in zip(part.machine_index, part.restocked_at_micros, strict=True)
    }:
        after = (readings["device_index"] == machine) & (readings["recorded_at"] == at)
        assert np.all(readings["cash_level"][after] == 2000)


def test_cabinets_stay_in_their_band_without_faults(fortnight):
    """Away from open doors and faults the air is within the hysteresis, give or take a minute's overshoot."""
    specs, simulation, blocks = fortnight
    readings = joined(blocks)
    incidents = simulation.incidents(START, START + timedelta(days=14))
    for index, spec in enumerate(specs):
        rows = readings["device_index"] == index
        temperature, at = readings["cabinet_temperature"][rows], readings["recorded_at"][rows] / 1e6
        calm = np.ones(len(at), dtype=bool)
        for opened in at[readings["door_open"][rows]]:
            calm &= (at < opened - 300) | (at > opened + 4 * 3600)
        for incident in incidents:
            if incident.machine_index == index:
                over = incident.ended_at.timestamp() + 12 * 3600
                calm &= (at < incident.started_at.timestamp()) | (at > over)
        assert calm.mean() > 0.5
        away = np.abs(temperature[calm] - spec.target_cabinet_temperature)
        assert np.nanmax(away) < HYSTERESIS + 1
        assert np.nanmean(away) < HYSTERESIS


def test_compressor_faults_warm_the_cabinet_and_save_power():
    """Each fault lets the temperature rise, the longer the more, without power for the compressor."""
    specs = [spec for spec in generate_vending_fleet(120, SEED, START) if spec.machine_type == "COLD_DRINK"]
    simulation = VendingSimulation(specs, SEED, START)
    end = START + timedelta(days=21)
    faults = [
        incident
        for incident in simulation.incidents(START, end)
        if incident.kind is VendingIncidentKind.COMPRESSOR_FAULT
        and START + timedelta(days=1) < incident.started_at < end - timedelta(days=1)
    ]
    readings = joined(simulation.advance(end, 300))
    assert len(faults) >= 2
    for fault in faults:
        within = readings["device_index"] == fault.machine_index
        within &= readings["recorded_at"] / 1e6 >= fault.started_at.timestamp()
        within &= readings["recorded_at"] / 1e6 < fault.ended_at.timestamp()
        hours = (fault.ended_at - fault.started_at) / timedelta(hours=1)
        temperature = readings["cabinet_temperature"][within]
        assert np.nanmax(temperature[-3:]) > 4 + 0.25 * hours
        assert np.nanmax(temperature) < 30
        assert np.nanmax(readings["power"][within]) < 100


def test_the_door_is_open_at_visits_and_when_left_open(fortnight):
    """Open for 10 to 25 minutes before each restock, and through each such incident, during which nothing is sold."""
    _, simulation, blocks = fortnight
    readings, sales = joined(blocks), sales_of(blocks)
    left_open = [
        incident
        for incident in simulation.incidents(START, START + timedelta(days=14))
        if incident.kind is VendingIncidentKind.DOOR_LEFT_OPEN and incident.ended_at < START + timedelta(days=14)
    ]
    spans = [
        (int(machine), at / 1e6 - 600, at / 1e6)
        for block in blocks
        for machine, at in zip(block.restocks.machine_index, block.restocks.restocked_at_micros, strict=True)
    ]
    spans += [(found.machine_index, found.started_at.timestamp(), found.ended_at.timestamp()) for found in left_open]
    assert left_open
    for machine, begin, end in spans:
        within = (readings["recorded_at"] / 1e6 >= begin) & (readings["recorded_at"] / 1e6 < end)
        assert readings["door_open"][within & (readings["device_index"] == machine)].all()
        sold = (sales.sold_at_micros / 1e6 >= begin) & (sales.sold_at_micros / 1e6 < end)
        assert not np.any(sold & (sales.machine_index == machine))
    assert 0 < readings["door_open"].mean() < 0.01


@pytest.mark.parametrize("interval", [60, 420])
def test_cutting_the_time_changes_nothing(interval):
    """Many short calls give the sales, restocks and readings of one long call."""
    specs, until = generate_vending_fleet(6, SEED, START), START + timedelta(days=3)
    whole = list(VendingSimulation(specs, SEED, START).advance(until, interval))
    cut = VendingSimulation(specs, SEED, START)
    steps = range(0, 3 * 1440 + 1, 37)
    pieces = [block for minutes in steps for block in cut.advance(START + timedelta(minutes=minutes), interval)]
    pieces += cut.advance(until, interval)
    expected = joined(whole)
    for name, column in joined(pieces).items():
        np.testing.assert_array_equal(column, expected[name], err_msg=name)
    for kind in ("sales", "restocks"):
        assert_same_events(pieces, whole, kind)
    assert sum(len(block.restocks) for block in whole) > 0


def test_sales_do_not_depend_on_the_interval():
    """Read every ten seconds or every hour, the machines sell and are filled the same."""
    specs, until = generate_vending_fleet(4, SEED, START), START + timedelta(days=2)
    fine, coarse = (list(VendingSimulation(specs, SEED, START).advance(until, seconds)) for seconds in (10, COARSE))
    for kind in ("sales", "restocks"):
        assert_same_events(fine, coarse, kind)


def test_nothing_happens_before_the_next_instant():
    """Time that stands still, runs backwards or is shorter than the interval gives no block."""
    simulation = VendingSimulation(generate_vending_fleet(2, SEED, START), SEED, START)
    for seconds in (0, -3600, 59):
        assert list(simulation.advance(START + timedelta(seconds=seconds), 60)) == []
    with pytest.raises(ValueError, match="the interval is 0 s"):
        list(simulation.advance(START, 0))


def test_coin_and_slot_jams_stop_what_they_concern():
    """No cash sale during a coin jam, no sale from a jammed slot, while the machine goes on selling."""
    specs = generate_vending_fleet(60, SEED, START)
    simulation, until = VendingSimulation(specs, SEED, START), START + timedelta(days=10)
    sales = sales_of(list(simulation.advance(until, COARSE)))
    is_cash = np.array(sales.payment_methods) == "CASH"
    others = dict.fromkeys((VendingIncidentKind.COIN_JAM, VendingIncidentKind.SLOT_JAM), 0)
    for incident in simulation.incidents(START, until):
        within = sales.machine_index == incident.machine_index
        within &= sales.sold_at_micros / 1e6 >= incident.started_at.timestamp()
        within &= sales.sold_at_micros / 1e6 < incident.ended_at.timestamp()
        if incident.kind is VendingIncidentKind.COIN_JAM:
            assert not is_cash[within].any()
            others[incident.kind] += within.sum()
        elif incident.kind is VendingIncidentKind.SLOT_JAM:
            assert not np.any(sales.slot_index[within] == incident.slot_index)
            others[incident.kind] += within.sum()
    assert min(others.values()) > 0


def test_coffee_is_brewed_with_power():
    """A coffee machine that sells draws more than one that stands at a closed school."""
    specs = [spec for spec in generate_vending_fleet(40, SEED, START) if spec.machine_type == "COFFEE"]
    busy = VendingSimulation([replace(spec, daily_units=80.0) for spec in specs], SEED, START)
    idle = VendingSimulation([replace(spec, daily_units=0.0) for spec in specs], SEED, START)
    until = START + timedelta(days=2)
    more, less = (np.nanmean(joined(run.advance(until, 60))["power"]) for run in (busy, idle))
    assert more > less + 20
