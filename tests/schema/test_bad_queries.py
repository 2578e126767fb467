"""Bad input to queries: each is refused with a code, a message that names it, and its place."""

import base64
import dataclasses
from typing import Any

import orjson
import pytest

from schema import ids
from tests.fleets import add_fleet, heater_id
from tests.graph import Graph, graph_over


def cursor(*parts: Any) -> str:
    """Return a cursor with this content."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


async def refused(graph: Graph, query: str, **variables: Any) -> tuple[str, str, list[Any] | None]:
    """Return code, message and input path of the one error of a query."""
    error = await graph.error(query, variables)
    return error["extensions"]["code"], error["message"], error["extensions"].get("inputPath")


async def test_unknown_device_by_id(graph: Graph):
    """A well-formed id of no device is NOT_FOUND, and the field is null."""
    for field, label in (("device", "device"), ("waterHeater", "water heater")):
        body = await graph.answer(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=heater_id(7))
        assert body["data"] == {field: None}
        assert body["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert body["errors"][0]["message"] == f"There is no {label} with id 7."


async def test_unknown_device_by_serial_number(graph: Graph):
    """The message repeats the serial number."""
    code, message, _ = await refused(graph, '{ waterHeater(serialNumber: "nope") { id } }')
    assert (code, message) == ("NOT_FOUND", "There is no water heater with serial number 'nope'.")


async def test_serial_numbers_that_none_can_have(graph: Graph):
    """Empty, endless, or with characters that no text has."""
    for serial in ("", "  ", "x" * 101, "x" * 10_000, "a\0b", "a\ud800"):
        code, message, path = await refused(graph, "query ($s: String!) { device(serialNumber: $s) { id } }", s=serial)
        assert (code, path) == ("BAD_USER_INPUT", ["serialNumber"])
        assert len(message) < 200


async def test_one_of_id_and_serial_number(graph: Graph):
    """A device is named in one way."""
    for arguments in ('(id: "x", serialNumber: "y")', "", "(id: null)"):
        code, message, _ = await refused(graph, f"{{ device{arguments} {{ id }} }}")
        assert code == "BAD_USER_INPUT"
        assert "one of id, serialNumber" in message


BAD_IDS = {
    "no base64": "nope!",
    "empty": "",
    "no number": base64.b64encode(b"WaterHeater:").decode(),
    "negative": base64.b64encode(b"WaterHeater:-1").decode(),
    "too large": base64.b64encode(b"WaterHeater:9223372036854775808").decode(),
    "not ASCII": base64.b64encode("WaterHeater:٣".encode()).decode(),
    "endless": "A" * 100_000,
}


@pytest.mark.parametrize("field", ["device", "waterHeater", "node"])
async def test_malformed_global_ids(graph: Graph, field: str):
    """An id that this server never made is told from one of something that is gone."""
    for what, bad in BAD_IDS.items():
        code, message, path = await refused(graph, f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=bad)
        assert (code, path) == ("BAD_USER_INPUT", ["id"]), what
        assert "no id of this server" in message
        assert len(message) < 150


async def test_ids_of_other_types(graph: Graph):
    """A foreign id says what it is and what is needed; a type that there is not is no id at all."""
    code, message, path = await refused(
        graph, "query ($id: ID!) { device(id: $id) { id } }", id=ids.encode("MaintenanceRecord", 1)
    )
    assert (code, path) == ("BAD_USER_INPUT", ["id"])
    assert "is the id of a MaintenanceRecord; here one of WaterHeater or VendingMachine is needed" in message
    code, _, path = await refused(
        graph, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[heater_id(1), ids.encode("Toaster", 1)]
    )
    assert (code, path) == ("BAD_USER_INPUT", ["ids", 1])


BAD_CURSORS = {
    "no base64": "zz!",
    "no JSON": base64.urlsafe_b64encode(b"{").decode(),
    "a number": base64.urlsafe_b64encode(b"7").decode(),
    "empty": "",
    "empty list": cursor(),
    "too few values": cursor("devices.name.asc", "a"),
    "too many values": cursor("devices.name.asc", "a", 1, 2),
    "wrong type": cursor("devices.name.asc", 1, 1),
    "boolean": cursor("devices.name.asc", "a", True),
    "null where none can be": cursor("devices.name.asc", None, 1),
    "null id": cursor("devices.name.asc", "a", None),
    "NUL": cursor("devices.name.asc", "a\0", 1),
    "huge": cursor("devices.name.asc", "a", 2**64 - 1),
    "fraction": cursor("devices.name.asc", "a", 1.5),
}


@pytest.mark.parametrize("argument", ["after", "before"])
async def test_malformed_cursors(graph: Graph, argument: str):
    """The message says where cursors come from."""
    query = f"query ($c: String) {{ devices({argument}: $c) {{ nodes {{ id }} }} }}"
    for what, bad in BAD_CURSORS.items():
        code, message, path = await refused(graph, query, c=bad)
        assert (code, path) == ("BAD_USER_INPUT", [argument]), what
        assert message == f"The cursor in '{argument}' is malformed; cursors come from 'pageInfo' or 'edges'.", what


async def test_cursors_of_times_that_are_none(graph: Graph):
    """Instants in cursors are bounded like any other."""
    await add_fleet(graph, 1)
    query = "query ($c: String) { waterHeaters { nodes { readings(after: $c) { nodes { recordedAt } } } } }"
    for value in (None, [10**18], [], ["a"], 5):
        body = await graph.answer(query, c=cursor("readings", value))
        assert body["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["after"]}
    query = "query ($c: String) { waterHeaters { nodes { maintenanceRecords(after: $c) { nodes { id } } } } }"
    for values in ((None, 1), ([1], None)):
        body = await graph.answer(query, c=cursor("maintenanceRecords", *values))
        assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_cursor_of_another_order(graph: Graph):
    """A cursor keeps the order that it was made for."""
    await add_fleet(graph, 2)
    page = await graph.data("{ devices(first: 1) { pageInfo { endCursor } } }")
    query = "query ($c: String) { devices(after: $c, orderBy: {direction: DESC}) { nodes { id } } }"
    code, message, path = await refused(graph, query, c=page["devices"]["pageInfo"]["endCursor"])
    assert (code, path) == ("BAD_USER_INPUT", ["after"])
    assert "another list or another order" in message


async def test_cursor_of_another_list(graph: Graph):
    """A cursor to a reading leads nowhere among devices."""
    (row_id,) = await add_fleet(graph, 1, readings=1)
    query = "query ($id: ID!) { waterHeater(id: $id) { readings { pageInfo { endCursor } } } }"
    found = await graph.data(query, id=heater_id(row_id))
    foreign = found["waterHeater"]["readings"]["pageInfo"]["endCursor"]
    code, message, _ = await refused(graph, "query ($c: String) { devices(after: $c) { nodes { id } } }", c=foreign)
    assert code == "BAD_USER_INPUT"
    assert "another list" in message


async def test_pages_that_cannot_be(graph: Graph):
    """Sizes are bounded, and a page has one direction."""
    for arguments, code, path, part in (
        ("first: 101", "LIMIT_EXCEEDED", ["first"], "at most 100 (graphql.max_page_size), not 101"),
        ("last: 2147483647", "LIMIT_EXCEEDED", ["last"], "at most 100"),
        ("first: -1", "BAD_USER_INPUT", ["first"], "must not be negative, but is -1"),
        ("last: -5", "BAD_USER_INPUT", ["last"], "must not be negative"),
        ("first: 1, last: 1", "BAD_USER_INPUT", ["last"], "not both"),
        ('first: 1, before: "x"', "BAD_USER_INPUT", ["before"], "not both"),
        ('after: "x", before: "x"', "BAD_USER_INPUT", ["before"], "not both"),
        ("first: 2147483648", "GRAPHQL_VALIDATION_FAILED", None, "32-bit"),
    ):
        found = await refused(graph, f"{{ devices({arguments}) {{ nodes {{ id }} }} }}")
        assert (found[0], found[2]) == (code, path)
        assert part in found[1]


async def test_a_page_of_no_rows_is_one(graph: Graph):
    """`first: 0` asks for the total and the page's place only."""
    await add_fleet(graph, 2)
    found = await graph.data("{ devices(first: 0) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }")
    assert found["devices"] == {"totalCount": 2, "nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}


@pytest.mark.parametrize("field", ["search", "location"])
async def test_filters_with_texts_that_none_can_have(graph: Graph, field: str):
    """An endless pattern would occupy the database, and NUL no database compares."""
    query = "query ($f: DeviceFilter) { devices(filter: $f) { nodes { id } } }"
    for bad in ("x" * 10_000, "a\0b"):
        code, _, path = await refused(graph, query, f={field: bad})
        assert (code, path) == ("BAD_USER_INPUT", ["filter", field])


async def test_filters_that_let_nothing_through(graph: Graph):
    """An empty list of kinds or statuses names none of them; repeating one is no burden."""
    await add_fleet(graph, 2)
    query = "query ($f: DeviceFilter) { devices(filter: $f) { totalCount } waterHeaters(filter: $f) { totalCount } }"
    for filter_, count in (
        ({"kinds": []}, 0),
        ({"statuses": []}, 0),
        ({"statuses": ["OFFLINE"] * 5000}, 2),
        ({"kinds": ["WATER_HEATER"] * 5000, "search": " heater "}, 2),
        ({"search": "100%_"}, 0),
        (None, 2),
    ):
        found = await graph.data(query, f=filter_)
        assert [found["devices"]["totalCount"], found["waterHeaters"]["totalCount"]] == [count, count], filter_


async def test_rows_that_lists_ask_for_together(graph: Graph):
    """Nested lists multiply; the operation has one budget for all of them."""
    await add_fleet(graph, 100)
    query = "{ waterHeaters(first: 100) { nodes { readings(first: 100) { nodes { power } } } } }"
    body = await graph.answer(query)
    assert body["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "max_rows", "allowed": 10_000}
    assert "10000 rows together (graphql.max_rows), not 10100" in body["errors"][0]["message"]
    assert (await graph.answer("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[heater_id(1)] * 10_001))[
        "errors"
    ][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("field", ["readings({}) {{ totalCount }}", "series(metrics: [POWER], {}) {{ unit }}"])
async def test_from_after_to(graph: Graph, field: str):
    """A range ends after it begins, for readings and charts alike."""
    (row_id,) = await add_fleet(graph, 1)
    for end in ("2024-07-01T00:00:00Z", "2024-07-02T02:00:00+02:00"):
        asked = field.format(f'from: "2024-07-02T00:00:00Z", to: "{end}"')
        query = f"query ($id: ID!) {{ waterHeater(id: $id) {{ {asked} }} }}"
        code, message, path = await refused(graph, query, id=heater_id(row_id))
        assert (code, path) == ("BAD_USER_INPUT", ["from"])
        assert "must be before 'to'" in message


async def test_charts_that_cannot_be(graph: Graph):
    """A chart names each metric once and stays within the points that it may have."""
    (row_id,) = await add_fleet(graph, 1)
    range_ = 'from: "2024-07-01T00:00:00Z", to: "2024-07-02T00:00:00Z"'
    for arguments, code, path in (
        ("metrics: []", "BAD_USER_INPUT", ["metrics"]),
        ("metrics: [POWER, POWER]", "BAD_USER_INPUT", ["metrics"]),
        ("metrics: [POWER], maxPoints: 1", "BAD_USER_INPUT", ["maxPoints"]),
        ("metrics: [POWER], maxPoints: -3", "BAD_USER_INPUT", ["maxPoints"]),
        ("metrics: [POWER], maxPoints: 1001", "LIMIT_EXCEEDED", ["maxPoints"]),
        ("metrics: [HEATING]", "GRAPHQL_VALIDATION_FAILED", None),
        ("metrics: [POWER], method: MEDIAN", "GRAPHQL_VALIDATION_FAILED", None),
    ):
        query = f"query ($id: ID!) {{ waterHeater(id: $id) {{ series({range_}, {arguments}) {{ unit }} }} }}"
        found = await refused(graph, query, id=heater_id(row_id))
        assert (found[0], found[2]) == (code, path)


async def test_instants_that_are_none(graph: Graph):
    """A time without zone, or none at all, is refused with an example of one."""
    query = "query ($t: DateTime) { devices(filter: {lastSeenAfter: $t}) { totalCount } }"
    for bad in ("2024-07-01", "2024-07-01T00:00:00", "yesterday", 5, "1899-12-31T23:59:59Z", "x" * 99):
        code, message, _ = await refused(graph, query, t=bad)
        assert code == "BAD_USER_INPUT"
        assert any(hint in message for hint in ("as '2026-01-31T12:00:00Z'", "add 'Z'", "outside the years")), bad


async def test_a_flag_that_is_null(graph: Graph):
    """A nullable flag passes validation where it has a default; null is refused as the specification says."""
    query = "query ($s: Boolean = true) { fleet { deviceCount @skip(if: $s) __typename } }"
    assert (await graph.data(query))["fleet"] == {"__typename": "Fleet"}
    code, message, _ = await refused(graph, query, s=None)
    assert code == "BAD_USER_INPUT"
    assert "if" in message


async def test_settings_bound_the_budget(graph: Graph):
    """The allowed number in the error is the setting's."""
    settings = graph.services.settings

    small = dataclasses.replace(settings, graphql=dataclasses.replace(settings.graphql, max_page_size=3))
    other = graph_over(graph.services.store, small)
    error = await other.error("{ devices(first: 4) { totalCount } }")
    assert error["extensions"]["allowed"] == 3
    await other.services.ingest.close()
