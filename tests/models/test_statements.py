"""Statements: compiled once, bound by name, read by name."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, select

from models.repositories import devices
from models.repositories.devices import DeviceFilter, DeviceOrder
from models.statements import DIALECTS, Statement, is_one_of, pick, prepared, table_columns
from models.store import Store
from models.tables import DeviceRow
from models.types import BigIntegerList, UtcDateTime, from_micros, to_micros
from tests.factories import add_heater

DEVICE = table_columns(DeviceRow)
INSTANT = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_statement_is_compiled_once(dialect: str):
    """The text of a statement is made the first time it is asked for."""
    statement = Statement(select(DEVICE["id"]))
    assert statement.on(dialect) is statement.on(dialect)


def test_each_shape_is_built_once():
    """A prepared function returns the same statement for the same arguments."""
    built: list[str] = []

    @prepared
    def build(name: str) -> Statement:
        built.append(name)
        return Statement(select(DEVICE[name]))

    assert build("id") is build("id")
    assert build("id") is not build("name")
    assert built == ["id", "name"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_values_travel_in_the_order_of_the_placeholders(dialect: str):
    """Names decide, constants keep their place, and values are converted for the driver."""
    at = bindparam("at", type_=UtcDateTime())
    where = (DEVICE["name"] == bindparam("name"), DEVICE["kind"] == "BOILER", DEVICE["created_at"] < at)
    compiled = Statement(select(DEVICE["id"]).where(*where)).on(dialect)
    values = compiled.arguments({"at": INSTANT, "name": "n", "unused": 1})
    assert values == ["n", "BOILER", INSTANT if dialect == "postgresql" else to_micros(INSTANT)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_missing_value_is_a_defect(dialect: str):
    """A name that was misspelt does not become a NULL."""
    compiled = Statement(select(DEVICE["id"]).where(DEVICE["name"] == bindparam("name"))).on(dialect)
    with pytest.raises(KeyError, match="name"):
        compiled.arguments({"nmae": "n"})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_naive_instant_is_refused(dialect: str):
    """An instant without zone would mean another time on another machine."""
    compiled = Statement(select(DEVICE["id"]).where(DEVICE["created_at"] < bindparam("at", type_=UtcDateTime())))
    with pytest.raises(ValueError, match="time zone"):
        compiled.on(dialect).arguments({"at": datetime(2024, 1, 1)})  # noqa: DTZ001 - what is refused


def test_pick_keeps_the_order_of_the_table():
    """What is asked for and what is always needed come as the table has them; nothing comes twice."""
    assert [column.name for column in pick(DEVICE, frozenset({"status", "name", "id"}), "id", "kind")] == [
        "id",
        "kind",
        "name",
        "status",
    ]
    assert len(pick(DEVICE, None)) == len(DEVICE)


async def test_a_list_of_any_length_is_one_text(store: Store):
    """None, one and thousands of ids use the same statement."""
    statement = Statement(select(DEVICE["id"]).where(is_one_of(DEVICE["id"], "ids", store.dialect)))
    id_ = await add_heater(store)
    for ids, found in (([], []), ([id_], [id_]), (list(range(5000)), [id_]), ([2**62, -1], [])):
        assert [row["id"] for row in await store.fetch(statement, ids=ids)] == found


def test_lists_are_encoded_for_the_dialect():
    """PostgreSQL takes an array, SQLite JSON."""
    type_ = BigIntegerList()
    encoded = {name: type_.bind_processor(dialect)((1, 2)) for name, dialect in DIALECTS.items()}
    assert encoded == {"postgresql": [1, 2], "sqlite": "[1, 2]"}


@pytest.mark.parametrize(
    "instant",
    [
        INSTANT,
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1900, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(2200, 6, 1, 12, 0, 0, 123_456, tzinfo=UTC),
    ],
    ids=str,
)
def test_microseconds_go_round(instant: datetime):
    """To whole microseconds and back loses nothing, before 1970 too."""
    assert from_micros(to_micros(instant)) == instant


async def test_instants_are_stored_to_the_microsecond_in_utc(store: Store):
    """What comes back is the same instant, aware and in UTC, whatever zone it was given in."""
    local = INSTANT.astimezone(timezone(timedelta(hours=5, minutes=45)))
    id_ = await add_heater(store, installed_at=local)
    row = (await devices.by_ids(store, [id_]))[0]
    assert row is not None
    assert row["installed_at"] == INSTANT
    assert row["installed_at"].utcoffset() == timedelta(0)
    assert row["last_seen_at"] is None


async def test_rows_are_read_by_column_name(store: Store):
    """Rows of both databases are mappings of exactly the columns that were asked for."""
    await add_heater(store, name="a")
    columns = frozenset({"name", "mode"})
    found = await devices.page(store, DeviceFilter(), DeviceOrder(), devices.Window(1), columns)
    assert set(dict(found.rows[0])) == {"id", "kind", "name", "mode"}
