"""When stock sells out, and what to load."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.learning.demand import (
    Choice,
    MachineHistory,
    Method,
    Reason,
    choose,
    forecast,
    forecasts,
    outlook,
    quantities_to_load,
)
from models.learning.demand.counts import expectation_at, probability_of_at_least, quantile
from models.learning.demand.localtime import DAY, HOUR, local_micros

# A Monday, 2024-07-15, and half a year later.
START = 19_919 * DAY
NOW = START + 140 * DAY + 10 * HOUR


def machine(rates=(6.0, 2.0, 0.5, 0.0), seed=5, **changes) -> MachineHistory:
    """Return 140 days of sales between 8 and 18 o'clock UTC, with these expected units a day by product."""
    random = np.random.default_rng(seed)
    units = random.poisson(np.tile(rates, (141, 1)))
    day, product = (np.repeat(index.ravel(), units.ravel()) for index in np.indices(units.shape))
    fields = {
        "products": product,
        "sold_at_micros": START + day * DAY + 8 * HOUR + random.integers(0, 10 * HOUR, len(day)),
        "units": np.ones(len(day)),
        "product_count": len(rates),
        "start_micros": START,
        "now_micros": NOW,
    }
    return MachineHistory(**(fields | changes))


HISTORY = machine()
CHOICE = choose(HISTORY)


def test_products_get_their_parts():
    """Expected units a day are near the rates that the sales were drawn with."""
    found = forecast(HISTORY, CHOICE, [10, 10, 10, 10])
    for product, rate in enumerate((6.0, 2.0, 0.5)):
        daily_units = found[product].daily_units
        assert daily_units is not None
        assert daily_units.shape == (28,)
        assert daily_units.mean() == pytest.approx(rate, rel=0.3)
        assert (found[product].method, found[product].mae) == (CHOICE.method, CHOICE.mae)
    assert (found[3].reason, found[3].daily_units) == (Reason.NO_SALES, None)


def test_forecast_repeats_and_changes_nothing():
    """The same history gives the same forecast, and its arrays stay as they were."""
    before = (HISTORY.products.copy(), HISTORY.sold_at_micros.copy(), HISTORY.units.copy())
    once, again = (forecast(HISTORY, CHOICE, [4, 4, 4, 4]) for _ in range(2))
    assert [(f.lower, f.expected_sold_out_at, f.upper) for f in once] == [
        (f.lower, f.expected_sold_out_at, f.upper) for f in again
    ]
    after = (HISTORY.products, HISTORY.sold_at_micros, HISTORY.units)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_order_of_sales_does_not_matter():
    """Sales may come in any order."""
    shuffle = np.random.default_rng(0).permutation(len(HISTORY.products))
    shuffled = replace(
        HISTORY, products=HISTORY.products[shuffle], sold_at_micros=HISTORY.sold_at_micros[shuffle], units=HISTORY.units
    )
    instants = [f.expected_sold_out_at for f in forecast(HISTORY, CHOICE, [9, 9, 9, 9])]
    assert [f.expected_sold_out_at for f in forecast(shuffled, CHOICE, [9, 9, 9, 9])] == pytest.approx(instants, abs=2)


def test_future_sales_change_no_forecast():
    """A history that is longer than now forecasts as one that ends there."""
    earlier = NOW - 30 * DAY
    kept = HISTORY.sold_at_micros < earlier
    cut = replace(
        HISTORY,
        products=HISTORY.products[kept],
        sold_at_micros=HISTORY.sold_at_micros[kept],
        units=HISTORY.units[kept],
        now_micros=earlier,
    )
    one, other = (forecast(history, CHOICE, [7] * 4) for history in (replace(HISTORY, now_micros=earlier), cut))
    assert [f.upper for f in one] == [f.upper for f in other]


def test_more_stock_never_sells_out_earlier():
    """With each unit more the three instants move on or stay, and from some stock on they lie beyond the horizon."""
    found = [forecast(HISTORY, CHOICE, [stock] * 4) for stock in range(60)]
    for product in range(3):
        for name in ("lower", "expected_sold_out_at", "upper"):
            instants = [getattr(f[product], name) for f in found]
            numbers = [float("inf") if instant is None else instant for instant in instants]
            assert numbers == sorted(numbers)
    assert found[-1][2].reason is Reason.BEYOND_HORIZON
    assert found[-1][2].expected_sold_out_at is None


@pytest.mark.parametrize("stock", [1, 2, 5, 12, 40])
def test_interval_contains_the_expectation(stock):
    """The expected instant lies in the interval, and a wider coverage widens it."""
    bounds = [
        [
            tuple(np.inf if instant is None else instant for instant in (f.lower, f.expected_sold_out_at, f.upper))
            for f in forecast(HISTORY, CHOICE, [stock] * 4, coverage=coverage)
        ]
        for coverage in (0.5, 0.95)
    ]
    for narrow, wide in zip(*bounds, strict=True):
        assert wide[0] <= narrow[0] <= narrow[1] == wide[1] <= narrow[2] <= wide[2]


def test_scaled_units_sell_out_alike():
    """Three times the units sold from three times the stock are expected to last as long."""
    tripled = replace(HISTORY, units=3 * HISTORY.units)
    choice = Choice(method=Method.HOUR_OF_WEEK, members=(Method.HOUR_OF_WEEK,), maes={Method.HOUR_OF_WEEK: 1.0})
    one = [f.expected_sold_out_at for f in forecast(HISTORY, choice, [4, 4, 4, 4])]
    assert [f.expected_sold_out_at for f in forecast(tripled, choice, [12, 12, 12, 12])] == pytest.approx(one, abs=HOUR)


def test_empty_slot_is_sold_out_now():
    """Without stock there is nothing to wait for, whether the product sells or not."""
    for found in forecast(HISTORY, CHOICE, [0, 0, 0, 0]):
        assert (found.lower, found.expected_sold_out_at, found.upper) == (NOW, NOW, NOW)
        assert found.reason is None


def test_nothing_sells_at_night():
    """Expected instants of a machine that sells from 8 to 18 o'clock lie there, in the machine's own time."""
    tokyo = machine(zone="Asia/Tokyo", sold_at_micros=HISTORY.sold_at_micros - 9 * HOUR)
    for history in (HISTORY, tokyo):
        choice = choose(history)
        for stock in range(1, 15):
            instant = forecast(history, choice, [stock] * 4)[0].expected_sold_out_at
            hour = local_micros(np.array([instant]), history.zone)[0] % DAY / HOUR
            assert 7.5 < hour < 18.5


def test_dates_without_time_spread_over_the_day():
    """Where all sales are stamped midnight, no hour is taken for the busy one."""
    dated = replace(HISTORY, sold_at_micros=HISTORY.sold_at_micros // DAY * DAY)
    seen = outlook(dated, choose(dated))
    assert seen is not None
    hourly = np.diff(seen.cumulative)[1:15]
    assert hourly == pytest.approx(np.full(14, hourly[0]))


def test_reason_of_a_machine_is_that_of_its_products():
    """A machine without enough history forecasts nothing and says so for each product."""
    young = replace(HISTORY, now_micros=START + 10 * DAY)
    choice = choose(young)
    found = forecast(young, choice, [5, 0, 5, 5])
    assert [f.reason for f in found] == [
        Reason.TOO_LITTLE_HISTORY, None, Reason.TOO_LITTLE_HISTORY, Reason.TOO_LITTLE_HISTORY,
    ]  # fmt: skip
    assert all(f.daily_units is None and f.method is None for f in found)


def test_rare_product_has_a_reason():
    """Two sales in twelve weeks are too few for a product of a machine that sells well."""
    extra = {
        "products": np.append(HISTORY.products, [3, 3]),
        "sold_at_micros": np.append(HISTORY.sold_at_micros, [NOW - 5 * DAY, NOW - 9 * DAY]),
        "units": np.append(HISTORY.units, [1.0, 1.0]),
    }
    rare = replace(HISTORY, **extra)
    assert forecast(rare, choose(rare), [5] * 4)[3].reason is Reason.TOO_LITTLE_HISTORY


def test_new_product_is_judged_by_its_own_days():
    """A product that came in three weeks ago and sold twice a day since is expected to sell about that."""
    late = (HISTORY.products != 1) | (HISTORY.sold_at_micros >= NOW - 21 * DAY)
    history = replace(
        HISTORY, products=HISTORY.products[late], sold_at_micros=HISTORY.sold_at_micros[late], units=HISTORY.units[late]
    )
    stocked = np.array([START, NOW - 21 * DAY, START, START])
    informed = replace(history, stocked_at_micros=stocked)
    choice = choose(history)
    plain, knowing = (forecast(h, choice, [5] * 4)[1].daily_units for h in (history, informed))
    assert plain is not None
    assert knowing is not None
    assert plain.mean() < knowing.mean()
    assert knowing.mean() == pytest.approx(2.0, rel=0.35)


def test_interval_holds_as_often_as_it_says():
    """Of many machines that sell as before, four in five sell out within the interval, give or take."""
    held = []
    for seed in range(40):
        history = machine((3.0, 1.0), seed=seed)
        earlier = replace(history, now_micros=NOW - 21 * DAY)
        for product, found in enumerate(forecast(earlier, choose(earlier), [8, 5])):
            sold = np.sort(history.sold_at_micros[history.products == product])
            instant = sold[sold >= earlier.now_micros][[7, 4][product]]
            held.append(found.lower <= instant <= (found.upper or np.inf))
    assert 0.7 <= np.mean(held) <= 0.95


def test_loads_fill_or_last_until_the_visit():
    """Without a visit slots are filled; with one they get what lasts until then, and a later visit takes no less."""
    stock, room = [3, 3, 3, 3], [40, 40, 40, 40]
    seen = outlook(HISTORY, CHOICE)
    assert seen is not None
    assert quantities_to_load(stock, room).tolist() == [37] * 4
    assert quantities_to_load([50], [40]).tolist() == [0]
    loads = [quantities_to_load(stock, room, seen=seen, next_visit_micros=NOW + days * DAY) for days in (1, 3, 7, 100)]
    assert all(np.all(sooner <= later) for sooner, later in pairwise(loads))
    assert loads[1][0] > loads[1][2]
    assert loads[1][3] == 37
    assert loads[3].tolist() == [37] * 4


def test_wrong_quantities_are_refused():
    """There is one quantity for each product, none negative."""
    for wrong in ([1], [1, 1, 1, -1], [1, 1, 1, np.nan]):
        with pytest.raises(ValueError, match="quantities"):
            forecast(HISTORY, CHOICE, wrong)


def test_machine_without_products_forecasts_none():
    """Sales of no known product make a machine's demand, of which no slot has a part."""
    unknown = replace(HISTORY, products=np.full(len(HISTORY.products), -1), product_count=0)
    assert forecast(unknown, choose(unknown), []) == []


def test_large_stock_costs_no_memory():
    """A million units are beyond the horizon, and the probabilities of large numbers stay in order."""
    assert forecast(HISTORY, CHOICE, [1_000_000] * 4)[0].reason is Reason.BEYOND_HORIZON
    quantities = np.arange(300.0, 900.0, 50.0)
    ones = np.ones(len(quantities))
    found = probability_of_at_least(quantities, 550 * ones, 0.5 * ones, 80 * ones)
    assert np.all(np.diff(found) < 0)


def test_counts_are_poisson_without_excess():
    """With much evidence and no excess the probabilities are Poisson's; expectation and quantile invert them."""
    ones = np.ones(3)
    quantities, expected = np.array([1.0, 2.0, 3.0]), np.full(3, 2.0)
    found = probability_of_at_least(quantities, expected, 0 * ones, 1e9 * ones)
    assert found == pytest.approx([0.8646647, 0.5939942, 0.3233236], abs=1e-6)
    back = expectation_at(0.3, quantities, 0.4 * ones, 9 * ones)
    assert probability_of_at_least(quantities, back, 0.4 * ones, 9 * ones) == pytest.approx(0.3 * ones)
    assert quantile(0.9, expected, 0 * ones, 1e9 * ones, 99 * ones).tolist() == [4, 4, 4]
    assert quantile(0.9, 0 * ones, 0 * ones, ones, 99 * ones).tolist() == [0, 0, 0]


def test_machines_together_are_forecast_as_each_alone():
    """Machines of other products, of none and without a choice are told in their order, with the same instants."""
    other = machine((3.0, 0.2), seed=6)
    nothing = replace(HISTORY, products=np.empty(0, np.int64), sold_at_micros=np.empty(0, np.int64), units=np.empty(0))
    machines = [
        (HISTORY, CHOICE, [4, 0, 300, 7]),
        (nothing, choose(nothing), [5, 5, 0, 5]),
        (other, choose(other), [9, 2]),
    ]
    for together, case in zip(forecasts(machines), machines, strict=True):
        alone = forecast(*case)
        assert [each.reason for each in together] == [each.reason for each in alone]
        for name in ("expected_sold_out_at", "lower", "upper"):
            for one, many in zip(alone, together, strict=True):
                # Sums of other lengths round otherwise, by microseconds.
                assert getattr(many, name) == pytest.approx(getattr(one, name), abs=10)
    assert forecasts([]) == []
