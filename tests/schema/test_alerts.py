"""Alerts in the graph: listed, filtered, paged, linked, acknowledged and resolved."""

from datetime import timedelta
from typing import Any

import pytest

from models.principal import Principal, Role
from models.repositories import events
from models.repositories.events import Cursor
from schema import ids
from tests.contract import document
from tests.counting import Statements
from tests.factories import MIDDAY, add_heater
from tests.findings import add_alert, add_anomaly, alert_id, anomaly_id, by_severity
from tests.fleets import add_fleet, heater_id
from tests.graph import Graph
from tests.shops import open_machine

LIST = """query ($first: Int, $after: String, $last: Int, $before: String, $filter: AlertFilter) {
  alerts(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
ALL = """query ($id: ID!) { node(id: $id) { __typename ... on Alert {
  id severity state message raisedAt updatedAt acknowledgedAt acknowledgedBy acknowledgeComment
  resolvedAt resolvedBy resolveComment history { changedAt state severity message changedBy comment }
} ... on DeviceAlert { kind metric value threshold unit device { id } anomaly { id alerts { id } } } } }"""
RESOLVE = """mutation ($input: ResolveAlertInput!) { resolveAlert(input: $input) {
  alert { __typename id state resolvedAt resolvedBy resolveComment history { state changedBy comment } }
} }"""
JUDGE = """mutation ($input: ResolveAnomalyInput!) { resolveAnomaly(input: $input) { anomaly {
  state alerts { id state resolvedBy resolveComment }
} } }"""


async def test_an_alert_tells_all_about_itself(graph: Graph):
    """Its values are those of the row; it leads to its device, its anomaly and its course."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    found = await add_anomaly(store, device)
    row_id = await add_alert(store, device, kind="ANOMALY", anomaly_id=found)
    message = "The tank has 88.5 °C, 75 °C or more is too hot."
    told = {"state": "OPEN", "severity": "HIGH", "message": message}
    assert (await graph.data(ALL, id=alert_id(row_id)))["node"] == {
        "__typename": "DeviceAlert",
        "id": alert_id(row_id),
        **told,
        "raisedAt": MIDDAY.isoformat(),
        "updatedAt": MIDDAY.isoformat(),
        **dict.fromkeys(("acknowledgedAt", "acknowledgedBy", "acknowledgeComment")),
        **dict.fromkeys(("resolvedAt", "resolvedBy", "resolveComment")),
        "history": [{"changedAt": MIDDAY.isoformat(), **told, "changedBy": None, "comment": None}],
        "kind": "ANOMALY",
        "metric": "TEMPERATURE",
        "value": 88.5,
        "threshold": 75.0,
        "unit": "°C",
        "device": {"id": heater_id(device)},
        "anomaly": {"id": anomaly_id(found), "alerts": [{"id": alert_id(row_id)}]},
    }


async def test_an_alert_without_values(graph: Graph):
    """Silence has no metric, no threshold, no unit and no anomaly."""
    (device,) = await add_fleet(graph, 1)
    nothing = dict.fromkeys(("metric", "value", "threshold"))
    row_id = await add_alert(graph.services.store, device, kind="OFFLINE", **nothing)
    node = (await graph.data(ALL, id=alert_id(row_id)))["node"]
    assert {name: node[name] for name in ("kind", "metric", "value", "threshold", "unit", "anomaly")} == {
        "kind": "OFFLINE",
        **nothing,
        "unit": None,
        "anomaly": None,
    }


async def test_the_contract_document_lists_alerts(graph: Graph):
    """Alerts tell their types, newest first."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    older = await add_alert(store, device, raised_at=MIDDAY - timedelta(hours=1))
    newer = await add_alert(store, device, kind="OFFLINE", severity="LOW", message="Nothing was heard.")
    text, given = document("alerts"), {"first": 10, "filter": {"states": ["OPEN"]}}
    assert await graph.planned(text, given)
    nodes = (await graph.data(text, given))["alerts"]["nodes"]
    assert [node["id"] for node in nodes] == [alert_id(newer), alert_id(older)]
    assert nodes[0] == {
        "__typename": "DeviceAlert",
        "id": alert_id(newer),
        "severity": "LOW",
        "state": "OPEN",
        "message": "Nothing was heard.",
        "raisedAt": MIDDAY.isoformat(),
        "kind": "OFFLINE",
        "device": {"id": heater_id(device), "name": "Heater 000"},
    }


async def test_types_are_told_whatever_is_selected(graph: Graph):
    """The type of an alert is known where nothing else of it is asked for."""
    (device,) = await add_fleet(graph, 1)
    await add_alert(graph.services.store, device)
    query = "{ alerts { nodes { __typename } edges { node { __typename } } } }"
    found = (await graph.data(query))["alerts"]
    assert found == {"nodes": [{"__typename": "DeviceAlert"}], "edges": [{"node": {"__typename": "DeviceAlert"}}]}


async def test_each_field_of_a_filter_restricts(graph: Graph):
    """A list lets any of its values through, an empty one nothing; fields restrict together."""
    store = graph.services.store
    first, second = await add_fleet(graph, 2)
    machine = ids.decode(await open_machine(graph), ("VendingMachine",), "id")
    at = MIDDAY.isoformat()
    made = [
        await add_alert(store, first, severity="LOW", kind="OFFLINE"),
        await add_alert(store, first, raised_at=MIDDAY - timedelta(hours=1)),
        await add_alert(store, second, state="RESOLVED", resolved_at=MIDDAY),
        await add_alert(store, second, severity="CRITICAL", state="ACKNOWLEDGED"),
        await add_alert(store, machine, device_kind="VENDING_MACHINE", kind="LOW_STOCK", metric=None),
    ]
    for filter_, places in (
        (None, range(5)),
        ({}, range(5)),
        ({"deviceIds": [heater_id(first), heater_id(first)]}, (0, 1)),
        ({"deviceIds": []}, ()),
        ({"kinds": ["OFFLINE", "LOW_STOCK"]}, (0, 4)),
        ({"kinds": []}, ()),
        ({"deviceKinds": ["VENDING_MACHINE"]}, (4,)),
        ({"deviceKinds": ["WATER_HEATER"], "severities": ["LOW", "CRITICAL"]}, (0, 3)),
        ({"states": ["OPEN"]}, (0, 1, 4)),
        ({"states": ["ACKNOWLEDGED", "RESOLVED"]}, (2, 3)),
        ({"raisedAfter": at}, (0, 2, 3, 4)),
        ({"raisedBefore": at, "deviceIds": [heater_id(second)]}, ()),
        ({"raisedBefore": at}, (1,)),
    ):
        found = (await graph.data(LIST, filter=filter_))["alerts"]
        assert {node["id"] for node in found["nodes"]} == {alert_id(made[place]) for place in places}, filter_
        assert found["totalCount"] == len(places)


@pytest.mark.parametrize("backward", [False, True])
async def test_pages_with_equal_instants_make_up_the_list(graph: Graph, backward: bool):
    """Newest first, those of one instant by their age, from either end."""
    (device,) = await add_fleet(graph, 1)
    made = [await add_alert(graph.services.store, device) for _ in range(5)]
    seen: list[str] = []
    more, cursor = True, None
    while more:
        place = {"last": 2, "before": cursor} if backward else {"first": 2, "after": cursor}
        page = (await graph.data(LIST, **place))["alerts"]
        found = [node["id"] for node in page["nodes"]]
        seen = found + seen if backward else seen + found
        more = page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]
        cursor = page["pageInfo"]["startCursor" if backward else "endCursor"]
    assert seen == [alert_id(row_id) for row_id in reversed(made)]
    anomalies = await graph.data("{ anomalies { pageInfo { endCursor } } devices { pageInfo { endCursor } } }")
    error = await graph.error(LIST, after=anomalies["devices"]["pageInfo"]["endCursor"])
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("BAD_USER_INPUT", ["after"])


async def test_devices_and_fleet_count_their_own(graph: Graph):
    """A device lists its alerts; the fleet counts those that are not resolved."""
    store = graph.services.store
    first, second = await add_fleet(graph, 2)
    await add_alert(store, first, severity="LOW")
    await add_alert(store, first, severity="LOW", state="ACKNOWLEDGED")
    await add_alert(store, second, severity="CRITICAL", state="RESOLVED", resolved_at=MIDDAY)
    found = await graph.data("""{
      fleet { openAlertsBySeverity { severity count } }
      devices { nodes {
        openAlertsBySeverity { severity count } alerts(filter: { severities: [LOW, CRITICAL] }) { totalCount }
      } }
    }""")
    assert found["fleet"]["openAlertsBySeverity"] == by_severity(LOW=2)
    devices = found["devices"]["nodes"]
    assert [node["alerts"]["totalCount"] for node in devices] == [2, 1]
    assert [node["openAlertsBySeverity"] for node in devices] == [by_severity(LOW=2), by_severity()]


@pytest.mark.parametrize("way", ["engine", "ordinary"])
async def test_lists_take_as_many_statements_for_many_devices(graph: Graph, statements: Statements, way: str):
    """However many devices and alerts there are, a document costs the same statements."""
    store = graph.services.store
    text = """{ devices(first: 100) { nodes {
      openAlertsBySeverity { count } alerts(first: 3, filter: { states: [OPEN] }) { totalCount
      nodes { kind history { state } device { name } anomaly { metric alerts { id } } }
    } } } alerts(first: 100) { totalCount nodes { id history { message } ... on DeviceAlert { device { name } } } } }"""
    counts: list[int] = []
    for size in (1, 49):
        for _ in range(size):
            device = await add_heater(store)
            await add_alert(store, device)
            await add_alert(store, device, anomaly_id=await add_anomaly(store, device))
        statements.clear()
        body = await graph._by(getattr(graph, way), text, {})
        assert "errors" not in body
        counts.append(statements.count_asked())
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("way", ["engine", "ordinary"])
async def test_an_alert_is_acknowledged_and_resolved(graph: Graph, way: str):
    """Each step says who took it, when and why, and stands in the alert's history; by plan and without."""
    graph.engine = getattr(graph, way)
    (device,) = await add_fleet(graph, 1)
    row_id = await add_alert(graph.services.store, device)
    graph.principal = Principal("Ada", Role.OPERATOR)
    body = await graph.data(document("acknowledge_alert"), input={"id": alert_id(row_id), "comment": "On my way."})
    taken = body["acknowledgeAlert"]["alert"]
    assert (taken["id"], taken["state"], taken["acknowledgedBy"]) == (alert_id(row_id), "ACKNOWLEDGED", "Ada")
    assert taken["acknowledgedAt"]
    done = (await graph.data(RESOLVE, input={"id": alert_id(row_id), "comment": "Valve replaced."}))["resolveAlert"]
    assert done["alert"].pop("resolvedAt")
    assert done["alert"] == {
        "__typename": "DeviceAlert",
        "id": alert_id(row_id),
        "state": "RESOLVED",
        "resolvedBy": "Ada",
        "resolveComment": "Valve replaced.",
        "history": [
            {"state": "OPEN", "changedBy": None, "comment": None},
            {"state": "ACKNOWLEDGED", "changedBy": "Ada", "comment": "On my way."},
            {"state": "RESOLVED", "changedBy": "Ada", "comment": "Valve replaced."},
        ],
    }


async def test_what_cannot_be_done_to_an_alert(graph: Graph):
    """Steps that were taken already, unknown alerts, ids of other things, callers without the right."""
    (device,) = await add_fleet(graph, 1)
    row_id = await add_alert(graph.services.store, device)
    done = await add_alert(graph.services.store, device, state="RESOLVED", resolved_at=MIDDAY, resolved_by="Ada")
    for id_, code in (
        (alert_id(done), "CONFLICT"),
        (alert_id(done + 1), "NOT_FOUND"),
        (heater_id(device), "BAD_USER_INPUT"),
    ):
        for text in (RESOLVE, document("acknowledge_alert")):
            assert (await graph.error(text, input={"id": id_}))["extensions"]["code"] == code
    graph.principal = Principal("wallboard", Role.VIEWER)
    error = await graph.error(RESOLVE, input={"id": alert_id(row_id)})
    assert error["extensions"] == {"code": "FORBIDDEN", "requiredRight": "operate"}


@pytest.mark.parametrize(("verdict", "state"), [("FALSE_ALARM", "RESOLVED"), ("TRUE_ALARM", "OPEN")])
async def test_a_verdict_and_the_alerts_of_the_anomaly(graph: Graph, verdict: str, state: str):
    """A false alarm takes the alert that it raised with it; after a true one it stays, and others stay in any case."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    found = await add_anomaly(store, device)
    mine = await add_alert(store, device, kind="ANOMALY", anomaly_id=found)
    other = await add_alert(store, device)
    before = await add_alert(store, device, state="RESOLVED", anomaly_id=found, resolved_at=MIDDAY)
    graph.principal = Principal("Ada", Role.OPERATOR)
    given = {"id": anomaly_id(found), "verdict": verdict, "comment": "A drill."}
    judged = (await graph.data(JUDGE, input=given))["resolveAnomaly"]["anomaly"]
    is_false = verdict == "FALSE_ALARM"
    by_ada: dict[str, Any] = {
        "resolvedBy": "Ada" if is_false else None,
        "resolveComment": "A drill." if is_false else None,
    }
    assert judged["state"] == "RESOLVED"
    assert sorted(judged["alerts"], key=lambda each: each["state"] == "RESOLVED" and each["resolvedBy"] is None) == [
        {"id": alert_id(mine), "state": state, **by_ada},
        {"id": alert_id(before), "state": "RESOLVED", "resolvedBy": None, "resolveComment": None},
    ]
    standing = (await graph.data(LIST, filter={"states": ["OPEN"]}))["alerts"]["nodes"]
    assert [node["id"] for node in standing] == [alert_id(each) for each in ((other,) if is_false else (other, mine))]
    logged = [event.payload["change"] for event in await events.after(store, Cursor(0, 0), 100)]
    assert logged == ["RAISED"] * 3 + ["RESOLVED"] * (2 if is_false else 1)
