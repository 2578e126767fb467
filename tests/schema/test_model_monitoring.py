"""How well models do, in the graph: health, metrics, drift, alerts and predictions of one model or of many."""

from datetime import timedelta
from typing import Any

import pytest

from models.clock import now
from models.store import Store
from schema import ids
from tests.contract import document
from tests.counting import Statements
from tests.factories import MIDDAY, add_heater
from tests.findings import add_anomaly, by_severity
from tests.fleets import add_fleet, heater_id
from tests.graph import Graph
from tests.monitored import (
    HOUR,
    REASON,
    add_drift,
    add_health,
    add_metric,
    add_model_alert,
    add_prediction,
    add_watched,
    model_alert_id,
)
from tests.versions import add_version, model_id


async def add_all(store: Store, device: int) -> int:
    """Store a version of which everything is known."""
    row_id = await add_watched(store)
    await add_metric(store, row_id)
    await add_drift(store, row_id)
    await add_health(store, row_id)
    await add_model_alert(store, row_id)
    await add_prediction(store, row_id, device)
    return row_id


async def test_the_contract_document_shows_how_a_model_does(graph: Graph):
    """The dashboard's document is planned; of the version in production it has everything that is known."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    before = await add_watched(store)
    await add_metric(store, before)
    row_id = await add_watched(store)
    await add_metric(store, row_id)
    await add_metric(store, row_id, name="rmse")
    await add_drift(store, row_id)
    await add_health(store, row_id, began_at=MIDDAY - HOUR, status="HEALTHY")
    await add_health(store, row_id)
    alert = await add_model_alert(store, row_id)
    prediction = await add_prediction(store, row_id, device)
    text = document("model_health")
    assert await graph.planned(text)
    (node,) = (await graph.data(text))["models"]["nodes"]
    assert node.pop("trainedAt")
    at = {name: (MIDDAY + hours * HOUR).isoformat() for name, hours in (("before", -1), ("then", 0), ("after", 1))}
    health = {"status": "WARNING", "score": 0.75, "evaluatedAt": at["after"], "reasons": [REASON]}
    window = {"windowStart": at["before"], "windowEnd": at["then"], "recordedAt": at["after"]}
    measured = {"name": "mae", "value": 41.5, "sampleCount": 12, **window}
    test = {"feature": "pressure.mean", "statistic": "LEVEL", "value": 1.25, "threshold": 0.5, "sampleCount": 700}
    told = {"impact": "LIFESPAN predictions of 7 devices rest on it.", "message": "The pressure is not as in training."}
    raised = {"id": model_alert_id(alert), "severity": "HIGH", "state": "OPEN", **told, "raisedAt": at["then"]}
    about = {"kind": "LIFESPAN", "device": {"id": heater_id(device), "name": "Heater 000"}}
    assert node == {
        "id": model_id(row_id),
        "name": "water heater lifespan",
        "version": 2,
        "kind": "LIFESPAN",
        "stage": "PRODUCTION",
        "trainingWindow": None,
        "featureNames": [],
        "health": health,
        "metrics": {"nodes": [measured]},
        "drift": {"nodes": [{**test, "drifted": True, "evaluatedAt": at["then"]}]},
        "alerts": {"nodes": [raised]},
        "recentPredictions": {
            "nodes": [{"id": ids.encode("LifespanPrediction", prediction), **about, "predictedAt": at["then"]}]
        },
    }


async def test_a_model_of_which_nothing_is_known(graph: Graph):
    """Health is null, lists are empty."""
    row_id = (await add_version(graph.services))["id"]
    (node,) = (await graph.data(document("model_health")))["models"]["nodes"]
    assert (node["id"], node["health"]) == (model_id(row_id), None)
    assert [node[name]["nodes"] for name in ("metrics", "drift", "alerts", "recentPredictions")] == [[], [], [], []]


async def test_the_contract_document_of_deep_links(graph: Graph):
    """An anomaly leads to its device, what is predicted of it, the model behind that, and how well this does."""
    device = await add_heater(graph.services.store, installed_at=now() - timedelta(days=100))
    await add_anomaly(graph.services.store, device)
    model = await add_version(graph.services)
    await add_health(graph.services.store, model["id"])
    (node,) = (await graph.data(document("deep_links")))["anomalies"]["nodes"]
    life = node["device"]["predictions"]["lifespan"]
    assert life["remainingDays"] > 0
    assert life["model"] == {"version": 1, "health": {"status": "WARNING"}}


async def test_a_prediction_leads_to_the_health_of_its_model(graph: Graph):
    """A prediction leads to the version that made it, and that to its health and its other predictions."""
    store = graph.services.store
    (device,) = await add_fleet(graph, 1)
    row_id = await add_watched(store)
    await add_health(store, row_id, score=None, status="UNKNOWN", reasons="[]")
    prediction = ids.encode("LifespanPrediction", await add_prediction(store, row_id, device))
    query = """query ($id: ID!) { node(id: $id) { ... on Prediction { model {
      health { status score reasons { metric } model { id } } recentPredictions { totalCount nodes { id } }
    } } } }"""
    found = (await graph.data(query, id=prediction))["node"]["model"]
    assert found == {
        "health": {"status": "UNKNOWN", "score": None, "reasons": [], "model": {"id": model_id(row_id)}},
        "recentPredictions": {"totalCount": 1, "nodes": [{"id": prediction}]},
    }


async def test_metrics_by_name_and_window(graph: Graph):
    """Names are any text; a window counts by its end, which `windowAfter` includes and `windowBefore` does not."""
    store, made = graph.services.store, {}
    row_id, other = await add_watched(store), await add_watched(store)
    for name, hours, by in (("mae", 0, None), ("mae", 1, "forecaster"), ("rmse", 1, None), ("own_score", 2, "Ada")):
        given = {"name": name, "reported_by": by}
        made[name, hours] = await add_metric(store, row_id, MIDDAY + hours * HOUR, **given)
    await add_metric(store, other)
    at, later = MIDDAY.isoformat(), (MIDDAY + HOUR).isoformat()
    query = """query ($id: ID!, $names: [String!], $after: DateTime, $before: DateTime) { model(id: $id) {
      metrics(names: $names, windowAfter: $after, windowBefore: $before) { totalCount nodes { id reportedBy } }
    } }"""
    every = list(reversed(made))
    cases: list[tuple[dict[str, Any], list[Any]]] = [
        ({}, every),
        ({"names": ["mae"]}, [("mae", 1), ("mae", 0)]),
        ({"names": ["own_score", "mae", "mae", "none'; --"]}, [("own_score", 2), ("mae", 1), ("mae", 0)]),
        ({"names": []}, []),
        ({"after": later}, every[:3]),
        ({"before": later}, [("mae", 0)]),
        ({"after": at, "before": later, "names": ["rmse"]}, []),
    ]
    for given, expected in cases:
        found = (await graph.data(query, id=model_id(row_id), **given))["model"]["metrics"]
        wanted = [ids.encode("ModelMetric", made[key]) for key in expected]
        assert [node["id"] for node in found["nodes"]] == wanted, given
        assert found["totalCount"] == len(expected)
    nodes = (await graph.data(query, id=model_id(row_id)))["model"]["metrics"]["nodes"]
    assert [node["reportedBy"] for node in nodes] == ["Ada", None, "forecaster", None]


async def test_drift_by_feature_and_finding(graph: Graph):
    """All evaluations of a feature; or of all features what drifted, or what did not."""
    store = graph.services.store
    row_id = await add_watched(store)
    nothing = {"finding": "UNKNOWN", "value": None, "threshold": None, "drifted": False, "severity": None}
    for feature, hours, more in (
        ("pressure.mean", 0, {}),
        ("error", 1, {"finding": "CONCEPT_DRIFT", "severity": "LOW"}),
        ("prediction", 2, nothing),
        ("pressure.mean", 3, {"finding": "STABLE", "drifted": False, "severity": None}),
    ):
        await add_drift(store, row_id, feature=feature, evaluated_at=MIDDAY + hours * HOUR, **more)
    query = """query ($id: ID!, $features: [String!], $drifted: Boolean) { model(id: $id) {
      drift(features: $features, drifted: $drifted) { totalCount nodes { feature finding severity value message } }
    } }"""
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["STABLE", "UNKNOWN", "CONCEPT_DRIFT", "DRIFT"]),
        ({"features": ["pressure.mean"]}, ["STABLE", "DRIFT"]),
        ({"features": ["pressure.mean"], "drifted": True}, ["DRIFT"]),
        ({"drifted": True}, ["CONCEPT_DRIFT", "DRIFT"]),
        ({"drifted": False}, ["STABLE", "UNKNOWN"]),
        ({"features": []}, []),
    ]
    for given, expected in cases:
        found = (await graph.data(query, id=model_id(row_id), **given))["model"]["drift"]
        assert [node["finding"] for node in found["nodes"]] == expected, given
        assert found["totalCount"] == len(expected)


async def test_health_is_the_newest_entry_of_its_history(graph: Graph):
    """The history has all changes, newest first, or those to certain statuses."""
    store = graph.services.store
    row_id = await add_watched(store)
    made = [
        await add_health(store, row_id, status=status, began_at=MIDDAY + place * HOUR)
        for place, status in enumerate(("UNKNOWN", "HEALTHY", "CRITICAL", "HEALTHY"))
    ]
    query = """query ($id: ID!, $statuses: [HealthStatus!]) { model(id: $id) {
      health { id status beganAt } healthHistory(statuses: $statuses, first: 3) { totalCount nodes { id status } }
    } }"""
    found = (await graph.data(query, id=model_id(row_id)))["model"]
    assert found["health"] == {
        "id": ids.encode("ModelHealth", made[3]),
        "status": "HEALTHY",
        "beganAt": (MIDDAY + 3 * HOUR).isoformat(),
    }
    assert [node["status"] for node in found["healthHistory"]["nodes"]] == ["HEALTHY", "CRITICAL", "HEALTHY"]
    assert found["healthHistory"]["totalCount"] == 4
    found = (await graph.data(query, id=model_id(row_id), statuses=["UNKNOWN", "CRITICAL"]))["model"]["healthHistory"]
    assert [node["id"] for node in found["nodes"]] == [ids.encode("ModelHealth", made[place]) for place in (2, 0)]


@pytest.mark.parametrize("field", ["metrics", "drift", "healthHistory", "alerts", "recentPredictions"])
@pytest.mark.parametrize("backward", [False, True], ids=["first", "last"])
async def test_pages_with_equal_instants_make_up_the_list(graph: Graph, field: str, backward: bool):
    """Newest first, those of one instant by their age, in pages of two from either end."""
    store = graph.services.store
    row_id, other = await add_watched(store), await add_watched(store)
    device = await add_heater(store)
    for number in range(5):
        for each in (row_id, other):
            await add_metric(store, each, name=f"metric_{number}")
            await add_drift(store, each)
            await add_health(store, each)
            await add_model_alert(store, each)
            await add_prediction(store, each, device)
    query = f"""query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {{ model(id: $id) {{
      {field}(first: $first, after: $after, last: $last, before: $before) {{
        edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
      }}
    }} }}"""
    whole = (await graph.data(query, id=model_id(row_id)))["model"][field]["edges"]
    expected = [ids.decode_any(edge["node"]["id"], "id")[1] for edge in whole]
    assert expected == sorted(expected, reverse=True)
    assert len(expected) == 5
    seen: list[Any] = []
    more, cursor = True, None
    while more:
        place = {"last": 2, "before": cursor} if backward else {"first": 2, "after": cursor}
        page = (await graph.data(query, id=model_id(row_id), **place))["model"][field]
        seen = page["edges"] + seen if backward else seen + page["edges"]
        more = page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]
        cursor = page["pageInfo"]["startCursor" if backward else "endCursor"]
    assert seen == whole


@pytest.mark.parametrize("way", ["engine", "ordinary"])
async def test_a_document_costs_the_same_statements_for_many_models(graph: Graph, statements: Statements, way: str):
    """However many versions there are, what is known of them takes the same statements."""
    store = graph.services.store
    text = """{ models(first: 100) { nodes { id
      health { status reasons { metric } model { version } }
      healthHistory(first: 2, statuses: [WARNING]) { totalCount nodes { status model { version } } }
      metrics(first: 3, names: ["mae"]) { totalCount nodes { value model { version } } }
      drift(first: 3, drifted: true, features: ["pressure.mean"]) { totalCount nodes { finding model { name } } }
      alerts(first: 3, filter: { states: [OPEN] }) { totalCount nodes { impact history { state } model { name } } }
      recentPredictions(first: 3) { totalCount nodes { kind device { name } model { health { score } } } }
      trainingRuns(first: 1) { nodes { state model { health { status } } } }
    } } alerts(first: 100) { nodes { id ... on ModelAlert { model { name health { status } } } } } }"""
    device = await add_heater(store)
    counts: list[int] = []
    for size in (1, 49):
        for _ in range(size):
            await add_all(store, device)
        statements.clear()
        body = await graph._by(getattr(graph, way), text, {})
        assert "errors" not in body, body
        assert all(node["health"] and node["metrics"]["totalCount"] for node in body["data"]["models"]["nodes"])
        counts.append(statements.count_asked())
    assert len(body["data"]["models"]["nodes"]) == 50
    assert counts[0] == counts[1] > 0


async def test_everything_is_found_by_its_id(graph: Graph):
    """Metrics, drift, health and alerts are nodes; an alert is none under the type of other alerts."""
    store = graph.services.store
    row_id = await add_all(store, await add_heater(store))
    query = """query ($id: ID!) { model(id: $id) { health { id } metrics { nodes { id } } drift { nodes { id } }
      alerts { nodes { id } } } }"""
    found = (await graph.data(query, id=model_id(row_id)))["model"]
    listed = [found["health"]["id"], *(found[name]["nodes"][0]["id"] for name in ("metrics", "drift", "alerts"))]
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
      ... on ModelHealth { model { id } } ... on ModelMetric { model { id } }
      ... on ModelDrift { model { id } } ... on ModelAlert { model { id } } } }"""
    types = ["ModelHealth", "ModelMetric", "ModelDrift", "ModelAlert"]
    of_model = {"model": {"id": model_id(row_id)}}
    assert (await graph.data(query, ids=listed))["nodes"] == [
        {"__typename": type_name, "id": id_, **of_model} for type_name, id_ in zip(types, listed, strict=True)
    ]
    gone = [
        ids.encode(type_name, ids.decode_any(id_, "id")[1] + 1) for type_name, id_ in zip(types, listed, strict=True)
    ]
    wrong = ids.encode("DeviceAlert", ids.decode_any(listed[3], "id")[1])
    assert (await graph.data(query, ids=[*gone, wrong]))["nodes"] == [None] * 5


async def test_the_fleet_counts_alerts_of_devices_and_of_models(graph: Graph):
    """What is not resolved is counted once, whatever it is of; a device counts its own."""
    store = graph.services.store
    await add_fleet(graph, 1)
    row_id = await add_watched(store)
    await add_model_alert(store, row_id, severity="LOW")
    await add_model_alert(store, row_id, severity="LOW", state="RESOLVED", resolved_at=MIDDAY)
    found = await graph.data("""{ fleet { openAlertsBySeverity { severity count } }
      devices { nodes { openAlertsBySeverity { severity count } alerts { totalCount } } } }""")
    assert found["fleet"]["openAlertsBySeverity"] == by_severity(LOW=1)
    (node,) = found["devices"]["nodes"]
    assert node == {"openAlertsBySeverity": by_severity(), "alerts": {"totalCount": 0}}


async def test_bad_arguments(graph: Graph):
    """Too many names, cursors of another list and unknown statuses are refused, and named."""
    row_id = model_id(await add_watched(graph.services.store))
    await add_metric(graph.services.store, ids.decode(row_id, ("Model",), "id"))
    for field, argument in (("metrics", "names"), ("drift", "features")):
        selected = f"{field}({argument}: $given) {{ totalCount }}"
        query = f"query ($id: ID!, $given: [String!]) {{ model(id: $id) {{ {selected} }} }}"
        error = await graph.error(query, id=row_id, given=["x"] * 101)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert error["extensions"]["inputPath"] == [argument]
        assert "100 names, not 101" in error["message"]
    query = "query ($id: ID!, $after: String) { model(id: $id) { drift(after: $after) { totalCount } } }"
    metrics = "query ($id: ID!) { model(id: $id) { metrics { pageInfo { endCursor } } } }"
    cursor = (await graph.data(metrics, id=row_id))["model"]["metrics"]["pageInfo"]["endCursor"]
    for after in ("nope", cursor):
        error = await graph.error(query, id=row_id, after=after)
        assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("BAD_USER_INPUT", ["after"])
    query = """query ($id: ID!, $given: [HealthStatus!]) {
      model(id: $id) { healthHistory(statuses: $given) { totalCount } }
    }"""
    assert (await graph.error(query, id=row_id, given=["ILL"]))["extensions"]["code"] == "BAD_USER_INPUT"
