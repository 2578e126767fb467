"""The store: what is counted, what commits, what is published."""

import pytest

from models.clock import now
from models.repositories import device_changes, devices
from models.repositories.devices import DeviceFilter
from models.repositories.events import NewEvent
from models.store import Store
from tests.factories import add_heater


async def test_every_statement_is_heard(store: Store, statements: list[str]):
    """Reads, SQL text and everything inside a transaction reach the counter, once each."""
    await devices.count(store, DeviceFilter())
    await store.run("SELECT 1")
    assert len(statements) == 2
    statements.clear()
    async with store.transaction() as transaction:
        await device_changes.lock(transaction, [1])  # fetch
        await transaction.run("SELECT 1")  # run
        await device_changes.change(transaction, 1, 1, at=now(), values={"name": "x"})  # execute
        if store.dialect == "sqlite":
            await device_changes.mark_seen(transaction, {1: now()}, online_since=now())  # execute_many
        transaction.emit(NewEvent("something_happened", {}))
    assert len(statements) == (5 if store.dialect == "sqlite" else 4)


async def test_a_heater_costs_two_statements(store: Store, statements: list[str]):
    """The device and its details are stored by one statement each."""
    await add_heater(store)
    assert len(statements) == 2


async def test_events_of_a_failed_transaction_are_not_written(store: Store):
    """Nothing is announced that did not happen."""

    async def fail() -> None:
        async with store.transaction() as transaction:
            transaction.emit(NewEvent("something_happened", {}))
            await transaction.run("SELECT * FROM no_such_table")

    with pytest.raises(Exception, match="no_such_table"):
        await fail()
    assert list(await store.run("SELECT id FROM events")) == []
