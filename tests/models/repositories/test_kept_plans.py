"""PostgreSQL plans lookups and pages once for each connection, not each time that they are asked for."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from models.paging import Window
from models.repositories import alerts, devices, histories, readings
from models.repositories.devices import DeviceFilter, DeviceOrder
from models.store import Store
from tests.factories import MIDDAY, add_heater, add_readings
from tests.findings import add_alert

# PostgreSQL looks at five plans that know the values before it decides to keep one that does not.
TIMES = 8

LOOKUPS: dict[str, Callable[[Any, list[int]], Awaitable[Any]]] = {
    "one device": lambda db, ids: devices.by_ids(db, ids[:1]),
    "devices": devices.by_ids,
    "a page of devices": lambda db, _: devices.page(db, DeviceFilter(), DeviceOrder(), Window(5)),
    "a page of a kind": lambda db, _: devices.page(db, DeviceFilter(kinds=("WATER_HEATER",)), DeviceOrder(), Window(5)),
    "a page of one device": lambda db, ids: histories.page_by_devices(db, alerts.ALERTS, ids[:1], Window(5)),
    "a reading": lambda db, ids: readings.latest(db, "WATER_HEATER", [(ids[0], MIDDAY)]),
    "a page of the fleet": lambda db, _: histories.page(db, alerts.ALERTS, Window(5)),
}


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    """PostgreSQL alone: SQLite keeps every plan."""
    return postgresql_url


@pytest.fixture
async def ids(store: Store) -> list[int]:
    """Heaters with alerts, which the planner knows of."""
    found = [await add_heater(store) for _ in range(60)]
    for _ in range(20):
        await add_alert(store, found[0])
    await add_readings(store, found, [MIDDAY] * len(found))
    async with store.transaction() as transaction:
        await transaction.run("ANALYZE")
    return found


@pytest.mark.parametrize("name", LOOKUPS)
async def test_plans_are_kept(store: Store, statements: list[str], ids: list[int], name: str):
    """After some times the plan is the same, whatever the values are."""
    async with store.transaction() as transaction:
        statements.clear()
        for _ in range(TIMES):
            await LOOKUPS[name](transaction, ids)
        rows = await transaction.run("SELECT statement, generic_plans FROM pg_prepared_statements")
    (asked,) = set(statements[:TIMES])
    generic_plans = {row[0]: row[1] for row in rows}
    assert generic_plans[asked] > 0
