"""Answers by plan are those of the ordinary executor: plans of one document, and what happens when things fail."""

from collections.abc import Sequence
from typing import Any

import pytest

from models.errors import NotFound, Unavailable
from models.repositories import devices as device_rows
from models.repositories import readings as reading_rows
from resolvers import devices
from schema.engine import Prepared, Request
from tests.fleets import add_fleet
from tests.graph import Graph


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
