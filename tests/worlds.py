"""A small world for tests of the whole graph: something of every type, with most of its fields filled."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.predictions import PredictionKind
from models.repositories import training_runs
from models.repositories.prediction_models import as_json
from models.store import Store
from schema import ids
from tests import lives, monitored, shops
from tests.findings import add_alert, add_anomaly, tell_anomaly
from tests.fleets import add_fleet, heater_id, record, register, this_minute
from tests.graph import Graph

FILLED = {
    "manufacturer": "Maker",
    "model": "M-1",
    "firmwareVersion": "1.2.3",
    "location": "Room 1",
    "installedAt": "2024-01-01T00:00:00Z",
}
_SEEN = """{
  devices(first: 50) { nodes { id __typename
    maintenanceRecords { nodes { id } } failures { nodes { id } } predictionHistory { nodes { id __typename } }
    ... on WaterHeater { controlChanges { nodes { id } } }
    ... on VendingMachine { products { id } sales { nodes { id } } slotChanges { nodes { id } } }
  } }
  anomalies { nodes { id __typename } } alerts { nodes { id __typename } } trainingRuns { nodes { id __typename } }
  models { nodes { id __typename health { id __typename }
    metrics { nodes { id __typename } } drift { nodes { id __typename } } } }
}"""
_PREDICT = "{ devices(first: 50) { nodes { predictions { lifespan { id } anomaly { id } usagePatterns { id } "
_PREDICT += "multiFactor { id } unavailable { kind } } } } }"


async def settle(graph: Graph) -> dict[str, list[str]]:
    """Store a small fleet with something of everything; return the global ids of it all, by type."""
    store = graph.services.store
    heaters = await add_fleet(graph, 3, readings=5)
    registered = await register(graph, "WH-full", **FILLED)
    await register(graph, "WH-silent")
    await record(
        graph, registered, [this_minute()], temperature=[55.5], pressure=[3.25], flowRate=[0.0], heating=[True]
    )
    for place, row_id in enumerate(heaters):
        await _live(graph, heater_id(row_id), place)
        await _alarms(store, row_id, place)
    await _watched(store, ids.decode(registered, ("WaterHeater",), "id"), heaters[0])
    machine = await shops.open_machine(graph, "VM-1", cashCapacity={"amount": "40", "currency": "EUR"}, **FILLED)
    await shops.open_machine(graph, "VM-silent", timeZone="Europe/Berlin")
    await _trade(graph, machine)
    await graph._by(graph.engine, _PREDICT, {})
    return _by_type(await graph.data(_SEEN))


async def _live(graph: Graph, device: str, place: int) -> None:
    """Let people work on a heater."""
    await _do(graph, "setTargetTemperature", {"id": device, "targetTemperature": 40 + place}, "waterHeater")
    at = "2024-01-01T00:00:00Z"
    work: dict[str, Any] = {"deviceId": device, "kind": "REPAIR", "performedAt": at}
    cost, parts = {"amount": "12.5", "currency": "EUR"}, [{"name": "anode", "partNumber": "A-1"}, {"name": "valve"}]
    for more in ({}, {"cost": cost, "parts": parts, "performedBy": "Ada", "notes": "Ölige Dichtung"}):
        await _do(graph, "recordMaintenance", {**work, **more}, "maintenanceRecord")
    failure = {"deviceId": device, "failedAt": at, "cause": "LEAK", "description": "It leaked.", "endsLife": place == 2}
    await _do(graph, "recordFailure", failure, "failure")
    rule = {"deviceId": device, "kind": "HIGH_PRESSURE", "highThreshold": 5 + place, "isEnabled": place != 1}
    await _do(graph, "setAlertRule", rule, "alertRule")


async def _alarms(store: Store, row_id: int, place: int) -> None:
    """Store an anomaly with its alert, and an alert without."""
    at = this_minute()
    found = await add_anomaly(
        store,
        row_id,
        state=("OPEN", "CLOSED")[place % 2],
        peak_at=at,
        verdict=(None, "FALSE_ALARM", "TRUE_ALARM")[place],
        resolved_at=None if place == 0 else at,
        resolved_by=None if place == 0 else "Ada",
        comment="Seen." if place == 2 else None,
    )
    await tell_anomaly(store, found, "OPENED")
    acknowledged = {"acknowledged_at": at, "acknowledged_by": "Ada", "acknowledge_comment": "Coming."}
    resolved = {"resolved_at": at, "resolved_by": "Ada", "resolve_comment": "Done.", "state": "RESOLVED"}
    course: dict[str, Any] = ({}, acknowledged, resolved)[place]
    severity = ("LOW", "HIGH")[place % 2]
    await add_alert(store, row_id, kind="ANOMALY", severity=severity, anomaly_id=found, **course)
    await add_alert(store, row_id, kind="OFFLINE", metric=None, value=None, threshold=None)


async def _watched(store: Store, worn: int, other: int) -> None:
    """Give a heater a past, let models learn, and let the watch over them find something."""
    await lives.add_days(store, worn, 90, wear=0.9)
    at = this_minute()
    life = await lives.learn(
        store,
        PredictionKind.LIFESPAN,
        window_from=at - timedelta(days=90),
        window_to=at,
        metrics=as_json({"mae": 10.0}),
        parameters=as_json({"min_failures": 5.0}),
        promoted_by="Ada",
        promotion_reason="It is better.",
    )
    risk = await lives.learn(store, PredictionKind.MULTI_FACTOR, method="BOOSTED_TREES")
    for model in (life, risk):
        for hours in range(2):
            await monitored.add_metric(store, model, at - timedelta(hours=hours), reported_by="Grace")
            await monitored.add_drift(store, model, evaluated_at=at - timedelta(hours=hours))
        await monitored.add_health(store, model, began_at=at - timedelta(hours=2))
        await monitored.add_health(store, model, "WARNING", status="HEALTHY", reasons="[]", score=None, began_at=at)
        await monitored.add_model_alert(store, model)
        await monitored.add_prediction(store, model, other)
    async with store.transaction() as transaction:
        for state, error in (("FAILED", "Too few failures."), ("QUEUED", None)):
            await training_runs.add(
                transaction,
                {
                    "kind": "LIFESPAN",
                    "device_kind": "WATER_HEATER",
                    "state": state,
                    "progress": 0.5,
                    "requested_at": at,
                    "requested_by": "Ada",
                    "started_at": None if error is None else at,
                    "finished_at": None if error is None else at,
                    "error": error,
                },
            )


async def _trade(graph: Graph, machine: str) -> None:
    """Fill a machine, sell, refund, reload, and let it report."""
    newest = this_minute()
    for slot, more in (("A1", {"sku": "S-1", "category": "Snacks"}), ("A2", {"lowStockThreshold": 15})):
        await shops.fill(graph, machine, slot, **more)
    sales = [
        shops.sale(machine, f"T-{place}", newest - timedelta(hours=place), quantity=1 + place % 3, slot=slot)
        for place, slot in enumerate(["A1", "A2"] * 5)
    ]
    await shops.sell(graph, *sales)
    sold = await shops.sold(graph, machine)
    await _do(graph, "refundSale", {"id": sold[0]["id"], "returnToStock": True}, "sale")
    loads = [{"slot": "A1", "quantity": 3, "mode": "ADD"}]
    await _do(graph, "restock", {"machineId": machine, "loads": loads, "restockedBy": "Ada"}, "products")
    readings = [
        {"deviceId": machine, "recordedAt": at.isoformat(), "power": 200, "cabinetTemperature": 5.5, "cashLevel": 12.5}
        for at in _minutes(newest, 3)
    ]
    await graph.data(
        "mutation ($input: RecordVendingMachineReadingsInput!) "
        "{ recordVendingMachineReadings(input: $input) { acceptedCount } }",
        input={"readings": [{**each, "doorOpen": place == 1} for place, each in enumerate(readings)]},
    )


async def _do(graph: Graph, name: str, given: dict[str, Any], answer: str) -> Any:
    """Run a mutation whose input has the name of its field."""
    type_ = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {type_}!) {{ {name}(input: $input) {{ {answer} {{ __typename }} }} }}"
    return await graph.data(query, input=given)


def _minutes(newest: datetime, count: int) -> Sequence[datetime]:
    return [newest - timedelta(minutes=back) for back in range(count)]


def _by_type(seen: Any) -> dict[str, list[str]]:
    """Return all ids of an answer by the types that they name."""
    found: dict[str, list[str]] = {}
    pending: list[Any] = [seen]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            if "id" in each:
                found.setdefault(ids.decode_any(each["id"], "id")[0], []).append(each["id"])
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
    return {type_: sorted(set(known)) for type_, known in found.items()}
