"""Following the event log: one reader per process, any number of followers.

Rows are the truth and the wake-up is a hint. One task tails the log and keeps its newest events in a bounded buffer;
a follower at the buffer reads from memory, one that has fallen behind it reads the log itself, at its own pace. So a
slow follower costs a cursor, and a lost wake-up costs the delay of a poll. One that falls behind what the log still
has is told so: nothing is ever skipped in silence.
"""

import asyncio
import base64
import binascii
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from models import clock
from models.errors import BadUserInput, CursorExpired, Unavailable
from models.repositories import event_origin, events
from models.repositories.events import BEGINNING, WHOLE, Cursor, Event, Forgotten, LogState
from settings.types import EventSettings

if TYPE_CHECKING:
    from models.store import Store

logger = logging.getLogger("iotsphere.events")

CHANNEL = "iotsphere_events"
_BATCH = 1000
_FORGET_INTERVAL_SECONDS = 600
_FORGET_BATCH = 5000
_LONGEST_PAUSE_SECONDS = 10.0
# An event of a large batch names thousands of readings: their number alone does not bound the buffer's memory.
_BUFFER_CHARACTERS = 16_000_000


class EventLog:
    """The events of all processes on one database."""

    def __init__(self, store: "Store", settings: EventSettings) -> None:
        self._store = store
        self._settings = settings
        self._name = ""
        self._buffer: deque[Event] = deque()
        self._buffer_size = 0
        # Everything behind this cursor and up to _newest is in the buffer.
        self._buffered_after = BEGINNING
        self._newest = BEGINNING
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()
        self._committed = asyncio.Event()

    @property
    def newest(self) -> Cursor:
        """The cursor of the last event that was seen."""
        return self._newest

    @property
    def poll_seconds(self) -> float:
        """How long to wait before something is tried again that the database refused."""
        return self._settings.poll_seconds

    def text(self, cursor: Cursor) -> str:
        """Return a cursor as clients hold it: opaque, and of this log only; the log must have been tailed."""
        parts = cursor[:2] if cursor.part == WHOLE else cursor
        return base64.urlsafe_b64encode(orjson.dumps([self._name, *parts])).decode().rstrip("=")

    async def place(self, text: str, argument: str) -> Cursor:
        """Return the place that a client's cursor names, from which the log can be followed.

        Raises:
            BadUserInput: it is no cursor, or one of another log, or of events that are not there yet; the message names
                the argument.
            CursorExpired: events behind it are forgotten.
        """
        name, cursor = _decoded(text, argument)
        if name == self._name and self._buffered_after <= cursor <= self._newest:
            return cursor
        # Another process may have seen more than this one.
        known = await events.state(self._store)
        if event_origin.is_of_before(name, known.name):
            raise CursorExpired(
                f"The cursor in '{argument}' is of before this database was restored from another one: the events of "
                "then are forgotten. Go on from 'oldestCursor', and read the present state by a query.",
                oldest_cursor=self.text(known.horizon),
                input_path=(argument,),
            )
        if name != known.name or cursor > known.newest:
            raise BadUserInput(
                f"The cursor in '{argument}' belongs to another log of events; leave '{argument}' out to begin now.",
                input_path=(argument,),
            )
        if cursor < known.horizon:
            raise self._expired(known.horizon, argument)
        return cursor

    def wake(self) -> None:
        """Tell that this process has committed events."""
        self._woken.set()
        self._committed.set()

    async def follow(self, after: Cursor | None = None) -> AsyncGenerator[list[Event]]:
        """Yield the events behind a cursor (None: from now on) in the order of the log, in batches, for ever.

        While the database cannot be reached, the follower waits.

        Raises:
            CursorExpired: the follower fell so far behind that events which it has not seen are forgotten.
        """
        cursor = self._newest if after is None else after
        while True:
            changed = self._changed
            try:
                batch = await self.read(cursor)
            except Unavailable as error:
                logger.warning("a follower waits, the event log cannot be read: %s", error.message)
                await asyncio.sleep(self._settings.poll_seconds)
                continue
            if batch:
                cursor = batch[-1].cursor
                yield batch
            else:
                await changed.wait()

    async def read(self, after: Cursor) -> list[Event]:
        """Return the next events behind a cursor, as far as they are known to this process; none if there are none.

        An event within which the cursor lies comes again, as a whole.

        Raises:
            CursorExpired: some of them are forgotten.
            Unavailable: they have to be read from the database, which cannot be reached.
        """
        if after >= self._newest:
            return []
        if after >= self._buffered_after:
            # From the right: a follower that keeps up is near the end.
            fresh: list[Event] = []
            for event in reversed(self._buffer):
                if event.cursor <= after:
                    break
                fresh.append(event)
            fresh.reverse()
            return fresh[:_BATCH]
        try:
            return await events.after(self._store, after, _BATCH)
        except Forgotten as forgotten:
            raise self._expired(forgotten.horizon) from None

    def _expired(self, horizon: Cursor, argument: str | None = None) -> CursorExpired:
        hours = f"{self._settings.retention_hours:g} h (events.retention_hours)"
        subject = "This stream has fallen behind" if argument is None else f"The cursor in '{argument}' is older than"
        return CursorExpired(
            f"{subject} what the log of events still has, the last {hours}: what came next is forgotten. "
            "Go on from 'oldestCursor', and read the present state by a query.",
            oldest_cursor=self.text(horizon),
            input_path=() if argument is None else (argument,),
        )

    @asynccontextmanager
    async def tailing(self) -> AsyncGenerator[None]:
        """Tail the log while this context is open; raises Unavailable if the database cannot be reached now."""
        known = await self._settled()
        self._name = known.name
        self._begin_at(known.newest)
        works = (self._tail, self._listen, self._notify, self._forget)
        tasks = [asyncio.create_task(self._kept_up(work)) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _settled(self) -> LogState:
        """Return what is known of the log, once it has a name and all its events are of this database."""
        deleted, is_settled = 0, False
        while not is_settled:
            async with self._store.transaction() as transaction:
                step = await event_origin.settle(transaction, _FORGET_BATCH)
            deleted, is_settled = deleted + step.deleted, step.is_settled
            if step.began_anew:
                logger.warning(
                    "this database was restored from another one: its %d events, which are in the order of the "
                    "other's transactions, were deleted, and cursors of before are refused as CURSOR_EXPIRED",
                    deleted,
                )
        return await events.state(self._store)

    def _begin_at(self, cursor: Cursor) -> None:
        self._newest = self._buffered_after = cursor
        self._buffer.clear()
        self._buffer_size = 0

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
            found = await self._found()
            if found:
                self._publish(found)
            if len(found) < _BATCH:
                # Not wait_for, which may swallow a cancellation that comes with the wake-up.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_seconds):
                        await self._woken.wait()

    async def _found(self) -> list[Event]:
        try:
            return await events.after(self._store, self._newest, _BATCH)
        except Forgotten as forgotten:
            # Followers that have not seen what is missing find that out when they read on.
            logger.warning("the event log was out of reach for longer than its retention: events are lost to streams")
            self._begin_at(forgotten.horizon)
            self._wake_followers()
            return await events.after(self._store, self._newest, _BATCH)

    def _publish(self, found: list[Event]) -> None:
        for event in found:
            self._buffer.append(event)
            self._buffer_size += event.size
        while len(self._buffer) > self._settings.buffer_size or self._buffer_size > _BUFFER_CHARACTERS:
            dropped = self._buffer.popleft()
            self._buffered_after = dropped.cursor
            self._buffer_size -= dropped.size
        self._newest = found[-1].cursor
        self._wake_followers()

    def _wake_followers(self) -> None:
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


def _decoded(text: str, argument: str) -> tuple[str, Cursor]:
    """Return the log's name and the place that a client's cursor holds; raises BadUserInput."""
    try:
        padded = text + "=" * (-len(text) % 4)
        found: Any = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        name, *numbers = found
        cursor = Cursor(*numbers)
    except (ValueError, TypeError, binascii.Error):
        raise _malformed(argument) from None
    if not isinstance(name, str) or any(type(each) is not int or not 0 <= each < 2**63 for each in cursor):
        raise _malformed(argument)
    return name, cursor


def _malformed(argument: str) -> BadUserInput:
    return BadUserInput(
        f"The cursor in '{argument}' is malformed; cursors come with the events of a subscription.",
        input_path=(argument,),
    )
