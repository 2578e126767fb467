"""What people and machines get wrong about vending machines: each mistake is named, with code and place."""

from datetime import timedelta
from typing import Any

import pytest

from models.clock import now
from schema import ids
from tests.fleets import register
from tests.graph import Graph
from tests.shops import CONFIGURE, CREATE, fill, open_machine, sale, sell, sold, stock

UNKNOWN_MACHINE = ids.encode("VendingMachine", 999)
UNKNOWN_PRODUCT = ids.encode("Product", 999)

ROWS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown machine": ({"machineId": UNKNOWN_MACHINE}, "UNKNOWN_DEVICE", "There is no device with this id."),
    "unknown slot": ({"slot": "Z9"}, "UNKNOWN_SLOT", "The machine has no product in slot 'Z9'."),
    "unknown product": ({"productId": UNKNOWN_PRODUCT}, "UNKNOWN_PRODUCT", "The machine has no product with this id."),
    "neither": ({"slot": " "}, "NO_PRODUCT", "Give productId or slot."),
    "no quantity": ({"quantity": 0}, "OUT_OF_RANGE", "quantity must be from 1 to 10000, not 0."),
    "negative quantity": ({"quantity": -1}, "OUT_OF_RANGE", "quantity must be from 1 to 10000, not -1."),
    "line": ({"line": 0}, "OUT_OF_RANGE", "line must be from 1 to 1000000, not 0."),
    "negative price": (
        {"unitPrice": {"amount": "-0.50", "currency": "EUR"}},
        "OUT_OF_RANGE",
        "unitPrice must be at least 0, not -0.50.",
    ),
    "fine price": (
        {"unitPrice": {"amount": "0.505", "currency": "EUR"}},
        "OUT_OF_RANGE",
        "EUR has 2 decimals; 0.505 has more.",
    ),
    "currency": (
        {"unitPrice": {"amount": "0.50", "currency": "USD"}},
        "WRONG_CURRENCY",
        "The machine's currency is EUR, not USD.",
    ),
    "no transaction": ({"transactionId": " "}, "INVALID_TRANSACTION", "'transactionId' must not be empty."),
    "long transaction": (
        {"transactionId": "x" * 101},
        "INVALID_TRANSACTION",
        "'transactionId' may have 100 characters, not 101.",
    ),
}


@pytest.mark.parametrize("name", ROWS)
async def test_a_sale_that_cannot_be_stored_is_named(graph: Graph, name: str):
    """The bad row is rejected with its reason; the good one beside it is stored."""
    change, code, message = ROWS[name]
    machine = await open_machine(graph)
    await fill(graph, machine)
    payload = await sell(graph, sale(machine, "good", now()), {**sale(machine, "bad", now()), **change})
    assert payload["rejected"] == [{"index": 1, "code": code, "message": message}]
    assert (payload["acceptedCount"], await stock(graph, machine)) == (1, {"A1": 9})
    assert len(await sold(graph, machine)) == 1


@pytest.mark.parametrize(
    ("ago", "code", "part"),
    [
        (timedelta(seconds=-400), "IN_FUTURE", "lies in the future"),
        (timedelta(days=3651), "TOO_OLD", "is older than the 3650 days that are accepted (ingest.max_age_days)."),
    ],
)
async def test_a_sale_of_another_time_is_refused(graph: Graph, ago: timedelta, code: str, part: str):
    """Neither the future nor a time before all devices can have sold something."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    (row,) = (await sell(graph, sale(machine, "t", now() - ago)))["rejected"]
    assert row["code"] == code
    assert row["message"].startswith("soldAt ")
    assert part in row["message"]
    assert await stock(graph, machine) == {"A1": 10}


async def test_a_heater_sells_nothing(graph: Graph):
    """A device of another kind is named, also where its number is given as a machine's."""
    heater = await register(graph)
    number = ids.decode(heater, ("WaterHeater",), "id")
    (row,) = (await sell(graph, sale(ids.encode("VendingMachine", number), "t", now())))["rejected"]
    assert (row["code"], row["message"]) == ("WRONG_KIND", "The device is a water heater, not a vending machine.")
    error = await graph.error(
        "mutation ($input: RecordSalesInput!) { recordSales(input: $input) { acceptedCount } }",
        input={"sales": [sale(heater, "t", now())]},
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["input", "sales", 0, "machineId"]}


async def test_a_product_of_another_machine_is_unknown(graph: Graph):
    """A sale, like a load, is one of its own machine's products; a slot that does not match is named."""
    mine, other = await open_machine(graph, "VM-1"), await open_machine(graph, "VM-2")
    own, foreign = await fill(graph, mine), await fill(graph, other)
    payload = await sell(
        graph, sale(mine, "t", now(), productId=foreign), sale(mine, "u", now(), productId=own, slot="B7")
    )
    assert [(row["code"], row["message"]) for row in payload["rejected"]] == [
        ("UNKNOWN_PRODUCT", "The machine has no product with this id."),
        ("UNKNOWN_PRODUCT", "The product with this id is in slot 'A1', not 'B7'."),
    ]


@pytest.mark.parametrize(
    ("count", "code", "message"),
    [
        (0, "BAD_USER_INPUT", "The batch has no sales."),
        (101, "LIMIT_EXCEEDED", "A batch may have 100 sales (ingest.max_batch_size), not 101; send several."),
    ],
)
async def test_a_batch_has_a_size(graph: Graph, count: int, code: str, message: str):
    """An empty batch and one that is too large are refused whole."""
    machine = await open_machine(graph)
    error = await graph.error(
        "mutation ($input: RecordSalesInput!) { recordSales(input: $input) { acceptedCount } }",
        input={"sales": [sale(machine, str(i), now()) for i in range(count)]},
    )
    assert (error["extensions"]["code"], error["message"]) == (code, message)
    assert error["extensions"]["inputPath"] == ["input", "sales"]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (
            {"price": {"amount": "-1", "currency": "EUR"}},
            ["price", "amount"],
            "An amount must be a number of at least 0",
        ),
        (
            {"price": {"amount": "1", "currency": "USD"}},
            ["price", "currency"],
            "The machine's currency is EUR, not USD.",
        ),
        ({"price": {"amount": "1.005", "currency": "EUR"}}, ["price", "amount"], "EUR has 2 decimals"),
        ({"capacity": 0}, ["capacity"], "'capacity' must be from 1 to 100000, not 0."),
        ({"quantity": -1}, ["quantity"], "'quantity' must be from 0 to 20, not -1."),
        ({"quantity": 21}, ["quantity"], "'quantity' must be from 0 to 20, not 21."),
        ({"lowStockThreshold": 21}, ["lowStockThreshold"], "'lowStockThreshold' must be from 0 to 20, not 21."),
        ({"slot": ""}, ["slot"], "'slot' must not be empty."),
        ({"name": "  "}, ["name"], "'name' must not be empty."),
    ],
)
async def test_a_slot_takes_no_nonsense(graph: Graph, change: dict[str, Any], field: list[str], message: str):
    """A price, a quantity or a name that cannot be is refused, and the slot stays as it was."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    given = {
        "machineId": machine,
        "slot": "A1",
        "name": "Product A1",
        "price": {"amount": "1.00", "currency": "EUR"},
        "capacity": 20,
        **change,
    }
    error = await graph.error(CONFIGURE, input=given)
    assert error["message"].startswith(message)
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("BAD_USER_INPUT", ["input", *field])
    assert await stock(graph, machine) == {"A1": 10}


@pytest.mark.parametrize(
    ("load", "code", "message"),
    [
        ({"slot": "A1", "quantity": 11}, "BAD_USER_INPUT", "Slot 'A1' holds 0 to 20; this load would make it 21."),
        ({"slot": "A1", "quantity": -1}, "BAD_USER_INPUT", "Slot 'A1' holds 0 to 20; this load would make it 9."),
        (
            {"slot": "A1", "quantity": 21, "mode": "SET"},
            "BAD_USER_INPUT",
            "Slot 'A1' holds 0 to 20; this load would make it 21.",
        ),
        ({"slot": "Q", "quantity": 1}, "NOT_FOUND", "The machine has no product with slot 'Q' in it."),
        ({"productId": UNKNOWN_PRODUCT, "quantity": 1}, "NOT_FOUND", "The machine has no product with this id in it."),
        ({"quantity": 1}, "BAD_USER_INPUT", "Give 'productId' or 'slot' of a load, one of them."),
    ],
)
async def test_a_load_that_cannot_be_changes_nothing(graph: Graph, load: dict[str, Any], code: str, message: str):
    """All loads are made, or none."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    await fill(graph, machine, "A2")
    error = await graph.error(
        "mutation ($input: RestockInput!) { restock(input: $input) { products { id } } }",
        input={"machineId": machine, "loads": [{"slot": "A2", "quantity": 1}, load]},
    )
    assert (error["extensions"]["code"], error["message"]) == (code, message)
    assert error["extensions"]["inputPath"][:3] == ["input", "loads", 1]
    assert await stock(graph, machine) == {"A1": 10, "A2": 10}


async def test_a_load_names_a_product_of_its_own_machine(graph: Graph):
    """The product of another machine is not found."""
    mine, other = await open_machine(graph, "VM-1"), await open_machine(graph, "VM-2")
    foreign = await fill(graph, other)
    error = await graph.error(
        "mutation ($input: RestockInput!) { restock(input: $input) { products { id } } }",
        input={"machineId": mine, "loads": [{"productId": foreign, "quantity": 1}]},
    )
    assert error["extensions"] == {"code": "NOT_FOUND", "inputPath": ["input", "loads", 0]}
    assert await stock(graph, other) == {"A1": 10}


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"currency": "euro"}, ["currency"], "'euro' is not a currency"),
        ({"timeZone": "Mars/Olympus"}, ["timeZone"], "There is no time zone 'Mars/Olympus'"),
        ({"timeZone": "../etc/passwd"}, ["timeZone"], "There is no time zone '../etc/passwd'"),
        (
            {"targetCabinetTemperature": 200},
            ["targetCabinetTemperature"],
            "'targetCabinetTemperature' must be from -30",
        ),
        (
            {"cashCapacity": {"amount": "100", "currency": "USD"}},
            ["cashCapacity", "currency"],
            "The machine's currency is EUR, not USD.",
        ),
        ({"name": ""}, ["name"], "'name' must not be empty."),
    ],
)
async def test_a_machine_takes_no_nonsense(graph: Graph, change: dict[str, Any], path: list[str], message: str):
    """What makes no vending machine is refused with the field that is wrong."""
    error = await graph.error(CREATE, input={"name": "Shop", "serialNumber": "VM-1", **change})
    assert error["message"].startswith(message)
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("BAD_USER_INPUT", ["input", *path])


async def test_an_empty_slot_cannot_be_cleared(graph: Graph):
    """There is nothing to take out, and the slot is named."""
    machine = await open_machine(graph)
    error = await graph.error(
        "mutation ($input: ClearSlotInput!) { clearSlot(input: $input) { product { id } } }",
        input={"machineId": machine, "slot": "A1"},
    )
    assert error["message"] == "There is no product in slot 'A1'."
    assert error["extensions"] == {"code": "NOT_FOUND", "inputPath": ["input", "slot"]}


async def test_a_sale_that_is_none_cannot_be_refunded(graph: Graph):
    """An unknown sale, and the id of something else."""
    refund = "mutation ($input: RefundSaleInput!) { refundSale(input: $input) { sale { id } } }"
    error = await graph.error(refund, input={"id": ids.encode("Sale", 999)})
    assert error["extensions"] == {"code": "NOT_FOUND", "inputPath": ["input", "id"]}
    error = await graph.error(refund, input={"id": UNKNOWN_PRODUCT})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
