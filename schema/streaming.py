"""Subscribers that ask for the same share one stream: one projection, one execution and one encoding of each event.

A group has one task that goes along the log at its end and keeps the newest responses. A subscriber that keeps up takes
them from there; one that begins earlier, or has fallen behind, reads on from its own place in the log, together with
those that happen to be at the same one. What a subscriber costs is a cursor. The task goes on only when somebody has
taken all that there was: nothing is made ready for readers who are all slow.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from models.repositories.events import Cursor, Event
from schema.answers import Answering, Items
from schema.attending import Attender
from schema.response import Response, Responses, Take

T = TypeVar("T")

# Of the log: what is answered at once. A reading is some 25 characters of an event's payload.
_SLICE_EVENTS = 100
_SLICE_CHARACTERS = 16_000
# Of responses: what is handed out at once, and what is kept for subscribers who are a little behind.
_BATCH = 100
_HANDED_OVER = 100  # subscribers at a time
_KEPT_RESPONSES = 1000
_KEPT_BYTES = 1_000_000
# Of answers to older events: what those find who come to the same place a moment later.
_KEPT_REPLAYS = 2
_REPLAY_SECONDS = 0.5


class Group:
    """Those who share a stream.

    Args:
        answering: answers its events.
        failure: tells clients of an exception that ends the stream.
        ended: called when the last one has left, or the stream has failed.
    """

    def __init__(
        self, answering: Answering, failure: Callable[[Exception], Response], ended: Callable[["Group"], None]
    ) -> None:
        self._answering = answering
        self._failure_of = failure
        self._ended = ended
        self._members = 0
        # Responses to everything behind _kept_after and up to _reached.
        self._kept: deque[tuple[Cursor, Response]] = deque()
        self._kept_bytes = 0
        self._kept_after = self._reached = answering.log.newest
        self._failure: Response | None = None
        # Those who have taken all there is.
        self._attending: set[Attender] = set()
        self._wanted = asyncio.Event()
        self._replays: dict[Cursor, asyncio.Task[tuple[Items, Cursor]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def join(self, start: Cursor) -> Responses:
        """Return the responses to what happens behind a place of the log."""
        if not self._members:
            self._run(self._go_along())
        self._members += 1
        return Responses(lambda take: self._follow(start, take), self._leave)

    async def _leave(self) -> None:
        self._members -= 1
        if self._members:
            return
        self._ended(self)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _follow(self, start: Cursor, take: Take | None) -> AsyncGenerator[Sequence[Response]]:
        """Yield the responses behind a place, but for what was taken while there was nothing to yield."""
        after = start
        while True:
            if after >= self._reached:
                if self._failure is not None:
                    yield (self._failure,)
                    return
                after = await self._attend(after, take)
                continue
            items, after = self._newer(after) if after >= self._kept_after else await self._older(after)
            for place in range(0, len(items), _BATCH):
                yield [response for _, response in items[place : place + _BATCH]]
                await asyncio.sleep(0)  # a long replay must not hold the event loop
            if items and items[-1][1].is_request_error:
                return

    async def _attend(self, after: Cursor, take: Take | None) -> Cursor:
        attender = Attender(after, take)
        self._attending.add(attender)
        self._wanted.set()
        try:
            await attender.attend()
        finally:
            self._attending.discard(attender)
        return attender.after

    def _newer(self, after: Cursor) -> tuple[Items, Cursor]:
        # From the right: a subscriber that keeps up is near the end.
        fresh: Items = []
        for item in reversed(self._kept):
            if item[0] <= after:
                break
            fresh.append(item)
        fresh.reverse()
        return (fresh, self._reached) if len(fresh) <= _BATCH else (fresh[:_BATCH], fresh[_BATCH - 1][0])

    async def _older(self, after: Cursor) -> tuple[Items, Cursor]:
        task = self._replays.get(after)
        if task is None:
            while len(self._replays) >= _KEPT_REPLAYS:
                del self._replays[next(iter(self._replays))]
            task = self._replays[after] = self._run(self._replay(after))
            task.add_done_callback(lambda _: self._forget_later(after))
        return await asyncio.shield(task)

    def _forget_later(self, after: Cursor) -> None:
        asyncio.get_running_loop().call_later(_REPLAY_SECONDS, self._replays.pop, after, None)

    async def _replay(self, after: Cursor) -> tuple[Items, Cursor]:
        reached = after
        try:
            while True:
                some = next(_slices(await self._answering.read(reached)))
                answers = await self._answering.answers(some)
                items = [item for item in answers if item[0] > after]
                reached = some[-1].cursor
                if items or reached >= self._kept_after:
                    return items, reached
        except Exception as error:  # noqa: BLE001 - whatever ends a stream is told to its client, masked
            return [(after, self._failure_of(error))], after

    async def _go_along(self) -> None:
        try:
            async with aclosing(self._answering.log.follow(self._reached)) as batches:
                async for events in batches:
                    for some in _slices(events):
                        await self._wanted.wait()
                        await self._publish(await self._answering.answers(some), some[-1].cursor)
        except Exception as error:  # noqa: BLE001 - whatever ends a stream is told to its clients, masked
            self._failure = self._failure_of(error)
            self._ended(self)
            for attender in self._attending:
                attender.dismiss()

    async def _publish(self, items: Items, reached: Cursor) -> None:
        self._reached = reached
        if not items:
            return
        if self._members == 1:
            # The only one there is has taken all.
            self._drop(len(self._kept))
        self._kept.extend(items)
        self._kept_bytes += sum(len(response.content) for _, response in items)
        while len(self._kept) > _KEPT_RESPONSES or self._kept_bytes > _KEPT_BYTES:
            self._drop(1)
        await self._hand_over(items)

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._kept_after, response = self._kept.popleft()
            self._kept_bytes -= len(response.content)

    async def _hand_over(self, items: Items) -> None:
        self._wanted.clear()
        responses = [response for _, response in items]
        for count, attender in enumerate(tuple(self._attending), 1):
            if attender.after < items[0][0] and len(items) <= _BATCH:
                attender.push(responses, self._reached)
            else:
                attender.dismiss()
            if count % _HANDED_OVER == 0:
                await asyncio.sleep(0)  # many subscribers must not hold the event loop
        if self._attending:
            self._wanted.set()


class Groups:
    """The groups of a process, each as long as somebody is in it."""

    def __init__(self, failure: Callable[[Exception], Response]) -> None:
        self._failure = failure
        self._groups: dict[Hashable, Group] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def join(self, key: Hashable, start: Cursor, answering: Callable[[], Answering]) -> Responses:
        """Return the responses to what happens behind a place of the log.

        Args:
            key: equal for those who share.
            start: the place.
            answering: makes what answers events, for a group that is new.
        """
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(answering(), self._failure, lambda ended: self._drop(key, ended))
        return group.join(start)

    def _drop(self, key: Hashable, group: Group) -> None:
        if self._groups.get(key) is group:
            del self._groups[key]


def _slices(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    start = size = 0
    for place, event in enumerate(events):
        if place > start and (place - start == _SLICE_EVENTS or size + event.size > _SLICE_CHARACTERS):
            yield events[start:place]
            start, size = place, 0
        size += event.size
    yield events[start:]
