"""Mutations by plan: the answers of the ordinary executor, and nothing done twice."""

from typing import Any

import pytest

from models.principal import Principal, Role
from schema.engine import Prepared, Request, Response
from tests.factories import add_heater
from tests.graph import Graph

CREATE = """
mutation Create($input: CreateWaterHeaterInput!) {
  made: createWaterHeater(input: $input) {
    waterHeater { id name mode maintenanceRecords(first: 1) { totalCount nodes { id } } latestReading { temperature } }
  }
}
"""
SET = (
    "mutation ($input: SetTargetTemperatureInput!) { setTargetTemperature(input: $input) { waterHeater { version } } }"
)


async def _planned(graph: Graph, query: str, variables: dict[str, Any]) -> Any:
    prepared = graph.engine.prepare(Request(query, variables))
    assert isinstance(prepared, Prepared)
    planner = graph.engine._planner
    assert planner is not None
    return await planner.perform(prepared.document, prepared.operation, variables, graph.scope())


async def _ordinary(graph: Graph, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    prepared = graph.ordinary.prepare(Request(query, variables))
    assert not isinstance(prepared, Response)
    return (await graph.ordinary.execute(prepared, variables, graph.scope())).body()


async def test_a_mutation_of_one_field_is_planned(graph: Graph):
    """Its payload has the links of the object, under the aliases of the document."""
    data = await _planned(graph, CREATE, {"input": {"name": "A", "serialNumber": "S-1"}})
    assert data == {
        "made": {
            "waterHeater": {
                "id": data["made"]["waterHeater"]["id"],
                "name": "A",
                "mode": "ECO",
                "maintenanceRecords": {"totalCount": 0, "nodes": []},
                "latestReading": None,
            }
        }
    }


async def test_both_ways_answer_the_same(graph: Graph):
    """The plan and the ordinary executor answer alike, but for the ids of what they made."""
    planned = await graph.data(CREATE, input={"name": "A", "serialNumber": "S-1"})
    ordinary = (await _ordinary(graph, CREATE, {"input": {"name": "A", "serialNumber": "S-2"}}))["data"]
    for data in (planned, ordinary):
        data["made"]["waterHeater"].pop("id")
    assert planned == ordinary


@pytest.mark.parametrize(
    "given",
    [
        {"name": "", "serialNumber": "S-1"},
        {"name": "A", "serialNumber": "taken"},
        {"name": "A", "serialNumber": "S-1", "targetTemperature": 98},
        {"name": "A"},
        {"name": "A", "serialNumber": "S-1", "mode": "WARM"},
        {"name": "A", "serialNumber": "S-1", "targetTemperature": "hot"},
    ],
)
async def test_errors_are_those_of_the_ordinary_executor(graph: Graph, given):
    """Path, location, code and message are the same, whatever was wrong."""
    await add_heater(graph.services.store, serial_number="taken")
    planned = await graph.answer(CREATE, input=given)
    assert planned == await _ordinary(graph, CREATE, {"input": given})
    assert len(planned["errors"]) == 1


async def test_a_refused_mutation_is_done_once(graph: Graph, statements: list[str]):
    """The ordinary executor reports what the use case raised and does not call it again."""
    await add_heater(graph.services.store, serial_number="taken")
    statements.clear()
    error = await graph.error(CREATE, input={"name": "A", "serialNumber": "taken"})
    assert error["extensions"]["code"] == "CONFLICT"
    assert sum(sql.startswith("INSERT INTO devices") for sql in statements) == 1


async def test_what_is_done_is_not_done_again_when_its_answer_fails(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    """When a link of the payload fails, the mutation stands, is not repeated, and the error has the link's path."""
    store = graph.services.store
    await add_heater(store)
    global_id = (await graph.data("{ devices { nodes { id } } }"))["devices"]["nodes"][0]["id"]
    query = SET.replace("version }", "version maintenanceRecords { totalCount } }")

    async def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("models.repositories.histories.count_by_devices", broken)
    body = await graph.answer(query, input={"id": global_id, "targetTemperature": 60})
    (error,) = body["errors"]
    assert error["path"] == ["setTargetTemperature", "waterHeater", "maintenanceRecords", "totalCount"]
    assert error["extensions"]["code"] == "INTERNAL"
    monkeypatch.undo()
    row = await graph.data(
        "query ($id: ID!) { waterHeater(id: $id) { version controlChanges { totalCount } } }", id=global_id
    )
    assert row["waterHeater"] == {"version": 2, "controlChanges": {"totalCount": 1}}


async def test_a_right_is_required(graph: Graph):
    """A plan asks for the right of the mutation as its resolver does."""
    graph.principal = Principal("panel", Role.VIEWER)
    error = await graph.error(CREATE, input={"name": "A", "serialNumber": "S-1"})
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert (await graph.data("{ fleet { deviceCount } }"))["fleet"]["deviceCount"] == 0


async def test_several_mutations_run_in_their_order(graph: Graph):
    """An operation of two fields is the ordinary executor's: one after the other."""
    query = """
    mutation ($one: CreateWaterHeaterInput!, $two: CreateWaterHeaterInput!) {
      one: createWaterHeater(input: $one) { waterHeater { version } }
      two: createWaterHeater(input: $two) { waterHeater { version } }
    }
    """
    body = await graph.answer(query, one={"name": "A", "serialNumber": "S-1"}, two={"name": "B", "serialNumber": "S-1"})
    assert body["data"] is None
    assert body["errors"][0]["path"] == ["two"]
    assert (await graph.data("{ fleet { deviceCount } }"))["fleet"]["deviceCount"] == 1
