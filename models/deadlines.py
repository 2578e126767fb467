"""Deadlines of many short blocks, for the price of a dictionary entry each.

`asyncio.timeout` sets a timer for each block and takes it back, which adds up where a request takes microseconds.
Blocks that all get the same time are due in the order in which they began, so here one timer looks at the oldest, now
and then.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast


class Overdue:
    """Calls whatever has not been withdrawn when its time is over.

    Attributes:
        seconds: that each has.
    """

    __slots__ = ("_due", "_loop", "_timer", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due: dict[Callable[[], Any], float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, act: Callable[[], Any]) -> None:
        """Call `act` when its time is over, unless it is withdrawn before."""
        loop = asyncio.get_running_loop()
        self._due[act] = due = loop.time() + self.seconds
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._timer = loop.call_at(due, self._look)

    def withdraw(self, act: Callable[[], Any]) -> None:
        """Do not call it."""
        self._due.pop(act, None)

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for act, due in list(self._due.items()):
            if due > now:
                self._timer = loop.call_at(due, self._look)
                return
            del self._due[act]
            act()


class Deadline:
    """A block that raises TimeoutError when its time is over, as that of `asyncio.timeout` does.

    Args:
        overdue: has the time.
    """

    __slots__ = ("_cancelling", "_is_over", "_overdue", "_task")

    def __init__(self, overdue: Overdue) -> None:
        self._overdue = overdue
        self._is_over = False

    def __enter__(self) -> Self:
        """Begin, within a task."""
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._cancelling = self._task.cancelling()
        self._overdue.expect(self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; what was cancelled because it took too long raises TimeoutError."""
        if not self._is_over:
            self._overdue.withdraw(self._end)
        elif (
            self._task.uncancel() <= self._cancelling and kind is not None and issubclass(kind, asyncio.CancelledError)
        ):
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()
