"""Rows by their ids, looked up together across operations.

Lookups of one kind that are asked for in the same turn of the event loop share a statement, whichever operations they
belong to. A server under load handles many requests in a turn, so the more there is to do the less each costs; an idle
one loses nothing but the turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from models.statements import Row, Statement

Found: TypeAlias = Mapping[int, Row]
Look: TypeAlias = Callable[[Statement, list[int]], Awaitable[Sequence[Row]]]


class _Turn:
    """The lookups of one turn: what is wanted, and who waits for it."""

    __slots__ = ("ids", "waiting")

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.waiting: list[asyncio.Future[Found]] = []


class Lookups:
    """Looks rows up by id.

    Args:
        look: runs a statement whose one parameter is the ids; its rows have a column `id`.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._turns: dict[Statement, _Turn] = {}
        self._running: set[asyncio.Task[None]] = set()

    def find(self, statement: Statement, ids: Sequence[int]) -> Awaitable[Found]:
        """Return the rows by id: at least those of these ids that exist."""
        loop = asyncio.get_running_loop()
        turn = self._turns.get(statement)
        if turn is None:
            turn = self._turns[statement] = _Turn()
            # It begins with the next turn, and takes whoever has joined by then.
            task = loop.create_task(self._answer(statement))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        future: asyncio.Future[Found] = loop.create_future()
        turn.ids.extend(ids)
        turn.waiting.append(future)
        return future

    async def _answer(self, statement: Statement) -> None:
        turn = self._turns.pop(statement)
        try:
            ids = turn.ids if len(turn.waiting) == 1 else list(dict.fromkeys(turn.ids))
            found = {row["id"]: row for row in await self._look(statement, ids)}
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


def _still(turn: _Turn) -> list[asyncio.Future[Found]]:
    return [future for future in turn.waiting if not future.done()]
