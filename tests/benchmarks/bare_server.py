"""The bare endpoint: an ASGI application that passes on the JSON which PostgreSQL built in one statement.

It is the measure of what Python can do at all: no routing, no GraphQL, no checks.
"""

import base64
import os
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from starlette.types import Receive, Scope, Send

from tests.benchmarks.catalogue import documents

DSN_VARIABLE = "BENCHMARK_DSN"
END_VARIABLE = "BENCHMARK_END"


async def _no_reset(_connection: Any) -> None:
    """Spare the round trip that would reset a connection, as the server that is measured does."""


class BareEndpoint:
    """Answers POST /<name of a document>."""

    def __init__(self, dsn: str, end: datetime) -> None:
        self._dsn = dsn
        self._documents = {f"/{each.name}": each for each in documents(end)}
        self._pool: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the lifespan or one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        document = self._documents[scope["path"]]
        request = orjson.loads((await receive())["body"])
        arguments: list[int] = []
        if document.asks_device:
            arguments = [int(base64.b64decode(request["variables"]["id"]).partition(b":")[2])]
        async with self._pool.acquire() as connection:
            text: str = await connection.fetchval(document.sql, *arguments)
        content = text.encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._pool = await asyncpg.create_pool(self._dsn, min_size=2, max_size=10, reset=_no_reset)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


def make() -> BareEndpoint:
    """Return the application of this process's environment."""
    return BareEndpoint(os.environ[DSN_VARIABLE], datetime.fromisoformat(os.environ[END_VARIABLE]))
