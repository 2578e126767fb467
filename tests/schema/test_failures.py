"""Failures: recorded, listed, and what they make of a device."""

from datetime import timedelta
from typing import Any

import pytest

from app.workers import SilenceWatching
from models.clock import now
from models.repositories import anomalies, device_failures
from schema import ids
from tests.factories import add_heater
from tests.findings import add_anomaly
from tests.fleets import heater_id, record, this_minute
from tests.graph import Graph

RECORD = """
mutation ($input: RecordFailureInput!) {
  recordFailure(input: $input) {
    failure {
      id failedAt cause description endsLife reportedBy createdAt
      device { id status version failures { totalCount nodes { cause endsLife } } }
    }
  }
}
"""


def given(device: int, **more: Any) -> dict[str, Any]:
    """Return the input of a failure of now."""
    return {"deviceId": heater_id(device), "failedAt": this_minute().isoformat(), **more}


async def fail(graph: Graph, device: int, **more: Any) -> Any:
    """Record a failure and return it."""
    return (await graph.data(RECORD, input=given(device, **more)))["recordFailure"]["failure"]


async def refused(graph: Graph, device: int, **more: Any) -> tuple[str, str]:
    """Return code and message of the error of a failure that is refused."""
    error = await graph.error(RECORD, input=given(device, **more))
    return error["extensions"]["code"], error["message"]


async def status(graph: Graph, device: int) -> str:
    """Return the status of a heater."""
    return (await graph.data("query ($id: ID!) { device(id: $id) { status } }", id=heater_id(device)))["device"][
        "status"
    ]


async def test_a_failure_is_recorded_and_listed(graph: Graph):
    """It does not end the device's life unless it says so."""
    device = await add_heater(graph.services.store, status="ONLINE")
    made = await fail(graph, device, cause=" SCALE ", description="Heated no more.")
    assert ids.decode(made.pop("id"), ("DeviceFailure",), "id")
    assert made.pop("createdAt")
    assert made == {
        "failedAt": this_minute().isoformat(),
        "cause": "SCALE",
        "description": "Heated no more.",
        "endsLife": False,
        "reportedBy": graph.principal.name,
        "device": {
            "id": heater_id(device),
            "status": "ONLINE",
            "version": 1,
            "failures": {"totalCount": 1, "nodes": [{"cause": "SCALE", "endsLife": False}]},
        },
    }


async def test_failures_are_pages_newest_first_and_nodes(graph: Graph):
    """A cursor leads on; each failure is found by its id."""
    device = await add_heater(graph.services.store)
    for days in (3, 1, 2):
        at = this_minute() - timedelta(days=days)
        await fail(graph, device, cause=f"{days}", failedAt=at.isoformat())
    query = """
    query ($id: ID!, $after: String) {
      device(id: $id) {
        failures(first: 2, after: $after) { nodes { id cause } pageInfo { hasNextPage endCursor } totalCount }
      }
    }
    """
    first = (await graph.data(query, id=heater_id(device)))["device"]["failures"]
    assert [each["cause"] for each in first["nodes"]] == ["1", "2"]
    assert first["totalCount"] == 3
    rest = (await graph.data(query, id=heater_id(device), after=first["pageInfo"]["endCursor"]))["device"]["failures"]
    assert [each["cause"] for each in rest["nodes"]] == ["3"]
    node = "query ($id: ID!) { node(id: $id) { __typename ... on DeviceFailure { cause device { id } } } }"
    found = (await graph.data(node, id=first["nodes"][1]["id"]))["node"]
    assert found == {"__typename": "DeviceFailure", "cause": "2", "device": {"id": heater_id(device)}}


async def test_a_failure_that_ends_a_life_retires_the_device(graph: Graph):
    """It is watched no longer: what was found of it is over, late readings and silence do not change its status."""
    store = graph.services.store
    seen = now() - timedelta(hours=5)
    device = await add_heater(store, status="ONLINE", last_seen_at=seen)
    await record(graph, heater_id(device), [this_minute()], pressure=[9.0])
    opened = await add_anomaly(store, device, state="OPEN", ended_at=None)
    alerts = "query ($id: ID!) { device(id: $id) { alerts { nodes { kind state } } } }"
    (alert,) = (await graph.data(alerts, id=heater_id(device)))["device"]["alerts"]["nodes"]
    assert alert == {"kind": "HIGH_PRESSURE", "state": "OPEN"}
    made = await fail(graph, device, cause="LEAK", endsLife=True)
    assert (made["device"]["status"], made["device"]["version"]) == ("RETIRED", 2)
    (alert,) = (await graph.data(alerts, id=heater_id(device)))["device"]["alerts"]["nodes"]
    assert alert["state"] == "RESOLVED"
    assert await anomalies.going_on(store, [device]) == {}
    assert opened
    assert await device_failures.ends_of_life(store, [device, 999]) == {device: this_minute()}
    stored = await record(graph, heater_id(device), [this_minute() + timedelta(seconds=1)], pressure=[9.5])
    assert stored["acceptedCount"] == 1
    services = graph.services
    silence = SilenceWatching(store, services.alerting, services.settings.devices, clock=lambda: now() + timedelta(1))
    assert device not in await silence.check()
    assert await status(graph, device) == "RETIRED"
    states = (await graph.data(alerts, id=heater_id(device)))["device"]["alerts"]["nodes"]
    assert [each["state"] for each in states] == ["RESOLVED"]


async def test_a_retired_device_asks_for_no_maintenance(graph: Graph):
    """However long ago the last one was."""
    services = graph.services
    long_ago = now() - timedelta(days=3000)
    retired, present = [await add_heater(services.store, installed_at=long_ago) for _ in range(2)]
    await fail(graph, retired, endsLife=True)
    due = await services.alerting.unmaintained(services.store, "WATER_HEATER", 0, 10)
    assert due == [present]
    async with services.store.transaction() as transaction:
        await services.alerting.maintenance(transaction, [retired])
    query = "query ($id: ID!) { device(id: $id) { alerts { totalCount } } }"
    assert (await graph.data(query, id=heater_id(retired)))["device"]["alerts"]["totalCount"] == 0


async def test_a_life_ends_once(graph: Graph):
    """A second end is a conflict, and so is maintenance; a failure of before may still be told."""
    device = await add_heater(graph.services.store)
    await fail(graph, device, endsLife=True)
    code, message = await refused(graph, device, endsLife=True)
    assert code == "CONFLICT"
    assert "life has ended already, at " in message
    for active in (True, False):
        text = "mutation ($input: SetDeviceMaintenanceInput!) { setDeviceMaintenance(input: $input) { device { id } } }"
        error = await graph.error(text, input={"id": heater_id(device), "active": active})
        assert error["extensions"]["code"] == "CONFLICT"
        assert "is RETIRED" in error["message"]
    made = await fail(graph, device, failedAt=(now() - timedelta(days=9)).isoformat())
    assert made["device"]["failures"]["totalCount"] == 2
    assert made["device"]["status"] == "RETIRED"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"failedAt": (now() + timedelta(hours=1)).isoformat()}, "BAD_USER_INPUT", "lies in the future"),
        ({"failedAt": "2019-12-31T00:00:00Z"}, "BAD_USER_INPUT", "before the device was installed"),
        ({"cause": "x" * 101}, "BAD_USER_INPUT", "'cause' may have 100 characters, not 101"),
        ({"description": "x" * 4001}, "BAD_USER_INPUT", "'description' may have 4000 characters"),
        ({"deviceId": heater_id(999)}, "NOT_FOUND", "no device with id 999"),
    ],
)
async def test_what_cannot_be_is_refused(graph: Graph, changes: dict[str, Any], code: str, words: str):
    """The message says what is wrong; nothing is stored."""
    device = await add_heater(graph.services.store, installed_at=now().replace(year=2020))
    told, message = await refused(graph, device, **changes)
    assert told == code
    assert words in message
    assert (await graph.services.store.run("SELECT count(*) FROM device_failures"))[0][0] == 0


async def test_failures_of_many_devices_cost_one_statement(graph: Graph, statements: list[str]):
    """However many there are."""
    for _ in range(3):
        await fail(graph, await add_heater(graph.services.store))
    statements.clear()
    body = await graph.data("{ devices { nodes { failures { nodes { failedAt } } } } }")
    assert [len(each["failures"]["nodes"]) for each in body["devices"]["nodes"]] == [1, 1, 1]
    assert sum("FROM device_failures" in text for text in statements) == 2
