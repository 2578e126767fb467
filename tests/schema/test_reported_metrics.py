"""Metrics that others report, and models that run elsewhere, in the graph."""

from datetime import timedelta
from typing import Any

import pytest

from models.principal import Principal, Role
from schema import ids
from tests.contract import document
from tests.factories import MIDDAY
from tests.fleets import heater_id
from tests.graph import Graph
from tests.monitored import HOUR, add_metric, add_watched
from tests.versions import model_id

REPORT = """mutation ($input: ReportModelMetricsInput!) { reportModelMetrics(input: $input) { metrics {
  id name value sampleCount windowStart windowEnd recordedAt reportedBy model { id }
} } }"""
REGISTER = """mutation ($input: RegisterExternalModelInput!) { registerExternalModel(input: $input) { model {
  id name version kind deviceKind stage method trainingWindow { from } featureNames trainingMetrics { name value }
  health { status }
} } }"""


def metric(end: Any = MIDDAY, **changes: Any) -> dict[str, Any]:
    """Return the input of an hour's metric."""
    given = {"name": "mae", "value": 12.5, "sampleCount": 30, "windowStart": (end - HOUR).isoformat()}
    return {**given, "windowEnd": end.isoformat(), **changes}


@pytest.mark.parametrize("way", ["engine", "ordinary"])
async def test_metrics_are_reported_of_a_version(graph: Graph, way: str):
    """By id, or by name and number; they come back in the order given and stand in the version's list."""
    graph.engine = getattr(graph, way)
    row_id = await add_watched(graph.services.store)
    graph.principal = Principal("forecaster", Role.DEVICE)
    rows = [metric(MIDDAY + HOUR), metric(), metric(name="own_score", value=-1)]
    stored = (await graph.data(REPORT, input={"modelId": model_id(row_id), "metrics": rows}))["reportModelMetrics"]
    for given, found in zip(rows, stored["metrics"], strict=True):
        assert ids.decode(found.pop("id"), ("ModelMetric",), "id")
        assert found.pop("recordedAt")
        of = {"value": float(given["value"]), "reportedBy": "forecaster", "model": {"id": model_id(row_id)}}
        assert found == {**given, **of}
    named = {"name": "water heater lifespan", "version": 1, "metrics": [metric(name="rmse")]}
    (found,) = (await graph.data(REPORT, input=named))["reportModelMetrics"]["metrics"]
    assert (found["name"], found["model"]) == ("rmse", {"id": model_id(row_id)})
    query = "query ($id: ID!) { model(id: $id) { metrics { totalCount nodes { name } } } }"
    listed = (await graph.data(query, id=model_id(row_id)))["model"]["metrics"]
    assert listed["totalCount"] == 4
    assert listed["nodes"][0] == {"name": "rmse"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Mean error"}, "name"),
        ({"sampleCount": 0}, "sampleCount"),
        ({"windowEnd": (MIDDAY - HOUR).isoformat()}, "windowEnd"),
        ({"windowEnd": "2999-01-01T00:00:00Z"}, "windowEnd"),
        ({"windowStart": (MIDDAY - 2 * HOUR).isoformat()}, "windowStart"),
    ],
)
async def test_what_cannot_be_reported(graph: Graph, changes: dict[str, Any], field: str):
    """A bad row is named by its place and field, and nothing of the report is stored."""
    row_id = model_id(await add_watched(graph.services.store))
    rows = [metric(MIDDAY - HOUR), metric(**changes)]
    error = await graph.error(REPORT, input={"modelId": row_id, "metrics": rows})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["inputPath"] == ["input", "metrics", 1, field]
    query = "query ($id: ID!) { model(id: $id) { metrics { totalCount } } }"
    assert (await graph.data(query, id=row_id))["model"]["metrics"]["totalCount"] == 0


async def test_of_which_version_is_said_once(graph: Graph):
    """Neither, both, half of a name, and what does not exist are told apart."""
    row_id = await add_watched(graph.services.store)
    name = "water heater lifespan"
    for given, code, path in (
        ({}, "BAD_USER_INPUT", ["input"]),
        ({"name": name}, "BAD_USER_INPUT", ["input"]),
        ({"version": 1}, "BAD_USER_INPUT", ["input"]),
        ({"modelId": model_id(row_id), "name": name, "version": 1}, "BAD_USER_INPUT", ["input"]),
        ({"modelId": heater_id(1)}, "BAD_USER_INPUT", ["input", "modelId"]),
        ({"modelId": model_id(row_id + 1)}, "NOT_FOUND", ["input", "modelId"]),
        ({"name": "nobody", "version": 1}, "NOT_FOUND", ["input", "name"]),
        ({"name": name, "version": 2}, "NOT_FOUND", ["input", "version"]),
    ):
        error = await graph.error(REPORT, input={**given, "metrics": [metric()]})
        assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == (code, path), given


async def test_a_name_of_several_models_is_a_conflict(graph: Graph):
    """Versions are numbered for each kind, so a name and a number may be of two models; an id is of one."""
    made: list[str] = []
    for kind in ("LIFESPAN", "MULTI_FACTOR"):
        given = {"name": "forecaster", "kind": kind, "deviceKind": "VENDING_MACHINE"}
        made.append((await graph.data(REGISTER, input=given))["registerExternalModel"]["model"]["id"])
    error = await graph.error(REPORT, input={"name": "forecaster", "version": 1, "metrics": [metric()]})
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("CONFLICT", ["input", "name"])
    assert "name the version by 'modelId'" in error["message"]
    assert await graph.data(REPORT, input={"modelId": made[1], "metrics": [metric()]})


async def test_windows_that_are_known_are_a_conflict(graph: Graph):
    """A window that overlaps a stored one of the same metric is refused, whoever told that; one beside it is not."""
    store = graph.services.store
    row_id = await add_watched(store)
    await add_metric(store, row_id)
    rows = [metric(name="rmse"), metric(MIDDAY + HOUR / 2)]
    error = await graph.error(REPORT, input={"modelId": model_id(row_id), "metrics": rows})
    assert error["extensions"]["code"] == "CONFLICT"
    assert error["extensions"]["inputPath"] == ["input", "metrics", 1, "windowStart"]
    assert "by the server" in error["message"]
    beside = [metric(MIDDAY + HOUR), metric(MIDDAY - HOUR), metric(name="rmse")]
    assert await graph.data(REPORT, input={"modelId": model_id(row_id), "metrics": beside})


async def test_who_may_report_and_register(graph: Graph):
    """Services report with the right to ingest; a model is registered by people."""
    row_id = model_id(await add_watched(graph.services.store))
    external = {"name": "forecaster", "kind": "LIFESPAN", "deviceKind": "WATER_HEATER"}
    for role, reports, registers in (
        (Role.VIEWER, False, False),
        (Role.DEVICE, True, False),
        (Role.OPERATOR, True, True),
    ):
        graph.principal = Principal("somebody", role)
        rows = {"modelId": row_id, "metrics": [metric(name=f"of_{role.value}")]}
        for text, given, may, right in (
            (REPORT, rows, reports, "ingest"),
            (REGISTER, external, registers, "operate"),
        ):
            body = await graph.answer(text, input=given)
            if may:
                assert "errors" not in body, body
            else:
                assert body["errors"][0]["extensions"] == {"code": "FORBIDDEN", "requiredRight": right}


async def test_a_model_that_runs_elsewhere(graph: Graph):
    """It is a candidate that cannot be promoted; what is reported of it is found under its name."""
    given = {"name": " forecaster ", "kind": "LIFESPAN", "deviceKind": "VENDING_MACHINE"}
    numbers = [{"name": "mae", "value": 20}, {"name": "rmse", "value": 30.5}]
    made = (await graph.data(REGISTER, input={**given, "metrics": numbers}))["registerExternalModel"]["model"]
    row_id = made.pop("id")
    assert made == {
        "name": "forecaster",
        "version": 1,
        "kind": "LIFESPAN",
        "deviceKind": "VENDING_MACHINE",
        "stage": "CANDIDATE",
        "method": "EXTERNAL",
        "trainingWindow": None,
        "featureNames": [],
        "trainingMetrics": [{"name": "mae", "value": 20.0}, {"name": "rmse", "value": 30.5}],
        "health": None,
    }
    report = {"name": "forecaster", "version": 1, "metrics": [metric()]}
    (found,) = (await graph.data(REPORT, input=report))["reportModelMetrics"]["metrics"]
    assert found["model"] == {"id": row_id}
    error = await graph.error(document("promote_model"), input={"modelId": row_id, "force": True, "reason": "Now."})
    assert error["extensions"]["code"] == "CONFLICT"
    again = (await graph.data(REGISTER, input=given))["registerExternalModel"]["model"]
    assert (again["version"], again["trainingMetrics"]) == (2, [])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": " "}, ["input", "name"]),
        ({"metrics": [{"name": "Mean error", "value": 1}]}, ["input", "metrics"]),
        ({"metrics": [{"name": "mae", "value": 1}, {"name": "mae", "value": 2}]}, ["input", "metrics", 1, "name"]),
    ],
)
async def test_what_cannot_be_registered(graph: Graph, changes: dict[str, Any], path: list[Any]):
    """A name that is none, numbers without a name of a metric, or with one twice."""
    given = {"name": "forecaster", "kind": "LIFESPAN", "deviceKind": "WATER_HEATER", **changes}
    error = await graph.error(REGISTER, input=given)
    assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == ("BAD_USER_INPUT", path)


async def test_a_report_is_bounded(graph: Graph):
    """None, and more than may come at once, are refused."""
    row_id = model_id(await add_watched(graph.services.store))
    hours = [metric(MIDDAY - timedelta(hours=back)) for back in range(1001)]
    for rows, code in (([], "BAD_USER_INPUT"), (hours, "LIMIT_EXCEEDED")):
        error = await graph.error(REPORT, input={"modelId": row_id, "metrics": rows})
        assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == (code, ["input", "metrics"])
