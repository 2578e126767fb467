"""Connections of asyncpg's pool, kept at hand between uses.

To release a connection into the pool and to acquire it again costs about as much as a short statement: a task, a
shield, timers. A connection whose use ended well therefore stays at hand for whoever is next. Every few seconds those
that lie there go back to the pool, which replaces what is old, gone, or has run too many statements.
"""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has no types of its own

_AT_HAND_SECONDS = 10.0


class Lender:
    """Lends the connections of one pool.

    Args:
        pool: of asyncpg, open.
        timeout_seconds: how long `take` waits for a connection when all are lent.
    """

    def __init__(self, pool: Any, timeout_seconds: float) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._at_hand: list[Any] = []
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()

    async def take(self) -> Any:
        """Return a connection, for `keep` or `put_back` later; raises what the pool raises."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if _is_open(connection):
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=self._timeout_seconds)
        finally:
            self._waiting -= 1

    async def keep(self, connection: Any) -> None:
        """Take back a connection whose use ended well."""
        if self._waiting:
            await self._pool.release(connection)
            return
        self._at_hand.append(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_AT_HAND_SECONDS, self._return_all)

    async def put_back(self, connection: Any) -> None:
        """Take back a connection that may not be fit for use: the pool finds out."""
        await self._pool.release(connection)

    async def expire(self) -> None:
        """Lend none of the present connections again: what ended one of them has most likely ended all."""
        await self._pool.expire_connections()
        for connection in self._at_hand:
            terminate(connection)
        await self._empty()

    async def close(self, timeout_seconds: float) -> None:
        """Close all connections; those in use get some time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._empty()
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _empty(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._at_hand:
            await self._pool.release(self._at_hand.pop())

    def _return_all(self) -> None:
        task = asyncio.get_running_loop().create_task(self._empty())
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)


def terminate(connection: Any) -> None:
    """Give a connection up without a word to the server."""
    with suppress(asyncpg.InterfaceError):  # the pool has noticed and done so
        connection.terminate()


def _is_open(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has noticed, and has taken it back
        return False
