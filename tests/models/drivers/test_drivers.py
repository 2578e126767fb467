"""What both drivers promise: limits of time, cancellation that leaves nothing behind, errors that can be retried on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from models.errors import Unavailable
from models.repositories import device_changes, devices
from models.repositories.devices import DeviceFilter
from models.store import Store
from tests.factories import add_heater, database_settings, event_settings

# Each takes far longer than any test and can be interrupted.
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(1000)",
}


@asynccontextmanager
async def opened(url: str, **changes: Any) -> AsyncIterator[Store]:
    """An open store with changed settings of the database."""
    store = Store(database_settings(url, **changes), event_settings())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def cancelled_while_running(work: asyncio.Task[Any]) -> None:
    """Cancel a task after it has handed its statement to the database."""
    await asyncio.sleep(0.1)
    assert not work.done()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def rename(store: Store, device_id: int, name: str, then: Callable[[Any], Any]) -> None:
    """Rename a device in a transaction that does something else before it ends."""
    async with store.transaction() as transaction:
        await transaction.run(f"UPDATE devices SET name = '{name}' WHERE id = {device_id}")
        await then(transaction)


async def name_of(store: Store, device_id: int) -> str:
    """Return a device's name as it is committed."""
    row = (await devices.by_ids(store, [device_id]))[0]
    assert row is not None
    return str(row["name"])


async def test_a_slow_statement_is_ended(database_url: str, store: Store):
    """A read beyond the statement timeout fails as UNAVAILABLE, and its connection is free again."""
    async with opened(database_url, statement_timeout_seconds=0.2, pool_size=1) as hasty:
        for _ in range(2):
            with pytest.raises(Unavailable, match="too long"):
                await hasty.run(ENDLESS[store.dialect])


async def test_a_slow_statement_ends_its_transaction(database_url: str, store: Store):
    """A statement that is ended for its slowness takes its transaction with it."""
    id_ = await add_heater(store, name="before")
    async with opened(database_url, statement_timeout_seconds=0.2) as hasty:
        with pytest.raises(Unavailable, match="too long"):
            await rename(hasty, id_, "after", lambda transaction: transaction.run(ENDLESS[store.dialect]))
    assert await name_of(store, id_) == "before"


async def test_an_exhausted_pool_says_so(database_url: str):
    """Who finds no free connection in time gets UNAVAILABLE rather than wait for ever."""
    async with opened(database_url, pool_size=2, acquire_timeout_seconds=0.5) as store, AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(store.driver.reading())
        with pytest.raises(Unavailable):
            await devices.count(store, DeviceFilter())
        await held.aclose()
        assert await devices.count(store, DeviceFilter()) == 0


async def test_waiting_readers_are_served(database_url: str):
    """More reads than connections are all answered."""
    async with opened(database_url, pool_size=2) as store:
        assert await asyncio.gather(*(devices.count(store, DeviceFilter()) for _ in range(50))) == [0] * 50


async def test_a_cancelled_read_leaves_the_connection_usable(database_url: str):
    """The only connection serves the next reader after its reader was cancelled in the middle of a statement."""
    async with opened(database_url, pool_size=1) as store:
        await cancelled_while_running(asyncio.create_task(store.run(ENDLESS[store.dialect])))
        assert await devices.count(store, DeviceFilter()) == 0


async def test_cancellation_in_a_statement_rolls_back(store: Store):
    """A transaction that is cancelled while a statement runs leaves nothing, and the next one can write."""
    id_ = await add_heater(store, name="before")
    slow = rename(store, id_, "after", lambda transaction: transaction.run(ENDLESS[store.dialect]))
    await cancelled_while_running(asyncio.create_task(slow))
    assert await name_of(store, id_) == "before"
    await rename(store, id_, "later", lambda _: asyncio.sleep(0))
    assert await name_of(store, id_) == "later"


async def test_a_statement_cancelled_before_it_began_does_not_run_on(database_url: str):
    """A statement that is still in the queue of its connection's thread is ended like one that runs."""
    async with opened(database_url, pool_size=1) as store:
        for steps in range(12):
            work = asyncio.create_task(store.run(ENDLESS[store.dialect]))
            for _ in range(steps):
                await asyncio.sleep(0)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        assert await devices.count(store, DeviceFilter()) == 0


async def test_cancellation_between_statements_rolls_back(store: Store):
    """A transaction that is cancelled while it waits for something else leaves nothing either."""
    id_ = await add_heater(store, name="before")
    waiting = rename(store, id_, "after", lambda _: asyncio.Event().wait())
    await cancelled_while_running(asyncio.create_task(waiting))
    assert await name_of(store, id_) == "before"


async def test_cancellation_at_any_step_is_all_or_nothing(store: Store):
    """Wherever a transaction is cancelled, begin and commit included, the store goes on, and the row is whole."""
    id_ = await add_heater(store, name="n0", location="n0")
    for steps in range(40):
        mark = f"n{steps + 1}"

        async def change(transaction: Any, mark: str = mark) -> None:
            await transaction.run(f"UPDATE devices SET location = '{mark}' WHERE id = {id_}")

        work = asyncio.create_task(rename(store, id_, mark, change))
        for _ in range(steps):
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        row = (await devices.by_ids(store, [id_]))[0]
        assert row is not None
        assert row["name"] == row["location"]
    await rename(store, id_, "end", lambda _: asyncio.sleep(0))
    assert await name_of(store, id_) == "end"


async def test_a_caller_cancelled_twice_leaves_no_transaction_open(database_url: str):
    """Cancelled again while it rolls back, a transaction still does not stay open on its connection."""
    async with opened(database_url, pool_size=1) as store:
        id_ = await add_heater(store, name="before")
        slow = rename(store, id_, "after", lambda transaction: transaction.run(ENDLESS[store.dialect]))
        work = asyncio.create_task(slow)
        await asyncio.sleep(0.1)
        for _ in range(3):
            work.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(work, return_exceptions=True)
        await rename(store, id_, "later", lambda _: asyncio.sleep(0))
        assert await name_of(store, id_) == "later"


async def test_an_exception_rolls_back_and_is_not_hidden(store: Store):
    """The failure that ends a transaction is what its caller sees."""
    id_ = await add_heater(store, name="before")

    async def fail(_: Any) -> None:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await rename(store, id_, "after", fail)
    assert await name_of(store, id_) == "before"


async def test_readers_see_no_uncommitted_row(store: Store):
    """A read beside an open transaction sees the state before it."""
    id_ = await add_heater(store, name="before")

    async def look(_: Any) -> None:
        assert await name_of(store, id_) == "before"

    await rename(store, id_, "after", look)
    assert await name_of(store, id_) == "after"


async def test_concurrent_transactions_are_all_kept(store: Store):
    """Many writers of one row wait for each other; none is lost."""
    id_ = await add_heater(store)

    async def raise_version() -> None:
        async with store.transaction() as transaction:
            locked = await device_changes.lock(transaction, [id_])
            assert id_ in locked
            row = await device_changes.current(transaction, id_)
            assert row is not None
            await device_changes.change(transaction, id_, row["version"], at=row["updated_at"], values={})

    await asyncio.gather(*(raise_version() for _ in range(20)))
    row = await device_changes.current(store, id_)
    assert row is not None
    assert row["version"] == 21


async def test_a_closed_store_says_so(database_url: str):
    """Reads and writes after closing, or before opening, are UNAVAILABLE, not a defect."""
    store = Store(database_settings(database_url), event_settings())
    for _ in range(2):
        with pytest.raises(Unavailable):
            await devices.count(store, DeviceFilter())
        with pytest.raises(Unavailable):
            await add_heater(store)
        await store.open()
        await store.close()


async def test_a_store_can_be_opened_again(database_url: str):
    """Closing and opening gives a store that works, with its rows."""
    store = Store(database_settings(database_url), event_settings())
    for count in range(2):
        await store.open()
        assert await devices.count(store, DeviceFilter()) == count
        await add_heater(store)
        await store.close()


async def test_closing_while_readers_wait_ends_the_wait(database_url: str):
    """Readers that wait for a connection when the store closes are told, all of them."""
    store = Store(database_settings(database_url, pool_size=1, acquire_timeout_seconds=0.5), event_settings())
    await store.open()
    waiting: list[asyncio.Task[Any]] = []
    async with store.driver.reading():
        waiting += [asyncio.create_task(devices.count(store, DeviceFilter())) for _ in range(3)]
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0.05)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await closing
    kinds = {type(outcome) for outcome in outcomes}
    assert kinds <= {int, Unavailable}, outcomes


async def test_a_defect_in_a_statement_is_not_a_retryable_failure(store: Store):
    """What cannot succeed at the next try is not reported as if it could."""
    with pytest.raises(Exception, match="no_such_table") as caught:
        await store.run("SELECT * FROM no_such_table")
    assert not isinstance(caught.value, Unavailable)
