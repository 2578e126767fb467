"""Live anomalies and alerts at the engine: filtered, each change as it was, taken up again anywhere."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from models.alerts import AlertChangeKind
from models.store import Store
from resolvers.alarm_streams import EventFilter
from schema import ids
from tests.contract import document
from tests.factories import MIDDAY
from tests.findings import add_alert, add_anomaly, alert_id, anomaly_id, tell_alert, tell_anomaly
from tests.fleets import add_fleet, heater_id
from tests.following import following, refusal, take
from tests.graph import Graph
from tests.shops import open_machine

ANOMALIES = """subscription ($filter: AnomalyEventFilter, $after: String) {
  anomalyDetected(filter: $filter, after: $after) { cursor change anomaly { id severity state device { name } } }
}"""
ALERTS = """subscription ($filter: AlertEventFilter, $after: String) {
  alertChanged(filter: $filter, after: $after) { cursor change alert { id severity state message } }
}"""
DELETE = "mutation ($input: DeleteDeviceInput!) { deleteDevice(input: $input) { deletedId } }"


@pytest.fixture(autouse=True)
async def tailing(store: Store) -> AsyncGenerator[None]:
    """The process follows the log of its database."""
    async with store.log.tailing():
        yield


async def a_course(graph: Graph) -> tuple[int, list[str]]:
    """Let an anomaly open, rise, close and be judged; return its device, and the states in which it was."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    row_id = await add_anomaly(store, device, severity="CRITICAL", state="RESOLVED", verdict="TRUE_ALARM")
    for change, severity, state in (
        ("OPENED", "LOW", "OPEN"),
        ("ESCALATED", "CRITICAL", "OPEN"),
        ("CLOSED", "CRITICAL", "CLOSED"),
        ("RESOLVED", "CRITICAL", "RESOLVED"),
    ):
        await tell_anomaly(store, row_id, change, severity=severity, state=state)
    return device, [anomaly_id(row_id)]


@pytest.mark.parametrize(
    ("filter_", "changes"),
    [
        (None, ["OPENED", "ESCALATED"]),
        ({}, ["OPENED", "ESCALATED"]),
        ({"states": ["OPEN", "CLOSED", "RESOLVED"]}, ["OPENED", "ESCALATED", "CLOSED", "RESOLVED"]),
        ({"states": ["RESOLVED"]}, ["RESOLVED"]),
        ({"severities": ["HIGH", "CRITICAL"]}, ["ESCALATED"]),
        ({"severities": ["LOW"], "metrics": ["TEMPERATURE"], "kinds": ["WATER_HEATER"]}, ["OPENED"]),
        ({"metrics": ["POWER"]}, []),
        ({"kinds": ["VENDING_MACHINE"]}, []),
    ],
)
async def test_which_changes_of_anomalies_come(graph: Graph, filter_: Any, changes: list[str]):
    """What opens and rises by itself, others by their states; fields restrict together."""
    store = graph.services.store
    async with following(graph, ANOMALIES, filter_) as stream:
        device, _ = await a_course(graph)
        # One more, made to fit the filter, behind which nothing can come.
        last = await add_anomaly(store, device)
        given = filter_ or {}
        fitting = {
            "severity": given.get("severities", ["LOW"])[0],
            "state": given.get("states", ["OPEN"])[0],
            "metric": given.get("metrics", ["TEMPERATURE"])[0].lower(),
            "device_kind": given.get("kinds", ["WATER_HEATER"])[0],
        }
        await tell_anomaly(store, last, "OPENED", **fitting)
        found = await take(stream, len(changes) + 1)
    assert [event["change"] for event in found[:-1]] == changes
    assert found[-1]["anomaly"]["id"] == anomaly_id(last)


def test_empty_lists_let_nothing_through():
    """A filter whose list is empty is met by no change."""
    row = {"device_id": 1, "state": "OPEN"}
    assert EventFilter(None, (("state", ("OPEN",)),)).lets_through(row)
    assert not EventFilter(None, (("state", ()),)).lets_through(row)
    assert not EventFilter(frozenset(), ()).lets_through(row)


async def test_each_change_is_as_it_was(graph: Graph):
    """A replay shows the severity and state of each change, whatever has become of the anomaly; links are present."""
    store = graph.services.store
    beginning = store.log.text(store.log.newest)
    every = {"states": ["OPEN", "CLOSED", "RESOLVED"]}
    _, (found_id,) = await a_course(graph)
    async with following(graph, ANOMALIES, every, beginning) as stream:
        events = await take(stream, 4)
    assert [(each["anomaly"]["severity"], each["anomaly"]["state"]) for each in events] == [
        ("LOW", "OPEN"),
        ("CRITICAL", "OPEN"),
        ("CRITICAL", "CLOSED"),
        ("CRITICAL", "RESOLVED"),
    ]
    assert all(each["anomaly"]["device"] == {"name": "Heater 000"} for each in events)
    assert {each["anomaly"]["id"] for each in events} == {found_id}
    async with following(graph, ANOMALIES, every, events[1]["cursor"]) as stream:
        assert await take(stream, 2) == events[2:]


async def test_only_chosen_devices(graph: Graph):
    """Devices of any kind; one that is gone, with all its events, is passed over."""
    store = graph.services.store
    beginning = store.log.text(store.log.newest)
    first, second, gone = await add_fleet(graph, 3)
    machine = await open_machine(graph)
    machine_row = ids.decode(machine, ("VendingMachine",), "id")
    made: dict[int, int] = {}
    for device in (first, second, gone, machine_row):
        of_machine = {"device_kind": "VENDING_MACHINE", "metric": "power"} if device == machine_row else {}
        made[device] = await add_anomaly(store, device, state="OPEN", **of_machine)
        await tell_anomaly(store, made[device], "OPENED")
    await graph.data(DELETE, input={"id": heater_id(gone)})
    wanted = {"deviceIds": [heater_id(gone), machine, heater_id(first)]}
    async with following(graph, ANOMALIES, wanted, beginning) as stream:
        events = await take(stream, 2)
    assert [each["anomaly"]["id"] for each in events] == [anomaly_id(made[first]), anomaly_id(made[machine_row])]


@pytest.mark.parametrize(
    ("filter_", "places"),
    [
        (None, range(5)),
        ({"states": ["OPEN"]}, (0, 1, 4)),
        ({"states": ["ACKNOWLEDGED", "RESOLVED"]}, (2, 3)),
        ({"severities": ["CRITICAL"]}, (1, 2, 3)),
        ({"kinds": ["OFFLINE"]}, (4,)),
        ({"kinds": ["LOW_STOCK"]}, ()),
        ({"deviceKinds": ["WATER_HEATER"], "states": ["RESOLVED"]}, (3,)),
    ],
)
async def test_which_changes_of_alerts_come(graph: Graph, filter_: Any, places: Any):
    """All of them where no filter restricts, each as it was."""
    store = graph.services.store
    beginning = store.log.text(store.log.newest)
    (device,) = await add_fleet(graph, 1)
    row_id = await add_alert(store, device)
    await tell_alert(store, row_id, AlertChangeKind.ESCALATED, severity="CRITICAL", message="Hotter still.")
    taken = {"state": "ACKNOWLEDGED", "severity": "CRITICAL"}
    await tell_alert(store, row_id, AlertChangeKind.ACKNOWLEDGED, **taken)
    over = {"state": "RESOLVED", "severity": "CRITICAL", "resolved_at": MIDDAY}
    await tell_alert(store, row_id, AlertChangeKind.RESOLVED, **over)
    silent = await add_alert(store, device, kind="OFFLINE", metric=None)
    expected = [
        ("RAISED", row_id, "HIGH", "OPEN"),
        ("ESCALATED", row_id, "CRITICAL", "OPEN"),
        ("ACKNOWLEDGED", row_id, "CRITICAL", "ACKNOWLEDGED"),
        ("RESOLVED", row_id, "CRITICAL", "RESOLVED"),
        ("RAISED", silent, "HIGH", "OPEN"),
    ]
    # One more, made to fit the filter, behind which nothing can come.
    given = filter_ or {}
    fitting = {
        "severity": given.get("severities", ["HIGH"])[0],
        "state": given.get("states", ["OPEN"])[0],
        "kind": given.get("kinds", ["OFFLINE"])[0],
    }
    await tell_alert(store, silent, AlertChangeKind.UPDATED, **fitting, updated_at=MIDDAY, resolved_at=MIDDAY)
    async with following(graph, ALERTS, filter_, beginning) as stream:
        *events, last = await take(stream, len(places) + 1)
    assert last["change"] == "UPDATED"
    assert [
        (each["change"], each["alert"]["id"], each["alert"]["severity"], each["alert"]["state"]) for each in events
    ] == [(change, alert_id(id_), *rest) for change, id_, *rest in (expected[place] for place in places)]


async def test_the_contract_documents_follow(graph: Graph):
    """The documents of the dashboards, as they are sent."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    about = {"id": heater_id(device), "name": "Heater 000"}
    async with (
        following(graph, document("on_anomaly")) as found,
        following(graph, document("on_alert")) as raised,
    ):
        row_id = await add_anomaly(store, device, state="OPEN")
        await tell_anomaly(store, row_id, "OPENED")
        raised_id = await add_alert(store, device)
        ((anomaly,), (alert,)) = await take(found, 1), await take(raised, 1)
    assert anomaly.pop("cursor") < alert.pop("cursor")
    assert anomaly["anomaly"] == {
        "id": anomaly_id(row_id),
        "metric": "TEMPERATURE",
        "score": 0.75,
        "severity": "HIGH",
        "detectedAt": MIDDAY,
        "device": about,
    }
    assert alert["alert"] == {
        "__typename": "DeviceAlert",
        "id": alert_id(raised_id),
        "severity": "HIGH",
        "state": "OPEN",
        "message": "The tank has 88.5 °C, 75 °C or more is too hot.",
        "raisedAt": MIDDAY,
        "device": about,
    }


async def test_bad_filters_and_cursors(graph: Graph):
    """A stream that cannot be is refused before it begins, and says what is wrong."""
    for query in (ANOMALIES, ALERTS):
        for variables, path in (
            ({"filter": {"deviceIds": ["nope"]}}, ["filter", "deviceIds", 0]),
            ({"filter": {"deviceIds": [alert_id(1)]}}, ["filter", "deviceIds", 0]),
            ({"filter": {"deviceIds": [heater_id(1)] * 1001}}, ["filter", "deviceIds"]),
            ({"after": "nope"}, ["after"]),
        ):
            error = await refusal(graph, query, variables)
            assert error["extensions"]["inputPath"] == path, variables


async def test_the_present_place_is_where_a_page_goes_on(graph: Graph):
    """What happens between the answer of a page and the subscription is part of the stream."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    cursor = (await graph.data("{ eventCursor }"))["eventCursor"]
    row_id = await add_anomaly(store, device, state="OPEN")
    await tell_anomaly(store, row_id, "OPENED", state="OPEN")
    async with following(graph, ANOMALIES, None, after=cursor) as stream:
        (event,) = await take(stream, 1)
    assert event["anomaly"]["id"] == anomaly_id(row_id)
