"""What was sold, counted by the database: totals, best sellers, calendar buckets; of one machine and of the fleet."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models.store import Store
from tests import factories
from tests.counting import Statements
from tests.graph import Graph, graph_over
from tests.shops import fill, open_machine, sale, sell

NOW = datetime(2024, 11, 5, 12, tzinfo=UTC)
# Clocks in Berlin go back on the 27th of October.
SPAN = {"from": "2024-10-25T22:00:00Z", "to": "2024-10-28T23:00:00Z"}

OF_MACHINE = """
query ($id: ID!, $from: DateTime!, $to: DateTime!, $unit: CalendarUnit!, $zone: String, $by: SalesGroup!) {
  vendingMachine(id: $id) {
    salesSummary(from: $from, to: $to) {
      from to currency transactionCount unitsSold revenue { amount currency }
      topProducts(first: 2) { product { name } unitsSold revenue { amount } }
      buckets(unit: $unit, timeZone: $zone, groupBy: $by) {
        from to product { name } category paymentMethod unitsSold revenue { amount }
      }
    }
  }
}
"""
OF_FLEET = """
query ($from: DateTime!, $to: DateTime!, $unit: CalendarUnit!, $zone: String, $by: SalesGroup!) {
  salesSummaries(from: $from, to: $to) {
    currency transactionCount unitsSold revenue { amount }
    topProducts(first: 2) { product { name } unitsSold revenue { amount } }
    buckets(unit: $unit, timeZone: $zone, groupBy: $by) { from unitsSold product { name } category revenue { amount } }
  }
}
"""


@pytest.fixture
async def graph(store: Store) -> Graph:
    """A graph in November 2024."""
    return graph_over(store, factories.settings(), clock=lambda: NOW)


def at(*parts: int) -> datetime:
    """Return an instant of October 2024, in UTC."""
    return datetime(2024, 10, *parts, tzinfo=UTC)


async def _shop(graph: Graph, serial_number: str = "VM-1") -> str:
    machine = await open_machine(graph, serial_number, timeZone="Europe/Berlin")
    await fill(graph, machine, "A1", name="Cola", category="Drinks")
    await fill(graph, machine, "B1", name="Nuts", price={"amount": "2.00", "currency": "EUR"})
    await sell(
        graph,
        sale(machine, "sat", at(26, 21, 59), paymentMethod="CARD"),
        sale(machine, "sun", at(26, 22, 0), quantity=2, paymentMethod="CASH"),
        sale(machine, "sun again", at(27, 0, 30), line=1, paymentMethod="CARD"),
        sale(machine, "sun again", at(27, 0, 30), line=2, slot="B1", paymentMethod="CARD"),
        # One hour later by the sun, at the same time by the clock.
        sale(machine, "sun at last", at(27, 22, 59), slot="B1", paymentMethod="CARD"),
        sale(machine, "mon", at(27, 23, 0), quantity=5, paymentMethod="CASH"),
        sale(machine, "out of the span", at(29, 12, 0), quantity=9),
    )
    return machine


async def _of(graph: Graph, machine: str, **variables: Any) -> Any:
    values = {"id": machine, **SPAN, "unit": "DAY", "by": "NONE", **variables}
    return (await graph.data(OF_MACHINE, values))["vendingMachine"]["salesSummary"]


async def test_totals_and_best_sellers(graph: Graph):
    """Transactions count once, whatever their lines; products come by the units sold."""
    summary = await _of(graph, await _shop(graph))
    assert (summary["from"], summary["to"]) == ("2024-10-25T22:00:00+00:00", "2024-10-28T23:00:00+00:00")
    assert (summary["transactionCount"], summary["unitsSold"]) == (5, 11)
    assert summary["revenue"] == {"amount": "17.50", "currency": "EUR"}
    assert summary["topProducts"] == [
        {"product": {"name": "Cola"}, "unitsSold": 9, "revenue": {"amount": "13.50"}},
        {"product": {"name": "Nuts"}, "unitsSold": 2, "revenue": {"amount": "4.00"}},
    ]


async def test_days_are_those_of_the_machine_across_a_change_of_clocks(graph: Graph):
    """The Sunday on which clocks go back has 25 hours, and every day of the span is there."""
    summary = await _of(graph, await _shop(graph))
    assert [(row["from"], row["unitsSold"], row["revenue"]["amount"]) for row in summary["buckets"]] == [
        ("2024-10-25T22:00:00+00:00", 1, "1.50"),
        ("2024-10-26T22:00:00+00:00", 5, "8.50"),
        ("2024-10-27T23:00:00+00:00", 5, "7.50"),
    ]
    assert summary["buckets"][1]["to"] == "2024-10-27T23:00:00+00:00"


async def test_days_of_another_zone(graph: Graph):
    """The zone of the caller cuts elsewhere; what lies outside of the span stays outside of the buckets."""
    summary = await _of(graph, await _shop(graph), zone="UTC")
    assert [(row["from"][:10], row["unitsSold"]) for row in summary["buckets"]] == [
        ("2024-10-25", 0),
        ("2024-10-26", 3),
        ("2024-10-27", 8),
        ("2024-10-28", 0),
    ]


async def test_hours_weeks_and_months(graph: Graph):
    """The repeated hour is two buckets; a week begins on Monday; a month holds all."""
    machine = await _shop(graph)
    hours = (await _of(graph, machine, unit="HOUR"))["buckets"]
    assert len(hours) == 24 + 25 + 24
    assert [(row["from"][8:13], row["unitsSold"]) for row in hours if row["unitsSold"]] == [
        ("26T21", 1),
        ("26T22", 2),
        ("27T00", 2),
        ("27T22", 1),
        ("27T23", 5),
    ]
    weeks = (await _of(graph, machine, unit="WEEK"))["buckets"]
    assert [(row["from"][:13], row["unitsSold"]) for row in weeks] == [("2024-10-20T22", 6), ("2024-10-27T23", 5)]
    (month,) = (await _of(graph, machine, unit="MONTH"))["buckets"]
    assert (month["from"], month["to"]) == ("2024-09-30T22:00:00+00:00", "2024-10-31T23:00:00+00:00")
    assert month["unitsSold"] == 11


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("PRODUCT", [("26", "Cola", 1), ("27", "Cola", 3), ("27", "Nuts", 2), ("28", "Cola", 5)]),
        ("CATEGORY", [("26", "Drinks", 1), ("27", None, 2), ("27", "Drinks", 3), ("28", "Drinks", 5)]),
        ("PAYMENT_METHOD", [("26", "CARD", 1), ("27", "CARD", 3), ("27", "CASH", 2), ("28", "CASH", 5)]),
    ],
)
async def test_buckets_by_group(graph: Graph, by: str, expected: list[tuple[str, str | None, int]]):
    """Each group has the buckets in which it sold something."""
    rows = (await _of(graph, await _shop(graph), by=by))["buckets"]

    def group(row: Any) -> Any:
        return {"PRODUCT": (row["product"] or {}).get("name"), "CATEGORY": row["category"]}.get(
            by, row["paymentMethod"]
        )

    local = {"2024-10-25T22": "26", "2024-10-26T22": "27", "2024-10-27T23": "28"}
    found = [(local[row["from"][:13]], group(row), row["unitsSold"]) for row in rows]
    assert sorted(found, key=str) == sorted(expected, key=str)


async def test_the_fleet_has_a_summary_for_each_currency(graph: Graph):
    """Transactions of two machines are two, whatever they are called; products of one name and SKU are one."""
    await _shop(graph)
    await _shop(graph, "VM-2")
    abroad = await open_machine(graph, "VM-3", currency="JPY")
    await fill(graph, abroad, price={"amount": "120", "currency": "JPY"})
    await sell(graph, sale(abroad, "sun", at(27, 12)))
    values = {**SPAN, "unit": "DAY", "zone": "Europe/Berlin", "by": "NONE"}
    euro, yen = (await graph.data(OF_FLEET, values))["salesSummaries"]
    assert (euro["currency"], euro["transactionCount"], euro["unitsSold"]) == ("EUR", 10, 22)
    assert euro["topProducts"][0] == {"product": {"name": "Cola"}, "unitsSold": 18, "revenue": {"amount": "27.00"}}
    assert [row["unitsSold"] for row in euro["buckets"]] == [2, 10, 10]
    assert (yen["revenue"], [row["unitsSold"] for row in yen["buckets"]]) == ({"amount": "120"}, [0, 1, 0])
    euro, _ = (await graph.data(OF_FLEET, {**values, "by": "PRODUCT"}))["salesSummaries"]
    assert [(row["product"]["name"], row["unitsSold"]) for row in euro["buckets"]].count(("Cola", 6)) == 1
    euro, _ = (await graph.data(OF_FLEET, {**values, "by": "CATEGORY"}))["salesSummaries"]
    assert sum(row["unitsSold"] for row in euro["buckets"] if row["category"] is None) == 4


async def test_a_machine_without_sales(graph: Graph):
    """Totals are zero in its currency, and so are its buckets."""
    summary = await _of(graph, await open_machine(graph), zone="UTC")
    assert (summary["transactionCount"], summary["revenue"]) == (0, {"amount": "0.00", "currency": "EUR"})
    assert (summary["topProducts"], [row["unitsSold"] for row in summary["buckets"]]) == ([], [0, 0, 0, 0])
    values = {**SPAN, "unit": "DAY", "by": "NONE"}
    assert await graph.data(OF_FLEET, values) == {"salesSummaries": []}


@pytest.mark.parametrize(
    ("change", "code", "path", "message"),
    [
        ({"zone": "Nowhere"}, "BAD_USER_INPUT", ["timeZone"], "There is no time zone 'Nowhere'"),
        (
            {"from": SPAN["to"], "to": SPAN["from"]},
            "BAD_USER_INPUT",
            ["from"],
            "'from' (2024-10-28T23:00:00+00:00) must",
        ),
        ({"from": "1990-01-01T00:00:00Z", "unit": "HOUR"}, "LIMIT_EXCEEDED", ["unit"], "This span has more than 1000"),
    ],
)
async def test_bad_spans_and_zones(graph: Graph, change: dict[str, Any], code: str, path: list[str], message: str):
    """What cannot be counted is refused with the argument that is wrong."""
    machine = await open_machine(graph)
    error = await graph.error(OF_MACHINE, {"id": machine, **SPAN, "unit": "DAY", "by": "NONE", **change})
    assert error["message"].startswith(message)
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == (code, path)


async def test_machines_of_many_zones_take_as_many_statements_as_one(graph: Graph, statements: Statements):
    """Totals, best sellers and buckets are each one statement for all machines."""
    text = """
    query ($from: DateTime!, $to: DateTime!) {
      vendingMachines(first: 100) { nodes { salesSummary(from: $from, to: $to) {
      unitsSold topProducts(first: 3) { product { name } unitsSold }
      buckets(unit: DAY, groupBy: PRODUCT) { unitsSold product { name } }
      } } }
    }
    """
    counts: list[int] = []
    zones = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
    for size in (3, 20):
        for number in range(size):
            machine = await open_machine(graph, f"VM-{size}-{number}", timeZone=zones[number % 4])
            await fill(graph, machine)
            await sell(graph, sale(machine, "t", at(27, 12), quantity=number + 1))
        statements.clear()
        assert await graph.planned(text, SPAN)
        counts.append(statements.count_asked())
        nodes = (await graph.data(text, SPAN))["vendingMachines"]["nodes"]
        sums = [(node["salesSummary"]["unitsSold"], node["salesSummary"]["buckets"][0]["unitsSold"]) for node in nodes]
        assert all(total == bucket > 0 for total, bucket in sums)
    assert counts[0] == counts[1] == 6
