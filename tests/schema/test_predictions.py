"""Predictions in the graph: of one heater or of many, made once, stored, explained, each query by plan and without."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from models.clock import now
from models.predictions import PredictionKind
from models.repositories import predictions
from models.store import Store
from schema import ids
from tests.contract import document
from tests.counting import Statements
from tests.factories import add_heater, settings
from tests.findings import add_anomaly, anomaly_id
from tests.fleets import heater_id, register
from tests.graph import Graph, graph_over
from tests.lives import add_days, add_model, add_worn_fleet, learn, midnight

ALL = """
query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Device { id predictions {
  lifespan { ...About remainingDays lowerDays upperDays expectedEndOfLife }
  anomaly { ...About score isAnomalous findings { metric anomaly { id } } }
  usagePatterns { ...About dailyAverageLiters }
  multiFactor { ...About riskScore riskLevel horizonDays factors { name weight score explanation value } }
  unavailable { kind reason message }
} } } }
fragment About on Prediction {
  id kind method confidence doubts predictedAt dataUntil unit baseline device { id } model { id version }
  contributingFactors { name label value unit contribution direction }
  recommendations { action urgency reason dueBy }
}
"""
FEW = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Device { predictions {
  lifespan { id remainingDays model { version } } anomaly { id } usagePatterns { id } multiFactor { id riskScore }
} } } }"""


@pytest.fixture
async def worn(graph: Graph) -> list[int]:
    """Models, and two heaters: one worn, one like new."""
    store = graph.services.store
    old = await add_heater(store, name="Old", installed_at=midnight(100))
    new = await add_heater(store, name="New", installed_at=midnight(40))
    await add_days(store, old, 90, wear=0.9)
    await add_days(store, new, 40)
    await learn(store, PredictionKind.LIFESPAN)
    await learn(store, PredictionKind.MULTI_FACTOR, method="BOOSTED_TREES")
    return [old, new]


@pytest.fixture
async def hasty(store: Store) -> AsyncIterator[Graph]:
    """A graph that never uses a prediction again."""
    made = graph_over(store, settings(predictions={"reuse_seconds": 0}))
    yield made
    await made.services.ingest.close()


async def of_all(graph: Graph, device_ids: list[int], query: str = ALL) -> list[Any]:
    """Return the predictions of heaters."""
    body = await graph.data(query, ids=[heater_id(id_) for id_ in device_ids])
    return [node["predictions"] for node in body["nodes"]]


async def test_contract_document_tells_what_a_worn_heater_is_in_for(graph: Graph, worn: list[int]):
    """The document of the contract is planned, and its answer has a life, a risk, their reasons and what to do."""
    text, variables = document("predictions"), {"id": heater_id(worn[0])}
    assert await graph.planned(text, variables)
    found = (await graph.data(text, variables))["waterHeater"]["predictions"]
    life, risk = found["lifespan"], found["multiFactor"]
    assert 0 <= life["lowerDays"] <= life["remainingDays"] <= life["upperDays"]
    assert life["model"]["version"] == risk["model"]["version"] == 1
    assert risk["riskLevel"] in {"HIGH", "CRITICAL"}
    assert {"PLAN_REPLACEMENT", "INSPECT"} <= {
        each["action"] for each in [*life["recommendations"], *risk["recommendations"]]
    }


async def test_factors_add_up_to_the_prediction(graph: Graph, worn: list[int]):
    """Baseline and contributions add up to days and to probability; weights to 1; what wears is among the first."""
    for found in await of_all(graph, worn):
        for kind, value in (("lifespan", "remainingDays"), ("multiFactor", "riskScore")):
            told = found[kind]
            total = told["baseline"] + sum(each["contribution"] for each in told["contributingFactors"])
            assert total == pytest.approx(told[value], abs=1e-6)
            parts = told["contributingFactors"]
            sizes = [abs(each["contribution"]) for each in parts if each["name"] != "other"]
            assert sizes == sorted(sizes, reverse=True)
            # What hardly counts is told together, at the end.
            assert min(sizes) > 0.009 * sum(sizes)
            assert "other" not in [each["name"] for each in parts[:-1]]
        assert sum(each["weight"] for each in found["multiFactor"]["factors"]) == pytest.approx(1)
    old, new = await of_all(graph, worn)
    assert old["lifespan"]["remainingDays"] < new["lifespan"]["remainingDays"]
    assert old["multiFactor"]["riskScore"] > new["multiFactor"]["riskScore"]
    first = old["lifespan"]["contributingFactors"][0]
    assert first["name"] in {"daily_energy", "energy_ratio"}
    assert first["direction"] == "LOWERS"


async def test_fresh_predictions_are_used_again(graph: Graph, worn: list[int]):
    """Asked twice, a heater has the same predictions; once the model in production is another, it has new ones."""
    store = graph.services.store
    first = await of_all(graph, worn, FEW)
    assert await of_all(graph, worn, FEW) == first
    await learn(store, PredictionKind.LIFESPAN)
    later = await of_all(graph, worn, FEW)
    assert [each["lifespan"]["model"]["version"] for each in later] == [2, 2]
    assert [each["multiFactor"] for each in later] == [each["multiFactor"] for each in first]


async def test_old_predictions_are_made_anew(hasty: Graph, worn: list[int]):
    """A prediction older than the time of reuse is made anew, and the old one stays in the history."""
    rows: list[str] = []
    for _ in range(2):
        body = await hasty._by(hasty.engine, FEW, {"ids": [heater_id(worn[0])]})
        rows.append(body["data"]["nodes"][0]["predictions"]["lifespan"]["id"])
    assert len(set(rows)) == 2
    history = await hasty.data(document("prediction_history"), id=heater_id(worn[0]))
    listed = [node["id"] for node in history["device"]["predictionHistory"]["nodes"]]
    assert rows[::-1] == [each for each in listed if each in rows]


async def test_history_pages_newest_first_and_nodes_are_found(hasty: Graph, worn: list[int]):
    """The history is paged by kind, newest first; each prediction is found by its id, under its own type only."""
    for _ in range(3):
        await hasty._by(hasty.engine, FEW, {"ids": [heater_id(worn[0])]})
    query = """query ($id: ID!, $after: String) { device(id: $id) {
      predictionHistory(kinds: [LIFESPAN, MULTI_FACTOR], first: 4, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes {
          __typename id kind
          ... on LifespanPrediction { remainingDays }
          ... on MultiFactorPrediction { riskScore }
        }
      } } }"""
    page = (await hasty.data(query, id=heater_id(worn[0])))["device"]["predictionHistory"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"], len(page["nodes"])) == (6, True, 4)
    rest = await hasty.data(query, id=heater_id(worn[0]), after=page["pageInfo"]["endCursor"])
    nodes = page["nodes"] + rest["device"]["predictionHistory"]["nodes"]
    assert len({node["id"] for node in nodes}) == 6
    assert {node["__typename"] for node in nodes} == {"LifespanPrediction", "MultiFactorPrediction"}
    found = await hasty.data("query ($id: ID!) { node(id: $id) { __typename id } }", id=nodes[0]["id"])
    assert found["node"] == {"__typename": nodes[0]["__typename"], "id": nodes[0]["id"]}
    row_id = ids.decode(nodes[0]["id"], (nodes[0]["__typename"],), "id")
    other = ids.encode("AnomalyPrediction", row_id)
    assert (await hasty.data("query ($id: ID!) { node(id: $id) { id } }", id=other))["node"] is None


@pytest.mark.parametrize("query", [FEW, ALL], ids=["plain", "explained"])
async def test_statements_do_not_grow_with_devices(hasty: Graph, statements: Statements, query: str):
    """One heater and fifty cost the same statements, when predictions are made and when they are used again."""
    store = hasty.services.store
    many = [await add_heater(store, installed_at=midnight(30)) for _ in range(50)]
    for id_ in many[:3]:
        await add_days(store, id_, 20)
    await learn(store, PredictionKind.LIFESPAN)
    await learn(store, PredictionKind.MULTI_FACTOR, method="BOOSTED_TREES")

    async def counted(asked: Graph, device_ids: list[int]) -> int:
        statements.clear()
        await asked._by(asked.engine, query, {"ids": [heater_id(id_) for id_ in device_ids]})
        return statements.count_asked()

    await counted(hasty, many)
    made = [await counted(hasty, many[:1]), await counted(hasty, many)]
    assert made[0] == made[1]
    lasting = graph_over(store, settings(predictions={"reuse_seconds": 3600}))
    await counted(lasting, many)
    used = [await counted(lasting, many[:1]), await counted(lasting, many)]
    assert used[0] == used[1] < made[0]
    await lasting.services.ingest.close()


async def test_concurrent_requests_share_one_computation(hasty: Graph, worn: list[int]):
    """Of eight requests at once, all have the same prediction, and one row is stored."""
    bodies = await asyncio.gather(*(hasty._by(hasty.engine, FEW, {"ids": [heater_id(worn[0])]}) for _ in range(8)))
    assert len({orjson.dumps(body) for body in bodies}) == 1
    row = bodies[0]["data"]["nodes"][0]["predictions"]["lifespan"]
    assert row["id"] == ids.encode("LifespanPrediction", ids.decode(row["id"], ("LifespanPrediction",), "id"))
    history = await hasty.data(document("prediction_history"), id=heater_id(worn[0]))
    assert len(history["device"]["predictionHistory"]["nodes"]) == 1


async def test_cancelled_request_leaves_others_their_answer(hasty: Graph, worn: list[int]):
    """When the request that computes is cancelled, one that waits for it computes for itself."""
    first = asyncio.create_task(hasty._by(hasty.engine, FEW, {"ids": [heater_id(worn[0])]}))
    second = asyncio.create_task(hasty._by(hasty.engine, FEW, {"ids": [heater_id(worn[0])]}))
    await asyncio.sleep(0.01)
    first.cancel()
    body = await second
    assert "errors" not in body
    assert body["data"]["nodes"][0]["predictions"]["lifespan"]["remainingDays"] >= 0
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_features_are_stored_and_explain_with_the_version_that_predicted(graph: Graph, worn: list[int]):
    """An old prediction is explained by the archived version that made it, from the values stored with it."""
    store = graph.services.store
    (found,) = await of_all(graph, worn[:1])
    life = found["lifespan"]
    row_id = ids.decode(life["id"], ("LifespanPrediction",), "id")
    stored = (await predictions.features_of(store, [row_id]))[row_id]
    assert len(stored) > 20
    assert any(value is not None for value in stored)
    await learn(store, PredictionKind.LIFESPAN)
    query = "query ($id: ID!) { node(id: $id) { ... on Prediction { baseline contributingFactors { contribution } } } }"
    again = (await graph.data(query, id=life["id"]))["node"]
    assert again["baseline"] == life["baseline"]
    assert [each["contribution"] for each in again["contributingFactors"]] == [
        each["contribution"] for each in life["contributingFactors"]
    ]


async def test_anomaly_prediction_follows_the_incident(graph: Graph):
    """What goes on is told at once, though a prediction was made a moment ago; a false alarm is no evidence."""
    device = await register(graph)
    id_ = ids.decode(device, ("WaterHeater",), "id")
    at = now().replace(microsecond=0) - timedelta(days=3)
    for part in range(4):
        await _record(graph, device, at + timedelta(minutes=60 * 18 * part))
    (before,) = await of_all(graph, [id_])
    assert before["anomaly"]["isAnomalous"] is False
    assert before["anomaly"]["recommendations"] == []
    row = await add_anomaly(graph.services.store, id_, state="OPEN", detected_at=now() - timedelta(minutes=5))
    (after,) = await of_all(graph, [id_])
    assert after["anomaly"]["isAnomalous"] is True
    assert after["anomaly"]["score"] >= 0.75
    assert after["anomaly"]["findings"] == [{"metric": "TEMPERATURE", "anomaly": {"id": anomaly_id(row)}}]
    assert [each["action"] for each in after["anomaly"]["recommendations"]] == ["CHECK_THERMOSTAT"]
    told = after["anomaly"]
    total = told["baseline"] + sum(each["contribution"] for each in told["contributingFactors"])
    assert total == pytest.approx(told["score"])
    await graph.data(
        "mutation ($input: ResolveAnomalyInput!) { resolveAnomaly(input: $input) { anomaly { id } } }",
        input={"id": anomaly_id(row), "verdict": "FALSE_ALARM"},
    )
    (judged,) = await of_all(graph, [id_])
    assert judged["anomaly"]["isAnomalous"] is False


async def _record(graph: Graph, device: str, at: Any) -> None:
    """Send eighteen hours of readings, one every fifteen minutes."""
    rows = [
        {
            "deviceId": device,
            "recordedAt": (at + timedelta(minutes=15 * step)).isoformat(),
            "temperature": 55 + step % 3,
        }
        for step in range(72)
    ]
    await graph.data(
        "mutation ($input: RecordWaterHeaterReadingsInput!) "
        "{ recordWaterHeaterReadings(input: $input) { acceptedCount } }",
        input={"readings": rows},
    )


async def test_vending_machine_has_no_usage_patterns(graph: Graph):
    """What is not predicted of a kind of device is null, with the reason; only the kinds asked for are told."""
    body = await graph.data(
        """mutation { createVendingMachine(input: {name: "M", serialNumber: "VM-1", machineType: SNACK, currency: "EUR",
        timeZone: "UTC"}) { vendingMachine { id } } }"""
    )
    machine = body["createVendingMachine"]["vendingMachine"]["id"]
    query = """query ($id: ID!) { device(id: $id) { predictions { usagePatterns { id }
      unavailable(kinds: [USAGE_PATTERNS, LIFESPAN]) { kind reason } } } }"""
    found = (await graph.data(query, id=machine))["device"]["predictions"]
    assert found == {
        "usagePatterns": None,
        "unavailable": [
            {"kind": "LIFESPAN", "reason": "NO_MODEL"},
            {"kind": "USAGE_PATTERNS", "reason": "NOT_OFFERED"},
        ],
    }


async def test_risk_by_age_without_a_model_of_risk(graph: Graph):
    """With a model of lives only, the risk is that of the age; the method says so, and the factors are the age's."""
    store = graph.services.store
    id_ = await add_heater(store, installed_at=midnight(80))
    await add_days(store, id_, 30)
    model = await learn(store, PredictionKind.LIFESPAN)
    (found,) = await of_all(graph, [id_])
    risk = found["multiFactor"]
    assert risk["method"] == "WEIBULL"
    assert risk["model"]["id"] == ids.encode("Model", model)
    assert [each["name"] for each in risk["factors"]] == ["AGE"]
    total = risk["baseline"] + sum(each["contribution"] for each in risk["contributingFactors"])
    assert total == pytest.approx(risk["riskScore"])
    assert await of_all(graph, [id_]) == [found]


async def test_life_by_age_without_failures(graph: Graph):
    """With no failures to learn from, life is told by the age; the method says so."""
    store = graph.services.store
    id_ = await add_heater(store, installed_at=midnight(400))
    await add_days(store, id_, 20)
    await learn(store, PredictionKind.LIFESPAN, by_age=True, method="WEIBAYES")
    (found,) = await of_all(graph, [id_])
    assert found["lifespan"]["method"] == "WEIBAYES"
    assert [each["name"] for each in found["lifespan"]["contributingFactors"]] == ["age"]


async def test_retired_heater_is_not_predicted(graph: Graph):
    """A heater that was given up has no predictions; the reason says when."""
    store = graph.services.store
    (gone,) = await add_worn_fleet(store, 1)
    await learn(store, PredictionKind.LIFESPAN)
    (found,) = await of_all(graph, [gone])
    assert [found[kind] for kind in ("lifespan", "anomaly", "usagePatterns", "multiFactor")] == [None] * 4
    assert {each["reason"] for each in found["unavailable"]} == {"RETIRED"}


async def test_corrupt_artefact_is_told(graph: Graph):
    """A model whose artefact was changed predicts nothing, and the reason says what is wrong."""
    store = graph.services.store
    id_ = await add_heater(store, installed_at=midnight(80))
    await add_days(store, id_, 20)
    await add_model(store, PredictionKind.LIFESPAN, '{"kind": "lifespan/1", "sha256": "", "content": {}}')
    (found,) = await of_all(graph, [id_])
    assert found["lifespan"] is None
    (told,) = [each for each in found["unavailable"] if each["kind"] == "LIFESPAN"]
    assert told["reason"] == "MODEL_UNFIT"
    assert "checksum" in told["message"]
