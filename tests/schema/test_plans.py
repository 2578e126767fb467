"""Answers by plan are those of the ordinary executor: for queries made at random, and when things fail."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest

from models.errors import NotFound, Unavailable
from models.repositories import devices as device_rows
from models.repositories import readings as reading_rows
from resolvers import devices
from schema import SCHEMA, ids
from schema.engine import Prepared, Request
from tests import shops
from tests.factories import settings
from tests.findings import add_alert, add_anomaly, alert_id, anomaly_id
from tests.fleets import add_fleet, heater_id, register, this_minute
from tests.graph import Graph, graph_over
from tests.random_documents import Arguments, Writer

WORK = "mutation ($input: RecordMaintenanceInput!) { recordMaintenance(input: $input) { maintenanceRecord { id } } }"
TARGET = "mutation ($input: SetTargetTemperatureInput!) { setTargetTemperature(input: $input) { waterHeater { id } } }"
COUNT = 200
_WITH_ALARMS = ("Query", "Device", "WaterHeater", "VendingMachine")
_FIELDS = ["NAME", "LAST_SEEN_AT", "STATUS", "CREATED_AT"]


def _page(largest: int) -> Arguments:
    return {"first?": lambda chance: str(chance.randint(0, largest))}


def _arguments(device_ids: list[str], machine_ids: list[str], node_ids: list[str]) -> dict[str, Arguments]:
    """Return makers of arguments for all fields that take some, with values of what is in the database."""
    at = this_minute() + timedelta(minutes=1)
    device: Arguments = {"id": lambda chance: f'"{chance.choice(device_ids)}"'}
    machine: Arguments = {"id": lambda chance: f'"{chance.choice(machine_ids)}"'}
    span: Arguments = {
        "from": lambda chance: f'"{(at - timedelta(days=chance.randint(1, 9))).isoformat()}"',
        "to": lambda _: f'"{at.isoformat()}"',
    }
    groups = ["NONE", "PRODUCT", "CATEGORY", "PAYMENT_METHOD"]
    list_: Arguments = {
        **_page(4),
        "filter?": lambda chance: chance.choice(
            ["null", '{search: "1"}', "{statuses: [ONLINE, OFFLINE]}", "{kinds: []}"]
        ),
        "orderBy?": lambda chance: f"{{field: {chance.choice(_FIELDS)}, direction: {chance.choice(['ASC', 'DESC'])}}}",
    }
    series: Arguments = {
        "metrics": lambda chance: chance.choice(["[POWER]", "[TEMPERATURE, POWER]"]),
        "from": lambda chance: f'"{(at - timedelta(minutes=chance.randint(2, 90))).isoformat()}"',
        "to": lambda _: f'"{at.isoformat()}"',
        "maxPoints?": lambda chance: str(chance.randint(2, 50)),
        "method?": lambda chance: chance.choice(["AVERAGE", "MAXIMUM", "COUNT", "LAST", "LTTB"]),
    }
    alarms: Arguments = {
        **_page(4),
        "filter?": lambda chance: chance.choice(
            ["null", "{severities: [HIGH, LOW]}", "{states: [OPEN]}", "{states: []}", "{deviceIds: []}"]
        ),
    }
    return {
        **dict.fromkeys([f"{type_}.{list_}" for type_ in _WITH_ALARMS for list_ in ("anomalies", "alerts")], alarms),
        "Query.device": device,
        "Query.waterHeater": device,
        "Query.devices": list_,
        "Query.waterHeaters": list_,
        "Query.vendingMachine": machine,
        "Query.vendingMachines": list_,
        "Query.restockNeeds": {"first?": lambda chance: str(chance.randint(1, 4))},
        "Query.salesSummaries": span,
        "VendingMachine.salesSummary": span,
        "VendingMachine.sales": _page(3),
        "VendingMachine.slotChanges": _page(3),
        "VendingMachine.maintenanceRecords": _page(3),
        "VendingMachine.series": {**series, "metrics": lambda _: "[POWER]"},
        "VendingMachine.readings": {"last?": lambda chance: str(chance.randint(1, 3))},
        "SalesSummary.topProducts": {"first?": lambda chance: str(chance.randint(1, 3))},
        "SalesSummary.buckets": {
            "unit": lambda chance: chance.choice(["DAY", "WEEK"]),
            "groupBy?": lambda chance: chance.choice(groups),
        },
        "Query.node": {"id": lambda chance: f'"{chance.choice(node_ids)}"'},
        "Query.nodes": {"ids": lambda chance: orjson.dumps(chance.choices(node_ids, k=3)).decode()},
        "Device.maintenanceRecords": _page(3),
        "WaterHeater.maintenanceRecords": _page(3),
        "WaterHeater.controlChanges": _page(3),
        "WaterHeater.readings": {"last?": lambda chance: str(chance.randint(1, 3))},
        "WaterHeater.series": series,
    }


async def fill(graph: Graph) -> tuple[list[str], list[str], list[str]]:
    """Store a small fleet with something of everything; return ids of heaters, machines, and nodes of all types."""
    added = [heater_id(each) for each in await add_fleet(graph, 4, readings=5)]
    added.append(await register(graph, "WH-silent"))
    nodes = list(added)
    for place, device in enumerate(added[:3]):
        await graph.data(TARGET, input={"id": device, "targetTemperature": 40 + place})
        given = {"deviceId": device, "kind": "REPAIR", "performedAt": "2024-01-01T00:00:00Z"}
        cost, parts = {"amount": "12.5", "currency": "EUR"}, [{"name": "anode"}, {"name": "valve", "quantity": 2}]
        for more in ({}, {"cost": cost, "parts": parts}):
            body = await graph.data(WORK, input={**given, **more})
            nodes.append(body["recordMaintenance"]["maintenanceRecord"]["id"])
        nodes += await _alarms(graph, ids.decode(device, ("WaterHeater",), "id"), place)
    machines = [await shops.open_machine(graph, f"VM-{number}") for number in range(2)]
    nodes += [*machines, *[await shops.fill(graph, machine, slot) for machine in machines for slot in ("A1", "A2")]]
    return added, machines, [*nodes, heater_id(12345)]


async def _alarms(graph: Graph, row_id: int, place: int) -> list[str]:
    """Store an anomaly with its alert, and an alert without; return their ids."""
    store = graph.services.store
    found = await add_anomaly(store, row_id, state=("OPEN", "CLOSED")[place % 2], peak_at=this_minute())
    raised = await add_alert(store, row_id, kind="ANOMALY", severity=("LOW", "HIGH")[place % 2], anomaly_id=found)
    silent = await add_alert(store, row_id, kind="OFFLINE", metric=None, value=None, threshold=None)
    return [anomaly_id(found), alert_id(raised), alert_id(silent)]


async def test_random_queries_are_answered_alike(graph: Graph):
    """Hundreds of queries of any shape; nearly all of them are planned."""
    arguments = _arguments(*await fill(graph))
    planned = 0
    limits = {"max_aliases": 10_000, "max_tokens": 100_000, "max_depth": 50, "max_rows": 10_000_000}
    roomy = graph_over(graph.services.store, settings(graphql=limits))
    for seed in range(COUNT):
        text, variables = Writer(SCHEMA._schema, random.Random(seed), arguments).query()
        body = await roomy.answer(text, variables)
        # A document that broke a rule would compare nothing.
        assert "data" in body, (seed, text, body)
        assert "errors" not in body, (seed, text, body)
        planned += await roomy.planned(text, variables)
    assert planned >= 0.95 * COUNT


async def test_one_document_with_any_flags(graph: Graph):
    """A plan belongs to the values of its flags; many combinations are no many plans too many."""
    await add_fleet(graph, 2, readings=1)
    names = [f"f{place}" for place in range(6)]
    heads = ", ".join(f"${name}: Boolean!" for name in names)
    fields = ["name", "status", "latestReading { power }", "id", "kind", "location"]
    body = " ".join(
        field.replace(" {", f" @skip(if: ${name}) {{", 1) if " {" in field else f"{field} @skip(if: ${name})"
        for field, name in zip(fields, names, strict=True)
    )
    query = f"query ({heads}) {{ waterHeaters {{ nodes {{ version {body} }} }} }}"
    for number in range(64):
        values = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        node = (await graph.data(query, values))["waterHeaters"]["nodes"][0]
        assert len(node) == 1 + list(values.values()).count(False)


async def test_operations_of_one_document_have_plans_of_their_own(graph: Graph):
    """Two operations in one text are told apart by their names."""
    await add_fleet(graph, 1)
    text = "query A { fleet { deviceCount } } query B { devices { totalCount } }"
    for name, expected in (("A", {"fleet": {"deviceCount": 1}}), ("B", {"devices": {"totalCount": 1}})):
        prepared = graph.engine.prepare(Request(text, {}, name))
        assert isinstance(prepared, Prepared)
        assert (await graph.engine.execute(prepared, {}, graph.scope())).body() == {"data": expected}


PAGE = """query { fleet { deviceCount } waterHeaters { totalCount nodes {
  id targetTemperature latestReading { power temperature device { name } } maintenanceRecords { totalCount }
} } }"""


def broken(original: Any, change: Any) -> Any:
    """Return a batch function that answers as the original and then changes the rows."""

    async def load(*args: Any, **kwargs: Any) -> Any:
        return change(await original(*args, **kwargs))

    return load


def nan_in(rows: Sequence[Any], column: str) -> list[Any]:
    """Return rows with a NaN in a column."""
    return [row if row is None else {**dict(row.items()), column: float("nan")} for row in rows]


@pytest.mark.parametrize("error", [NotFound("It went away."), Unavailable("Try again."), RuntimeError("a defect")])
async def test_a_link_that_raises(graph: Graph, monkeypatch: pytest.MonkeyPatch, error: Exception):
    """The error stands at the field that failed, and what may be null beside it is there."""
    await add_fleet(graph, 2, readings=1)

    async def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(reading_rows, "latest", fail)
    body = await graph.answer(PAGE)
    assert body["data"]["waterHeaters"]["nodes"][0]["latestReading"] is None
    assert body["data"]["fleet"] == {"deviceCount": 2}
    assert {each["extensions"]["code"] for each in body["errors"]} == {getattr(error, "code", "INTERNAL")}
    assert body["errors"][0]["path"] == ["waterHeaters", "nodes", 0, "latestReading"]


async def test_a_null_where_the_schema_has_none(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    """A broken promise ends at the nearest field that may be null, and its cause is masked."""
    await add_fleet(graph, 2, readings=1)
    monkeypatch.setattr(devices.devices, "by_ids", broken(device_rows.by_ids, lambda rows: [None] * len(rows)))
    body = await graph.answer(PAGE)
    assert body["data"]["waterHeaters"]["nodes"][1]["latestReading"] is None
    assert body["errors"][0]["path"] == ["waterHeaters", "nodes", 0, "latestReading", "device"]
    assert body["errors"][0]["extensions"]["code"] == "INTERNAL"


@pytest.mark.parametrize("column", ["power", "temperature"])
async def test_a_number_that_is_none(graph: Graph, monkeypatch: pytest.MonkeyPatch, column: str):
    """NaN has no place in an answer: the field is null and an error says so."""
    await add_fleet(graph, 2, readings=1)
    monkeypatch.setattr(reading_rows, "latest", broken(reading_rows.latest, lambda rows: nan_in(rows, column)))
    body = await graph.answer(PAGE)
    assert body["data"]["waterHeaters"]["nodes"][0]["latestReading"][column] is None
    assert body["errors"][0]["path"] == ["waterHeaters", "nodes", 0, "latestReading", column]


async def test_an_enum_value_that_is_none(graph: Graph):
    """A value that the schema does not know is a defect: masked, at its place."""
    await add_fleet(graph, 1)
    async with graph.services.store.transaction() as transaction:
        await transaction.run("UPDATE devices SET status = 'BROKEN'")
    error = await graph.error("{ devices { nodes { status } } }")
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["path"] == ["devices", "nodes", 0, "status"]


async def test_failures_do_not_count_twice(graph: Graph, monkeypatch: pytest.MonkeyPatch):
    """The rows that a plan asked for before it failed are not counted again by the executor behind it."""
    await add_fleet(graph, 60, readings=1)
    query = """{ waterHeaters(first: 60) { nodes {
      latestReading { power } readings(first: 90) { nodes { power } } maintenanceRecords(first: 60) { totalCount }
    } } }"""
    monkeypatch.setattr(reading_rows, "latest", broken(reading_rows.latest, lambda rows: nan_in(rows, "power")))
    body = await graph.answer(query)
    assert {each["extensions"]["code"] for each in body["errors"]} == {"INTERNAL"}


async def test_a_database_that_refuses(graph: Graph):
    """What the database says to a statement of ours is a defect; the client gets an id, not the statement."""
    await add_fleet(graph, 1, readings=1)
    async with graph.services.store.transaction() as transaction:
        await transaction.run("DROP TABLE water_heater_control_changes")
    body = await graph.answer("{ waterHeaters { nodes { name controlChanges { totalCount } } } }")
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert body["data"] is None
