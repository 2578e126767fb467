"""Work whose client has left is cancelled."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

from app.http.refusals import ClientLeft

_GRACE_SECONDS = 0.02


class WhileClientWaits:
    """A block that is cancelled, as `ClientLeft`, when the client disconnects.

    Most answers are ready within milliseconds, so the watch itself starts a little later and costs them one timer.
    """

    __slots__ = ("_left", "_receive", "_task", "_timer", "_watch")

    def __init__(self, receive: Receive, *, grace_seconds: float = _GRACE_SECONDS) -> None:
        self._receive = receive
        self._left = False
        self._watch: asyncio.Task[None] | None = None
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(grace_seconds, self._begin)

    def leave(self) -> None:
        """End the block as if the client had left."""
        self._left = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
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
