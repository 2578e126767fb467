"""Leases: one holder at a time, by the clock of the database."""

import asyncio

from models.repositories import leases
from models.store import Store


async def hold(store: Store, holder: str, seconds: float = 60) -> bool:
    """Try to take the lease."""
    async with store.transaction() as transaction:
        return await leases.hold(transaction, "work", holder, seconds)


async def expire(store: Store) -> None:
    """Let the lease run out, as if nobody had renewed it for long."""
    async with store.transaction() as transaction:
        await transaction.run("UPDATE worker_leases SET expires_at = " + leases._NOW[store.dialect])


async def test_a_lease_has_one_holder_who_can_renew_it(store: Store):
    """Another is refused as long as it lasts."""
    assert await hold(store, "first")
    assert not await hold(store, "second")
    assert await hold(store, "first")
    assert await leases.holder_of(store, "work") == "first"


async def test_a_lease_that_has_expired_is_taken_over(store: Store):
    """The one before notices when it renews, or confirms."""
    await hold(store, "first")
    await expire(store)
    assert await leases.holder_of(store, "work") is None
    assert await hold(store, "second")
    assert not await hold(store, "first")
    async with store.transaction() as transaction:
        assert not await leases.confirm(transaction, "work", "first")
        assert await leases.confirm(transaction, "work", "second")


async def test_a_lease_that_is_given_up_is_free_at_once(store: Store):
    """Only its holder can give it up."""
    await hold(store, "first")
    async with store.transaction() as transaction:
        await leases.release(transaction, "work", "second")
    assert not await hold(store, "second")
    async with store.transaction() as transaction:
        await leases.release(transaction, "work", "first")
    assert await hold(store, "second")


async def test_of_many_that_try_at_once_one_gets_it(store: Store):
    """Whether it is new or has expired."""
    names = [f"process {number}" for number in range(5)]
    assert sum(await asyncio.gather(*(hold(store, name) for name in names))) == 1
    await expire(store)
    assert sum(await asyncio.gather(*(hold(store, name) for name in names))) == 1


async def test_nobody_takes_over_while_a_transaction_has_confirmed_the_lease(store: Store):
    """What is written under a confirmed lease is stored before anybody else begins."""
    await hold(store, "first")
    await expire(store)
    async with store.transaction() as transaction:
        assert await leases.confirm(transaction, "work", "first")
        taking = asyncio.create_task(hold(store, "second"))
        # Something that takes a way through the database, while the other waits.
        await leases.holder_of(store, "work")
        assert not taking.done()
    assert await taking
