"""The contract's documents of vending machines answer right data, each query by plan and by the ordinary executor."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.clock import now
from models.principal import Principal, Role
from models.store import Store
from schema import ids
from schema.engine import Request
from tests import factories
from tests.contract import document
from tests.counting import Statements
from tests.fleets import register, this_minute
from tests.graph import Graph, graph_over
from tests.shops import fill, open_machine, sale, sell

NOW = datetime(2026, 2, 3, 12, tzinfo=UTC)
LISTS: dict[str, dict[str, Any]] = {"device_list": {"first": 100}, "restock_route": {}, "fleet_overview": {}}


async def answer(graph: Graph, name: str, **variables: Any) -> Any:
    """Return the data of a query of the contract, which must have been planned."""
    text = document(name)
    assert await graph.planned(text, variables)
    return await graph.data(text, variables)


async def record(graph: Graph, machine: str, at: datetime, **channels: Any) -> Any:
    """Send one reading and return the payload."""
    reading = {"deviceId": machine, "recordedAt": at.isoformat(), **channels}
    body = await graph.data(document("record_vending_readings"), input={"readings": [reading]})
    return body["recordVendingMachineReadings"]


async def test_a_machine_is_registered_filled_and_restocked(graph: Graph):
    """The mutations of a machine's life answer with what it then is."""
    body = await graph.data(
        document("create_vending_machine"),
        input={"name": " Lobby ", "serialNumber": "VM-1", "machineType": "COLD_DRINK", "currency": "GBP"},
    )
    machine = body["createVendingMachine"]["vendingMachine"]
    assert (machine["name"], machine["machineType"]) == ("Lobby", "COLD_DRINK")
    given = {
        "machineId": machine["id"],
        "slot": " A1 ",
        "name": "Cola",
        "price": {"amount": "1.2", "currency": "GBP"},
        "capacity": 10,
    }
    product = (await graph.data(document("set_products"), input=given))["configureProduct"]["product"]
    assert ids.decode(product.pop("id"), ("Product",), "id")
    assert product == {
        "slot": "A1",
        "name": "Cola",
        "price": {"amount": "1.20", "currency": "GBP"},
        "capacity": 10,
        "lowStockThreshold": 2,
    }
    body = await graph.data(
        document("restock"), input={"machineId": machine["id"], "loads": [{"slot": "A1", "quantity": 9}]}
    )
    (loaded,) = body["restock"]["products"]
    assert (loaded["slot"], loaded["quantity"], loaded["isLowStock"]) == ("A1", 9, False)
    row = {"machineId": machine["id"], "slot": "A1", "transactionId": "t", "soldAt": now().isoformat(), "quantity": 7}
    payload = (await graph.data(document("record_sales"), input={"sales": [row]}))["recordSales"]
    assert (payload["acceptedCount"], payload["duplicateCount"], payload["rejected"]) == (1, 0, [])
    assert [(low["name"], low["quantity"]) for low in payload["lowStockProducts"]] == [("Cola", 2)]


async def test_a_machine_is_changed(graph: Graph):
    """What is given changes; a stale version is a conflict; the currency is for ever."""
    machine = await open_machine(graph)
    change = """
    mutation ($input: UpdateVendingMachineInput!) {
      updateVendingMachine(input: $input) {
        vendingMachine { version location timeZone targetCabinetTemperature cashCapacity { amount currency } }
      }
    }
    """
    given = {
        "id": machine,
        "version": 1,
        "location": "Lobby",
        "timeZone": "Europe/Paris",
        "cashCapacity": {"amount": "200", "currency": "EUR"},
    }
    assert (await graph.data(change, input=given))["updateVendingMachine"]["vendingMachine"] == {
        "version": 2,
        "location": "Lobby",
        "timeZone": "Europe/Paris",
        "targetCabinetTemperature": 5.0,
        "cashCapacity": {"amount": "200.00", "currency": "EUR"},
    }
    error = await graph.error(change, input=given)
    assert error["extensions"]["code"] == "CONFLICT"


async def test_vending_machine_page(store: Store):
    """Everything that a machine's page shows is there at once."""
    clock = [datetime(2026, 1, 10, tzinfo=UTC)]
    graph = graph_over(store, factories.settings(), clock=lambda: clock[0])
    machine = await open_machine(graph)
    cola = await fill(graph, machine, name="Cola", sku="C-1", quantity=4, lowStockThreshold=4)
    clock[0] = NOW
    at = datetime(2026, 1, 31, 23, tzinfo=UTC)
    await sell(graph, sale(machine, "t1", at, quantity=2, paymentMethod="CARD"), sale(machine, "t2", NOW))
    await record(graph, machine, NOW, cabinetTemperature=4.5, doorOpen=False)
    await record(graph, machine, NOW - timedelta(hours=1), cashLevel=1234, power=90)
    page = (await answer(graph, "vending_machine_page", id=machine))["vendingMachine"]
    sales = page.pop("sales")["nodes"]
    assert page == {
        "id": machine,
        "name": "Shop VM-1",
        "machineType": "SNACK",
        "status": "ONLINE",
        "cashLevel": {"amount": "12.34", "currency": "EUR"},
        "latestReading": {
            "recordedAt": NOW.isoformat(),
            "cabinetTemperature": 4.5,
            "power": None,
            "doorOpen": False,
        },
        "products": [
            {
                "id": cola,
                "slot": "A1",
                "name": "Cola",
                "sku": "C-1",
                "price": {"amount": "1.50", "currency": "EUR"},
                "capacity": 20,
                "quantity": 1,
                "lowStockThreshold": 4,
                "isLowStock": True,
                "expectedSoldOutAt": None,
            }
        ],
        "salesSummary": {
            "transactionCount": 1,
            "unitsSold": 2,
            "revenue": {"amount": "3.00", "currency": "EUR"},
            "topProducts": [{"product": {"name": "Cola"}, "unitsSold": 2, "revenue": {"amount": "3.00"}}],
        },
        "restockList": [{"product": {"slot": "A1", "name": "Cola"}, "quantityToLoad": 19, "expectedSoldOutAt": None}],
    }
    assert [row["soldAt"] for row in sales] == [NOW.isoformat(), at.isoformat()]
    assert ids.decode(sales[1].pop("id"), ("Sale",), "id")
    assert sales[1] == {
        "product": {"name": "Cola", "slot": "A1"},
        "quantity": 2,
        "total": {"amount": "3.00", "currency": "EUR"},
        "paymentMethod": "CARD",
        "soldAt": at.isoformat(),
    }


async def test_device_list_shows_both_kinds(graph: Graph):
    """Each device comes with what its kind has."""
    machine, at = await open_machine(graph, name="A shop"), this_minute()
    await fill(graph, machine, quantity=0)
    await record(graph, machine, at, cabinetTemperature=4.0)
    await register(graph, name="B boiler")
    shop, boiler = (edge["node"] for edge in (await answer(graph, "device_list", first=5))["devices"]["edges"])
    assert (shop["__typename"], shop["machineType"], shop["lowStockProductCount"]) == ("VendingMachine", "SNACK", 1)
    assert shop["latestReading"] == {"recordedAt": at.isoformat(), "cabinetTemperature": 4.0}
    assert (boiler["__typename"], boiler["mode"], boiler["latestReading"]) == ("WaterHeater", "ECO", None)


async def test_readings_are_checked_by_the_channels(graph: Graph):
    """Good readings are stored, others named; charts and pages work as for any kind."""
    machine, at = await open_machine(graph), this_minute()
    assert (await record(graph, machine, at, cabinetTemperature=4.0, power=100))["acceptedCount"] == 1
    assert (await record(graph, machine, at, cabinetTemperature=5.0))["duplicateCount"] == 1
    (row,) = (await record(graph, machine, at, cabinetTemperature=500))["rejected"]
    assert row["code"] == "OUT_OF_RANGE"
    chart = """
    query ($id: ID!, $from: DateTime!, $to: DateTime!) {
      vendingMachine(id: $id) {
        readings { totalCount nodes { power device { name } } }
        series(metrics: [POWER, CABINET_TEMPERATURE], from: $from, to: $to) { metric unit values }
      }
    }
    """
    span = {"from": (at - timedelta(hours=1)).isoformat(), "to": (at + timedelta(hours=1)).isoformat()}
    assert (await graph.data(chart, {"id": machine, **span}))["vendingMachine"] == {
        "readings": {"totalCount": 1, "nodes": [{"power": 100.0, "device": {"name": "Shop VM-1"}}]},
        "series": [
            {"metric": "POWER", "unit": "W", "values": [100.0]},
            {"metric": "CABINET_TEMPERATURE", "unit": "°C", "values": [4.0]},
        ],
    }


async def test_every_new_type_is_a_node(graph: Graph):
    """Products (also taken out), sales and changes of slots are found by their ids."""
    machine = await open_machine(graph)
    product = await fill(graph, machine)
    await fill(graph, machine, name="Another")
    await sell(graph, sale(machine, "t", now()))
    found = await graph.data(
        "query ($id: ID!) { vendingMachine(id: $id) { sales { nodes { id } } slotChanges { nodes { id kind } } } }",
        id=machine,
    )
    sold = found["vendingMachine"]["sales"]["nodes"][0]["id"]
    changes = found["vendingMachine"]["slotChanges"]["nodes"]
    assert sorted(row["kind"] for row in changes) == ["CLEARED", "CONFIGURED", "CONFIGURED"]
    wanted = [machine, product, sold, changes[0]["id"], ids.encode("Sale", 999)]
    text = """
    query ($ids: [ID!]!) {
      nodes(ids: $ids) {
        __typename id
        ... on Product { removedAt machine { id } soldOutForecast { reason } }
        ... on Sale { product { name } machine { id } }
      }
    }
    """
    assert await graph.planned(text, {"ids": wanted})
    nodes = (await graph.data(text, ids=wanted))["nodes"]
    assert [node and node["__typename"] for node in nodes] == ["VendingMachine", "Product", "Sale", "SlotChange", None]
    assert nodes[1]["removedAt"]
    assert nodes[1]["soldOutForecast"] is None
    assert nodes[2]["product"] == {"name": "Another"}
    assert nodes[2]["machine"] == {"id": machine}


async def test_live_readings_of_both_kinds(graph: Graph):
    """One subscription follows devices of both kinds."""
    machine, heater, at = await open_machine(graph), await register(graph), this_minute()
    text = document("on_reading")
    prepared: Any = graph.engine.prepare(Request(text, {"deviceIds": [machine, heater]}))
    async with graph.services.store.log.tailing():
        stream: Any = await graph.engine.subscribe(prepared, {"deviceIds": [machine, heater]}, graph.scope())
        await record(graph, machine, at, cabinetTemperature=4.0, doorOpen=True)
        first = (await anext(stream)).body()["data"]["readingRecorded"]
        await stream.aclose()
    assert first["device"] == {"id": machine, "name": "Shop VM-1"}
    assert first["reading"] == {
        "recordedAt": at,
        "cabinetTemperature": 4.0,
        "power": None,
        "doorOpen": True,
    }


@pytest.mark.parametrize("way", ["engine", "ordinary"])
@pytest.mark.parametrize("name", LISTS)
async def test_a_list_takes_as_many_statements_for_50_machines_as_for_5(
    graph: Graph, statements: Statements, name: str, way: str
):
    """The number of statements depends on the document's shape, never on how many machines there are."""
    counts: list[int] = []
    there = 0
    for size in (5, 45):
        for number in range(there, there + size):
            machine = await open_machine(graph, f"VM-{number:03}")
            await fill(graph, machine, quantity=1)
            await sell(graph, sale(machine, "t", now()))
            await record(graph, machine, this_minute(), power=5)
        there += size
        statements.clear()
        body = await graph._by(getattr(graph, way), document(name), LISTS[name])
        assert "errors" not in body
        counts.append(statements.count_asked())
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    ("role", "allowed"), [(Role.VIEWER, set[str]()), (Role.DEVICE, {"record_sales", "record_vending_readings"})]
)
async def test_changes_take_rights(graph: Graph, role: Role, allowed: set[str]):
    """Machines tell what they sold and measured; what people do takes an operator."""
    machine = await open_machine(graph)
    await fill(graph, machine)
    graph.principal = Principal("caller", role)
    given: dict[str, Any] = {
        "create_vending_machine": {"name": "x", "serialNumber": "y"},
        "restock": {"machineId": machine, "loads": [{"slot": "A1", "quantity": 1}]},
        "record_sales": {"sales": [sale(machine, "t", now())]},
        "record_vending_readings": {
            "readings": [{"deviceId": machine, "recordedAt": this_minute().isoformat(), "power": 1}]
        },
    }
    for name, input_ in given.items():
        body = await graph.answer(document(name), input=input_)
        codes = [error["extensions"]["code"] for error in body.get("errors", [])]
        assert codes == ([] if name in allowed else ["FORBIDDEN"])
