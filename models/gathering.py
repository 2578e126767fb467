"""Reads of many operations, gathered: what is asked for in the same turn of the event loop shares a statement.

A server under load handles many requests in a turn, and those of one document ask for the same kinds of things. So the
more there is to do the less each costs; an idle server loses nothing but the turn. Nobody is answered from an earlier
read: a statement begins after all who share it have asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar, cast

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

Load = Callable[[list[K]], Awaitable[T]]


class _Turn:
    """What is asked for in one turn: of what, and by whom."""

    __slots__ = ("load", "task", "waiting", "wanted")

    def __init__(self, load: Load[Any, Any]) -> None:
        self.load = load
        self.task: asyncio.Task[None] | None = None
        self.wanted: list[Any] = []
        self.waiting: list[asyncio.Future[Any]] = []


class Gatherer:
    """Gathers reads."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def gather(self, what: Hashable, wanted: Sequence[K], load: Load[K, T]) -> T:
        """Return what `load` returns for everything that is wanted of the same.

        Args:
            what: is read; all that ask for an equal one in a turn share the first one's `load`.
            wanted: of it, as ids; the result is for these and what others want.
            load: reads it; it is cancelled once nobody waits for it any more.
        """
        loop = asyncio.get_running_loop()
        turn = self._turns.get(what)
        if turn is None:
            turn = self._turns[what] = _Turn(load)
            # It begins with the next turn, and takes whoever has joined by then.
            turn.task = loop.create_task(self._answer(what))
            self._running.add(turn.task)
            turn.task.add_done_callback(self._running.discard)
        future: asyncio.Future[Any] = loop.create_future()
        turn.wanted.extend(wanted)
        turn.waiting.append(future)
        try:
            return cast("T", await future)
        except asyncio.CancelledError:
            self._left(what, turn)
            raise

    def _left(self, what: Hashable, turn: _Turn) -> None:
        """End a read for which nobody waits any more, as a statement ends whose client has left."""
        if turn.task is not None and not _still(turn):
            if self._turns.get(what) is turn:
                del self._turns[what]
            turn.task.cancel()

    async def _answer(self, what: Hashable) -> None:
        turn = self._turns.pop(what)
        try:
            found = await turn.load(list(dict.fromkeys(turn.wanted)))
        except asyncio.CancelledError:
            for future in turn.waiting:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - raised again in everyone who waits
            for future in _still(turn):
                future.set_exception(error)
        else:
            for future in _still(turn):
                future.set_result(found)


def _still(turn: _Turn) -> list[asyncio.Future[Any]]:
    return [future for future in turn.waiting if not future.done()]
