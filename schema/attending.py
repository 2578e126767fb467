"""Subscribers who have taken all there is: what comes next is handed to them without waking a task for each.

Waking a thousand tasks costs as much as sending a thousand messages. A client's connection mostly takes what is sent at
once: so the one who publishes hands it over. Where a connection does not take it, or there is no way to hand anything
over, the subscriber's own task wakes and looks for itself.
"""

import asyncio
from collections.abc import Sequence

from models.repositories.events import Cursor
from schema.response import Response, Take


class Attender:
    """A subscriber who has taken all up to a place.

    Attributes:
        after: the place.

    Args:
        after: as above.
        take: hands responses to the client at once; None for one who takes them by itself.
    """

    __slots__ = ("_take", "_woken", "after")

    def __init__(self, after: Cursor, take: Take | None) -> None:
        self.after = after
        self._take = take
        self._woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def attend(self) -> None:
        """Wait until there is something that was not handed over; raises what handing over raised."""
        await self._woken

    def dismiss(self) -> None:
        """Let the subscriber look for itself."""
        if not self._woken.done():
            self._woken.set_result(None)

    def push(self, responses: Sequence[Response], reached: Cursor) -> None:
        """Hand over responses, all that there are up to a place."""
        if self._woken.done():
            return
        try:
            if self._take is not None and self._take(responses):
                self.after = reached
            else:
                self._woken.set_result(None)
        except Exception as error:  # noqa: BLE001 - raised in the subscriber's own task
            self._woken.set_exception(error)
