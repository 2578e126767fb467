"""Models in the graph: listed, filtered, trained, promoted, each with what it was trained on and by which run."""

from typing import Any

import orjson

from models.principal import Principal, Role
from resolvers.context import Scope
from resolvers.predicting import training
from schema import ids
from tests.contract import document
from tests.counting import Statements
from tests.factories import add_heater
from tests.fleets import heater_id
from tests.graph import Graph
from tests.versions import LIFESPAN, RISK, TRAINER, add_version, learnt, model_id

LIST = """query ($filter: ModelFilter, $first: Int, $after: String) {
  models(filter: $filter, first: $first, after: $after) {
    totalCount nodes { id } pageInfo { hasNextPage endCursor }
  }
}"""
RUNS = """query ($filter: TrainingRunFilter, $first: Int) { trainingRuns(filter: $filter, first: $first) {
  totalCount nodes { id kind deviceKind state progress requestedBy error model { version } }
} }"""
ALL = """query ($id: ID!) { model(id: $id) {
  id name version kind deviceKind stage method trainedAt trainingWindow { from to sampleCount } featureNames
  parameters { name value } trainingMetrics { name value } promotedAt promotedBy promotionReason
  comparison { measure candidate present rows devices presentModel { version } }
  trainingRuns { totalCount nodes { state model { id } } }
} }"""


async def listed(graph: Graph, **filter_: Any) -> list[str]:
    """Return the ids of the versions that a filter lets through."""
    found = (await graph.data(LIST, filter=filter_))["models"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["id"] for node in found["nodes"]]


async def test_a_version_tells_all_about_itself(graph: Graph):
    """What it predicts, what it was trained on, how well it did, and the run that made it."""
    first = await add_version(graph.services, metrics={"mae": 20.0})
    compared = {"measure": "mae", "candidate": 9.5, "present": 10.25, "rows": 40, "devices": 4}
    metrics = {"mae": 19.5, "rmse": None, "comparison": {**compared, "present_id": first["id"]}}
    made = learnt(metrics=metrics, window=[19000.0, 19500.5], parameters={"trees": 300, "name": "text"})
    row = await add_version(graph.services, **made)
    found = (await graph.data(ALL, id=model_id(row["id"])))["model"]
    assert found.pop("featureNames") == orjson.loads(row["feature_names"])
    assert found.pop("trainedAt") == row["trained_at"].isoformat()
    assert found == {
        "id": model_id(row["id"]),
        "name": "water heater lifespan",
        "version": 2,
        "kind": "LIFESPAN",
        "deviceKind": "WATER_HEATER",
        "stage": "CANDIDATE",
        "method": "WEIBULL",
        "trainingWindow": {"from": "2022-01-08T00:00:00+00:00", "to": "2023-05-23T12:00:00+00:00", "sampleCount": 4},
        "parameters": [{"name": "trees", "value": 300.0}],
        "trainingMetrics": [{"name": "mae", "value": 19.5}],
        "promotedAt": None,
        "promotedBy": None,
        "promotionReason": None,
        "comparison": {**compared, "presentModel": {"version": 1}},
        "trainingRuns": {"totalCount": 1, "nodes": [{"state": "SUCCEEDED", "model": {"id": model_id(row["id"])}}]},
    }


async def test_a_method_without_training_has_no_window(graph: Graph):
    """It is a version like others, of which there was nothing to learn."""
    await graph.services.models.productions(graph.services.store, "VENDING_MACHINE")
    (only,) = await listed(graph)
    found = (await graph.data(ALL, id=only))["model"]
    assert (found["method"], found["version"], found["stage"]) == ("STREAMING_DETECTOR", 1, "PRODUCTION")
    assert (found["trainingWindow"], found["comparison"], found["featureNames"], found["trainingMetrics"]) == (
        *(None, None, [], []),
    )
    assert found["trainingRuns"] == {"totalCount": 0, "nodes": []}


async def test_versions_are_listed_newest_first_and_filtered(graph: Graph):
    """Stages, kinds and kinds of devices restrict together; pages make up the list."""
    first, second = [await add_version(graph.services) for _ in range(2)]
    risk = await add_version(graph.services, RISK)
    made = [model_id(row["id"]) for row in (risk, second, first)]
    assert await listed(graph) == made
    for filter_, expected in (
        ({"stages": ["PRODUCTION"]}, (0, 2)),
        ({"stages": ["CANDIDATE"], "kinds": ["LIFESPAN"]}, (1,)),
        ({"kinds": ["MULTI_FACTOR", "ANOMALY"]}, (0,)),
        ({"deviceKinds": ["VENDING_MACHINE"]}, ()),
        ({"stages": []}, ()),
    ):
        assert await listed(graph, **filter_) == [made[place] for place in expected], filter_
    page = (await graph.data(LIST, first=2))["models"]
    assert page["pageInfo"]["hasNextPage"]
    rest = (await graph.data(LIST, first=2, after=page["pageInfo"]["endCursor"]))["models"]
    assert [node["id"] for node in (*page["nodes"], *rest["nodes"])] == made


async def test_a_training_is_asked_for_and_followed(graph: Graph):
    """The document of the contract gives a run, which its id leads to until it has made a version."""
    graph.principal = Principal("Ada", Role.OPERATOR)
    given = {"kind": "LIFESPAN", "deviceKind": "WATER_HEATER"}
    run = (await graph.data(document("train_model"), input=given))["trainModel"]["run"]
    assert (run["state"], run["model"], run["startedAt"], run["finishedAt"], run["error"]) == (
        *("QUEUED", None, None, None, None),
    )
    error = await graph.error(document("train_model"), input=given)
    assert error["extensions"]["code"] == "CONFLICT"
    taken = await training.take(graph.services)
    assert taken is not None
    version = await training.complete(graph.services, taken, learnt())
    text = "query ($id: ID!) { node(id: $id) { id ... on TrainingRun { state progress model { id stage } } } }"
    assert (await graph.data(text, id=run["id"]))["node"] == {
        "id": run["id"],
        "state": "SUCCEEDED",
        "progress": 1.0,
        "model": {"id": model_id(version["id"]), "stage": "PRODUCTION"},
    }


async def test_runs_are_listed_with_their_errors(graph: Graph):
    """Newest first, filtered by state and by model."""
    scope = Scope(graph.services, TRAINER)
    run = await training.begin(scope, LIFESPAN, "WATER_HEATER")
    await training.fail(graph.services, run, "Too little history.")
    await add_version(graph.services)
    await training.request(scope, RISK, "VENDING_MACHINE")
    found = (await graph.data(RUNS))["trainingRuns"]["nodes"]
    assert [(node["state"], node["kind"], node["deviceKind"], node["error"], node["model"]) for node in found] == [
        ("QUEUED", "MULTI_FACTOR", "VENDING_MACHINE", None, None),
        ("SUCCEEDED", "LIFESPAN", "WATER_HEATER", None, {"version": 1}),
        ("FAILED", "LIFESPAN", "WATER_HEATER", "Too little history.", None),
    ]
    for filter_, count in (
        ({"states": ["FAILED", "QUEUED"]}, 2),
        ({"kinds": ["LIFESPAN"], "states": ["FAILED"]}, 1),
        ({"deviceKinds": ["VENDING_MACHINE"]}, 1),
        ({"kinds": []}, 0),
    ):
        assert (await graph.data(RUNS, filter=filter_))["trainingRuns"]["totalCount"] == count


async def test_a_version_is_promoted_and_says_what_it_replaced(graph: Graph):
    """The document of the contract; a worse version is refused with both values, and forced with a reason."""
    graph.principal = Principal("Ada", Role.OPERATOR)
    present = await add_version(graph.services, metrics={"mae": 20.0})
    worse = await add_version(graph.services, metrics={"mae": 30.0})
    given: dict[str, Any] = {"modelId": model_id(worse["id"])}
    error = await graph.error(document("promote_model"), input=given)
    assert error["extensions"] == {
        "code": "CONFLICT",
        "inputPath": ["input", "modelId"],
        "metric": "mae",
        "candidate": 30.0,
        "present": 20.0,
        "basis": "CROSS_VALIDATION",
    }
    given |= {"force": True, "reason": "It knows the new heaters."}
    assert (await graph.data(document("promote_model"), input=given))["promoteModel"] == {
        "model": {"id": model_id(worse["id"]), "version": 2, "stage": "PRODUCTION"},
        "replaced": {"id": model_id(present["id"]), "version": 1, "stage": "ARCHIVED"},
    }


async def test_bad_ids_kinds_and_callers(graph: Graph):
    """Ids of other things, of nothing, kinds that are not trained, callers without the right."""
    heater = heater_id(await add_heater(graph.services.store))
    row = await add_version(graph.services)
    run = (await graph.data(RUNS))["trainingRuns"]["nodes"][0]["id"]
    assert (await graph.data(ALL, id=model_id(row["id"] + 1)))["model"] is None
    assert (await graph.error(ALL, id=heater))["extensions"]["inputPath"] == ["id"]
    for id_, part in ((run, "is the id of a TrainingRun"), (heater, "is the id of a WaterHeater"), ("x", "no id of")):
        error = await graph.error(document("promote_model"), input={"modelId": id_})
        assert (error["extensions"]["code"], error["extensions"]["inputPath"]) == (
            "BAD_USER_INPUT",
            ["input", "modelId"],
        )
        assert part in error["message"]
    unknown = ids.encode("Model", 99_999)
    assert (await graph.error(document("promote_model"), input={"modelId": unknown}))["extensions"][
        "code"
    ] == "NOT_FOUND"
    asked = {"kind": "USAGE_PATTERNS", "deviceKind": "WATER_HEATER"}
    error = await graph.error(document("train_model"), input=asked)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["input", "kind"]}
    graph.principal = Principal("wallboard", Role.VIEWER)
    for name, given in (("train_model", asked), ("promote_model", {"modelId": model_id(row["id"])})):
        assert (await graph.error(document(name), input=given))["extensions"]["code"] == "FORBIDDEN"


async def test_versions_take_as_many_statements_for_many(graph: Graph, statements: Statements):
    """However many versions there are, a document costs the same statements, and none of them reads an artefact."""
    text = """{ models(first: 50) { totalCount nodes { version comparison { presentModel { version } }
      trainingRuns(first: 2) { nodes { state model { name } } } } } }"""
    counts: list[int] = []
    for size in (2, 10):
        for _ in range(size):
            await add_version(graph.services)
        for answers in (graph.engine, graph.ordinary):
            statements.clear()
            assert "errors" not in await graph._by(answers, text, {})
            counts.append(statements.count_asked())
            assert not any("artefact" in statement for statement in statements)
    assert len(set(counts)) == 1
