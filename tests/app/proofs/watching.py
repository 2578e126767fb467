"""What the proofs share: servers as processes, a subscriber that comes back, and one that keeps what it gets."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

ROOT = Path(__file__).parents[3]
FOLLOW = "subscription ($after: String) { numbered(after: $after) { cursor number } }"


class ServerProcess:
    """A server of the lab's schema, in a process of its own."""

    def __init__(self, database_url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._url = database_url
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Address of its websocket."""
        return f"ws://127.0.0.1:{self._port}/graphql"

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        command = ["-m", "uvicorn", "--factory", "tests.numbered:make", "--port", str(self._port)]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, *command, "--log-level", "warning"),
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": self._url},
        )
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                    writer.close()
                    return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def server_processes(database_url: str, count: int) -> AsyncGenerator[list[ServerProcess]]:
    """Run servers over one database."""
    servers = [ServerProcess(database_url) for _ in range(count)]
    try:
        await asyncio.gather(*(server.start() for server in servers))
        yield servers
    finally:
        await asyncio.gather(*(server.kill() for server in servers))


class Watcher:
    """Follows numbers, and comes back where it was whenever its connection breaks.

    Attributes:
        numbers: what it got, in order.
    """

    def __init__(self, *urls: str) -> None:
        self.numbers: list[int] = []
        self.began = asyncio.Event()
        self._urls = urls
        self._cursor: str | None = None
        self._socket: Any = None
        self._tries = 0

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, TimeoutError):
                await self._watch(self._urls[self._tries % len(self._urls)])
            self._tries += 1
            await asyncio.sleep(0.05)

    def drop(self) -> None:
        """Let the connection break, as a network does."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _watch(self, url: str) -> None:
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as self._socket:
            await self._say(type="connection_init")
            await self._socket.recv()
            payload = {"query": FOLLOW, "variables": {"after": self._cursor}}
            await self._say(id="1", type="subscribe", payload=payload)
            # Answered after the subscription is open: messages of a socket are handled in their order.
            await self._say(id="2", type="subscribe", payload={"query": "{ __typename }"})
            async for text in self._socket:
                message = orjson.loads(text)
                if message["id"] == "2":
                    self.began.set()
                    continue
                event = message["payload"]["data"]["numbered"]
                self.numbers.append(event["number"])
                self._cursor = event["cursor"]

    async def _say(self, **message: Any) -> None:
        await self._socket.send(orjson.dumps(message).decode())


@asynccontextmanager
async def watching(*watchers: Watcher) -> AsyncGenerator[None]:
    """Let them watch while the block runs."""
    tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]
    try:
        async with asyncio.timeout(30):
            await asyncio.gather(*(watcher.began.wait() for watcher in watchers))
        await asyncio.sleep(0.3)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_all_have(count: int, *watchers: Watcher) -> None:
    """Wait until each got so many."""
    async with asyncio.timeout(60):
        while any(len(watcher.numbers) < count for watcher in watchers):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
