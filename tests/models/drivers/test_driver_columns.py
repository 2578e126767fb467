"""Rows that are given as columns of arrays: what is stored is what was given, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from models.drivers import Column
from models.store import Store
from models.types import to_micros

FIRST = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
NULLS = np.array([False, True, False])
NOWHERE = np.zeros(3, np.bool_)


async def copied(store: Store, table: str, columns: dict[str, Column]) -> list[tuple[Any, ...]]:
    """Copy columns into a table of such a name and return its rows."""
    async with store.transaction() as transaction:
        await transaction.copy_columns(table, columns)
    rows = await store.run(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id")
    return [tuple(row) for row in rows]


@pytest.fixture
async def table(store: Store) -> str:
    """A table with a column of each type."""
    instant = "timestamptz" if store.dialect == "postgresql" else "bigint"
    number = "double precision" if store.dialect == "postgresql" else "float"
    async with store.transaction() as transaction:
        await transaction.run(f"CREATE TABLE arrays (id bigint, at {instant}, number {number}, flag boolean)")
    return "arrays"


@pytest.mark.parametrize("is_null", [None, NOWHERE, NULLS, ~NOWHERE], ids=["never", "nowhere", "some", "all"])
async def test_each_type_there_and_back(store: Store, table: str, is_null: Any):
    """Whole numbers of 64 bits, instants to the microsecond, floats to the last digit, and NULL where it is said."""
    instants = [FIRST, FIRST + timedelta(microseconds=1), datetime(2100, 2, 28, tzinfo=UTC)]
    numbers, ids = [0.1, -1e300, 5e-324], [-(2**63), 0, 2**63 - 1]
    columns = {
        "id": Column(np.array(ids)),
        "at": Column(np.array([to_micros(at) for at in instants]).astype("datetime64[us]"), is_null),
        "number": Column(np.array(numbers), is_null),
        "flag": Column(np.array([True, False, True]), is_null),
    }
    times = instants if store.dialect == "postgresql" else [to_micros(at) for at in instants]
    given = list(zip(ids, times, numbers, [True, False, True], strict=True))
    hidden = [False] * 3 if is_null is None else is_null.tolist()
    expected = [(row[0], None, None, None) if null else row for row, null in zip(given, hidden, strict=True)]
    assert await copied(store, table, columns) == expected


async def test_columns_have_nulls_in_rows_of_their_own(store: Store, table: str):
    """A row may lack one value and have the next."""
    columns = {
        "id": Column(np.arange(3)),
        "number": Column(np.array([1.0, 2.0, 3.0]), NULLS),
        "flag": Column(np.array([True, False, True]), ~NULLS),
    }
    assert await copied(store, table, columns) == [(0, 1.0, None), (1, None, False), (2, 3.0, None)]
