"""Alerts of models beside those of devices: listed, filtered, linked, acknowledged, resolved."""

from datetime import timedelta
from typing import Any

import pytest

from models.principal import Principal, Role
from tests.contract import document
from tests.factories import MIDDAY
from tests.findings import add_alert, alert_id
from tests.fleets import add_fleet, heater_id
from tests.graph import Graph
from tests.monitored import add_health, add_model_alert, add_watched, model_alert_id
from tests.versions import model_id

LIST = """query ($filter: AlertFilter) { alerts(filter: $filter) { totalCount nodes { id } } }"""
OF_MODEL = """query ($id: ID!, $filter: AlertFilter) { model(id: $id) {
  alerts(filter: $filter) { totalCount nodes { id } } } }"""
RESOLVE = """mutation ($input: ResolveAlertInput!) { resolveAlert(input: $input) { alert {
  __typename id state resolvedBy resolveComment history { state changedBy comment }
  ... on ModelAlert { model { id health { status } } }
} } }"""


async def test_the_contract_document_lists_alerts_of_both(graph: Graph):
    """Device alerts and model alerts are one list, newest first, each with what is its own."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    row_id = await add_watched(store)
    of_device = await add_alert(store, device, raised_at=MIDDAY - timedelta(hours=1))
    of_model = await add_model_alert(store, row_id)
    text, given = document("alerts"), {"first": 10, "filter": {"states": ["OPEN"]}}
    assert await graph.planned(text, given)
    model, other = (await graph.data(text, given))["alerts"]["nodes"]
    assert model == {
        "__typename": "ModelAlert",
        "id": model_alert_id(of_model),
        "severity": "HIGH",
        "state": "OPEN",
        "message": "The pressure is not as in training.",
        "raisedAt": MIDDAY.isoformat(),
        "impact": "LIFESPAN predictions of 7 devices rest on it.",
        "model": {"id": model_id(row_id), "name": "water heater lifespan", "version": 1},
    }
    assert (other["__typename"], other["id"]) == ("DeviceAlert", alert_id(of_device))
    assert other["device"] == {"id": heater_id(device), "name": "Heater 000"}


async def test_types_are_told_whatever_is_selected(graph: Graph):
    """The type of an alert is known where nothing else is asked for; what is a model's own is told in full."""
    store = graph.services.store
    row_id = await add_watched(store)
    await add_model_alert(store, row_id, impact=None, metric=None, value=None, threshold=None)
    (node,) = (await graph.data("{ alerts { nodes { __typename } } }"))["alerts"]["nodes"]
    assert node == {"__typename": "ModelAlert"}
    query = "{ alerts { nodes { ... on ModelAlert { kind impact metric value threshold } } } }"
    (node,) = (await graph.data(query))["alerts"]["nodes"]
    assert node == {"kind": "MODEL_DRIFT", "impact": None, "metric": None, "value": None, "threshold": None}


async def test_filters_tell_models_from_devices(graph: Graph):
    """By model, by device, by kind; what is of a device and of a model does not exist."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    first, second = await add_watched(store), await add_watched(store)
    made = [
        alert_id(await add_alert(store, device)),
        model_alert_id(await add_model_alert(store, first)),
        model_alert_id(await add_model_alert(store, first, kind="MODEL_PERFORMANCE", severity="CRITICAL")),
        model_alert_id(await add_model_alert(store, second, state="RESOLVED", resolved_at=MIDDAY)),
    ]
    for filter_, places in (
        (None, range(4)),
        ({"modelIds": [model_id(first), model_id(first)]}, (1, 2)),
        ({"modelIds": [model_id(second), model_id(first)]}, (1, 2, 3)),
        ({"modelIds": [model_id(99)]}, ()),
        ({"modelIds": []}, ()),
        ({"deviceIds": [heater_id(device)]}, (0,)),
        ({"deviceIds": [heater_id(device)], "modelIds": [model_id(first)]}, ()),
        ({"deviceKinds": ["WATER_HEATER"]}, (0,)),
        ({"kinds": ["MODEL_DRIFT", "OVER_TEMPERATURE"]}, (0, 1, 3)),
        ({"kinds": ["MODEL_PERFORMANCE"], "severities": ["CRITICAL"], "states": ["OPEN"]}, (2,)),
    ):
        found = (await graph.data(LIST, filter=filter_))["alerts"]
        assert {node["id"] for node in found["nodes"]} == {made[place] for place in places}, filter_
        assert found["totalCount"] == len(places)
        mine = (await graph.data(OF_MODEL, id=model_id(first), filter=filter_))["model"]["alerts"]
        assert {node["id"] for node in mine["nodes"]} == {made[place] for place in places if place in {1, 2}}, filter_


@pytest.mark.parametrize("way", ["engine", "ordinary"])
async def test_an_alert_of_a_model_is_acknowledged_and_resolved(graph: Graph, way: str):
    """As those of devices: each step says who took it and why, and stands in the history; by plan and without."""
    graph.engine = getattr(graph, way)
    store = graph.services.store
    row_id = await add_watched(store)
    await add_health(store, row_id)
    alert = model_alert_id(await add_model_alert(store, row_id))
    graph.principal = Principal("Ada", Role.OPERATOR)
    body = await graph.data(document("acknowledge_alert"), input={"id": alert, "comment": "I train a new one."})
    taken = body["acknowledgeAlert"]["alert"]
    assert (taken["id"], taken["state"], taken["acknowledgedBy"]) == (alert, "ACKNOWLEDGED", "Ada")
    done = (await graph.data(RESOLVE, input={"id": alert, "comment": "Promoted."}))["resolveAlert"]["alert"]
    assert done == {
        "__typename": "ModelAlert",
        "id": alert,
        "state": "RESOLVED",
        "resolvedBy": "Ada",
        "resolveComment": "Promoted.",
        "history": [
            {"state": "OPEN", "changedBy": None, "comment": None},
            {"state": "ACKNOWLEDGED", "changedBy": "Ada", "comment": "I train a new one."},
            {"state": "RESOLVED", "changedBy": "Ada", "comment": "Promoted."},
        ],
        "model": {"id": model_id(row_id), "health": {"status": "WARNING"}},
    }
    error = await graph.error(RESOLVE, input={"id": alert})
    assert (error["extensions"]["code"], error["extensions"]["state"]) == ("CONFLICT", "RESOLVED")


async def test_ids_of_the_other_type_are_no_alerts(graph: Graph):
    """An id with the type of other alerts leads nowhere, and changes nothing."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    of_device, of_model = await add_alert(store, device), await add_model_alert(store, await add_watched(store))
    for id_ in (model_alert_id(of_device), alert_id(of_model), model_alert_id(of_model + 1)):
        for text in (RESOLVE, document("acknowledge_alert")):
            error = await graph.error(text, input={"id": id_})
            assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("NOT_FOUND", ["input", "id"])
    found = (await graph.data(LIST, filter={"states": ["OPEN"]}))["alerts"]["totalCount"]
    assert found == 2


async def test_devices_have_no_rules_for_alerts_of_models(graph: Graph):
    """A rule of a device is for what a device can alert about."""
    (device,) = await add_fleet(graph, 1)
    text = """mutation ($input: SetAlertRuleInput!) { setAlertRule(input: $input) { alertRule { kind } } }"""
    given = {"deviceId": heater_id(device), "kind": "MODEL_DRIFT", "isEnabled": False}
    error = await graph.error(text, input=given)
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("BAD_USER_INPUT", ["input", "kind"])


async def test_bad_ids_of_models(graph: Graph):
    """What is no id of a model, and too many of them, are refused by their place."""
    given: list[tuple[Any, list[Any]]] = [
        (["nope"], ["filter", "modelIds", 0]),
        ([model_id(1), heater_id(1)], ["filter", "modelIds", 1]),
        ([model_id(1)] * 1001, ["filter", "modelIds"]),
    ]
    for ids_, path in given:
        error = await graph.error(LIST, filter={"modelIds": ids_})
        assert error["extensions"]["inputPath"] == path
        assert len(ids_) < 1000 or "1000 models, not 1001" in error["message"]
