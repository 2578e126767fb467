"""Sales and the stock: exact under concurrency, told twice, told late, refunded, and at the price of then."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.clock import now
from models.store import Store
from tests import factories
from tests.graph import Graph, graph_over
from tests.shops import CONFIGURE, fill, open_machine, sale, sell, sold, stock

REFUND = """
mutation ($input: RefundSaleInput!) {
  refundSale(input: $input) { sale { refundedQuantity refunded { amount currency } refundedAt } }
}
"""
RESTOCK = """
mutation ($input: RestockInput!) { restock(input: $input) { products { id slot quantity isLowStock } } }
"""
CLEAR = "mutation ($input: ClearSlotInput!) { clearSlot(input: $input) { product { removedAt isLowStock } } }"


async def _price(graph: Graph, machine: str, amount: str, **values: Any) -> Any:
    given = {
        "machineId": machine,
        "slot": "A1",
        "name": "Product A1",
        "price": {"amount": amount, "currency": "EUR"},
        "capacity": 20,
        **values,
    }
    return (await graph.data(CONFIGURE, input=given))["configureProduct"]["product"]


async def test_a_sale_lowers_the_stock_and_says_what_is_low(graph: Graph):
    """Quantity and price come from the slot; what falls to its threshold is named."""
    machine = await open_machine(graph)
    product = await fill(graph, machine, quantity=6, lowStockThreshold=4)
    payload = await sell(graph, sale(machine, "t1", now()), sale(machine, "t2", now(), quantity=2))
    assert payload == {
        "acceptedCount": 2,
        "duplicateCount": 0,
        "rejected": [],
        "lowStockProducts": [{"id": product, "name": "Product A1", "quantity": 3}],
    }
    assert await stock(graph, machine) == {"A1": 3}
    newest = (await sold(graph, machine))[0]
    assert (newest["transactionId"], newest["total"]["amount"], newest["oversoldQuantity"]) == ("t2", "3.00", 0)


async def test_a_sale_makes_the_machine_seen(graph: Graph):
    """A machine that sells is online, though it has sent no reading."""
    machine, at = await open_machine(graph), now()
    await fill(graph, machine)
    await sell(graph, sale(machine, "t1", at))
    about = (
        "query ($id: ID!) { device(id: $id) { status lastSeenAt } vendingMachine(id: $id) { latestReading { power } } }"
    )
    found = await graph.data(about, id=machine)
    assert found["device"] == {"status": "ONLINE", "lastSeenAt": at.isoformat()}
    assert found["vendingMachine"]["latestReading"] is None


async def test_a_sale_that_is_sent_again_is_stored_once(graph: Graph):
    """The same machine, transaction and line with the same content is a duplicate, also within a batch."""
    machine, at = await open_machine(graph), now()
    await fill(graph, machine)
    lines = [sale(machine, "t1", at, line=1), sale(machine, "t1", at, line=2), sale(machine, "t1", at, line=1)]
    first = await sell(graph, *lines)
    assert (first["acceptedCount"], first["duplicateCount"]) == (2, 1)
    await _price(graph, machine, "9.00")
    again = await sell(graph, *lines)
    assert (again["acceptedCount"], again["duplicateCount"], again["rejected"]) == (0, 3, [])
    assert await stock(graph, machine) == {"A1": 8}


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 2},
        {"unitPrice": {"amount": "1.40", "currency": "EUR"}},
        {"paymentMethod": "CASH"},
        {"slot": "A2"},
    ],
)
async def test_a_transaction_with_other_content_is_a_conflict(graph: Graph, change: dict[str, Any]):
    """What is stored stays, nothing of the other row is stored, and the rows beside it are."""
    machine, at = await open_machine(graph), now()
    await fill(graph, machine)
    await fill(graph, machine, "A2")
    await sell(graph, sale(machine, "t1", at))
    payload = await sell(graph, sale(machine, "t1", at, **change), sale(machine, "t2", at))
    assert [(row["index"], row["code"]) for row in payload["rejected"]] == [(0, "CONFLICT")]
    assert "Line 1 of transaction 't1' is stored with other content" in payload["rejected"][0]["message"]
    assert (payload["acceptedCount"], await stock(graph, machine)) == (1, {"A1": 8, "A2": 10})


async def test_an_oversale_is_stored_and_flagged(graph: Graph):
    """The machine's word counts: the stock ends at zero, and the sale says how much was not there."""
    machine = await open_machine(graph)
    await fill(graph, machine, quantity=3)
    payload = await sell(graph, sale(machine, "t1", now(), quantity=5), sale(machine, "t2", now()))
    assert payload["acceptedCount"] == 2
    assert await stock(graph, machine) == {"A1": 0}
    assert {row["transactionId"]: row["oversoldQuantity"] for row in await sold(graph, machine)} == {"t1": 2, "t2": 1}


async def test_a_sale_of_before_the_count_leaves_the_stock(graph: Graph):
    """What was counted was counted without it; beyond the tolerance of clocks it is history only."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    await sell(
        graph, sale(machine, "t1", now() - timedelta(hours=1)), sale(machine, "t2", now() - timedelta(minutes=1))
    )
    assert await stock(graph, machine) == {"A1": 9}
    assert len(await sold(graph, machine)) == 2


async def test_a_sale_shows_the_price_and_the_product_of_then(graph: Graph):
    """Re-pricing, replacing and clearing leave what was sold before as it was."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    await sell(graph, sale(machine, "old", now()))
    await _price(graph, machine, "2.00")
    await sell(graph, sale(machine, "dear", now()))
    await _price(graph, machine, "0.80", name="Water")
    await sell(graph, sale(machine, "water", now()))
    assert await graph.data(CLEAR, input={"machineId": machine, "slot": "A1"})
    found = {
        row["transactionId"]: (row["product"]["name"], row["unitPrice"]["amount"]) for row in await sold(graph, machine)
    }
    assert found == {"old": ("Product A1", "1.50"), "dear": ("Product A1", "2.00"), "water": ("Water", "0.80")}
    assert await stock(graph, machine) == {}


async def test_a_late_sale_has_the_price_of_then(graph: Graph):
    """A sale that does not tell its price has the one that the slot had when it was made."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    times: list[datetime] = []
    for amount in ("2.00", "2.50", "3.00"):
        times.append(now())
        await _price(graph, machine, amount)
    told = {"unitPrice": {"amount": "9.00", "currency": "EUR"}}
    rows = [sale(machine, str(place), at) for place, at in enumerate([*times, now()])]
    assert (await sell(graph, *rows, sale(machine, "told", times[0], **told)))["acceptedCount"] == 5
    found = {row["transactionId"]: row["unitPrice"]["amount"] for row in await sold(graph, machine)}
    assert found == {"0": "1.50", "1": "2.00", "2": "2.50", "3": "3.00", "told": "9.00"}


async def test_a_late_sale_is_one_of_the_product_of_then(graph: Graph):
    """A slot, or a product that has left it, means what was in the slot when it was sold."""
    machine = await open_machine(graph)
    first = await fill(graph, machine)
    between = now()
    second = await fill(graph, machine, name="Water")
    payload = await sell(
        graph,
        sale(machine, "then", between),
        sale(machine, "later", now(), productId=first),
        sale(machine, "before all", between - timedelta(days=9)),
    )
    assert payload["acceptedCount"] == 3
    found = {row["transactionId"]: row["product"]["id"] for row in await sold(graph, machine)}
    assert found == {"then": first, "later": second, "before all": second}
    assert await stock(graph, machine) == {"A1": 9}


async def test_twenty_writers_lose_no_unit(graph: Graph):
    """Sales at once of one slot add up, each taking its units from what the others left."""
    machine = await open_machine(graph)
    await fill(graph, machine, capacity=1000, quantity=1000)
    at = now()

    async def write(writer: int) -> None:
        for place in range(5):
            payload = await sell(graph, *(sale(machine, f"{writer}-{place}-{i}", at, quantity=2) for i in range(3)))
            assert payload["acceptedCount"] == 3

    await asyncio.gather(*(write(writer) for writer in range(20)))
    assert await stock(graph, machine) == {"A1": 1000 - 20 * 5 * 3 * 2}


async def test_writers_that_send_the_same_store_it_once(graph: Graph):
    """Of all the senders of one transaction one is told that it was accepted."""
    machine, at = await open_machine(graph), now()
    await fill(graph, machine)
    payloads = await asyncio.gather(*(sell(graph, sale(machine, "t1", at)) for _ in range(20)))
    assert sorted(each["acceptedCount"] for each in payloads) == [0] * 19 + [1]
    assert await stock(graph, machine) == {"A1": 9}


async def test_restocking_adds_or_sets_with_who_and_when(graph: Graph):
    """Loads are made together; the history of the slot names the person."""
    machine = await open_machine(graph)
    product = await fill(graph, machine, quantity=2)
    await fill(graph, machine, "A2", quantity=2)
    loads = [{"productId": product, "quantity": 5}, {"slot": "A2", "quantity": 20, "mode": "SET"}]
    payload = await graph.data(RESTOCK, input={"machineId": machine, "loads": loads, "restockedBy": "Ada"})
    assert [row["quantity"] for row in payload["restock"]["products"]] == [7, 20]
    changes = await graph.data(
        "query ($id: ID!) { vendingMachine(id: $id) { slotChanges(first: 2) { nodes "
        "{ kind changedBy slot oldQuantity newQuantity oldPrice { amount } product { slot } } } } }",
        id=machine,
    )
    newest = {row["slot"]: row for row in changes["vendingMachine"]["slotChanges"]["nodes"]}
    assert newest["A1"] == {
        "kind": "RESTOCKED",
        "changedBy": "Ada",
        "slot": "A1",
        "oldQuantity": 2,
        "newQuantity": 7,
        "oldPrice": None,
        "product": {"slot": "A1"},
    }


async def test_units_that_were_added_are_no_count(store: Store):
    """A sale of before that is told after the load still lowers the stock; after a count it does not."""
    clock = [now() - timedelta(hours=3)]
    graph = graph_over(store, factories.settings(), clock=lambda: clock[0])
    machine = await open_machine(graph)
    await fill(graph, machine)
    early = clock[0] + timedelta(hours=1)
    clock[0] += timedelta(hours=2)
    await graph.data(RESTOCK, input={"machineId": machine, "loads": [{"slot": "A1", "quantity": 5}]})
    await sell(graph, sale(machine, "t1", early))
    assert await stock(graph, machine) == {"A1": 14}
    counted = {"slot": "A1", "quantity": 12, "mode": "SET"}
    await graph.data(RESTOCK, input={"machineId": machine, "loads": [counted]})
    await sell(graph, sale(machine, "t2", early))
    assert await stock(graph, machine) == {"A1": 12}


async def test_a_refund_is_net_and_may_return_to_the_stock(graph: Graph):
    """Units come back once, to the stock where they are said to; totals are what is left."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    await sell(graph, sale(machine, "t1", now(), quantity=3), sale(machine, "t2", now()))
    one, other = await sold(graph, machine)
    three = one if one["transactionId"] == "t1" else other
    body = await graph.data(REFUND, input={"id": three["id"], "quantity": 1, "returnToStock": True})
    assert body["refundSale"]["sale"]["refunded"] == {"amount": "1.50", "currency": "EUR"}
    assert await stock(graph, machine) == {"A1": 7}
    error = await graph.error(REFUND, input={"id": three["id"], "quantity": 3})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["input", "quantity"], "allowed": 2}
    body = await graph.data(REFUND, input={"id": three["id"]})
    assert body["refundSale"]["sale"]["refundedQuantity"] == 3
    assert await stock(graph, machine) == {"A1": 7}
    span = {"from": (now() - timedelta(days=1)).isoformat(), "to": (now() + timedelta(days=1)).isoformat()}
    summary = await graph.data(
        "query ($id: ID!, $from: DateTime!, $to: DateTime!) { vendingMachine(id: $id) "
        "{ salesSummary(from: $from, to: $to) { transactionCount unitsSold revenue { amount } } } }",
        {"id": machine, **span},
    )
    assert summary["vendingMachine"]["salesSummary"] == {
        "transactionCount": 1,
        "unitsSold": 1,
        "revenue": {"amount": "1.50"},
    }


async def test_refunds_at_once_give_nothing_twice(graph: Graph):
    """Of many refunds of one unit one is made."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    await sell(graph, sale(machine, "t1", now()))
    (only,) = await sold(graph, machine)
    answers = await asyncio.gather(*(graph.answer(REFUND, input={"id": only["id"], "quantity": 1}) for _ in range(8)))
    assert sum("errors" not in answer for answer in answers) == 1
    (after,) = await sold(graph, machine)
    assert (after["refundedQuantity"], after["refunded"]["amount"]) == (1, "1.50")


async def test_nothing_returns_to_a_slot_that_is_full_or_taken(graph: Graph):
    """The refund is refused whole, and can be made without the return."""
    machine = await open_machine(graph)
    await fill(graph, machine, capacity=10)
    await sell(graph, sale(machine, "t1", now()))
    await graph.data(RESTOCK, input={"machineId": machine, "loads": [{"slot": "A1", "quantity": 10, "mode": "SET"}]})
    (only,) = await sold(graph, machine)
    error = await graph.error(REFUND, input={"id": only["id"], "returnToStock": True})
    assert error["extensions"]["inputPath"] == ["input", "returnToStock"]
    await graph.data(CLEAR, input={"machineId": machine, "slot": "A1"})
    error = await graph.error(REFUND, input={"id": only["id"], "returnToStock": True})
    assert "no longer in its slot" in error["message"]
    assert (await graph.data(REFUND, input={"id": only["id"]}))["refundSale"]["sale"]["refundedQuantity"] == 1
