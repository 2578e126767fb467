"""What simulated vending machines sell, and how they are kept filled."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from models.devices.simulation import PAYMENT_METHODS, Restocks, Sales, VendingSimulation, generate_vending_fleet
from models.devices.simulation.vending_demand import poisson
from models.devices.simulation.vending_sites import SITES, Site

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 21
SEED = 11
HOUR = 3600


def run(simulation, until, interval=HOUR):
    """Return the sales and restocks up to an instant."""
    blocks = list(simulation.advance(until, interval))
    return Sales.joined([block.sales for block in blocks]), Restocks.joined([block.restocks for block in blocks])


@pytest.fixture(scope="module")
def traded():
    """Return the specifications, the stock at the start and at the end, sales and restocks of 40 machines."""
    specs = generate_vending_fleet(40, SEED, START)
    simulation = VendingSimulation(specs, SEED, START)
    before = [simulation.quantities(index) for index in range(40)]
    sales, restocks = run(simulation, START + timedelta(days=DAYS))
    return specs, before, [simulation.quantities(index) for index in range(40)], sales, restocks


def test_daily_units_are_believable(traded):
    """Each machine sells 10 to 110 units a day, most of what it could sell were it never empty."""
    specs, _, _, sales, _ = traded
    units = np.bincount(sales.machine_index, sales.units, minlength=40) / DAYS
    assert np.all((units > 10) & (units < 110))
    wanted = sum(spec.daily_units for spec in specs)
    assert 0.65 * wanted < units.sum() < 1.1 * wanted


def test_hours_of_the_week_are_those_of_the_site(traded):
    """Sales follow the local clock: schools rest at the weekend, stations are busy at 7 and 17, gyms in the evening."""
    specs, _, _, sales, _ = traded
    week = {site: np.zeros(168) for site in Site}
    for machine, micros, units in zip(sales.machine_index, sales.sold_at_micros, sales.units, strict=True):
        spec = specs[machine]
        local = datetime.fromtimestamp(micros / 1e6, ZoneInfo(spec.time_zone))
        week[spec.site][24 * local.weekday() + local.hour] += units
    for site, sold in week.items():
        expected = SITES[site].hour_of_week_shares()
        assert np.all(sold[expected == 0] == 0)
        assert np.corrcoef(sold / sold.sum(), expected)[0, 1] > 0.9
    days = {site: sold.reshape(7, 24) for site, sold in week.items()}
    assert days[Site.SCHOOL][5:].sum() == 0
    assert days[Site.MALL][5].sum() > days[Site.MALL][:5].sum() / 5
    assert days[Site.GYM][:, 17:21].sum() > 2 * days[Site.GYM][:, 10:14].sum()
    assert days[Site.STATION][:5, 7].sum() > 1.5 * days[Site.STATION][:5, 10].sum()


def test_stock_adds_up_and_is_never_negative(traded):
    """Stock at the start, less sales, plus what was loaded: between zero and capacity, and right at the end."""
    specs, before, after, sales, restocks = traded
    for machine, spec in enumerate(specs):
        for slot, own in enumerate(spec.slots):
            sold = (sales.machine_index == machine) & (sales.slot_index == slot)
            loaded = (restocks.machine_index == machine) & (restocks.slot_index == slot)
            at = np.concatenate([restocks.restocked_at_micros[loaded], sales.sold_at_micros[sold]])
            change = np.concatenate([restocks.quantity_added[loaded], -sales.units[sold]])
            stock = before[machine][slot] + np.cumsum(change[np.argsort(at, kind="stable")])
            assert np.all((stock >= 0) & (stock <= own.capacity))
            assert after[machine][slot] == before[machine][slot] + change.sum()


def test_restocking_fills_to_capacity_every_few_days(traded):
    """Each machine is visited in working hours, not on Sundays, and every slot that was not full is full after it."""
    specs, _, _, _, restocks = traded
    assert restocks.restocked_by == "Route North"
    assert np.all(restocks.quantity_added > 0)
    for machine, slot, quantity in zip(
        restocks.machine_index, restocks.slot_index, restocks.quantity_after, strict=True
    ):
        assert quantity == specs[machine].slots[slot].capacity
    for machine, spec in enumerate(specs):
        visits = np.unique(restocks.restocked_at_micros[restocks.machine_index == machine])
        assert 2 <= len(visits) <= 15
        for micros in visits:
            local = datetime.fromtimestamp(micros / 1e6, ZoneInfo(spec.time_zone))
            assert 8 <= local.hour < 16
            assert local.weekday() < 6


def test_some_slots_run_low_and_some_sell_out(traded):
    """At the end of the run there is something to load, but most slots still sell."""
    specs, _, after, _, _ = traded
    slots = [
        (spec.slots[slot], left) for spec, held in zip(specs, after, strict=True) for slot, left in enumerate(held)
    ]
    low = sum(left <= slot.low_stock_threshold for slot, left in slots)
    assert 0.03 < low / len(slots) < 0.4
    assert 0 < sum(left == 0 for _, left in slots) / len(slots) < 0.15


def test_transactions_are_unique_and_ordered(traded):
    """A transaction id carries serial number, day and number; times rise; prices are those of the slots."""
    specs, _, _, sales, restocks = traded
    assert len(set(sales.transaction_ids)) == len(sales)
    assert np.all(np.diff(sales.sold_at_micros) >= 0)
    assert np.all(np.diff(restocks.restocked_at_micros) >= 0)
    first = specs[sales.machine_index[0]]
    assert sales.transaction_ids[0].startswith(f"{first.serial_number}-20260302-")
    assert set(sales.payment_methods) == set(PAYMENT_METHODS)
    assert set(sales.units.tolist()) == {1, 2}
    for machine, slot, price in zip(sales.machine_index, sales.slot_index, sales.unit_price_minor, strict=True):
        assert price == specs[machine].slots[slot].price_minor


def test_a_restarted_simulation_names_its_sales_alike():
    """One that starts a day later gives the sales that both have the same identities."""
    specs, later = generate_vending_fleet(8, SEED, START), START + timedelta(days=1)
    until = START + timedelta(days=2)
    first, _ = run(VendingSimulation(specs, SEED, START), until)
    second, _ = run(VendingSimulation(specs, SEED, later), until)
    known = dict(zip(first.transaction_ids, first.sold_at_micros.tolist(), strict=True))
    common = [(identity, at) for identity, at in zip(second.transaction_ids, second.sold_at_micros, strict=True)]
    shared = [at == known[identity] for identity, at in common if identity in known]
    assert len(shared) > 0.5 * len(common)
    assert all(shared)


def test_an_empty_slot_sells_nothing_until_it_is_filled():
    """The quantity that is set counts at once: none sold at zero, two units at most from two."""
    specs = generate_vending_fleet(3, SEED, START)
    simulation = VendingSimulation(specs, SEED, START)
    for slot in range(len(specs[0].slots)):
        simulation.set_quantity(0, slot, 0)
        simulation.set_quantity(1, slot % len(specs[1].slots), 2)
    sales, _ = run(simulation, START + timedelta(hours=7))
    assert not np.any(sales.machine_index == 0)
    sold = np.bincount(sales.slot_index[sales.machine_index == 1], sales.units[sales.machine_index == 1])
    assert sold.max() <= 2
    assert min(simulation.quantities(1)) >= 0


def test_prices_and_cash_can_be_set():
    """A new price is that of the next sale, and the cash level goes on from what was set."""
    specs = generate_vending_fleet(2, SEED, START)
    simulation = VendingSimulation(specs, SEED, START)
    for slot in range(len(specs[1].slots)):
        simulation.set_price(1, slot, 777)
    simulation.set_cash_level(1, 12_345)
    sales, _ = run(simulation, START + timedelta(hours=7))
    own = sales.machine_index == 1
    assert own.any()
    assert set(sales.unit_price_minor[own].tolist()) == {777}
    assert set(simulation.prices(1)) == {777}
    cash = own & (np.array(sales.payment_methods) == "CASH")
    assert simulation.cash_level(1) == 12_345 + 777 * sales.units[cash].sum()


def test_a_full_cash_box_takes_no_cash():
    """From the next full hour on, cash is refused while other payments go on."""
    specs = generate_vending_fleet(2, SEED, START)
    simulation = VendingSimulation(specs, SEED, START - timedelta(hours=1))
    simulation.set_cash_level(1, specs[1].cash_capacity)
    sales, _ = run(simulation, START + timedelta(hours=8))
    methods = np.array(sales.payment_methods)[sales.machine_index == 1]
    assert len(methods) > 3
    assert "CASH" not in methods


def test_impossible_values_are_refused():
    """Nothing is below zero, and a slot has to be there."""
    simulation = VendingSimulation(generate_vending_fleet(1, SEED, START), SEED, START)
    for change in (simulation.set_quantity, simulation.set_capacity, simulation.set_price):
        with pytest.raises(ValueError, match="is -1; it must not be negative"):
            change(0, 0, -1)
        with pytest.raises(IndexError, match="machine 0 has no slot 99; it has 19 slots, from 0"):
            change(0, 99, 1)
    with pytest.raises(ValueError, match="the cash level is -1"):
        simulation.set_cash_level(0, -1)


def test_a_visit_fills_to_the_capacity_that_was_set():
    """A slot that was made smaller is filled to its new capacity, and one that holds more is left alone."""
    simulation = VendingSimulation(generate_vending_fleet(1, SEED, START), SEED, START)
    simulation.set_capacity(0, 0, 3)
    simulation.set_quantity(0, 0, 0)
    simulation.set_capacity(0, 1, 2)
    simulation.set_quantity(0, 1, 500)
    for slot in range(2, 19):
        simulation.set_quantity(0, slot, 0)
    _, restocks = run(simulation, START + timedelta(days=3))
    assert set(restocks.quantity_after[restocks.slot_index == 0].tolist()) == {3}
    assert len(restocks.quantity_after[restocks.slot_index == 2]) > 0
    assert not np.any(restocks.slot_index == 1)


def test_a_fleet_may_be_empty():
    """No machines sell nothing and send nothing."""
    (block,) = VendingSimulation([], SEED, START).advance(START + timedelta(hours=1), 600)
    assert (len(block), len(block.sales), len(block.restocks)) == (0, 0, 0)
    assert list(block.batches([], 10)) == []


def test_unchanged_quantities_change_nothing():
    """Handing in what a simulation has already leaves its sales as they were."""
    specs, until = generate_vending_fleet(6, SEED, START), START + timedelta(days=1)
    left, told = (VendingSimulation(specs, SEED, START) for _ in range(2))
    for machine in range(6):
        for slot, quantity in enumerate(told.quantities(machine)):
            told.set_quantity(machine, slot, quantity)
    assert run(left, until)[0].transaction_ids == run(told, until)[0].transaction_ids


def test_counts_are_poisson_distributed():
    """Mean and variance are the rate, and a rate of nothing counts nothing."""
    chances = (np.arange(100_000) + 0.5) / 100_000
    for rate in (0.05, 0.8, 6.0):
        counts = poisson(np.full(100_000, rate), chances)
        assert counts.mean() == pytest.approx(rate, rel=0.01)
        assert counts.var() == pytest.approx(rate, rel=0.01)
    assert poisson(np.zeros(10), chances[-10:]).sum() == 0
