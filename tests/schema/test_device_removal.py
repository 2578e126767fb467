"""Devices with more than a request can delete: gone for everybody at once, deleted in steps."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel

from app.workers import Removing
from models.repositories import device_changes, device_removals
from models.store import Store
from resolvers.monitoring.rounds import unfenced
from schema import ids
from tests import shops, worlds
from tests.factories import MIDDAY, add_heater, add_readings
from tests.fleets import heater_id, record, register
from tests.graph import Graph

OF_FLEET = """{
  fleet { deviceCount devicesByKind { count } devicesByStatus { count }
    openAnomaliesBySeverity { count } openAlertsBySeverity { count } }
  devices(first: 50) { totalCount nodes { id } }
  waterHeaters(first: 50) { totalCount nodes { id } }
  anomalies { totalCount nodes { id device { id } } }
  alerts { totalCount nodes { id __typename } }
  salesSummaries(from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z") {
    currency unitsSold topProducts { unitsSold } buckets(unit: MONTH, groupBy: CATEGORY) { unitsSold }
  }
  models { nodes { recentPredictions { totalCount nodes { id device { id } } } } }
  restockNeeds(first: 5) { nodes { machine { id } } }
}"""
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
DELETE = "mutation ($input: DeleteDeviceInput!) { deleteDevice(input: $input) { deletedId } }"
OF_MODELS = {"ModelAlert", "ModelDrift", "ModelMetric", "ModelHealth", "Model", "TrainingRun"}


def removing(store: Store, step_rows: int = 3) -> Removing:
    """Return the worker that does the rest, with small steps."""
    return Removing(store, unfenced, lambda _of, _count: None, step_rows)


async def device_ids(store: Store) -> list[int]:
    """Return the ids of all rows of devices."""
    return [row[0] for row in await store.run("SELECT id FROM devices ORDER BY id")]


async def begin(store: Store, device_id: int) -> None:
    """Remove a device of which more than one row is to be deleted."""
    async with store.transaction() as transaction:
        assert not await device_changes.remove(transaction, device_id, most=1)


async def rows_of_devices(store: Store) -> dict[str, int]:
    """Return how many rows there are in each table of devices and of what belongs to them."""
    tables = [table.name for table in SQLModel.metadata.sorted_tables if "device_id" in table.columns]
    found = {}
    for table in ("devices", *tables):
        condition = "WHERE device_id IS NOT NULL" if table == "alerts" else ""
        found[table] = (await store.run(f"SELECT count(*) FROM {table} {condition}"))[0][0]
    return found


async def test_nothing_of_removed_devices_is_seen_while_their_rows_are_still_there(graph: Graph, store: Store):
    """Lists, counts, sums and single things are without them at once; later steps leave no row and change no answer."""
    known = await worlds.settle(graph)
    of_devices = [each for type_, some in known.items() if type_ not in OF_MODELS for each in some]
    assert all((await graph.data(NODES, ids=of_devices))["nodes"])
    for device_id in await device_ids(store):
        async with store.transaction() as transaction:
            await device_changes.remove(transaction, device_id, most=1)
    assert sum((await rows_of_devices(store)).values()) > 100
    seen = await graph.data(OF_FLEET)
    assert (await graph.data(NODES, ids=of_devices))["nodes"] == [None] * len(of_devices)
    assert seen["fleet"]["deviceCount"] == seen["devices"]["totalCount"] == seen["anomalies"]["totalCount"] == 0
    assert {each["__typename"] for each in seen["alerts"]["nodes"]} == {"ModelAlert"}
    assert seen["alerts"]["totalCount"] == len(seen["alerts"]["nodes"])
    assert seen["salesSummaries"] == seen["restockNeeds"]["nodes"] == []
    assert {each["recentPredictions"]["totalCount"] for each in seen["models"]["nodes"]} == {0}
    assert await removing(store).check() > 0
    assert set((await rows_of_devices(store)).values()) == {0}
    assert await graph.data(OF_FLEET) == seen


async def test_a_removed_device_is_as_unknown_as_one_that_never_was(graph: Graph, store: Store):
    """It cannot be read, changed, removed again, or sent anything."""
    machine = await shops.open_machine(graph)
    await shops.fill(graph, machine)
    await shops.sell(graph, *(shops.sale(machine, f"T{place}", MIDDAY) for place in range(3)))
    sold = {"id": (await shops.sold(graph, machine))[0]["id"]}
    await begin(store, ids.decode_any(machine, "id")[1])
    asked: list[tuple[str, dict[str, Any]]] = [
        ("query ($id: ID!) { device(id: $id) { id } }", {"id": machine}),
        ('query { vendingMachine(serialNumber: "VM-1") { id } }', {}),
        (DELETE, {"input": {"id": machine}}),
        ("mutation ($input: RefundSaleInput!) { refundSale(input: $input) { sale { id } } }", {"input": sold}),
    ]
    for query, variables in asked:
        assert (await graph.error(query, variables))["extensions"]["code"] == "NOT_FOUND"
    answer = await shops.sell(graph, shops.sale(machine, "T9", MIDDAY))
    assert [each["code"] for each in answer["rejected"]] == ["UNKNOWN_DEVICE"]


async def test_a_device_with_the_same_serial_number_has_nothing_of_the_removed_one(graph: Graph, store: Store):
    """It may be registered at once, begins empty, and keeps its own readings when the rest of the other goes."""
    old = await add_heater(store, serial_number="WH-1")
    await add_readings(store, old, [MIDDAY - timedelta(minutes=minutes) for minutes in range(10)])
    await begin(store, old)
    new = await register(graph, "WH-1")
    assert new != heater_id(old)
    await record(graph, new, [MIDDAY], temperature=[50.0])
    assert await removing(store).check() == 1
    counted = "query ($id: ID!) { waterHeater(id: $id) { serialNumber readings { totalCount } } }"
    found = (await graph.data(counted, id=new))["waterHeater"]
    assert found == {"serialNumber": "WH-1", "readings": {"totalCount": 1}}
    assert (await store.run("SELECT count(*) FROM water_heater_readings"))[0][0] == 1


async def test_readings_that_wait_for_a_device_which_is_removed_are_refused(graph: Graph, store: Store):
    """Whoever waited for its lock finds it gone, and no reading without a device is left."""
    device = await add_heater(store)
    await add_readings(store, device, [MIDDAY - timedelta(minutes=minutes) for minutes in range(1, 4)])
    async with store.transaction() as transaction:
        assert not await device_changes.remove(transaction, device, most=1)
        recording = asyncio.create_task(record(graph, heater_id(device), [MIDDAY], temperature=[50.0]))
        await asyncio.sleep(0.1)
    assert [each["code"] for each in (await recording)["rejected"]] == ["UNKNOWN_DEVICE"]
    await removing(store).check()
    assert (await store.run("SELECT count(*) FROM water_heater_readings"))[0][0] == 0


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05])
async def test_a_removal_that_is_interrupted_goes_on(store: Store, seconds: float):
    """Whoever takes it up deletes what the one before has left."""
    device, other = await add_heater(store), await add_heater(store)
    for each in (device, other):
        await add_readings(store, each, [MIDDAY - timedelta(minutes=minutes) for minutes in range(50)])
    await begin(store, device)
    working = asyncio.create_task(removing(store, step_rows=1).check())
    await asyncio.sleep(seconds)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await removing(store).check()
    assert await device_removals.waiting(store, 10) == []
    assert await device_ids(store) == [other]
    counted: Any = await store.run("SELECT device_id, count(*) FROM water_heater_readings GROUP BY device_id")
    assert [tuple(row) for row in counted] == [(other, 50)]


async def test_little_is_removed_by_the_request_itself(graph: Graph, store: Store):
    """No worker is needed for a device of a usual test."""
    device = await add_heater(store)
    await add_readings(store, device, [MIDDAY])
    await graph.data(DELETE, input={"id": heater_id(device)})
    assert set((await rows_of_devices(store)).values()) == {0}
