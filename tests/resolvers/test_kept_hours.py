"""Hours and days that predictions were made from are read once, for so many devices, and for so long."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from models.repositories import reading_hours
from models.store import Store
from resolvers.predicting.hours import Hours
from tests.factories import add_heater
from tests.lives import add_days, midnight

COLUMNS = ("temperature_mean", "kwh")
KIND = "WATER_HEATER"


@pytest.fixture
async def heaters(store: Store) -> list[int]:
    """Four heaters with ten days each, but for one that has none."""
    ids = [await add_heater(store) for _ in range(4)]
    for id_ in ids[:3]:
        await add_days(store, id_, 10)
    return ids


def lately(days: int = 20) -> tuple[datetime, datetime]:
    """Return the days before midnight."""
    return midnight(days), midnight()


async def statements_of(hours: Hours, store: Store, statements: list[str], ids: list[int], days: int = 20) -> int:
    """Ask for hours and return how many statements that took; what comes back is what the database has."""
    statements.clear()
    found = await hours.hours(store, KIND, ids, lately(days), COLUMNS)
    taken = len(statements)
    fresh = await reading_hours.load(store, KIND, ids, *lately(days), COLUMNS)
    np.testing.assert_array_equal(found.device_ids, fresh.device_ids)
    np.testing.assert_array_equal(found.micros, fresh.micros)
    for name in COLUMNS:
        np.testing.assert_array_equal(found.values[name], fresh.values[name])
    return taken


async def test_what_was_read_is_used_again(store: Store, heaters: list[int], statements: list[str]):
    """In any order and part; another range of time is read anew, and so is what is too old."""
    hours = Hours(10)
    assert await statements_of(hours, store, statements, heaters) == 1
    assert await statements_of(hours, store, statements, heaters[::-1]) == 0
    assert await statements_of(hours, store, statements, heaters[1:2]) == 0
    assert await statements_of(hours, store, statements, heaters, days=5) == 1
    assert await statements_of(hours, store, statements, heaters, days=5) == 0
    forgetful = Hours(10, kept_seconds=-1)
    assert [await statements_of(forgetful, store, statements, heaters) for _ in range(2)] == [1, 1]


async def test_the_devices_asked_for_longest_ago_are_forgotten(store: Store, heaters: list[int], statements: list[str]):
    """Never more devices are kept than allowed, be it for hours or for days, and none with a limit of none."""
    hours, (first, second, third, _) = Hours(2), heaters
    await hours.hours(store, KIND, [first, second], lately(), COLUMNS)
    await hours.days(store, KIND, [first], *lately(), COLUMNS)
    await hours.hours(store, KIND, [third], lately(), COLUMNS)
    assert await statements_of(hours, store, statements, [first, third]) == 0
    assert await statements_of(hours, store, statements, [second]) == 1
    assert await statements_of(hours, store, statements, heaters) == 1
    nothing = Hours(0)
    assert [await statements_of(nothing, store, statements, heaters) for _ in range(2)] == [1, 1]


async def test_days_are_kept_beside_hours(store: Store, heaters: list[int], statements: list[str]):
    """Both of a device are known, and one is not taken for the other."""
    hours = Hours(10)
    await statements_of(hours, store, statements, heaters)
    for expected in (1, 0):
        statements.clear()
        days = await hours.days(store, KIND, heaters, *lately(), COLUMNS)
        assert len(statements) == expected
    assert set(np.diff(days.micros[:10]).tolist()) == {timedelta(days=1) // timedelta(microseconds=1)}
    assert await statements_of(hours, store, statements, heaters) == 0
