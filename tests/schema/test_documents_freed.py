"""Documents that the cache drops are gone at once, with their plans; nothing waits for the garbage collector."""

import gc
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from graphql import DocumentNode, FieldNode, Token

from resolvers.context import Scope
from schema import build_engine
from schema.arguments import Variables
from schema.documents import Document
from schema.engine import Engine, Prepared, Request
from schema.leaves import Maker
from schema.plans import Child, OneOf, Selection
from schema.sharing import sharing_key
from tests import factories
from tests.collecting import only_new_objects
from tests.fleets import add_fleet, heater_id
from tests.graph import Graph

_KINDS = {Document, DocumentNode, FieldNode, Token, Variables, Selection, OneOf, Child, Maker}

QUERY = """query ($id: ID!, $with: Boolean!, $first: Int = 5) {
  waterHeater(id: $id) { id at: createdAt location @include(if: $with) latestReading { power }
    readings(first: $first) { nodes { temperature device { ... on WaterHeater { mode } } } } }
  devices(first: 2, filter: { search: "a" }) { nodes { __typename name } }
}"""
INTROSPECTION = "{ __schema { types { name fields { name type { name } } } } }"
MUTATION = """mutation ($input: CreateWaterHeaterInput!) { createWaterHeater(input: $input) {
  waterHeater { id name latestReading { temperature } } } }"""
EVENTS = """subscription ($ids: [ID!]!) { readingRecorded(deviceIds: $ids) {
  device { id name } reading { recordedAt ... on WaterHeaterReading { temperature } } } }"""
OTHER = "{ __typename }"


@pytest.fixture
def collector() -> Iterator[None]:
    """Switch the garbage collector off, and on again when the test is over; what lives already is not looked at."""
    with only_new_objects():
        yield


def counted() -> Counter[type]:
    """Return how many objects there are of what documents and plans are made of."""
    return Counter(type(each) for each in gc.get_objects() if type(each) in _KINDS)


def prepared(engine: Engine, text: str) -> Prepared:
    """Return the operation of a text, which the engine knows from now on."""
    found = engine.prepare(Request(text, {}))
    assert isinstance(found, Prepared), found
    return found


async def use(engine: Engine, text: str, variables: Mapping[str, Any], scope: Scope) -> None:
    """Answer an operation, or make what answers its events."""
    operation = prepared(engine, text)
    if operation.operation_type == "subscription":
        assert engine._planner is not None
        sharing_key(operation.document, operation.operation, variables)
        assert engine._planner.event(operation.document, operation.operation, variables) is not None
        return
    response = await engine.execute(operation, variables, scope)
    assert "errors" not in response.body(), response.body()


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (QUERY, {"id": heater_id(1), "with": True}),
        (INTROSPECTION, {}),
        (MUTATION, {"input": {"name": "A", "serialNumber": "S-1"}}),
        (EVENTS, {"ids": [heater_id(1)]}),
    ],
    ids=["query", "introspection", "mutation", "subscription"],
)
async def test_a_dropped_document_is_freed(graph: Graph, text: str, variables: Mapping[str, Any]):
    """When another document takes its place nothing is left of it, nor of its plans."""
    await add_fleet(graph, 2, readings=1)
    engine = build_engine(factories.settings(graphql={"document_cache_size": 1}))
    prepared(engine, OTHER)
    gc.collect()
    before = counted()
    await use(engine, text, variables, graph.scope())
    # What validation and execution leave is young; it is only what stayed for long that collections seldom reach.
    gc.collect()
    assert counted()[FieldNode] > before[FieldNode]
    prepared(engine, OTHER)
    assert counted() == before


@pytest.mark.usefixtures("collector")
def test_a_text_leaves_no_tokens():
    """The tokens of a text are let go of, but for one that stands in all places of the tree."""
    engine = build_engine(factories.settings())
    before = counted()[Token]
    document = prepared(engine, QUERY).document
    gc.collect()
    assert counted()[Token] == before + 1
    place = document.node.definitions[0].loc
    assert place is not None
    assert place.source.body[place.start : place.end] == QUERY
