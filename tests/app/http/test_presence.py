"""Clients that leave, operations that take too long, and many at once."""

import asyncio
import json

import httpx
import pytest

from app.http.presence import WhileClientWaits
from app.http.refusals import ClientLeft
from tests.app.http.lab import Lab
from tests.app.http.test_body import raw_request
from tests.serving import serving


def request_bytes(query: str) -> bytes:
    """Return a whole request."""
    body = json.dumps({"query": query}).encode()
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


async def test_a_client_that_leaves_cancels_its_operation():
    """The resolver is cancelled as soon as the connection ends."""
    lab = Lab()
    async with serving(lab.app) as url:
        _, writer = await raw_request(url, request_bytes("{ forever }"))
        await asyncio.wait_for(lab.waiting.wait(), 5)
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(lab.cancelled.wait(), 5)


async def test_an_operation_has_a_deadline():
    """The resolver is cancelled and the client told."""
    lab = Lab(operation_timeout_seconds=0.1)
    async with serving(lab.app) as url, httpx.AsyncClient(base_url=url) as client:
        response = await client.post("/graphql", json={"query": "{ forever }"})
        assert response.json()["errors"][0]["extensions"]["code"] == "DEADLINE_EXCEEDED"
        assert lab.cancelled.is_set()


async def test_a_watched_answer_arrives_unharmed():
    """An operation that is slow enough to be watched answers as any other, on a connection that stays."""
    lab = Lab(operation_timeout_seconds=0.1)
    async with serving(lab.app) as url, httpx.AsyncClient(base_url=url) as client:
        for _ in range(3):
            assert (await client.post("/graphql", json={"query": "{ forever }"})).status_code == 200
        assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200


async def test_every_operation_has_a_context_of_its_own():
    """Loaders of one operation must not be seen by another."""
    lab = Lab()
    async with serving(lab.app) as url, httpx.AsyncClient(base_url=url) as client:
        posts = (client.post("/graphql", json={"query": "{ contextId }"}) for _ in range(5))
        await asyncio.gather(*posts)
        assert len({id(context) for context in lab.contexts}) == 5


async def test_the_block_ends_as_client_left():
    """Cancellation from outside stays a cancellation; only the client's absence becomes ClientLeft."""

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientLeft), WhileClientWaits(receive, at_once=True):
        await asyncio.sleep(30)

    async def never() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    async def watched() -> None:
        with WhileClientWaits(never, at_once=True):
            await asyncio.sleep(30)

    task = asyncio.create_task(watched())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
