"""Work whose client has left is cancelled."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

from app.http.refusals import ClientLeft
from models.deadlines import Overdue

_OVERDUE = Overdue(seconds=0.02)


class WhileClientWaits:
    """A block that is cancelled, as `ClientLeft`, when the client disconnects.

    Most answers are ready within milliseconds, so the watch itself starts a little later and costs them nearly nothing.

    Args:
        receive: of the request.
        at_once: do not wait until the watch begins.
    """

    __slots__ = ("_at_once", "_left", "_receive", "_task", "_watch")

    def __init__(self, receive: Receive, *, at_once: bool = False) -> None:
        self._receive = receive
        self._at_once = at_once
        self._left = False
        self._watch: asyncio.Task[None] | None = None
        self._task = asyncio.current_task()

    def leave(self) -> None:
        """End the block as if the client had left."""
        self._left = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> Self:
        if self._at_once:
            self._begin()
        else:
            _OVERDUE.expect(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _OVERDUE.withdraw(self._begin)
        if self._watch is not None:
            self._watch.cancel()
        if self._left:
            if self._task is not None:
                self._task.uncancel()
            raise ClientLeft from None

    def _begin(self) -> None:
        self._watch = asyncio.get_running_loop().create_task(self._wait_for_the_end())

    async def _wait_for_the_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.leave()
