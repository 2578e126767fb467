"""The differential test: documents made at random, answered by plan and by the ordinary executor, byte for byte alike.

Hundreds of queries over all types of the schema, queries that are refused, queries over rows that break the schema's
promises, statements that fail, mutations, events. A seed always makes the same documents.
"""

import asyncio
import itertools
import random
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, OperationDefinitionNode, is_composite_type, parse, validate

from models.clock import now
from models.errors import NotFound, Unavailable
from models.principal import Principal, Role
from models.repositories.events import Cursor
from models.store import Store
from schema import SCHEMA
from schema.compiler import Compiler
from schema.documents import Document
from schema.encoding import encode
from schema.engine import Engine, Prepared, Responses
from schema.execution import NOT_PLANNED
from schema.leaves import Unplannable
from schema.performing import plan_performance
from tests import databases
from tests.app.running import SetClock
from tests.factories import database_settings, event_settings, settings
from tests.faults import break_promises
from tests.fleets import record, this_minute
from tests.graph import Graph, graph_over
from tests.random_documents import Writer, iter_growing, named
from tests.random_values import Values
from tests.worlds import settle

# On each database.
QUERIES, REFUSED, BROKEN, FAILING, MUTATIONS = 120, 60, 60, 40, 80
CORE = SCHEMA._schema
LIMITS = {"max_aliases": 10_000, "max_tokens": 100_000, "max_depth": 50, "max_rows": 10_000_000}
FIXED: dict[str, Sequence[Any]] = {
    "maxPoints": [2, 30],
    "timeZone": ["Europe/Berlin", "UTC"],
    "unit": ["DAY", "WEEK"],
    "slot": ["A1", "A2", "B7"],
    "currency": ["EUR"],
    "targetTemperature": [45, 52.5],
    "minTemperature": [30],
    "maxTemperature": [70],
    "targetCabinetTemperature": [4],
}
# Fields of which no selection has a plan; all others must have one.
NEVER_PLANNED: set[str] = set()

# graphql-core leaves these behind where a field fails beside others that have not begun.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
_numbers = itertools.count(1)


@dataclass
class Settled:
    """A database with something of everything, to be copied.

    Attributes:
        ids: global ids, by type and by the arguments that take them.
    """

    source: Any
    folder: Path
    server: Any = None
    ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    async def copied(self) -> str:
        """Return the URL of a copy."""
        name = f"settled_{next(_numbers)}"
        if self.server is None:
            databases.copy_sqlite(self.source, self.folder / name)
            return f"sqlite+aiosqlite:///{self.folder / name}"
        statement = f"CREATE DATABASE {name} TEMPLATE {self.source} STRATEGY file_copy"
        await databases.run_as_admin(self.server, statement)
        return databases.postgresql_url(self.server, name)

    def named(self, url: str) -> Any:
        """Return what is copied for a URL that `copied` returned."""
        name = url.partition("?")[0].rpartition("/")[2]
        return self.folder / name if self.server is None else name


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settled:
    """A migrated database of each kind."""
    template = request.getfixturevalue(f"{request.param}_template")
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    return Settled(template, tmp_path_factory.mktemp("settled"), server)


@pytest.fixture(scope="module")
async def settled(empty: Settled) -> Settled:
    """A settled database of each kind."""
    url = await empty.copied()
    made = replace(empty, source=empty.named(url))
    async with opened(url) as graph:
        made.ids = await settle(graph)
    devices = made.ids["WaterHeater"] + made.ids["VendingMachine"]
    alerts = made.ids["DeviceAlert"] + made.ids["ModelAlert"]
    made.ids |= {"Query.device.id": devices, "deviceId": devices, "deviceIds": devices}
    made.ids |= {"Query.waterHeater.id": made.ids["WaterHeater"], "Query.vendingMachine.id": made.ids["VendingMachine"]}
    made.ids |= {"Query.model.id": made.ids["Model"], "modelIds": made.ids["Model"], "modelId": made.ids["Model"]}
    made.ids |= {"machineId": made.ids["VendingMachine"], "productId": made.ids["Product"]}
    for type_, known in {
        "Water": made.ids["WaterHeater"],
        "TargetTemperature": made.ids["WaterHeater"],
        "Device": devices,
        "Vending": made.ids["VendingMachine"],
        "Alert": alerts,
        "Anomaly": made.ids["Anomaly"],
        "Sale": made.ids["Sale"],
    }.items():
        made.ids |= {f"{name}.id": known for name in CORE.type_map if name.endswith("Input") and type_ in name}
    return made


@asynccontextmanager
async def opened(url: str, clock: Any = now) -> AsyncIterator[Graph]:
    """A graph whose statements run one after the other, so that errors come in one order."""
    store = Store(database_settings(url, pool_size=1), event_settings())
    await store.open()
    graph = graph_over(store, settings(graphql=LIMITS), clock)
    yield graph
    await graph.services.ingest.close()
    await store.close()


@pytest.fixture
async def graph(settled: Settled) -> AsyncIterator[Graph]:
    """A graph over a copy, at a time that stands still."""
    async with opened(await settled.copied(), SetClock(now())) as made:
        yield made


def writer(settled: Settled, seed: int, wild: int = 0, seen: set[str] | None = None) -> Writer:
    """Return what writes the document of a seed."""
    values = Values(random.Random(seed), settled.ids, this_minute(), wild, FIXED)
    return Writer(CORE, values, set() if seen is None else seen)


def made(text: str) -> Prepared:
    """Return the one operation of a document; that the documents are valid is a test of its own."""
    node = parse(text)
    (operation,) = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
    return Prepared(Document(node, {"Made": operation}), operation, operation.operation.value)


async def asked(graph: Graph, engine: Engine, prepared: Prepared, variables: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an answer."""
    return (await engine.execute(prepared, variables, graph.scope())).body()


async def both(graph: Graph, document: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the body of the answer, which is the same by both ways."""
    prepared, variables = made(document[0]), document[1]
    by_plan = await asked(graph, graph.engine, prepared, variables)
    ordinary = await asked(graph, graph.ordinary, prepared, variables)
    assert comparable(by_plan) == comparable(ordinary), document
    return by_plan


def comparable(body: dict[str, Any]) -> bytes:
    """Return the bytes of a response, without the number that each masked error has for itself."""
    for error in body.get("errors") or ():
        if "errorId" in error.get("extensions", {}):
            error["extensions"]["errorId"] = error["message"] = ""
    return encode(body)


def test_documents_are_valid():
    """What is written at random breaks no rule; whatever did would compare nothing."""
    settled = Settled(None, Path(), ids={"Any": ["V2F0ZXJIZWF0ZXI6MQ=="]})
    assert CORE.mutation_type is not None
    documents = [writer(settled, seed, wild=seed % 5).query() for seed in range(25)]
    documents += [writer(settled, seed).mutation(name) for seed, name in enumerate(CORE.mutation_type.fields)]
    for text, _ in documents:
        assert not validate(CORE, parse(text)), text


async def test_queries_of_any_shape_are_planned_and_answered_alike(graph: Graph, settled: Settled):
    """Hundreds of queries, of which nearly all are planned."""
    seen: set[str] = set()
    planned = 0
    for seed in range(QUERIES):
        document = writer(settled, seed, seen=seen).query()
        body = await both(graph, document)
        assert "errors" not in body, (seed, document, body)
        planned += await is_planned(graph, *document)
    assert planned >= 0.95 * QUERIES


async def test_every_field_is_answered_alike(graph: Graph, settled: Settled):
    """Each type is asked for all of its fields at once, by the shortest way to it, and is found."""
    for type_ in readable_types():
        document = writer(settled, 7).whole(type_.name)
        body = await both(graph, document)
        assert "errors" not in body, (document, body)


async def test_refused_queries_are_refused_alike(graph: Graph, settled: Settled):
    """Ids of other types, foreign cursors, pages too large, spans turned round: code, path and what is left agree."""
    bodies = [await both(graph, writer(settled, seed, wild=2).query()) for seed in range(REFUSED)]
    codes = [error["extensions"]["code"] for body in bodies for error in body.get("errors", ())]
    assert "INTERNAL" not in codes
    assert len(codes) > 0.4 * REFUSED


async def test_broken_rows_are_reported_alike(settled: Settled):
    """NULL where nothing may be null, NaN, infinity, unknown enum values, links to nowhere: path and nulls agree."""
    url = await settled.copied()
    await break_promises(url)
    async with opened(url, SetClock(now())) as graph:
        bodies = [await both(graph, writer(settled, seed).query()) for seed in range(BROKEN)]
    errors = [error for body in bodies for error in body.get("errors", ())]
    assert {error["extensions"]["code"] for error in errors} == {"INTERNAL"}
    assert len({tuple(step for step in error["path"] if isinstance(step, str))[-1] for error in errors}) > 5
    assert any(body["data"] is not None for body in bodies if "errors" in body)


async def test_failing_statements_are_reported_alike(graph: Graph, settled: Settled):
    """A link whose statement fails, with an error of ours, of the database or a defect, leaves the same answer."""
    store, failed = graph.services.store, 0
    for seed in range(FAILING):
        document = writer(settled, seed).query()
        texts: list[str] = []
        store.on_statement = texts.append
        await asked(graph, graph.engine, made(document[0]), document[1])
        tables = sorted({table for sql in texts for table in re.findall(r"FROM (\w+)", sql)})
        broken = tables[seed % len(tables)] if tables else "nothing"
        error = (NotFound("It went away."), Unavailable("Try again."), RuntimeError("a defect"))[seed % 3]

        def fail(sql: str, broken: str = f"FROM {broken}", error: Exception = error) -> None:
            if broken in sql:
                raise error

        store.on_statement = fail
        # What is kept in memory needs no statement.
        failed += "errors" in await both(graph, document)
    assert failed > 0.6 * FAILING


async def test_mutations_are_answered_alike(settled: Settled):
    """The same mutations on two copies of one database, refused ones too; each changes what the next finds."""
    clock = SetClock(now())
    done = planned = 0
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(opened(await settled.copied(), clock)) for _ in range(2)]
        one.principal = other.principal = Principal("Ada", Role.OPERATOR)
        assert CORE.mutation_type is not None
        names = itertools.cycle(sorted(set(CORE.mutation_type.fields) - {"deleteDevice"}))
        for seed in range(MUTATIONS):
            document = writer(settled, seed, wild=20).mutation(next(names))
            prepared, variables = made(document[0]), document[1]
            by_plan = await asked(one, one.engine, prepared, variables)
            ordinary = await asked(other, other.ordinary, prepared, variables)
            assert comparable(by_plan) == comparable(ordinary), document
            done += "errors" not in by_plan
            planned += any(plan is not None for key, plan in prepared.document.plans.items() if key != "flags")
    assert done > 0.3 * MUTATIONS
    assert planned > 0.5 * MUTATIONS


@pytest.mark.parametrize("name", ["anomalyDetected", "alertChanged", "modelHealthChanged", "readingRecorded"])
async def test_events_are_answered_alike(graph: Graph, settled: Settled, name: str):
    """Events that the log holds, or that come, in selections of any shape."""
    store, is_live = graph.services.store, name == "readingRecorded"
    async with store.log.tailing(), AsyncExitStack() as stack:
        pairs: list[tuple[Any, Any]] = []
        for seed in range(10):
            arguments = (
                {"deviceIds": settled.ids["WaterHeater"]} if is_live else {"after": store.log.text(Cursor(0, 0))}
            )
            document = writer(settled, seed).subscription(name, arguments)
            pair = [await _subscribed(graph, engine, document) for engine in (graph.engine, graph.ordinary)]
            pairs.append((await stack.enter_async_context(aclosing(pair[0])), pair[1]))
            await stack.enter_async_context(aclosing(pair[1]))
        if is_live:
            await record(graph, settled.ids["WaterHeater"][0], [now()], temperature=[55.5])
        async with asyncio.timeout(20):
            for by_plan, ordinary in pairs:
                for _ in range(1 if is_live else 2):
                    assert (await anext(by_plan)).content == (await anext(ordinary)).content


def test_every_field_has_a_plan():
    """Fields that are never planned are named here, so that one that drops off is noticed."""
    never = {
        f"{type_.name}.{name}"
        for type_ in CORE.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, about in type_.fields.items()
        if not _is_planned(type_, name, about)
    }
    assert never == NEVER_PLANNED


def readable_types() -> list[Any]:
    """Return all types that queries reach."""
    reached: dict[Any, None] = {CORE.query_type: None}
    for type_ in iter_growing(reached):
        below = [named(each.type) for each in type_.fields.values()]
        below += CORE.get_possible_types(type_) if isinstance(type_, GraphQLInterfaceType) else type_.interfaces
        reached |= dict.fromkeys(each for each in below if is_composite_type(each))
    return [each for each in reached if not isinstance(each, GraphQLInterfaceType)]


async def is_planned(graph: Graph, text: str, variables: dict[str, Any]) -> bool:
    """Say whether a query is answered by its plan."""
    prepared, planner = made(text), graph.engine._planner
    assert planner is not None
    return await planner.answer(prepared.document, prepared.operation, variables, graph.scope()) is not NOT_PLANNED


async def _subscribed(graph: Graph, engine: Engine, document: tuple[str, dict[str, Any]]) -> Any:
    text, variables = document
    responses = await engine.subscribe(made(text), variables, graph.scope())
    assert isinstance(responses, Responses), (document, responses)
    return responses


def _is_planned(type_: GraphQLObjectType, name: str, about: Any) -> bool:
    kinds = {CORE.query_type: "query", CORE.mutation_type: "mutation", CORE.subscription_type: "subscription"}
    declared = ", ".join(f"${each}: {argument.type}" for each, argument in about.args.items())
    given = ", ".join(f"{each}: ${each}" for each in about.args)
    below = " { __typename }" if is_composite_type(named(about.type)) else ""
    head = f"{kinds.get(type_, 'query')} Made{f'({declared})' if declared else ''}"
    node = parse(f"{head} {{ {name}{f'({given})' if given else ''}{below} }}")
    (operation,) = node.definitions
    assert isinstance(operation, OperationDefinitionNode)
    compiler = Compiler(CORE, SCHEMA.schema_converter, node, {}, frozenset(about.args))
    try:
        if type_ is CORE.mutation_type:
            plan_performance(CORE, compiler, operation)
        elif type_ is CORE.subscription_type:
            compiler.event(operation)
        else:
            compiler._selection(type_, [operation.selection_set])
    except Unplannable:
        return False
    return True
