"""Live health and alerts of models at the engine: filtered, each change as it was, taken up again anywhere."""

from collections.abc import AsyncGenerator
from itertools import pairwise
from typing import Any

import pytest

from models.alerts import AlertChangeKind
from models.principal import Principal, Role
from models.store import Store
from resolvers.alarm_streams import EventFilter
from resolvers.model_health import HealthFilter
from schema import ids
from tests.contract import document
from tests.factories import MIDDAY
from tests.findings import add_alert, alert_id, tell_alert
from tests.fleets import add_fleet, heater_id
from tests.following import following, refusal, take
from tests.graph import Graph
from tests.monitored import HOUR, REASON, add_health, add_model_alert, add_watched, model_alert_id
from tests.versions import model_id

HEALTH = """subscription ($filter: ModelHealthEventFilter, $after: String) {
  modelHealthChanged(filter: $filter, after: $after) {
    cursor previousStatus model { id health { status } } health { id status score reasons { metric status } }
  }
}"""
ALERTS = """subscription ($filter: AlertEventFilter, $after: String) {
  alertChanged(filter: $filter, after: $after) { cursor change alert {
    id severity ... on DeviceAlert { device { id } } ... on ModelAlert { impact model { id } }
  } }
}"""
COURSE = (None, "UNKNOWN", "HEALTHY", "CRITICAL", "HEALTHY")


@pytest.fixture(autouse=True)
async def tailing(store: Store) -> AsyncGenerator[None]:
    """The process follows the log of its database."""
    async with store.log.tailing():
        yield


async def a_course(store: Store, row_id: int) -> list[int]:
    """Let the health of a model be evaluated and change three times; return the entries."""
    return [
        await add_health(store, row_id, before, status=status, began_at=MIDDAY + place * HOUR, score=None)
        for place, (before, status) in enumerate(pairwise(COURSE))
    ]


@pytest.mark.parametrize(
    ("filter_", "places"),
    [
        (None, range(8)),
        ({}, range(8)),
        ({"statuses": ["CRITICAL"]}, (2, 6)),
        ({"statuses": ["UNKNOWN", "CRITICAL", "CRITICAL"]}, (0, 2, 4, 6)),
        ({"modelIds": [1]}, range(4)),
        ({"modelIds": [1], "statuses": ["HEALTHY"]}, (1, 3)),
        ({"modelIds": [2, 1]}, range(8)),
        ({"modelIds": [3]}, ()),
    ],
)
async def test_which_changes_of_health_come(graph: Graph, filter_: Any, places: Any):
    """All of them where no filter restricts, each as it was; the model is as it is now."""
    store = graph.services.store
    models = [await add_watched(store) for _ in range(3)]
    beginning = store.log.text(store.log.newest)
    made = [entry for row_id in models[:2] for entry in await a_course(store, row_id)]
    # One more, made to fit the filter, behind which nothing can come.
    given = dict(filter_ or {})
    last = {"model": models[given.get("modelIds", [3])[0] - 1], "status": given.get("statuses", ["WARNING"])[0]}
    await add_health(store, last["model"], "HEALTHY", status=last["status"])
    if "modelIds" in given:
        given["modelIds"] = [model_id(models[place - 1]) for place in given["modelIds"]]
    async with following(graph, HEALTH, None if filter_ is None else given, beginning) as stream:
        *events, end = await take(stream, len(places) + 1)
    assert [each["health"]["id"] for each in events] == [ids.encode("ModelHealth", made[place]) for place in places]
    for each, place in zip(events, places, strict=True):
        assert (each["previousStatus"], each["health"]["status"]) == COURSE[place % 4 : place % 4 + 2]
        assert each["model"]["id"] == model_id(models[place // 4])
    assert end["health"] == {
        "id": end["health"]["id"],
        "status": last["status"],
        "score": 0.75,
        "reasons": [{"metric": REASON["metric"], "status": REASON["status"]}],
    }
    assert end["model"] == {"id": model_id(last["model"]), "health": {"status": last["status"]}}


async def test_it_goes_on_behind_any_cursor(graph: Graph):
    """What was missed comes first, then what happens, without a hole and without a repetition."""
    store = graph.services.store
    row_id = await add_watched(store)
    async with following(graph, HEALTH) as stream:
        await a_course(store, row_id)
        events = await take(stream, 4)
    for seen in range(4):
        async with following(graph, HEALTH, None, events[seen]["cursor"]) as stream:
            found = await take(stream, 3 - seen)
            assert found == events[seen + 1 :]
            added = await add_health(store, row_id, "HEALTHY", status="HEALTHY")
            (live,) = (await take(stream, 1 + seen))[seen:]
            assert live["health"]["id"] == ids.encode("ModelHealth", added)


async def test_the_contract_documents_follow_models(graph: Graph):
    """The documents of the dashboards, as they are sent."""
    store = graph.services.store
    row_id = await add_watched(store)
    async with (
        following(graph, document("on_model_health")) as health,
        following(graph, document("on_alert")) as raised,
    ):
        await add_health(store, row_id, "HEALTHY")
        alert_row = await add_model_alert(store, row_id)
        ((changed,), (alert,)) = await take(health, 1), await take(raised, 1)
    assert changed.pop("cursor") < alert.pop("cursor")
    about = {"name": "water heater lifespan", "version": 1}
    assert changed == {
        "model": {"id": model_id(row_id), **about},
        "health": {"status": "WARNING", "score": 0.75},
        "previousStatus": "HEALTHY",
    }
    assert alert["alert"] == {
        "__typename": "ModelAlert",
        "id": model_alert_id(alert_row),
        "severity": "HIGH",
        "state": "OPEN",
        "message": "The pressure is not as in training.",
        "raisedAt": MIDDAY,
        "model": about,
    }


@pytest.mark.parametrize(
    ("filter_", "places"),
    [
        (None, (0, 1, 2, 3)),
        ({"modelIds": ["first"]}, (1, 3)),
        ({"modelIds": ["first", "second"], "severities": ["CRITICAL"]}, (3,)),
        ({"deviceIds": ["device"]}, (0,)),
        ({"kinds": ["MODEL_STALE"]}, (2,)),
        ({"deviceKinds": ["WATER_HEATER"]}, (0,)),
    ],
)
async def test_which_changes_of_alerts_come(graph: Graph, filter_: Any, places: tuple[int, ...]):
    """Alerts of devices and of models come in one stream, which a filter parts."""
    store = graph.services.store
    beginning = store.log.text(store.log.newest)
    (device,) = await add_fleet(graph, 1)
    rows = {"first": await add_watched(store), "second": await add_watched(store)}
    of_device = await add_alert(store, device)
    of_first = await add_model_alert(store, rows["first"])
    of_second = await add_model_alert(store, rows["second"], kind="MODEL_STALE")
    await tell_alert(store, of_first, AlertChangeKind.ESCALATED, severity="CRITICAL")
    named = {**{name: model_id(row_id) for name, row_id in rows.items()}, "device": heater_id(device)}
    given = filter_ and {name: [named.get(each, each) for each in values] for name, values in filter_.items()}
    expected = [
        ("RAISED", alert_id(of_device)),
        ("RAISED", model_alert_id(of_first)),
        ("RAISED", model_alert_id(of_second)),
        ("ESCALATED", model_alert_id(of_first)),
    ]
    async with following(graph, ALERTS, given, beginning) as stream:
        events = await take(stream, len(places))
    assert [(each["change"], each["alert"]["id"]) for each in events] == [expected[place] for place in places]
    of_models = [each["alert"] for each in events if "model" in each["alert"]]
    assert all(each["impact"].startswith("LIFESPAN") for each in of_models)
    assert {each["model"]["id"] for each in of_models} <= set(named.values())


async def test_alerts_of_removed_devices_alone_are_passed_over(graph: Graph):
    """A replay leaves out what was of a device that is gone, and keeps what is of models."""
    store = graph.services.store
    beginning = store.log.text(store.log.newest)
    (device,) = await add_fleet(graph, 1)
    await add_alert(store, device)
    of_model = await add_model_alert(store, await add_watched(store))
    delete = "mutation ($input: DeleteDeviceInput!) { deleteDevice(input: $input) { deletedId } }"
    await graph.data(delete, input={"id": heater_id(device)})
    async with following(graph, ALERTS, None, beginning) as stream:
        (event,) = await take(stream, 1)
    assert event["alert"]["id"] == model_alert_id(of_model)


async def test_bad_filters_and_cursors(graph: Graph):
    """A stream that cannot be is refused before it begins, and says what is wrong."""
    for query in (HEALTH, ALERTS):
        for variables, path in (
            ({"filter": {"modelIds": ["nope"]}}, ["filter", "modelIds", 0]),
            ({"filter": {"modelIds": [model_id(1), heater_id(1)]}}, ["filter", "modelIds", 1]),
            ({"filter": {"modelIds": [model_id(1)] * 1001}}, ["filter", "modelIds"]),
            ({"after": "nope"}, ["after"]),
        ):
            error = await refusal(graph, query, variables)
            assert error["extensions"]["inputPath"] == path, variables


def test_changes_of_models_pass_filters_of_models():
    """What is of a device meets no list of models, and an empty list is met by nothing."""
    of_model, of_device = {"device_id": None, "model_id": 1}, {"device_id": 1, "model_id": None}
    for filter_, passes in (
        (EventFilter(None, (), frozenset({1})), (True, False)),
        (EventFilter(frozenset({1}), ()), (False, True)),
        (EventFilter(frozenset({1}), (), frozenset({1})), (False, False)),
        (EventFilter(None, (), frozenset()), (False, False)),
    ):
        assert tuple(filter_.lets_through(row) for row in (of_model, of_device)) == passes
    assert HealthFilter().lets_through({"model_id": 1, "status": "HEALTHY"})
    assert not HealthFilter(frozenset()).lets_through({"model_id": 1, "status": "HEALTHY"})
    assert not HealthFilter(None, ()).lets_through({"model_id": 1, "status": "HEALTHY"})


async def test_who_may_follow(graph: Graph):
    """Whoever may read."""
    graph.principal = Principal("wallboard", Role.VIEWER)
    store = graph.services.store
    async with following(graph, HEALTH) as stream:
        await add_health(store, await add_watched(store))
        (event,) = await take(stream, 1)
    assert event["previousStatus"] is None
