"""Bad input to mutations: refused alike by plan and by the ordinary executor, and nothing is stored."""

from typing import Any

import pytest

from schema import ids
from tests.fleets import RECORD, heater_id, record, register, this_minute
from tests.graph import Graph, _comparable

CREATE = "mutation ($input: CreateWaterHeaterInput!) { createWaterHeater(input: $input) { waterHeater { id } } }"
UPDATE = "mutation ($input: UpdateWaterHeaterInput!) { updateWaterHeater(input: $input) { waterHeater { version } } }"
TARGET = "mutation ($input: SetTargetTemperatureInput!) { setTargetTemperature(input: $input) { waterHeater { id } } }"
MODE = "mutation ($input: SetWaterHeaterModeInput!) { setWaterHeaterMode(input: $input) { waterHeater { id } } }"
MAINTENANCE = "mutation ($input: SetDeviceMaintenanceInput!) { setDeviceMaintenance(input: $input) { device { id } } }"
DELETE = "mutation ($input: DeleteDeviceInput!) { deleteDevice(input: $input) { deletedId } }"
WORK = "mutation ($input: RecordMaintenanceInput!) { recordMaintenance(input: $input) { maintenanceRecord { id } } }"
EVERYTHING = """{
  devices(first: 100) { nodes {
    id name serialNumber manufacturer location status version updatedAt lastSeenAt installedAt
    ... on WaterHeater { targetTemperature minTemperature maxTemperature mode heaterType capacityLiters
      controlChanges { totalCount } readings { totalCount } }
    maintenanceRecords { totalCount }
  } }
}"""


async def refused(graph: Graph, mutation: str, **values: Any) -> tuple[str, str, list[Any] | None]:
    """Return code, message and input path of the one error of a mutation, which must have changed nothing."""
    before = await graph.data(EVERYTHING)
    bodies = [await graph._by(engine, mutation, {"input": values}) for engine in (graph.engine, graph.ordinary)]
    assert _comparable(bodies[0]) == _comparable(bodies[1])
    assert await graph.data(EVERYTHING) == before
    (error,) = bodies[0]["errors"]
    assert bodies[0].get("data") is None
    return error["extensions"]["code"], error["message"], error["extensions"].get("inputPath")


CHANGES: list[tuple[str, dict[str, Any]]] = [
    (UPDATE, {"version": 1}),
    (TARGET, {"targetTemperature": 50}),
    (MODE, {"mode": "ECO"}),
    (MAINTENANCE, {"active": True}),
    (DELETE, {}),
    (WORK, {"kind": "OTHER", "performedAt": "2024-01-01T00:00:00Z"}),
]


async def test_unknown_and_foreign_devices(graph: Graph):
    """Each change names the device that there is not, or the id that is none."""
    await register(graph)
    for mutation, values in CHANGES:
        name = "deviceId" if mutation == WORK else "id"
        code, message, _ = await refused(graph, mutation, **{name: heater_id(99)}, **values)
        assert code == "NOT_FOUND", mutation
        assert "with id 99" in message
        for bad in ("nope", "", ids.encode("MaintenanceRecord", 1)):
            code, _, path = await refused(graph, mutation, **{name: bad}, **values)
            assert (code, path) == ("BAD_USER_INPUT", ["input", name]), mutation


async def test_stale_versions(graph: Graph):
    """Who saw an older version is told the present one, and nothing changes."""
    device = await register(graph)
    await graph.data(TARGET, input={"id": device, "targetTemperature": 50})
    for mutation, values in CHANGES[:-1]:
        code, message, path = await refused(graph, mutation, id=device, **{**values, "version": 1})
        assert (code, path) == ("CONFLICT", ["input", "version"]), mutation
        assert "it is at version 2, the request saw 1" in message
    code, _, _ = await refused(graph, MODE, id=device, mode="OFF", version=2**31 - 1)
    assert code == "CONFLICT"


async def test_a_serial_number_that_is_taken(graph: Graph):
    """The message names the number."""
    await register(graph, "WH-1")
    code, message, path = await refused(graph, CREATE, name="Other", serialNumber=" WH-1 ")
    assert (code, path) == ("CONFLICT", ["input", "serialNumber"])
    assert message == "The serial number 'WH-1' belongs to another device."


BAD_CREATIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "name", "must not be empty"),
    ({"name": " \n "}, "name", "must not be empty"),
    ({"name": "x" * 10_000}, "name", "may have 200 characters, not 10000"),
    ({"name": "a\0b"}, "name", "control character"),
    ({"name": "a\x1bb"}, "name", "control character"),
    ({"name": "a\ud800b"}, "name", "control character"),
    ({"serialNumber": "x" * 101}, "serialNumber", "may have 100 characters"),
    ({"serialNumber": "x\0"}, "serialNumber", "control character"),
    ({"manufacturer": "x" * 201}, "manufacturer", "may have 200"),
    ({"firmwareVersion": "v" * 101}, "firmwareVersion", "may have 100"),
    ({"location": "\x00"}, "location", "control character"),
    ({"installedAt": "2999-01-01T00:00:00Z"}, "installedAt", "lies in the future"),
    ({"targetTemperature": 90}, "targetTemperature", "from 30 to 75 °C, not 90"),
    ({"targetTemperature": -300}, "targetTemperature", "from 30 to 75 °C"),
    ({"minTemperature": 0}, "minTemperature", "from 1 to 99 °C, not 0"),
    ({"maxTemperature": 100}, "maxTemperature", "from 1 to 99 °C, not 100"),
    ({"minTemperature": 60, "maxTemperature": 60}, "minTemperature", "must be below"),
    ({"capacityLiters": 0}, "capacityLiters", "from 0.1 to 100000 L"),
    ({"ratedPowerWatts": 1e300}, "ratedPowerWatts", "from 1 to 200000 W"),
    ({"mode": "HEAT_PUMP"}, "mode", "A RESISTIVE heater has no mode HEAT_PUMP; it has OFF, ECO, VACATION, ELECTRIC"),
    ({"mode": "GAS", "heaterType": "HYBRID"}, "mode", "it has OFF, ECO, VACATION, HEAT_PUMP, ELECTRIC, HIGH_DEMAND"),
]


async def test_heaters_that_cannot_be_registered(graph: Graph):
    """Texts, temperatures, sizes and modes are checked, each with what is allowed."""
    for values, field, part in BAD_CREATIONS:
        code, message, path = await refused(graph, CREATE, **{"name": "Boiler", "serialNumber": "WH-9", **values})
        assert (code, path) == ("BAD_USER_INPUT", ["input", field]), values
        assert part in message
        assert len(message) < 250


BAD_VALUES: list[dict[str, Any]] = [
    {"mode": "BOOST"},
    {"targetTemperature": "hot"},
    {"targetTemperature": float("nan")},
    {"targetTemperature": float("inf")},
    {"targetTemperature": 10**400},
    {"targetTemperature": None},
    {"name": None},
    {"name": 5},
    {"installedAt": "2024-01-01T00:00:00"},
    {"colour": "blue"},
]


async def test_values_of_other_types(graph: Graph):
    """What does not fit its type is refused before anything is done, and named."""
    for values in BAD_VALUES:
        code, message, _ = await refused(graph, CREATE, **{"name": "Boiler", "serialNumber": "WH-9", **values})
        assert code == "BAD_USER_INPUT", values
        assert next(iter(values)) in message


async def test_targets_and_modes_that_a_heater_lacks(graph: Graph):
    """A heater's own limits and modes hold for its controls."""
    device = await register(graph, minTemperature=40, maxTemperature=60, heaterType="HEAT_PUMP")
    for target in (39.9, 60.1, 1e9):
        code, message, path = await refused(graph, TARGET, id=device, targetTemperature=target)
        assert (code, path) == ("BAD_USER_INPUT", ["input", "targetTemperature"])
        assert "from 40 to 60 °C" in message
    code, message, path = await refused(graph, MODE, id=device, mode="ELECTRIC")
    assert (code, path) == ("BAD_USER_INPUT", ["input", "mode"])
    assert message == "A HEAT_PUMP heater has no mode ELECTRIC; it has OFF, ECO, VACATION, HEAT_PUMP."
    code, _, path = await refused(graph, UPDATE, id=device, version=1, heaterType="GAS", mode="HEAT_PUMP")
    assert (code, path) == ("BAD_USER_INPUT", ["input", "mode"])
    code, _, path = await refused(graph, UPDATE, id=device, version=1, maxTemperature=50)
    assert (code, path) == ("BAD_USER_INPUT", ["input", "targetTemperature"])


@pytest.mark.parametrize(
    "field",
    [
        "name",
        "mode",
        "heaterType",
        "targetTemperature",
        "minTemperature",
        "maxTemperature",
        "capacityLiters",
        "ratedPowerWatts",
    ],
)
async def test_null_where_a_heater_has_a_value(graph: Graph, field: str):
    """Leaving out keeps a value; null would leave none."""
    device = await register(graph)
    code, message, path = await refused(graph, UPDATE, id=device, version=1, **{field: None})
    assert (code, path) == ("BAD_USER_INPUT", ["input", field])
    assert message == f"'{field}' must not be null; leave it out to keep it as it is."


async def test_null_where_a_heater_may_have_none(graph: Graph):
    """A location and its like are taken away by null."""
    device = await register(graph, location="Attic", manufacturer="Acme", installedAt="2024-01-01T00:00:00Z")
    update = UPDATE.replace("version", "location manufacturer installedAt")
    body = await graph.data(update, input={"id": device, "version": 1, "location": None, "installedAt": None})
    assert body["updateWaterHeater"]["waterHeater"] == {"location": None, "manufacturer": "Acme", "installedAt": None}


BAD_WORK: list[tuple[dict[str, Any], str, list[Any], str]] = [
    ({"cost": {"amount": "1", "currency": "eur"}}, "BAD_USER_INPUT", ["cost", "currency"], "three letters of ISO 4217"),
    ({"cost": {"amount": "1", "currency": "EURO"}}, "BAD_USER_INPUT", ["cost", "currency"], "'EURO' is not a currency"),
    ({"cost": {"amount": "1", "currency": "E\0R"}}, "BAD_USER_INPUT", ["cost", "currency"], "not a currency"),
    ({"cost": {"amount": "1.005", "currency": "EUR"}}, "BAD_USER_INPUT", ["cost", "amount"], "EUR has 2 decimals"),
    ({"cost": {"amount": "0.5", "currency": "JPY"}}, "BAD_USER_INPUT", ["cost", "amount"], "JPY has 0 decimals"),
    (
        {"cost": {"amount": "12345678901.0000000000000000001", "currency": "EUR"}},
        "BAD_USER_INPUT",
        ["cost", "amount"],
        "EUR has 2 decimals",
    ),
    ({"cost": {"amount": "-0.01", "currency": "EUR"}}, "BAD_USER_INPUT", ["cost", "amount"], "at least 0, not -0.01"),
    ({"cost": {"amount": "1e15", "currency": "CLF"}}, "BAD_USER_INPUT", ["cost", "amount"], "more than can be stored"),
    ({"performedAt": "2999-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["performedAt"], "lies in the future"),
    ({"notes": "x" * 10_000}, "BAD_USER_INPUT", ["notes"], "may have 4000 characters"),
    ({"performedBy": "A\0"}, "BAD_USER_INPUT", ["performedBy"], "control character"),
    ({"parts": [{"name": "anode"}, {"name": " "}]}, "BAD_USER_INPUT", ["parts", 1, "name"], "must not be empty"),
    ({"parts": [{"name": "a", "quantity": 0}]}, "BAD_USER_INPUT", ["parts", 0, "quantity"], "from 1 to 1000000"),
    ({"parts": [{"name": "a"}] * 101}, "LIMIT_EXCEEDED", ["parts"], "may have 100 parts, not 101"),
]


async def test_maintenance_that_cannot_be_recorded(graph: Graph):
    """Money is exact, parts are counted, work lies in the past."""
    device = await register(graph)
    for values, expected, path, part in BAD_WORK:
        given = {"deviceId": device, "kind": "REPAIR", "performedAt": "2024-01-01T00:00:00Z", **values}
        code, message, found = await refused(graph, WORK, **given)
        assert (code, found) == (expected, ["input", *path]), values
        assert part in message


async def test_amounts_that_are_no_numbers(graph: Graph):
    """A Decimal is finite and of sensible length."""
    device = await register(graph)
    for amount in ("NaN", "Infinity", "1e99", "ten", True, "1" * 31, ""):
        given = {"deviceId": device, "kind": "REPAIR", "performedAt": "2024-01-01T00:00:00Z"}
        code, _, _ = await refused(graph, WORK, **given, cost={"amount": amount, "currency": "EUR"})
        assert code == "BAD_USER_INPUT", amount


async def test_batches_that_cannot_be(graph: Graph):
    """A batch has readings, and no more than the setting allows."""
    device = await register(graph)
    row = {"deviceId": device, "recordedAt": this_minute().isoformat(), "power": 1}
    code, message, path = await refused(graph, RECORD, readings=[])
    assert (code, path, message) == ("BAD_USER_INPUT", ["input", "readings"], "The batch has no readings.")
    code, message, path = await refused(graph, RECORD, readings=[row] * 101)
    assert (code, path) == ("LIMIT_EXCEEDED", ["input", "readings"])
    assert "A batch may have 100 readings (ingest.max_batch_size), not 101" in message


async def test_readings_that_are_none(graph: Graph):
    """What does not fit its type spoils the batch, with its place; so does an id that is none of a water heater."""
    device, at = await register(graph), this_minute().isoformat()
    good = {"deviceId": device, "recordedAt": at, "power": 1}
    for bad in (
        {"power": float("nan")},
        {"power": float("-inf")},
        {"power": "much"},
        {"recordedAt": "2024-01-01T00:00:00"},
        {"recordedAt": None},
        {"heating": 1},
        {"colour": 1},
    ):
        code, message, _ = await refused(graph, RECORD, readings=[good, {**good, **bad}])
        assert code == "BAD_USER_INPUT", bad
        assert ".readings[1]" in message, message
    for id_ in ("nope", ids.encode("MaintenanceRecord", 1)):
        code, _, path = await refused(graph, RECORD, readings=[good, {**good, "deviceId": id_}])
        assert (code, path) == ("BAD_USER_INPUT", ["input", "readings", 1, "deviceId"])


async def test_what_a_deleted_device_leaves_behind(graph: Graph):
    """Nothing: its records, readings and changes go with it, and its serial number is free again."""
    device = await register(graph)
    await record(graph, device, [this_minute()], power=[5])
    await graph.data(TARGET, input={"id": device, "targetTemperature": 50})
    made = await graph.data(WORK, input={"deviceId": device, "kind": "REPAIR", "performedAt": "2024-01-01T00:00:00Z"})
    work = made["recordMaintenance"]["maintenanceRecord"]["id"]
    await graph.data(DELETE, input={"id": device})
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    change = ids.encode("WaterHeaterControlChange", 1)
    assert (await graph.data(nodes, ids=[device, work, change]))["nodes"] == [None, None, None]
    payload = await record(graph, device, [this_minute()], power=[5])
    assert [row["code"] for row in payload["rejected"]] == ["UNKNOWN_DEVICE"]
    again = await register(graph)
    assert again != device
    for table in ("water_heater_readings", "maintenance_records", "water_heater_control_changes", "water_heaters"):
        rows = await graph.services.store.run(f"SELECT device_id FROM {table}")
        assert [ids.encode("WaterHeater", row[0]) for row in rows] == ([again] if table == "water_heaters" else [])


async def test_fields_of_one_mutation_see_what_earlier_ones_did(graph: Graph):
    """Each field of a mutation reads the world as the one before it left it."""
    device = await register(graph)
    work = 'input: {deviceId: $id, kind: OTHER, performedAt: "2024-01-01T00:00:00Z"}'
    seen = "{ maintenanceRecord { device { maintenanceRecords { totalCount } } } }"
    fields = " ".join(f"f{place}: recordMaintenance({work}) {seen}" for place in range(3))
    body = await graph.data(f"mutation ($id: ID!) {{ {fields} }}", id=device)
    totals = [each["maintenanceRecord"]["device"]["maintenanceRecords"]["totalCount"] for each in body.values()]
    assert totals == [1, 2, 3]
