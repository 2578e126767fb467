"""Trusted documents over the wire: named by their ids by HTTP, websockets and event streams."""

import hashlib
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.app.http.lab import Lab
from tests.serving import serving

HELLO = "query Hello($name: String!) { hello(name: $name) }"
DOCUMENTS = {"hello": HELLO, "touch": "mutation { touch }", "count": "subscription { count(target: 1) }"}
HASH = hashlib.sha256(HELLO.encode()).hexdigest()
ADA: dict[str, Any] = {"variables": {"name": "Ada"}}
STREAM = {"accept": "text/event-stream"}


async def posted(body: dict[str, Any], lab: Lab, **options: Any) -> Any:
    """Return the JSON that answers a POST."""
    async with serving(lab.app) as url, httpx.AsyncClient(base_url=url) as client:
        response = await client.post("/graphql", json=body, **options)
        return response.json()


async def operated(socket: ClientConnection, payload: dict[str, Any]) -> Any:
    """Run an operation on a socket and return its one answer, or its errors."""
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    message = json.loads(await socket.recv())
    if message["type"] == "next":
        assert json.loads(await socket.recv())["type"] == "complete"
    return message["payload"]


def code(body: Any) -> str:
    """Return the code of the one error."""
    (error,) = body["errors"]
    return error["extensions"]["code"]


@pytest.mark.parametrize(
    "named",
    [
        {"documentId": "hello"},
        {"documentId": f"sha256:{HASH}"},
        {"query": None, "documentId": "hello"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
        {"query": "", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
        {"query": HELLO},
        {"query": HELLO, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
    ],
)
async def test_a_document_is_named_in_any_of_the_usual_ways(named: dict[str, Any]):
    """By its own id, by its hash, as clients of automatic persisted queries do, and by its text, also where alone."""
    lab = Lab(trusted=DOCUMENTS, only_trusted_documents=True)
    assert await posted({**named, **ADA}, lab) == {"data": {"hello": "hello Ada"}}


async def test_a_get_names_a_document():
    """A query may be a GET; a mutation is refused there, whatever names it."""
    async with serving(Lab(trusted=DOCUMENTS).app) as url, httpx.AsyncClient(base_url=url) as client:
        asked = {"documentId": f"sha256:{HASH}", "variables": '{"name":"Ada"}'}
        assert (await client.get("/graphql", params=asked)).json() == {"data": {"hello": "hello Ada"}}
        apollo = {"extensions": json.dumps({"persistedQuery": {"version": 1, "sha256Hash": HASH}}), **asked}
        del apollo["documentId"]
        assert (await client.get("/graphql", params=apollo)).json() == {"data": {"hello": "hello Ada"}}
        assert (await client.get("/graphql", params={"documentId": "touch"})).status_code == 405


async def test_an_event_stream_names_a_document():
    """Subscriptions too."""
    async with serving(Lab(trusted=DOCUMENTS).app) as url, httpx.AsyncClient(base_url=url) as client:
        response = await client.get("/graphql", params={"documentId": "count"}, headers=STREAM)
        assert 'data: {"data":{"count":0}}' in response.text


async def test_a_websocket_names_a_document():
    """The payload of subscribe is a request as any other."""
    async with (
        serving(Lab(trusted=DOCUMENTS, only_trusted_documents=True).app) as url,
        connect(url.replace("http", "ws") + "/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as socket,
    ):
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        assert await operated(socket, {"documentId": "hello", **ADA}) == {"data": {"hello": "hello Ada"}}
        assert await operated(socket, {"documentId": "count"}) == {"data": {"count": 0}}
        (error,) = await operated(socket, {"query": "{ hello }"})
        assert error["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


async def test_others_are_refused_where_only_trusted_ones_are_answered():
    """What is not on the list is refused before it is parsed."""
    lab = Lab(trusted=DOCUMENTS, only_trusted_documents=True)
    assert code(await posted({"query": "{ hello }"}, lab)) == "DOCUMENT_NOT_TRUSTED"
    assert code(await posted({"query": "{ not GraphQL"}, lab)) == "DOCUMENT_NOT_TRUSTED"


async def test_an_unknown_id_is_told_apart_from_a_server_without_documents():
    """The codes are those after which clients of automatic persisted queries send the text, this time or for good."""
    unknown = {"documentId": "bye"}
    assert code(await posted(unknown, Lab(trusted=DOCUMENTS))) == "PERSISTED_QUERY_NOT_FOUND"
    assert code(await posted(unknown, Lab())) == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert await posted({"query": "{ hello }"}, Lab(trusted=DOCUMENTS)) == {"data": {"hello": "hello you"}}


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": "hello", "query": "{ hello }"},
        {"documentId": ""},
        {"documentId": 7},
        {"extensions": {"persistedQuery": "abc"}},
        {"extensions": {"persistedQuery": {"sha256Hash": 7}}},
        {"extensions": []},
        {},
    ],
)
async def test_what_names_no_document_is_refused(body: dict[str, Any]):
    """Neither, both, or an id of another type."""
    assert code(await posted(body, Lab(trusted=DOCUMENTS))) == "BAD_REQUEST"


async def test_a_trusted_document_is_never_driven_out():
    """However many other documents come by, its plans stay."""
    lab = Lab(trusted=DOCUMENTS, document_cache_size=1)
    documents = lab.endpoint._engine._documents
    before = documents.trusted("hello")
    for number in range(5):
        await posted({"query": f"{{ a{number}: hello }}"}, lab)
    assert documents.get(HELLO) is documents.trusted("hello") is before
