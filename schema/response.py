"""What a client gets."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from schema.encoding import encode_or_mask
from schema.errors import FormattedError


@dataclass(slots=True)
class Response:
    """What a client gets.

    Attributes:
        data: the answer; None where an error reached the root.
        errors: formatted errors, each with `extensions.code`.
        is_request_error: there is no answer at all (syntax, validation, variables, a subscription that broke); such a
            body has no `data`, and nothing follows it.
    """

    data: dict[str, Any] | None
    errors: list[FormattedError] | None = None
    is_request_error: bool = False
    _text: str | None = field(default=None, init=False, repr=False, compare=False)

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the response format."""
        if self.is_request_error:
            return {"errors": self.errors}
        if self.errors:
            return {"errors": self.errors, "data": self.data}
        return {"data": self.data}

    @property
    def text(self) -> str:
        """The body as JSON; encoded once, however many clients get it."""
        if self._text is None:
            self._text = encode_or_mask(self.body()).decode()
        return self._text


class Responses(AsyncIterator[Response]):
    """The responses of a subscription: one by one, or as many at once as are there.

    Attributes:
        batches: those of a batch are there together; between batches the event loop is not held.

    Args:
        batches: as above.
        close: called when the responses are closed, whether any was asked for or not.
    """

    def __init__(
        self, batches: AsyncGenerator[Sequence[Response]], close: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.batches = batches
        self._close = close
        self._pending: deque[Response] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Response:
        while not self._pending:
            self._pending.extend(await anext(self.batches))
        return self._pending.popleft()

    async def aclose(self) -> None:
        """End the subscription; nothing of it is left when this returns."""
        try:
            await self.batches.aclose()
        finally:
            if self._close is not None:
                close, self._close = self._close, None
                await close()


async def one_by_one(responses: AsyncIterator[Response]) -> AsyncGenerator[Sequence[Response]]:
    """Return responses as batches of one."""
    async for response in responses:
        yield (response,)
        await asyncio.sleep(0)  # a source that never waits must not hold the event loop
