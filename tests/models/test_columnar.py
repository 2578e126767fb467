"""Many rows, read as columns."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Select, bindparam, select

from models.columnar import ColumnRows, ColumnStatement
from models.statements import table_columns
from models.store import Store
from models.tables import DeviceRow
from models.tables.water_heater_reading import WaterHeaterReadingRow
from tests.factories import add_heater, add_readings

DEVICE = table_columns(DeviceRow)
READING = table_columns(WaterHeaterReadingRow)
NOON = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAMES = ("device_id", "recorded_at", "temperature", "pressure", "heating")


def _select(columns: dict[str, Any], names: tuple[str, ...], where: Any) -> Select[Any]:
    return cast("Select[Any]", select(*(columns[name] for name in names)).where(where))


def _readings(*names: str) -> Select[Any]:
    rows = _select(READING, names or NAMES, READING["device_id"] == bindparam("id"))
    return rows.order_by(READING["recorded_at"])


@pytest.fixture
async def device_id(store: Store) -> int:
    """A heater with three readings, of which one says nothing of the pressure and none of the heating."""
    id_ = await add_heater(store)
    instants = [NOON + count * MINUTE for count in range(3)]
    await add_readings(store, id_, instants, temperature=[50.5, 51.0, -0.0], pressure=[3.1, None, 3.3])
    return id_


async def test_columns_are_the_rows(store: Store, device_id: int):
    """The rows of columns are those that the statement has, instants with their time zone."""
    found = await store.columns(ColumnStatement(_readings()), id=device_id)
    expected = [
        (device_id, NOON, 50.5, 3.1, None),
        (device_id, NOON + MINUTE, 51.0, None, None),
        (device_id, NOON + 2 * MINUTE, 0.0, 3.3, None),
    ]
    assert [tuple(row.values()) for row in found] == expected
    assert [tuple(row) for row in found] == [NAMES] * 3
    assert [found[place] for place in (0, 1, 2, -1)] == [*found, list(found)[2]]


async def test_columns_tell_what_is_missing(store: Store, device_id: int):
    """A column knows whether values are missing, so that nobody has to look at each."""
    columns = (await store.columns(ColumnStatement(_readings()), id=device_id)).columns
    assert {name: column.may_have_null for name, column in columns.items()} == {
        "device_id": False,
        "recorded_at": False,
        "temperature": False,
        "pressure": True,
        "heating": True,
    }


async def test_nothing_found_is_columns_without_values(store: Store):
    """A statement that finds nothing gives no rows, and still its columns."""
    found = await store.columns(ColumnStatement(_readings()), id=10**9)
    assert (len(found), list(found), sorted(found.columns)) == (0, [], sorted(NAMES))
    assert found.split("device_id") == {}


async def test_texts_are_read_too(store: Store, device_id: int):
    """Values of types that have no fixed size come as the driver makes them."""
    names = ("id", "serial_number", "location", "version")
    wanted = ColumnStatement(_select(DEVICE, names, DEVICE["id"] == bindparam("id")))
    found = await store.columns(wanted, id=device_id)
    (row,) = found
    assert (row["id"], row["location"], row["version"]) == (device_id, None, 1)
    assert row["serial_number"].startswith("WH-")


async def test_a_value_that_is_no_number_is_told(store: Store, device_id: int):
    """A column says that a value in it is not finite: such a row cannot have come in by the front door."""
    if store.dialect == "sqlite":
        pytest.skip("SQLite stores NaN as NULL")
    async with store.transaction() as transaction:
        await transaction.run("UPDATE water_heater_readings SET temperature = 'NaN' WHERE pressure = 3.3")
    columns = (await store.columns(ColumnStatement(_readings()), id=device_id)).columns
    assert [columns[name].is_finite for name in ("temperature", "pressure")] == [False, True]


async def test_slices_are_columns_again(store: Store, device_id: int):
    """A part of the rows, also backwards, is held as columns."""
    found = await store.columns(ColumnStatement(_readings("temperature")), id=device_id)
    for part in (slice(1), slice(1, 3), slice(None, None, -1), slice(5, 9)):
        sliced = found[part]
        assert isinstance(sliced, ColumnRows)
        assert list(sliced) == list(found)[part]
        assert len(sliced) == len(list(found)[part])
    with pytest.raises(IndexError):
        found[3]


async def test_rows_are_split_by_a_column(store: Store, device_id: int):
    """Rows that stand together by device are taken apart, those of each in their order."""
    other = await add_heater(store)
    await add_readings(store, other, [NOON], temperature=[20.0])
    either = READING["device_id"].between(bindparam("low"), bindparam("high"))
    wanted = _select(READING, ("device_id", "temperature"), either)
    wanted = wanted.order_by(READING["device_id"], READING["recorded_at"])
    found = await store.columns(ColumnStatement(wanted), low=device_id, high=other)
    parts = found.split("device_id")
    assert {id_: [found[place]["temperature"] for place in places] for id_, places in parts.items()} == {
        device_id: [50.5, 51.0, 0.0],
        other: [20.0],
    }
