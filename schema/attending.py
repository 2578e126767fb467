"""Subscribers who have taken all there is: what comes next is handed to them without waking a task for each.

Waking a thousand tasks costs as much as sending a thousand messages. Sending mostly does not wait, because the client's
connection takes what is sent: so the one who publishes takes the first step of sending for each. Where it does have to
wait, the subscriber's own task goes on with the rest.
"""

import asyncio
from collections.abc import Coroutine, Generator, Sequence
from typing import Any

from models.repositories.events import Cursor
from schema.response import Deliver, Response


class Attender:
    """A subscriber who has taken all up to a place.

    Attributes:
        after: the place.

    Args:
        after: as above.
        send: hands responses to the client; None for one who takes them by itself.
    """

    __slots__ = ("_done", "_send", "after")

    def __init__(self, after: Cursor, send: Deliver | None) -> None:
        self.after = after
        self._send = send
        self._done: asyncio.Future[Rest | None] = asyncio.get_running_loop().create_future()

    async def attend(self) -> None:
        """Wait until there is something that was not handed over."""
        try:
            rest = await asyncio.shield(self._done)
        except asyncio.CancelledError:
            self._abandon()
            raise
        if rest is not None:
            await rest

    def dismiss(self) -> None:
        """Let the subscriber look for itself."""
        if not self._done.done():
            self._done.set_result(None)

    def push(self, responses: Sequence[Response], reached: Cursor) -> None:
        """Hand over responses, all that there are up to a place."""
        if self._send is None or self._done.done():
            self.dismiss()
            return
        self.after = reached
        sending = self._send(responses)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - raised in the subscriber's own task
            self._done.set_exception(error)
        else:
            self._done.set_result(Rest(sending, waits_for))

    def _abandon(self) -> None:
        if not self._done.done():
            self._done.cancel()
        elif self._done.exception() is None and (rest := self._done.result()) is not None:
            rest.close()


class Rest:
    """The rest of a coroutine whose first step was taken elsewhere; awaited, it goes on."""

    __slots__ = ("_coroutine", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    value = yield waits_for
                except BaseException as error:  # noqa: BLE001 - a cancellation too belongs to the coroutine
                    waits_for = self._coroutine.throw(error)
                else:
                    waits_for = self._coroutine.send(value)
            except StopIteration:
                return

    def close(self) -> None:
        """Give the coroutine up."""
        self._coroutine.close()
