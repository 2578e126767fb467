"""One HTTP request and its response."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from app.http.body import read_body
from app.http.caching import headers_of, is_held, tag_of
from app.http.compression import gzipped, wants_gzip
from app.http.negotiation import MediaKind
from app.http.refusals import Header, Refused
from app.http.responses import send_and_linger, send_bytes, send_not_modified
from models.deadlines import Overdue
from schema.encoding import encode_or_mask


class Exchange:
    """What is known of a request while it is answered.

    Attributes:
        headers: by lower-case name; values of a header that was sent several times are joined by commas.
        kind: what the response will be.
    """

    __slots__ = ("_has_unread_body", "headers", "kind", "method", "query_string", "receive", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.query_string: bytes = scope["query_string"]
        self.headers = _headers(scope["headers"])
        self.kind = MediaKind.JSON
        self.receive = receive
        self.send = send
        self._has_unread_body = b"content-length" in self.headers or b"transfer-encoding" in self.headers

    async def body(self, max_bytes: int, overdue: Overdue) -> bytes:
        """Read the body, of at most some bytes and in time.

        Raises:
            Refused: it is too large or too slow.
            ClientLeft: it never ended.
        """
        body = await read_body(self.receive, self.headers.get(b"content-length"), max_bytes=max_bytes, overdue=overdue)
        self._has_unread_body = False
        return body

    async def answer(
        self,
        status: int,
        body: Mapping[str, Any],
        headers: tuple[Header, ...] = (),
        *,
        compress_min_bytes: int = 0,
        max_age_seconds: int | None = None,
    ) -> None:
        """Send a JSON body.

        Args:
            status: of the response.
            body: is encoded.
            headers: beside those that every response has.
            compress_min_bytes: a smaller body is never compressed; 0 compresses none.
            max_age_seconds: how long the client may keep it; None if it must not.
        """
        content = encode_or_mask(body)
        if compress_min_bytes and len(content) >= compress_min_bytes:
            coding = b"gzip" if wants_gzip(self.headers.get(b"accept-encoding")) else None
            varies = (b"accept-encoding",)
        else:
            coding, varies = None, ()
        if max_age_seconds is not None:
            tag = tag_of(content, coding)
            headers = (*headers, *headers_of(tag, max_age_seconds))
            varies = (b"accept", b"authorization", *varies)
            if is_held(self.headers.get(b"if-none-match"), tag):
                await send_not_modified(self.send, (*headers, (b"vary", b", ".join(varies))))
                return
        if varies:
            headers = (*headers, (b"vary", b", ".join(varies)))
        if coding is not None:
            content = await gzipped(content)
            headers = (*headers, (b"content-encoding", coding))
        # A client that waits for "100 Continue" sends nothing more once it is refused.
        if self._has_unread_body and b"expect" not in self.headers:
            await send_and_linger(self.send, self.receive, status, self.kind, content, headers=headers)
        else:
            await send_bytes(self.send, status, self.kind, content, headers)

    async def refuse(self, refused: Refused) -> None:
        """Send what is wrong with the request."""
        if self.kind is not MediaKind.GRAPHQL_JSON:
            self.kind = MediaKind.JSON
        await self.answer(refused.status, refused.body(), refused.headers)


def _headers(raw: list[Header]) -> dict[bytes, bytes]:
    headers = dict(raw)
    if len(headers) != len(raw):
        for name in headers:
            headers[name] = b", ".join(value for each, value in raw if each == name)
    return headers
