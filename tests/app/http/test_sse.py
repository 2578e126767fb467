"""Server-sent events: any operation as a stream of next events, then complete."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from tests.app.http.lab import Lab
from tests.serving import serving

STREAM = {"accept": "text/event-stream"}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an endpoint with the lab's settings."""
    async with serving(Lab().app) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


def events(text: str) -> list[tuple[str, object]]:
    """Return the events of a stream, without comments."""
    found: list[tuple[str, object]] = []
    for block in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            data = fields["data"].strip()
            found.append((fields["event"].strip(), orjson.loads(data) if data else None))
    return found


async def test_a_subscription_is_a_stream_of_events(client: httpx.AsyncClient):
    """Each value is a next, the end is complete."""
    response = await client.post("/graphql", json={"query": "subscription { count(target: 2) }"}, headers=STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert events(response.text) == [
        ("next", {"data": {"count": 0}}),
        ("next", {"data": {"count": 1}}),
        ("complete", None),
    ]


@pytest.mark.parametrize("query", ["{ hello }", "subscription { count(target: 1) }"])
async def test_any_operation_may_be_read_by_event_source(client: httpx.AsyncClient, query: str):
    """A GET is enough, as browsers send it."""
    response = await client.get("/graphql", params={"query": query}, headers=STREAM)
    assert [name for name, _ in events(response.text)] == ["next", "complete"]


async def test_mutations_need_a_post_here_too(client: httpx.AsyncClient):
    """A foreign page must not write by an event source."""
    response = await client.get("/graphql", params={"query": "mutation { touch }"}, headers=STREAM)
    assert response.status_code == 405


async def test_errors_are_events_of_the_stream(client: httpx.AsyncClient):
    """An event source cannot read the body of an error status, so what is wrong comes as an event."""
    response = await client.post("/graphql", json={"query": "{ nope }"}, headers=STREAM)
    (name, payload), end = events(response.text)
    assert name == "next"
    assert isinstance(payload, dict)
    assert payload["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert end == ("complete", None)


async def test_a_reader_that_leaves_cancels_the_stream():
    """The resolver ends when the connection does; until then comments keep it open."""
    lab = Lab(keep_alive_seconds=0.02)
    async with serving(lab.app) as url, httpx.AsyncClient(base_url=url) as client:
        parameters = {"query": "subscription { ticks }"}
        async with client.stream("GET", "/graphql", params=parameters, headers=STREAM) as response:
            heard = ""
            async for text in response.aiter_text():
                heard += text
                if heard.count(":\n\n") > 3:
                    break
            assert events(heard) == [("next", {"data": {"ticks": 1}})]
        await asyncio.wait_for(lab.cancelled.wait(), 5)


async def test_shutdown_ends_streams_without_complete():
    """A stream that breaks off is opened again by its client."""
    lab = Lab()
    async with serving(lab.app) as url, httpx.AsyncClient(base_url=url) as client:
        parameters = {"query": "subscription { ticks }"}
        async with client.stream("GET", "/graphql", params=parameters, headers=STREAM) as response:
            chunks = response.aiter_text()
            heard = await anext(chunks)
            await asyncio.wait_for(lab.waiting.wait(), 5)
            await lab.endpoint.close()
            with contextlib.suppress(httpx.RemoteProtocolError):
                async for text in chunks:
                    heard += text
        assert "complete" not in heard
        assert lab.cancelled.is_set()
