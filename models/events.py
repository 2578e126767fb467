"""Following the event log: one reader per process, any number of followers.

Rows are the truth and the wake-up is a hint. One task tails the log and keeps its newest events in a bounded buffer;
a follower at the buffer reads from memory, one that has fallen behind it reads the log itself, at its own pace. So a slow
follower costs a cursor, and a lost wake-up costs the delay of a poll.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from models import clock
from models.errors import Unavailable
from models.repositories import events
from models.repositories.events import Cursor, Event
from settings.types import EventSettings

if TYPE_CHECKING:
    from models.store import Store

logger = logging.getLogger("iotsphere.events")

CHANNEL = "iotsphere_events"
_BATCH = 1000
_FORGET_INTERVAL_SECONDS = 600


class EventLog:
    """The events of all processes on one database."""

    def __init__(self, store: "Store", settings: EventSettings) -> None:
        self._store = store
        self._settings = settings
        self._buffer: deque[Event] = deque(maxlen=settings.buffer_size)
        # Everything behind this cursor and up to _newest is in the buffer.
        self._buffered_after = Cursor(0, 0)
        self._newest = Cursor(0, 0)
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()
        self._commits = 0

    @property
    def newest(self) -> Cursor:
        """The cursor of the last event that was seen."""
        return self._newest

    def wake(self) -> None:
        """Tell that this process has committed events."""
        self._commits += 1
        self._woken.set()

    async def follow(self, after: Cursor | None = None) -> AsyncIterator[list[Event]]:
        """Yield the events behind a cursor (None: from now on) in the order of the log, in batches, for ever."""
        cursor = self._newest if after is None else after
        while True:
            changed = self._changed
            batch = await self._next(cursor)
            if batch:
                cursor = batch[-1].cursor
                yield batch
            else:
                await changed.wait()

    async def _next(self, cursor: Cursor) -> list[Event]:
        if cursor >= self._newest:
            return []
        if cursor >= self._buffered_after:
            # From the right: a follower that keeps up is near the end.
            fresh: list[Event] = []
            for event in reversed(self._buffer):
                if event.cursor <= cursor:
                    break
                fresh.append(event)
            fresh.reverse()
            return fresh[:_BATCH]
        return await events.after(self._store, cursor, _BATCH)

    @asynccontextmanager
    async def tailing(self) -> AsyncGenerator[None]:
        """Tail the log while this context is open; raises Unavailable if the database cannot be reached now."""
        self._newest = self._buffered_after = await events.newest(self._store)
        tasks = [asyncio.create_task(each()) for each in (self._tail, self._listen, self._notify, self._forget)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _tail(self) -> None:
        while True:
            self._woken.clear()
            try:
                found = await events.after(self._store, self._newest, _BATCH)
            except Unavailable as error:
                logger.warning("the event log cannot be read: %s", error.message)
                found = []
            if found:
                self._publish(found)
            if len(found) < _BATCH:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._settings.poll_seconds)

    def _publish(self, found: list[Event]) -> None:
        for event in found:
            if len(self._buffer) == self._buffer.maxlen:
                self._buffered_after = self._buffer[0].cursor
            self._buffer.append(event)
        self._newest = found[-1].cursor
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _listen(self) -> None:
        stop: Callable[[], Awaitable[None]] | None = None
        while True:
            try:
                ended = asyncio.Event()
                stop = await self._store.driver.listen(CHANNEL, self._woken.set, ended.set)
                if stop is None:
                    return
                await ended.wait()
            except Unavailable as error:
                logger.warning("cannot listen for events of other processes: %s", error.message)
            finally:
                if stop is not None:
                    with suppress(Exception):
                        await stop()
            await asyncio.sleep(self._settings.poll_seconds)

    async def _notify(self) -> None:
        # NOTIFY inside each transaction would serialise all commits of the database; sent behind them it is a hint that
        # many commits share.
        told = 0
        while True:
            await asyncio.sleep(self._settings.poll_seconds / 20)
            if self._commits != told:
                told = self._commits
                with suppress(Unavailable):
                    await self._store.driver.notify(CHANNEL)

    async def _forget(self) -> None:
        while True:
            horizon = clock.now() - timedelta(hours=self._settings.retention_hours)
            with suppress(Unavailable):
                async with self._store.transaction() as transaction:
                    await events.forget_before(transaction, horizon)
            await asyncio.sleep(_FORGET_INTERVAL_SECONDS)
