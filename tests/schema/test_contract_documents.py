"""The documents of the contract answer right data, each query by plan and by the ordinary executor."""

from datetime import timedelta
from typing import Any

import pytest

from models.principal import Principal, Role
from schema import ids
from tests.contract import document
from tests.counting import Statements
from tests.factories import MIDDAY
from tests.findings import add_alert, add_anomaly, alert_id, anomaly_id, by_severity
from tests.fleets import add_fleet, heater_id, record, register, this_minute
from tests.graph import Graph

LISTS: dict[str, dict[str, Any]] = {
    "fleet_overview": {},
    "device_list": {"first": 100, "orderBy": {"field": "LAST_SEEN_AT", "direction": "DESC"}},
    "water_heater_list": {"first": 100},
    "compare_chart": {},
    "anomalies": {"first": 100},
    "alerts": {"first": 100},
    "deep_links": {},
}


def iso(instant: Any) -> str:
    """Write an instant as answers do."""
    return instant.isoformat().replace(".000000", "")


async def answer(graph: Graph, name: str, **variables: Any) -> Any:
    """Return the data of a query of the contract, which must have been planned."""
    text = document(name)
    assert await graph.planned(text, variables)
    return await graph.data(text, variables)


async def test_fleet_overview_counts_every_kind_and_status(graph: Graph):
    """Kinds, statuses and severities of which there are none are there with a zero."""
    first, *_ = await add_fleet(graph, 3)
    await add_anomaly(graph.services.store, first, state="OPEN")
    await add_alert(graph.services.store, first, severity="CRITICAL")
    await record(graph, heater_id(first), [this_minute()], temperature=[50])
    assert (await answer(graph, "fleet_overview"))["fleet"] == {
        "deviceCount": 3,
        "devicesByKind": [{"kind": "WATER_HEATER", "count": 3}, {"kind": "VENDING_MACHINE", "count": 0}],
        "devicesByStatus": [
            {"status": "ONLINE", "count": 1},
            {"status": "OFFLINE", "count": 2},
            {"status": "MAINTENANCE", "count": 0},
            {"status": "RETIRED", "count": 0},
        ],
        "openAnomaliesBySeverity": by_severity(HIGH=1),
        "openAlertsBySeverity": by_severity(CRITICAL=1),
    }


async def test_device_list_shows_filtered_devices_in_order(graph: Graph):
    """The page holds what the filter lets through, newest reading and all, and a cursor that leads on."""
    at = this_minute()
    added = await add_fleet(graph, 7, readings=2, newest=at)
    variables = {"first": 2, "filter": {"location": "Room 0"}, "orderBy": {"field": "NAME", "direction": "DESC"}}
    page = (await answer(graph, "device_list", **variables))["devices"]
    assert page["totalCount"] == 3
    assert [edge["node"]["name"] for edge in page["edges"]] == ["Heater 006", "Heater 003"]
    assert page["edges"][0]["node"] == {
        "__typename": "WaterHeater",
        "id": heater_id(added[6]),
        "kind": "WATER_HEATER",
        "name": "Heater 006",
        "serialNumber": "S-006",
        "manufacturer": None,
        "model": None,
        "firmwareVersion": None,
        "location": "Room 0",
        "status": "OFFLINE",
        "lastSeenAt": iso(at),
        "installedAt": None,
        "targetTemperature": 55.0,
        "mode": "ECO",
        "latestReading": {"recordedAt": iso(at), "temperature": 46.01},
    }
    cursors = [edge["cursor"] for edge in page["edges"]]
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": cursors[0],
        "endCursor": cursors[1],
    }
    rest = (await answer(graph, "device_list", **variables, after=cursors[1]))["devices"]
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["Heater 000"]
    assert rest["pageInfo"]["hasNextPage"] is False
    assert rest["pageInfo"]["hasPreviousPage"] is True


async def test_device_by_serial(graph: Graph):
    """A serial number leads to its device."""
    added = await add_fleet(graph, 2)
    assert (await answer(graph, "device_by_serial", serialNumber="S-001"))["device"] == {
        "__typename": "WaterHeater",
        "id": heater_id(added[1]),
        "name": "Heater 001",
        "kind": "WATER_HEATER",
        "status": "OFFLINE",
    }


async def test_node_finds_anything_and_says_null_for_what_is_gone(graph: Graph):
    """Nodes come in the order of their ids, whatever their types; one that does not exist is null."""
    device = await register(graph)
    body = await graph.data(
        document("record_maintenance"), input={"deviceId": device, "kind": "OTHER", "performedAt": iso(this_minute())}
    )
    record_id = body["recordMaintenance"]["maintenanceRecord"]["id"]
    found = await answer(graph, "node", id=record_id, ids=[device, heater_id(999), record_id, device])
    assert found["node"] == {"__typename": "MaintenanceRecord", "id": record_id}
    heater = {"__typename": "WaterHeater", "id": device, "name": "Boiler"}
    assert found["nodes"] == [heater, None, found["node"], heater]
    row_id = await add_anomaly(graph.services.store, ids.decode(device, ("WaterHeater",), "id"))
    found = await answer(graph, "node", id=anomaly_id(row_id), ids=[anomaly_id(row_id), anomaly_id(row_id + 1)])
    assert found["nodes"] == [{**found["node"], "severity": "HIGH"}, None]


async def test_anomalies(graph: Graph):
    """The page of anomalies, newest first, with their devices and a cursor that leads on."""
    first, second = await add_fleet(graph, 2)
    store = graph.services.store
    made = [await add_anomaly(store, first, state="OPEN"), await add_anomaly(store, second, severity="LOW")]
    page = (await answer(graph, "anomalies", first=1, filter={"kinds": ["WATER_HEATER"]}))["anomalies"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    (edge,) = page["edges"]
    assert edge["node"].pop("model")["version"] == 1
    assert edge["node"] == {
        "id": anomaly_id(made[1]),
        "metric": "TEMPERATURE",
        "score": 0.75,
        "severity": "LOW",
        "state": "CLOSED",
        "explanation": "Temperature was 88.5 °C, 55.25 °C was expected.",
        "detectedAt": iso(MIDDAY),
        "device": {"id": heater_id(second), "name": "Heater 001", "kind": "WATER_HEATER"},
    }
    rest = (await answer(graph, "anomalies", first=5, after=edge["cursor"]))["anomalies"]
    assert [edge["node"]["id"] for edge in rest["edges"]] == [anomaly_id(made[0])]


async def test_deep_links(graph: Graph):
    """An anomaly leads to its device, and the device to its readings and to what is predicted of it."""
    at = this_minute()
    first, _ = await add_fleet(graph, 2, readings=12, newest=at)
    row_id = await add_anomaly(graph.services.store, first)
    (node,) = (await answer(graph, "deep_links"))["anomalies"]["nodes"]
    readings = node["device"].pop("readings")["nodes"]
    assert node["device"].pop("predictions") == {"lifespan": None}
    assert node == {"id": anomaly_id(row_id), "device": {"id": heater_id(first), "name": "Heater 000"}}
    assert [reading["recordedAt"] for reading in readings] == [iso(at - timedelta(minutes=back)) for back in range(10)]


async def test_water_heater_list(graph: Graph):
    """Each heater comes with its newest reading, or without one."""
    at = this_minute()
    (first,) = await add_fleet(graph, 1, readings=3, newest=at)
    silent = await register(graph, "WH-silent", name="Zero")
    page = (await answer(graph, "water_heater_list", first=10))["waterHeaters"]
    assert page["nodes"] == [
        {
            "id": heater_id(first),
            "name": "Heater 000",
            "mode": "ECO",
            "targetTemperature": 55.0,
            "latestReading": {"temperature": 40.02, "power": 200.0, "recordedAt": iso(at)},
        },
        {"id": silent, "name": "Zero", "mode": "ECO", "targetTemperature": 55.0, "latestReading": None},
    ]
    assert page["pageInfo"]["hasNextPage"] is False


async def test_water_heater_page(graph: Graph):
    """Everything that a heater's page shows is there at once."""
    at = this_minute()
    (row_id,) = await add_fleet(graph, 1, readings=120, newest=at)
    device = heater_id(row_id)
    await graph.data(
        document("record_maintenance"),
        input={
            "deviceId": device,
            "kind": "PART_REPLACEMENT",
            "performedAt": "2024-01-02T03:04:05+01:00",
            "performedBy": " Ada ",
            "cost": {"amount": "1234.5", "currency": "EUR"},
        },
    )
    heater = (await answer(graph, "water_heater_page", id=device))["waterHeater"]
    assert heater.pop("anomalies") == {"nodes": []}
    # Work of long ago, told of now, raises nothing.
    assert heater.pop("alerts") == {"nodes": []}
    readings, records = heater.pop("readings"), heater.pop("maintenanceRecords")
    newest = heater.pop("latestReading")
    assert heater == {
        "id": device,
        "name": "Heater 000",
        "serialNumber": "S-000",
        "status": "OFFLINE",
        "mode": "ECO",
        "heaterType": "RESISTIVE",
        "capacityLiters": 150.0,
        "ratedPowerWatts": 2000.0,
        "targetTemperature": 55.0,
        "minTemperature": 30.0,
        "maxTemperature": 70.0,
        "version": 1,
    }
    assert newest["recordedAt"] == iso(at)
    assert newest["temperature"] == 41.19
    assert newest["heating"] is None
    assert len(readings["nodes"]) == 100
    assert readings["nodes"][99]["recordedAt"] == iso(at - timedelta(minutes=99))
    assert readings["nodes"][99]["power"] == 2000.0
    assert readings["pageInfo"]["hasNextPage"] is True
    (work,) = records["nodes"]
    assert ids.decode(work.pop("id"), ("MaintenanceRecord",), "id")
    assert work == {
        "kind": "PART_REPLACEMENT",
        "performedAt": "2024-01-02T02:04:05+00:00",
        "performedBy": "Ada",
        "notes": None,
        "cost": {"amount": "1234.50", "currency": "EUR"},
    }


async def test_water_heater_page_shows_what_is_wrong(graph: Graph):
    """The anomalies that are open, with the readings of their peaks, and the alerts."""
    at = this_minute()
    (row_id,) = await add_fleet(graph, 1, readings=2, newest=at)
    await add_anomaly(graph.services.store, row_id)
    found_id = await add_anomaly(graph.services.store, row_id, state="OPEN", peak_at=at)
    raised_id = await add_alert(graph.services.store, row_id)
    heater = (await answer(graph, "water_heater_page", id=heater_id(row_id)))["waterHeater"]
    assert heater["anomalies"]["nodes"] == [
        {
            "id": anomaly_id(found_id),
            "metric": "TEMPERATURE",
            "score": 0.75,
            "severity": "HIGH",
            "state": "OPEN",
            "detectedAt": iso(MIDDAY),
            "reading": {"recordedAt": iso(at), "temperature": 40.01},
        }
    ]
    assert heater["alerts"]["nodes"] == [
        {
            "id": alert_id(raised_id),
            "kind": "OVER_TEMPERATURE",
            "severity": "HIGH",
            "state": "OPEN",
            "message": "The tank has 88.5 °C, 75 °C or more is too hot.",
            "raisedAt": iso(MIDDAY),
            "acknowledgedAt": None,
            "resolvedAt": None,
        }
    ]


async def test_history_chart(graph: Graph):
    """Two hours in at most 24 points are buckets of five minutes, with the mean of each."""
    at = this_minute().replace(minute=0)
    (row_id,) = await add_fleet(graph, 1, readings=120, newest=at - timedelta(minutes=1))
    variables = {"id": heater_id(row_id), "from": iso(at - timedelta(hours=2)), "to": iso(at), "maxPoints": 24}
    temperature, power = (await answer(graph, "history_chart", **variables))["waterHeater"]["series"]
    assert (temperature["metric"], temperature["unit"], temperature["method"]) == ("TEMPERATURE", "°C", "AVERAGE")
    assert (power["metric"], power["unit"], power["resolutionSeconds"]) == ("POWER", "W", 300.0)
    begin = at - timedelta(hours=2)
    assert power["timestamps"] == [iso(begin + timedelta(minutes=5 * place)) for place in range(24)]
    assert power["values"] == [100.0 * (5 * place + 2) for place in range(24)]
    assert temperature["values"] == pytest.approx([40 + (5 * place + 2) / 100 for place in range(24)])


async def test_compare_chart(graph: Graph):
    """Few readings come as they are, one line for each device."""
    at = this_minute()
    await add_fleet(graph, 2, readings=50, newest=at)
    variables = {"from": iso(at - timedelta(hours=1)), "to": iso(at + timedelta(seconds=1))}
    nodes = (await answer(graph, "compare_chart", **variables))["waterHeaters"]["nodes"]
    assert [node["name"] for node in nodes] == ["Heater 000", "Heater 001"]
    (line,) = nodes[1]["series"]
    assert line["values"] == [41 + i / 100 for i in range(50)]
    assert line["timestamps"][-1] == iso(at)
    assert line["resolutionSeconds"] == 60.0


async def test_a_heater_is_registered_changed_controlled_and_removed(graph: Graph):
    """The mutations of a heater's life answer with the heater as it then is."""
    body = await graph.data(document("create_water_heater"), input={"name": " Attic ", "serialNumber": "A-1"})
    created = body["createWaterHeater"]["waterHeater"]
    device = created.pop("id")
    assert created == {"name": "Attic", "serialNumber": "A-1", "mode": "ECO", "targetTemperature": 55.0, "version": 1}
    body = await graph.data(
        document("update_water_heater"),
        input={"id": device, "version": 1, "name": "Cellar", "location": "House 1", "mode": "HIGH_DEMAND"},
    )
    assert body["updateWaterHeater"]["waterHeater"] == {
        "id": device,
        "name": "Cellar",
        "location": "House 1",
        "mode": "HIGH_DEMAND",
        "version": 2,
    }
    body = await graph.data(document("set_target_temperature"), input={"id": device, "targetTemperature": 60})
    assert body["setTargetTemperature"]["waterHeater"] == {"id": device, "targetTemperature": 60.0, "version": 3}
    body = await graph.data(document("set_mode"), input={"id": device, "mode": "VACATION", "version": 3})
    assert body["setWaterHeaterMode"]["waterHeater"] == {"id": device, "mode": "VACATION", "version": 4}
    body = await graph.data(document("delete_device"), input={"id": device, "version": 4})
    assert body["deleteDevice"] == {"deletedId": device}
    assert await graph.data("{ devices { totalCount nodes { id } } }") == {"devices": {"totalCount": 0, "nodes": []}}


async def test_record_readings_gives_each_row_its_verdict(graph: Graph):
    """Good rows are stored, known ones counted, bad ones named by their place."""
    device, at = await register(graph), this_minute()
    rows = [
        {"deviceId": device, "recordedAt": iso(at), "temperature": 50, "heating": True},
        {"deviceId": device, "recordedAt": iso(at), "temperature": 51},
        {"deviceId": device, "recordedAt": iso(at - timedelta(minutes=1)), "temperature": 500},
        {"deviceId": heater_id(999), "recordedAt": iso(at), "temperature": 50},
    ]
    body = await graph.data(document("record_readings"), input={"readings": rows})
    payload = body["recordWaterHeaterReadings"]
    assert (payload["acceptedCount"], payload["duplicateCount"], payload["anomalies"]) == (1, 1, [])
    assert [(row["index"], row["code"]) for row in payload["rejected"]] == [(2, "OUT_OF_RANGE"), (3, "UNKNOWN_DEVICE")]
    latest = "query ($id: ID!) { waterHeater(id: $id) { latestReading { temperature heating } } }"
    assert (await graph.data(latest, id=device))["waterHeater"]["latestReading"] == {
        "temperature": 50.0,
        "heating": True,
    }


async def test_record_maintenance_answers_with_the_record(graph: Graph):
    """The payload leads on to the device."""
    device = await register(graph)
    body = await graph.data(
        document("record_maintenance"),
        input={"deviceId": device, "kind": "REPAIR", "performedAt": "2024-01-01T00:00:00Z"},
    )
    made = body["recordMaintenance"]["maintenanceRecord"]
    assert ids.decode(made.pop("id"), ("MaintenanceRecord",), "id")
    assert made == {"kind": "REPAIR", "performedAt": "2024-01-01T00:00:00+00:00", "device": {"id": device}}


@pytest.mark.parametrize("way", ["engine", "ordinary"])
@pytest.mark.parametrize("name", LISTS)
async def test_a_list_takes_as_many_statements_for_50_devices_as_for_5(
    graph: Graph, statements: Statements, name: str, way: str
):
    """The number of statements depends on the document's shape, never on how many rows it returns."""
    at = this_minute()
    variables = LISTS[name]
    if name == "compare_chart":
        variables = {"from": iso(at - timedelta(hours=1)), "to": iso(at)}
    text = document(name)
    engine = getattr(graph, way)
    counts: list[int] = []
    for size in (5, 45):
        await _more(graph, size)
        # The first question of a process registers methods and reads the models.
        await graph._by(engine, text, variables)
        statements.clear()
        body = await graph._by(engine, text, variables)
        assert "errors" not in body
        counts.append(statements.count_asked())
    assert counts[0] == counts[1] > 0


async def _more(graph: Graph, size: int) -> None:
    """Add heaters with readings to those that are there."""
    there = (await graph.data("{ fleet { deviceCount } }"))["fleet"]["deviceCount"]
    for number in range(there, there + size):
        device = await register(graph, f"M-{number:03}", name=f"More {number:03}")
        await record(graph, device, [this_minute()], temperature=[50])
        row_id = ids.decode(device, ("WaterHeater",), "id")
        found = await add_anomaly(graph.services.store, row_id)
        await add_alert(graph.services.store, row_id, anomaly_id=found)


async def test_a_viewer_may_read_but_change_nothing(graph: Graph):
    """A change takes a right; the error names it, and the roles that have it."""
    graph.principal = Principal("wallboard", Role.VIEWER)
    error = await graph.error(document("create_water_heater"), input={"name": "x", "serialNumber": "y"})
    assert error["extensions"] == {"code": "FORBIDDEN", "requiredRight": "operate"}
    assert (await graph.data("{ fleet { deviceCount } }"))["fleet"]["deviceCount"] == 0
