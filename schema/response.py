"""What a client gets."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

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
    _content: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the response format."""
        if self.is_request_error:
            return {"errors": self.errors}
        if self.errors:
            return {"errors": self.errors, "data": self.data}
        return {"data": self.data}

    @property
    def content(self) -> bytes:
        """The body as JSON in UTF-8; encoded once, however many clients get it."""
        if self._content is None:
            self._content = encode_or_mask(self.body())
        return self._content


Deliver: TypeAlias = Callable[[Sequence[Response]], Coroutine[Any, Any, None]]
"""Hands responses to a client; waits while the client does not take them."""
Take: TypeAlias = Callable[[Sequence[Response]], bool]
"""Hands responses to a client at once, all of them, and says so; does nothing where the client would have to wait."""
Batches: TypeAlias = Callable[[Take | None], AsyncGenerator[Sequence[Response]]]
"""Opens a stream of batches; what was taken meanwhile is not among them."""


class Responses(AsyncIterator[Response]):
    """The responses of a subscription: iterated one by one, or delivered as many at once as are there.

    Args:
        batches: opens the stream, once; the event loop is not held between batches.
        close: called when the responses are closed, whether any was asked for or not.
    """

    def __init__(self, batches: Batches, close: Callable[[], Awaitable[None]] | None = None) -> None:
        self._open = batches
        self._batches: AsyncGenerator[Sequence[Response]] | None = None
        self._close = close
        self._pending: deque[Response] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Response:
        if self._batches is None:
            self._batches = self._open(None)
        while not self._pending:
            self._pending.extend(await anext(self._batches))
        return self._pending.popleft()

    async def deliver(self, send: Deliver, take: Take | None = None) -> Response | None:
        """Hand on all responses until the stream ends; return the error that ended it, which is not handed on.

        Args:
            send: hands them to the client.
            take: does so where nobody has to wait; called between two calls of `send`, and from any task.
        """
        self._batches = self._open(take)
        async for batch in self._batches:
            if batch[-1].is_request_error:
                return batch[-1]
            await send(batch)
        return None

    async def aclose(self) -> None:
        """End the subscription; nothing of it is left when this returns."""
        try:
            if self._batches is not None:
                await self._batches.aclose()
        finally:
            if self._close is not None:
                close, self._close = self._close, None
                await close()


async def one_by_one(responses: AsyncIterator[Response]) -> AsyncGenerator[Sequence[Response]]:
    """Return responses as batches of one."""
    async for response in responses:
        yield (response,)
        await asyncio.sleep(0)  # a source that never waits must not hold the event loop
