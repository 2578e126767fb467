"""The documents of the contract over the wire: the assembled server, real HTTP, a real websocket, on each database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from app.asgi import create_app
from tests import factories
from tests.contract import document
from tests.serving import serving

TIMES = [datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=minutes) for minutes in range(30)]


@pytest.fixture
async def base_url(database_url: str) -> AsyncIterator[str]:
    """A server over a fresh, migrated database of each kind."""
    async with serving(create_app(factories.settings(database={"url": database_url}))) as url:
        yield url


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server."""
    async with httpx.AsyncClient(base_url=base_url) as opened:
        yield opened


async def ask(client: httpx.AsyncClient, name: str, **variables: Any) -> Any:
    """Return the data that a document of the contract is answered with."""
    response = await client.post("/graphql", json={"query": document(name), "variables": variables})
    body = response.json()
    assert response.status_code == 200
    assert "errors" not in body, body
    return body["data"]


async def registered(client: httpx.AsyncClient, number: int = 1) -> str:
    """Register a water heater and return its id."""
    given = {"name": f"Heater {number}", "serialNumber": f"WH-{number}", "targetTemperature": 50}
    return (await ask(client, "create_water_heater", input=given))["createWaterHeater"]["waterHeater"]["id"]


def readings(device_id: str, times: list[datetime]) -> dict[str, Any]:
    """Return the input of readings that cool down by a degree a minute."""
    rows = [
        {"deviceId": device_id, "recordedAt": at.isoformat(), "temperature": 50 + place, "power": 1000.0}
        for place, at in enumerate(times)
    ]
    return {"readings": rows}


async def test_a_heater_from_registration_to_removal(client: httpx.AsyncClient):
    """Every document of the contract that concerns water heaters, in the order in which a person would send them."""
    device_id = await registered(client)
    stored = (await ask(client, "record_readings", input=readings(device_id, TIMES)))["recordWaterHeaterReadings"]
    assert stored == {"acceptedCount": 30, "duplicateCount": 0, "rejected": [], "anomalies": []}

    changed = await ask(client, "update_water_heater", input={"id": device_id, "version": 1, "location": "Cellar"})
    assert changed["updateWaterHeater"]["waterHeater"]["location"] == "Cellar"
    warmer = await ask(client, "set_target_temperature", input={"id": device_id, "targetTemperature": 60})
    assert warmer["setTargetTemperature"]["waterHeater"] == {"id": device_id, "targetTemperature": 60.0, "version": 3}
    mode = await ask(client, "set_mode", input={"id": device_id, "mode": "HIGH_DEMAND"})
    assert mode["setWaterHeaterMode"]["waterHeater"]["mode"] == "HIGH_DEMAND"
    done = {"deviceId": device_id, "kind": "REPAIR", "performedAt": TIMES[0].isoformat()}
    record = await ask(client, "record_maintenance", input={**done, "cost": {"amount": "80.50", "currency": "EUR"}})
    assert record["recordMaintenance"]["maintenanceRecord"]["device"] == {"id": device_id}

    page = (await ask(client, "water_heater_page", id=device_id))["waterHeater"]
    assert page["latestReading"]["temperature"] == 50
    assert [row["temperature"] for row in page["readings"]["nodes"]] == [50 + place for place in range(30)]
    assert page["maintenanceRecords"]["nodes"][0]["cost"] == {"amount": "80.50", "currency": "EUR"}

    span = {"from": TIMES[-1].isoformat(), "to": (TIMES[0] + timedelta(minutes=1)).isoformat()}
    power = (await ask(client, "history_chart", id=device_id, maxPoints=30, **span))["waterHeater"]["series"][1]
    assert (power["metric"], power["resolutionSeconds"], set(power["values"])) == ("POWER", 60.0, {1000.0})
    lines = (await ask(client, "compare_chart", **span))["waterHeaters"]["nodes"][0]["series"]
    assert len(lines[0]["values"]) == 30

    await ask(client, "delete_device", input={"id": device_id})
    assert (await ask(client, "node", id=device_id, ids=[device_id])) == {"node": None, "nodes": [None]}


async def test_a_vending_machine_from_registration_to_removal(client: httpx.AsyncClient):
    """Every document of the contract that concerns vending machines, in the order in which a person would send them."""
    given = {"name": "Lobby", "serialNumber": "VM-1", "machineType": "COMBO"}
    machine_id = (await ask(client, "create_vending_machine", input=given))["createVendingMachine"]["vendingMachine"][
        "id"
    ]
    slot = {"slot": "A1", "name": "Cola", "capacity": 10, "quantity": 3, "price": {"amount": "1.50", "currency": "EUR"}}
    product = (await ask(client, "set_products", input={"machineId": machine_id, **slot}))["configureProduct"][
        "product"
    ]
    assert (product["slot"], product["price"]["amount"], product["lowStockThreshold"]) == ("A1", "1.50", 2)
    sold = {"machineId": machine_id, "slot": "A1", "transactionId": "t-1", "soldAt": datetime.now(UTC).isoformat()}
    payload = (await ask(client, "record_sales", input={"sales": [sold, {**sold, "quantity": 9}]}))["recordSales"]
    assert (payload["acceptedCount"], [row["code"] for row in payload["rejected"]]) == (1, ["CONFLICT"])
    assert payload["lowStockProducts"] == [{"id": product["id"], "name": "Cola", "quantity": 2}]
    reading = {"deviceId": machine_id, "recordedAt": TIMES[0].isoformat(), "cabinetTemperature": 4.5, "cashLevel": 250}
    stored = await ask(client, "record_vending_readings", input={"readings": [reading]})
    assert stored["recordVendingMachineReadings"]["acceptedCount"] == 1

    (need,) = (await ask(client, "restock_route"))["restockNeeds"]["nodes"]
    assert (need["machine"]["id"], need["lowStockProductCount"]) == (machine_id, 1)
    assert need["items"] == [{"product": {"name": "Cola", "slot": "A1"}, "quantityToLoad": 8}]
    loads = [{"productId": product["id"], "quantity": 8}]
    (loaded,) = (await ask(client, "restock", input={"machineId": machine_id, "loads": loads}))["restock"]["products"]
    assert (loaded["quantity"], loaded["isLowStock"]) == (10, False)
    page = (await ask(client, "vending_machine_page", id=machine_id))["vendingMachine"]
    assert (page["status"], page["cashLevel"]) == ("ONLINE", {"amount": "2.50", "currency": "EUR"})
    assert (page["products"][0]["quantity"], page["sales"]["nodes"][0]["total"]["amount"]) == (10, "1.50")
    assert page["salesSummary"]["transactionCount"] == 0
    devices = (await ask(client, "device_list", first=2))["devices"]["edges"]
    assert devices[0]["node"]["latestReading"]["cabinetTemperature"] == 4.5

    await ask(client, "delete_device", input={"id": machine_id})
    assert (await ask(client, "node", id=product["id"], ids=[machine_id])) == {"node": None, "nodes": [None]}


async def test_a_fleet_is_listed(client: httpx.AsyncClient):
    """The lists, the counts and the look-up by serial number."""
    ids = [await registered(client, number) for number in range(1, 4)]
    await ask(client, "record_readings", input=readings(ids[0], TIMES[:1]))
    fleet = (await ask(client, "fleet_overview"))["fleet"]
    assert fleet["deviceCount"] == 3
    devices = (await ask(client, "device_list", first=2, filter={"search": "wh-"}))["devices"]
    assert (devices["totalCount"], devices["pageInfo"]["hasNextPage"]) == (3, True)
    rest = (await ask(client, "device_list", first=2, after=devices["pageInfo"]["endCursor"]))["devices"]
    assert [edge["node"]["id"] for edge in devices["edges"] + rest["edges"]] == ids
    heaters = (await ask(client, "water_heater_list", first=10))["waterHeaters"]["nodes"]
    assert [heater["latestReading"] is None for heater in heaters] == [False, True, True]
    found = (await ask(client, "device_by_serial", serialNumber="WH-2"))["device"]
    assert found == {
        "__typename": "WaterHeater",
        "id": ids[1],
        "name": "Heater 2",
        "kind": "WATER_HEATER",
        "status": "OFFLINE",
    }


async def test_readings_reach_a_websocket(base_url: str, client: httpx.AsyncClient):
    """A subscriber of one device sees its readings in the order of their times, and nothing of another device."""
    mine, other = await registered(client, 1), await registered(client, 2)
    url = base_url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # pyright: ignore[reportArgumentType]
        await socket.send('{"type": "connection_init"}')
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": document("on_reading"), "variables": {"deviceIds": [mine]}}
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        # Answered behind the subscription, so that it stands before the first reading is sent.
        ping = {"id": "2", "type": "subscribe", "payload": {"query": "{ __typename }"}}
        await socket.send(orjson.dumps(ping).decode())
        assert [orjson.loads(await socket.recv())["type"] for _ in range(2)] == ["next", "complete"]

        await ask(client, "record_readings", input=readings(other, TIMES[:3]))
        await ask(client, "record_readings", input=readings(mine, TIMES[:3]))
        heard = [orjson.loads(await socket.recv())["payload"]["data"]["readingRecorded"] for _ in range(3)]
    assert [event["device"] for event in heard] == [{"id": mine, "name": "Heater 1"}] * 3
    assert [event["reading"]["temperature"] for event in heard] == [52.0, 51.0, 50.0]
    assert [event["reading"]["recordedAt"] for event in heard] == [at.isoformat() for at in reversed(TIMES[:3])]
