"""A client of a real server: documents over HTTP, and one subscription on a websocket."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    """Return the data that a document is answered with."""
    body = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in body, body
    return body["data"]


@asynccontextmanager
async def dashboard(base_url: str, query: str, variables: dict[str, Any]) -> AsyncGenerator[Any]:
    """Subscribe on a websocket; what it yields receives the messages of the subscription."""
    url = base_url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # pyright: ignore[reportArgumentType]
        await socket.send('{"type": "connection_init"}')
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        for id_, payload in (("1", {"query": query, "variables": variables}), ("2", {"query": "{ __typename }"})):
            await socket.send(orjson.dumps({"id": id_, "type": "subscribe", "payload": payload}).decode())
        yield _Subscription(socket, await _behind(socket, "2"))


@dataclass
class _Subscription:
    """A socket, and what it has heard but not told yet."""

    socket: Any
    early: list[str]

    async def recv(self) -> str:
        return self.early.pop(0) if self.early else await self.socket.recv()


async def _behind(socket: Any, id_: str) -> list[str]:
    """Wait for the end of a query that was asked behind a subscription; return what this said meanwhile."""
    early: list[str] = []
    while True:
        text = await socket.recv()
        message = orjson.loads(text)
        if message["id"] != id_:
            early.append(text)
        elif message["type"] == "complete":
            return early


async def until(socket: Any, field: str, **wanted: Any) -> list[Any]:
    """Return the events of a socket's one subscription up to the one with these values in a field."""
    heard: list[Any] = []
    while not heard or any(heard[-1][field][key] != value for key, value in wanted.items()):
        message = orjson.loads(await socket.recv())
        heard += message["payload"]["data"].values()
    return heard
