"""What to load next: forecasts of machines that sold for weeks, of machines that hardly did, and of none."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.store import Store
from tests import factories
from tests.app.running import SetClock
from tests.factories import MIDDAY
from tests.graph import Graph, graph_over
from tests.shops import fill, open_machine, sale, sell

NEEDS = """
query ($first: Int, $after: String) {
  restockNeeds(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes {
      machine { name } lowStockProductCount soonestSoldOutAt
      items { product { slot } quantityToLoad expectedSoldOutAt forecast { reason method } }
    }
  }
}
"""
PRODUCTS = """
query ($id: ID!) {
  vendingMachine(id: $id) {
    products {
      slot expectedSoldOutAt
      soldOutForecast { expectedAt earliestAt latestAt reason method meanAbsoluteError unitsPerDay }
    }
    restockList { product { slot } quantityToLoad expectedSoldOutAt }
  }
}
"""


@pytest.fixture
async def graph(store: Store) -> Graph:
    """A graph at a fixed instant, that takes batches of months of sales."""
    return graph_over(store, factories.settings(ingest={"max_batch_size": 10_000}), clock=lambda: MIDDAY)


async def _sold_for(graph: Graph, machine: str, days: int, units: dict[str, int]) -> None:
    """Let a machine have sold, on each day before today, some units of each slot at noon."""
    rows = [
        sale(machine, f"{slot}-{back}", MIDDAY - timedelta(days=back), slot=slot, quantity=count)
        for back in range(1, days + 1)
        for slot, count in units.items()
    ]
    assert (await sell(graph, *rows))["acceptedCount"] == len(rows)


async def _of(graph: Graph, machine: str) -> Any:
    assert await graph.planned(PRODUCTS, {"id": machine})
    return (await graph.data(PRODUCTS, id=machine))["vendingMachine"]


async def test_slots_sell_out_in_the_order_of_their_days_of_stock(graph: Graph):
    """Four a day of eight are two days, two a day of twelve are six; each within its interval."""
    machine = await open_machine(graph)
    await fill(graph, machine, "A1", quantity=8)
    await fill(graph, machine, "B1", quantity=12)
    await _sold_for(graph, machine, 60, {"A1": 4, "B1": 2})
    found = await _of(graph, machine)
    for row, days in zip(found["products"], (2, 6), strict=True):
        forecast = row["soldOutForecast"]
        expected, earliest, latest = (
            datetime.fromisoformat(forecast[name]) for name in ("expectedAt", "earliestAt", "latestAt")
        )
        assert abs((expected - MIDDAY) / timedelta(days=1) - days) <= 1.1
        assert MIDDAY < earliest < expected < latest
        assert (row["expectedSoldOutAt"], forecast["reason"]) == (forecast["expectedAt"], None)
        assert forecast["method"]
        assert forecast["unitsPerDay"] == pytest.approx(8 / days if days == 2 else 2, rel=0.2)
        assert forecast["meanAbsoluteError"] == pytest.approx(0, abs=0.5)
    assert [(row["product"]["slot"], row["quantityToLoad"]) for row in found["restockList"]] == [("A1", 12), ("B1", 8)]
    assert found["restockList"][0]["expectedSoldOutAt"] == found["products"][0]["expectedSoldOutAt"]


async def test_too_little_is_known(graph: Graph):
    """Without sales, or with a few days of them, there is no time but a reason; an empty slot is sold out now."""
    new, young = await open_machine(graph, "VM-1"), await open_machine(graph, "VM-2")
    await fill(graph, new)
    await fill(graph, young)
    await fill(graph, young, "B1", quantity=0)
    await _sold_for(graph, young, 5, {"A1": 3})
    (row,) = (await _of(graph, new))["products"]
    assert (row["expectedSoldOutAt"], row["soldOutForecast"]["reason"]) == (None, "NO_SALES")
    full, empty = (await _of(graph, young))["products"]
    assert (full["expectedSoldOutAt"], full["soldOutForecast"]["reason"]) == (None, "TOO_LITTLE_HISTORY")
    assert full["soldOutForecast"]["method"] is None
    at = datetime.fromisoformat(empty["expectedSoldOutAt"])
    assert at == MIDDAY
    assert empty["soldOutForecast"]["reason"] is None


async def test_a_slow_seller_lasts_beyond_the_horizon(graph: Graph):
    """What lasts for months has no date, and says so."""
    machine = await open_machine(graph)
    await fill(graph, machine, "A1", quantity=10)
    await fill(graph, machine, "B1", quantity=300, capacity=400)
    await _sold_for(graph, machine, 60, {"A1": 4, "B1": 1})
    row = (await _of(graph, machine))["products"][1]
    assert (row["expectedSoldOutAt"], row["soldOutForecast"]["reason"]) == (None, "BEYOND_HORIZON")


async def test_needs_come_by_urgency_in_pages(graph: Graph):
    """The machine that sells out first comes first; one of which nothing is known comes by its low slots."""
    for name, quantity in (("calm", 15), ("urgent", 4)):
        machine = await open_machine(graph, f"VM-{name}", name=name)
        await fill(graph, machine, quantity=quantity)
        await _sold_for(graph, machine, 40, {"A1": 4})
    unknown = await open_machine(graph, "VM-unknown", name="unknown")
    await fill(graph, unknown, quantity=5)
    low = await open_machine(graph, "VM-low", name="low")
    await fill(graph, low, quantity=2, lowStockThreshold=2)
    full = await open_machine(graph, "VM-full", name="full")
    await fill(graph, full, quantity=20)
    every = (await graph.data(NEEDS, first=10))["restockNeeds"]
    assert [row["machine"]["name"] for row in every["nodes"]] == ["urgent", "calm", "low", "unknown"]
    assert (every["totalCount"], every["pageInfo"]["hasNextPage"]) == (4, False)
    assert [row["lowStockProductCount"] for row in every["nodes"]] == [1, 0, 1, 0]
    assert every["nodes"][2]["items"][0]["forecast"] == {"reason": "NO_SALES", "method": None}
    names: list[str] = []
    after = None
    for _ in range(2):
        page = (await graph.data(NEEDS, first=2, after=after))["restockNeeds"]
        names += [row["machine"]["name"] for row in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert names == ["urgent", "calm", "low", "unknown"]


async def test_a_cursor_of_another_list_is_refused(graph: Graph):
    """As everywhere."""
    body = await graph.answer(NEEDS, first=1, after="bm9uZQ")
    assert body["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["after"]}


async def test_the_choice_of_a_method_is_kept_for_a_day(store: Store, statements: list[str]):
    """The first answer stores what the backtest chose, the next ones use it, until it is a day old."""
    clock = [MIDDAY]
    graph = graph_over(store, factories.settings(ingest={"max_batch_size": 10_000}), clock=lambda: clock[0])
    machine = await open_machine(graph)
    await fill(graph, machine)
    await _sold_for(graph, machine, 40, {"A1": 4})

    async def stored() -> bool:
        statements.clear()
        await graph.data(PRODUCTS, id=machine)
        return any("INSERT INTO vending_machine_demand_choices" in text for text in statements)

    assert [await stored(), await stored()] == [True, False]
    clock[0] += timedelta(hours=23)
    assert not await stored()
    clock[0] += timedelta(hours=2)
    assert await stored()


async def test_a_product_that_was_taken_out_is_no_demand_of_the_next(graph: Graph):
    """Sales of what was in the slot before count for the machine, not for the product that is there now."""
    machine = await open_machine(graph)
    await fill(graph, machine, name="Old")
    await _sold_for(graph, machine, 40, {"A1": 4})
    await fill(graph, machine, name="New", quantity=10)
    (row,) = (await _of(graph, machine))["products"]
    assert row["soldOutForecast"]["reason"] == "NO_SALES"


async def test_a_forecast_is_made_once_a_minute(store: Store, statements: list[str]):
    """Who asks again gets what was found, until a sale changes the stock of that machine, or a minute has passed."""
    clock = SetClock(MIDDAY)
    graph = graph_over(store, factories.settings(ingest={"max_batch_size": 10_000}), clock=clock)
    machines = [await open_machine(graph, serial_number) for serial_number in ("VM-1", "VM-2")]
    for machine in machines:
        await fill(graph, machine, "A1", quantity=8)
        await _sold_for(graph, machine, 30, {"A1": 4})

    async def asked() -> tuple[Any, int]:
        statements.clear()
        found = (await graph.data(NEEDS, first=10))["restockNeeds"]["nodes"]
        return found, sum("FROM vending_machine_sales" in sql for sql in statements)

    first, read = await asked()
    assert read == 1
    assert await asked() == (first, 0)
    assert (await sell(graph, sale(machines[0], "now", MIDDAY, slot="A1", quantity=2)))["acceptedCount"] == 1
    second, read = await asked()
    assert read == 1
    assert [row["items"][0]["quantityToLoad"] for row in second] != [row["items"][0]["quantityToLoad"] for row in first]
    clock.forward(seconds=61)
    third, read = await asked()
    assert read == 1
    assert {row["machine"]["name"] for row in third} == {row["machine"]["name"] for row in second}
