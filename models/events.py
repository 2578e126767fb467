"""Following the event log: one reader per process, any number of followers.

Rows are the truth and the wake-up is a hint. One task tails the log and keeps its newest events in a bounded buffer;
a follower at the buffer reads from memory, one that has fallen behind it reads the log itself, at its own pace. So a
slow follower costs a cursor, and a lost wake-up costs the delay of a poll.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
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
_FORGET_BATCH = 5000
_LONGEST_PAUSE_SECONDS = 10.0


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
        self._committed = asyncio.Event()

    @property
    def newest(self) -> Cursor:
        """The cursor of the last event that was seen."""
        return self._newest

    def wake(self) -> None:
        """Tell that this process has committed events."""
        self._woken.set()
        self._committed.set()

    async def follow(self, after: Cursor | None = None) -> AsyncGenerator[list[Event]]:
        """Yield the events behind a cursor (None: from now on) in the order of the log, in batches, for ever.

        While the database cannot be reached, the follower waits.
        """
        cursor = self._newest if after is None else after
        while True:
            changed = self._changed
            try:
                batch = await self._next(cursor)
            except Unavailable as error:
                logger.warning("a follower waits, the event log cannot be read: %s", error.message)
                await asyncio.sleep(self._settings.poll_seconds)
                continue
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
        self._buffer.clear()
        works = (self._tail, self._listen, self._notify, self._forget)
        tasks = [asyncio.create_task(self._kept_up(work)) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _kept_up(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run a work that must not end; start it again, ever later, while it fails."""
        pause = self._settings.poll_seconds
        while True:
            started = monotonic()
            try:
                return await work()
            except Unavailable as error:
                logger.warning("the event log waits for the database: %s", error.message)
            except Exception:
                logger.exception("the event log failed in %s and goes on", work.__name__)
            if monotonic() - started > _LONGEST_PAUSE_SECONDS:
                pause = self._settings.poll_seconds
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _tail(self) -> None:
        while True:
            self._woken.clear()
            found = await events.after(self._store, self._newest, _BATCH)
            if found:
                self._publish(found)
            if len(found) < _BATCH:
                # Not wait_for, which may swallow a cancellation that comes with the wake-up.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_seconds):
                        await self._woken.wait()

    def _publish(self, found: list[Event]) -> None:
        for event in found:
            if len(self._buffer) == self._buffer.maxlen:
                self._buffered_after = self._buffer[0].cursor
            self._buffer.append(event)
        self._newest = found[-1].cursor
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _listen(self) -> None:
        while True:
            ended = asyncio.Event()
            stop = await self._store.driver.listen(CHANNEL, self._woken.set, ended.set)
            if stop is None:
                return
            try:
                await ended.wait()
            finally:
                await stop()
            logger.warning(
                "the connection that listens for events of other processes broke; until it is back they come later"
            )

    async def _notify(self) -> None:
        # NOTIFY inside each transaction would serialise all commits of the database; sent behind them it is a hint that
        # many commits share.
        while True:
            await self._committed.wait()
            self._committed.clear()
            with suppress(Unavailable):
                await self._store.driver.notify(CHANNEL)
            await asyncio.sleep(self._settings.poll_seconds / 20)

    async def _forget(self) -> None:
        while True:
            horizon = clock.now() - timedelta(hours=self._settings.retention_hours)
            forgotten = _FORGET_BATCH
            # In short transactions: streams wait for the longest one that is open.
            while forgotten == _FORGET_BATCH:
                async with self._store.transaction() as transaction:
                    forgotten = await events.forget_before(transaction, horizon, _FORGET_BATCH)
            await asyncio.sleep(_FORGET_INTERVAL_SECONDS)
