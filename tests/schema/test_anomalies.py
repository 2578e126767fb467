"""Anomalies in the graph: listed, filtered, paged, linked, judged."""

import asyncio
import itertools
import random
from datetime import timedelta
from typing import Any

import pytest

from models.learning.anomalies import Evidence
from models.principal import Principal, Role
from models.repositories import events
from models.repositories.events import Cursor
from models.snapshots import restored
from models.tables import AnomalyRow
from schema import ids
from schema.types.enums import AnomalyPattern
from tests.contract import document
from tests.counting import Statements
from tests.factories import MIDDAY, add_heater, add_readings
from tests.findings import add_anomaly, anomaly_id
from tests.fleets import add_fleet, heater_id, this_minute
from tests.graph import Graph
from tests.shops import open_machine

LIST = """query ($first: Int, $after: String, $last: Int, $before: String, $filter: AnomalyFilter) {
  anomalies(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
OF_DEVICES = """query ($filter: AnomalyFilter) { devices { nodes { id anomalies(filter: $filter, first: 2) {
  totalCount nodes { id device { id } } pageInfo { hasNextPage }
} } } }"""
ALL = """query ($id: ID!) { node(id: $id) { ... on Anomaly {
  id device { id } metric metrics pattern score severity state observed expected unit explanation detectedAt peakAt
  endedAt detectorVersion resolvedAt resolvedBy verdict comment
  reading { recordedAt device { id } ... on WaterHeaterReading { temperature } }
} } }"""
RESOLVE = """mutation ($input: ResolveAnomalyInput!) { resolveAnomaly(input: $input) {
  anomaly { id state verdict comment resolvedAt resolvedBy device { name } }
} }"""


async def listed(graph: Graph, filter_: dict[str, Any] | None = None, **place: Any) -> list[str]:
    """Return the ids of the anomalies that a filter lets through."""
    found = (await graph.data(LIST, filter=filter_, **place))["anomalies"]
    return [node["id"] for node in found["nodes"]]


async def test_an_anomaly_tells_all_about_itself(graph: Graph):
    """Its values are those of the row, its links lead to the device and to the reading of its peak."""
    (device,) = await add_fleet(graph, 1)
    peak = MIDDAY + timedelta(minutes=2)
    await add_readings(graph.services.store, device, [MIDDAY, peak], temperature=[80.0, 88.5])
    row_id = await add_anomaly(graph.services.store, device, peak_at=peak, metrics=["temperature", "power"])
    assert (await graph.data(ALL, id=anomaly_id(row_id)))["node"] == {
        "id": anomaly_id(row_id),
        "device": {"id": heater_id(device)},
        "metric": "TEMPERATURE",
        "metrics": ["TEMPERATURE", "POWER"],
        "pattern": "HIGH",
        "score": 0.75,
        "severity": "HIGH",
        "state": "CLOSED",
        "observed": 88.5,
        "expected": 55.25,
        "unit": "°C",
        "explanation": "Temperature was 88.5 °C, 55.25 °C was expected.",
        "detectedAt": MIDDAY.isoformat(),
        "peakAt": peak.isoformat(),
        "endedAt": (MIDDAY + timedelta(minutes=5)).isoformat(),
        "detectorVersion": "1",
        "resolvedAt": None,
        "resolvedBy": None,
        "verdict": None,
        "comment": None,
        "reading": {"recordedAt": peak.isoformat(), "device": {"id": heater_id(device)}, "temperature": 88.5},
    }


async def test_readings_of_all_kinds_and_of_none(graph: Graph):
    """Each anomaly leads to a reading of its device's kind, or to null where it is no longer kept."""
    store = graph.services.store
    (heater,) = await add_fleet(graph, 1)
    machine = await open_machine(graph)
    machine_row = ids.decode(machine, ("VendingMachine",), "id")
    await add_readings(store, heater, [MIDDAY])
    sent = [{"deviceId": machine, "recordedAt": MIDDAY.isoformat(), "power": 900}]
    await graph.data(document("record_vending_readings"), input={"readings": sent})
    of_machine = {"device_kind": "VENDING_MACHINE", "metric": "power", "detected_at": MIDDAY}
    await add_anomaly(store, machine_row, **of_machine)
    await add_anomaly(store, heater)
    await add_anomaly(store, heater, peak_at=MIDDAY + timedelta(hours=1))
    query = """{ anomalies { nodes { unit reading {
      __typename recordedAt ... on WaterHeaterReading { temperature } ... on VendingMachineReading { power }
    } } } }"""
    at = {"recordedAt": MIDDAY.isoformat()}
    assert (await graph.data(query))["anomalies"]["nodes"] == [
        {"unit": "°C", "reading": None},
        {"unit": "°C", "reading": {"__typename": "WaterHeaterReading", **at, "temperature": 50.0}},
        {"unit": "W", "reading": {"__typename": "VendingMachineReading", **at, "power": 900.0}},
    ]


async def test_each_field_of_a_filter_restricts(graph: Graph):
    """A list lets any of its values through, an empty one nothing; fields restrict together."""
    store = graph.services.store
    first, second = await add_fleet(graph, 2)
    machine = ids.decode(await open_machine(graph), ("VendingMachine",), "id")
    made = [
        await add_anomaly(store, first, severity="LOW", state="OPEN"),
        await add_anomaly(store, first, metric="power", detected_at=MIDDAY - timedelta(hours=1)),
        await add_anomaly(store, second, state="RESOLVED", verdict="TRUE_ALARM", detected_at=MIDDAY),
        await add_anomaly(store, second, severity="CRITICAL", state="RESOLVED", verdict="FALSE_ALARM"),
        await add_anomaly(store, machine, device_kind="VENDING_MACHINE", metric="power"),
    ]
    for filter_, places in (
        (None, range(5)),
        ({}, range(5)),
        ({"deviceIds": [heater_id(first)]}, (0, 1)),
        ({"deviceIds": [heater_id(second), heater_id(first), heater_id(second)]}, range(4)),
        ({"deviceIds": [heater_id(12345)]}, ()),
        ({"deviceIds": []}, ()),
        ({"kinds": ["VENDING_MACHINE"]}, (4,)),
        ({"kinds": []}, ()),
        ({"metrics": ["POWER"]}, (1, 4)),
        ({"metrics": ["POWER", "TEMPERATURE", "POWER"]}, range(5)),
        ({"metrics": ["POWER"], "kinds": ["WATER_HEATER"]}, (1,)),
        ({"severities": ["LOW", "CRITICAL"]}, (0, 3)),
        ({"severities": []}, ()),
        ({"states": ["OPEN"]}, (0,)),
        ({"states": ["OPEN", "RESOLVED"]}, (0, 2, 3)),
        ({"verdicts": ["FALSE_ALARM"]}, (3,)),
        ({"verdicts": ["FALSE_ALARM", "TRUE_ALARM"], "deviceIds": [heater_id(first)]}, ()),
        ({"detectedAfter": MIDDAY.isoformat()}, (0, 2, 3, 4)),
        ({"detectedBefore": MIDDAY.isoformat()}, (1,)),
        ({"detectedAfter": MIDDAY.isoformat(), "detectedBefore": MIDDAY.isoformat()}, ()),
    ):
        found = (await graph.data(LIST, filter=filter_))["anomalies"]
        assert {node["id"] for node in found["nodes"]} == {anomaly_id(made[place]) for place in places}, filter_
        assert found["totalCount"] == len(places)


async def test_pages_with_equal_instants_make_up_the_list(graph: Graph):
    """Newest first, those of one instant by their age, in pages of any size and from either end."""
    store = graph.services.store
    devices = await add_fleet(graph, 3)
    made = [
        (at, await add_anomaly(store, device, detected_at=at))
        for at in (MIDDAY, MIDDAY + timedelta(minutes=1))
        for device in devices
    ]
    expected = [anomaly_id(row_id) for _, row_id in sorted(made, reverse=True)]
    assert await listed(graph) == expected
    for size, backward in itertools.product((1, 2, 4), (False, True)):
        seen: list[str] = []
        more, cursor = True, None
        while more:
            place = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
            page = (await graph.data(LIST, **place))["anomalies"]
            found = [node["id"] for node in page["nodes"]]
            seen = found + seen if backward else seen + found
            more = page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]
            cursor = page["pageInfo"]["startCursor" if backward else "endCursor"]
        assert seen == expected


async def test_each_device_has_a_list_of_its_own(graph: Graph):
    """Pages and totals are those of the device, filtered."""
    store = graph.services.store
    devices = await add_fleet(graph, 3)
    for place, device in enumerate(devices):
        for number in range(place * 2):
            await add_anomaly(store, device, severity=("LOW", "HIGH")[number % 2])
    nodes = (await graph.data(OF_DEVICES))["devices"]["nodes"]
    assert [node["anomalies"]["totalCount"] for node in nodes] == [0, 2, 4]
    assert [node["anomalies"]["pageInfo"]["hasNextPage"] for node in nodes] == [False, False, True]
    assert all(each["device"]["id"] == node["id"] for node in nodes for each in node["anomalies"]["nodes"])
    nodes = (await graph.data(OF_DEVICES, filter={"severities": ["LOW"]}))["devices"]["nodes"]
    assert [len(node["anomalies"]["nodes"]) for node in nodes] == [0, 1, 2]
    nodes = (await graph.data(OF_DEVICES, filter={"deviceIds": [heater_id(devices[1])]}))["devices"]["nodes"]
    assert [node["anomalies"]["totalCount"] for node in nodes] == [0, 2, 0]


async def test_the_fleet_counts_what_is_open(graph: Graph):
    """Every severity is there, with a zero where nothing is open."""
    store = graph.services.store
    for device, severity in zip(await add_fleet(graph, 3), ("LOW", "HIGH", "HIGH"), strict=True):
        await add_anomaly(store, device, severity=severity, state="OPEN")
        await add_anomaly(store, device, severity=severity)
        await add_anomaly(store, device, severity="MEDIUM", state="RESOLVED", verdict="TRUE_ALARM", ended_at=MIDDAY)
    found = await graph.data("{ fleet { openAnomaliesBySeverity { severity count } } }")
    assert [(row["severity"], row["count"]) for row in found["fleet"]["openAnomaliesBySeverity"]] == [
        ("LOW", 1),
        ("MEDIUM", 0),
        ("HIGH", 2),
        ("CRITICAL", 0),
    ]


@pytest.mark.parametrize("way", ["engine", "ordinary"])
async def test_lists_take_as_many_statements_for_many_devices(graph: Graph, statements: Statements, way: str):
    """However many devices and anomalies there are, a document costs the same statements."""
    store = graph.services.store
    text = """{ devices(first: 100) { nodes { name anomalies(first: 3, filter: { states: [CLOSED] }) { totalCount
      nodes { metric device { name } reading { recordedAt } }
    } } } anomalies(first: 100) { totalCount nodes { id device { name } reading { recordedAt } } } }"""
    counts: list[int] = []
    for size in (1, 49):
        for device in await add_fleet_of(graph, size):
            await add_readings(store, device, [MIDDAY])
            for _ in range(2):
                await add_anomaly(store, device)
        statements.clear()
        body = await graph._by(getattr(graph, way), text, {})
        assert "errors" not in body
        counts.append(statements.count_asked())
    assert counts[0] == counts[1] > 0


async def add_fleet_of(graph: Graph, size: int) -> list[int]:
    """Store heaters beside those that are there."""
    return [await add_heater(graph.services.store) for _ in range(size)]


async def test_bad_ids_cursors_and_values(graph: Graph):
    """What is no id of a device, no cursor of this list or no value of an enum is refused, and named."""
    (device,) = await add_fleet(graph, 1)
    row_id = await add_anomaly(graph.services.store, device)
    for filter_, path, part in (
        ({"deviceIds": ["nope"]}, ["filter", "deviceIds", 0], "no id of this server"),
        ({"deviceIds": [heater_id(device), anomaly_id(row_id)]}, ["filter", "deviceIds", 1], "is the id of a Anomaly"),
        ({"deviceIds": [heater_id(device)] * 1001}, ["filter", "deviceIds"], "may list 1000 devices, not 1001"),
    ):
        error = await graph.error(LIST, filter=filter_)
        assert error["extensions"]["inputPath"] == path
        assert part in error["message"]
    devices = await graph.data("{ devices { pageInfo { endCursor } } }")
    for cursor in ("nope", devices["devices"]["pageInfo"]["endCursor"]):
        assert (await graph.error(LIST, after=cursor))["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await graph.error(LIST, filter={"states": ["NEW"]}))["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await graph.data("query ($id: ID!) { node(id: $id) { id } }", id=anomaly_id(row_id + 1)))["node"] is None


@pytest.mark.parametrize("state", ["OPEN", "CLOSED"])
async def test_a_person_judges_an_anomaly(graph: Graph, state: str):
    """The anomaly says who judged it, when and how, and the change stands in the log as it was."""
    store = graph.services.store
    graph.principal = Principal("Ada", Role.OPERATOR)
    (device,) = await add_fleet(graph, 1)
    row_id = await add_anomaly(store, device, state=state)
    given = {"id": anomaly_id(row_id), "verdict": "TRUE_ALARM", "comment": " The valve stuck. "}
    found = (await graph.data(RESOLVE, input=given))["resolveAnomaly"]["anomaly"]
    resolved_at = found.pop("resolvedAt")
    assert found == {
        "id": anomaly_id(row_id),
        "state": "RESOLVED",
        "verdict": "TRUE_ALARM",
        "comment": "The valve stuck.",
        "resolvedBy": "Ada",
        "device": {"name": "Heater 000"},
    }
    (event,) = await events.after(store, Cursor(0, 0), 10)
    assert (event.type, event.payload["change"]) == ("anomaly_changed", "RESOLVED")
    row = restored(AnomalyRow, event.payload)
    assert (row["id"], row["state"], row["resolved_at"].isoformat()) == (row_id, "RESOLVED", resolved_at)
    again = {**given, "comment": "Once more."}
    assert (await graph.data(RESOLVE, input=again))["resolveAnomaly"]["anomaly"]["comment"] == "The valve stuck."
    assert len(await events.after(store, Cursor(0, 0), 10)) == 1


async def test_readings_answer_with_what_they_opened(graph: Graph):
    """Two quiet days and an hour of high pressure: the payload has the anomaly, with its links, by plan and without."""
    chance = random.Random(1)
    times = [this_minute() - timedelta(minutes=5 * back) for back in reversed(range(576))]
    pressure = [3 + chance.gauss(0, 0.05) + (6 if 500 <= place < 512 else 0) for place in range(576)]
    text = """mutation ($input: RecordWaterHeaterReadingsInput!) { recordWaterHeaterReadings(input: $input) {
      acceptedCount anomalies { id metric severity state device { name } reading { recordedAt } alerts { kind } }
    } }"""
    for way, device in zip(("engine", "ordinary"), await add_fleet(graph, 2), strict=True):
        found: list[Any] = []
        for start in range(0, 576, 96):
            rows = [
                {"deviceId": heater_id(device), "recordedAt": times[place].isoformat(), "pressure": pressure[place]}
                for place in range(start, start + 96)
            ]
            body = await graph._by(getattr(graph, way), text, {"input": {"readings": rows}})
            payload = body["data"]["recordWaterHeaterReadings"]
            assert payload["acceptedCount"] == 96
            found += payload["anomalies"]
        (opened,) = found
        assert opened["metric"] == "PRESSURE"
        assert opened["device"] == {"name": f"Heater 00{way == 'ordinary':d}"}
        assert times[500] <= opened["reading"]["recordedAt"] < times[512]
        there = await graph.data("query ($id: ID!) { node(id: $id) { ... on Anomaly { metric } } }", id=opened["id"])
        assert there["node"] == {"metric": "PRESSURE"}


async def test_a_verdict_is_given_once(graph: Graph):
    """Another verdict is a conflict that names the one there is, who gave it and when."""
    (device,) = await add_fleet(graph, 1)
    row_id = await add_anomaly(graph.services.store, device)
    graph.principal = Principal("Ada", Role.OPERATOR)
    given = {"id": anomaly_id(row_id), "verdict": "FALSE_ALARM"}
    assert (await graph.data(document("resolve_anomaly"), input=given))["resolveAnomaly"]["anomaly"]["resolvedAt"]
    graph.principal = Principal("Bob", Role.OPERATOR)
    error = await graph.error(RESOLVE, input={**given, "verdict": "TRUE_ALARM"})
    assert error["extensions"].pop("resolvedAt") in error["message"]
    assert error["extensions"] == {
        "code": "CONFLICT",
        "inputPath": ["input", "verdict"],
        "verdict": "FALSE_ALARM",
        "resolvedBy": "Ada",
    }
    assert error["message"].startswith("The anomaly was resolved as FALSE_ALARM by 'Ada' at ")


async def test_two_people_judge_at_once(graph: Graph):
    """One of two verdicts counts, and the other one hears of it."""
    (device,) = await add_fleet(graph, 1)
    row_id = await add_anomaly(graph.services.store, device, state="OPEN")
    given = [{"id": anomaly_id(row_id), "verdict": verdict} for verdict in ("TRUE_ALARM", "FALSE_ALARM")]
    answers = await asyncio.gather(*(graph.answer(RESOLVE, input=each) for each in given))
    (conflict,) = [body["errors"][0] for body in answers if "errors" in body]
    (judged,) = [body["data"]["resolveAnomaly"]["anomaly"] for body in answers if "errors" not in body]
    assert conflict["extensions"]["verdict"] == judged["verdict"]


async def test_what_cannot_be_judged(graph: Graph):
    """Unknown anomalies, ids of other things, endless comments, callers without the right."""
    (device,) = await add_fleet(graph, 1)
    row_id = await add_anomaly(graph.services.store, device)
    for id_, comment, code in (
        (anomaly_id(row_id + 1), None, "NOT_FOUND"),
        (heater_id(device), None, "BAD_USER_INPUT"),
        (anomaly_id(row_id), "x" * 4001, "BAD_USER_INPUT"),
    ):
        given = {"id": id_, "verdict": "TRUE_ALARM", "comment": comment}
        assert (await graph.error(RESOLVE, input=given))["extensions"]["code"] == code
    graph.principal = Principal("wallboard", Role.VIEWER)
    error = await graph.error(RESOLVE, input={"id": anomaly_id(row_id), "verdict": "TRUE_ALARM"})
    assert error["extensions"] == {"code": "FORBIDDEN", "requiredRight": "operate"}
    assert await listed(graph, {"states": ["CLOSED"]}) == [anomaly_id(row_id)]


def test_patterns_are_those_of_the_detector():
    """The schema knows each way of being strange that the detector tells."""
    assert [each.name for each in AnomalyPattern] == [each.name for each in Evidence]
