"""Malformed requests: each is a 4xx with a GraphQL error, never a 500, and none holds the server."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from tests.app.http.lab import Lab
from tests.serving import serving

MALFORMED = {
    "empty": b"",
    "not JSON": b'{"query": ',
    "a text": b'"{ hello }"',
    "a number": b"1",
    "null": b"null",
    "a batch": b'[{"query": "{ hello }"}]',
    "an empty batch": b"[]",
    "no query": b"{}",
    "empty query": b'{"query": ""}',
    "query null": b'{"query": null}',
    "query number": b'{"query": 1}',
    "query object": b'{"query": {"a": 1}}',
    "variables array": b'{"query": "{ hello }", "variables": []}',
    "variables text": b'{"query": "{ hello }", "variables": "{}"}',
    "variables number": b'{"query": "{ hello }", "variables": 0}',
    "operationName number": b'{"query": "{ hello }", "operationName": 1}',
    "operationName object": b'{"query": "{ hello }", "operationName": {}}',
    "extensions text": b'{"query": "{ hello }", "extensions": "x"}',
    "extensions array": b'{"query": "{ hello }", "extensions": [1]}',
    "query twice": b'{"query": "{ hello }", "query": "{ hello }"}',
    "variables twice": b'{"variables": {"a": 1}, "query": "{ hello }", "variables": {}}',
    "trailing text": b'{"query": "{ hello }"} x',
    "invalid UTF-8": b'{"query": "{ hello(name: \\"\xff\xfe\\") }"}',
    "UTF-16": '{"query": "{ hello }"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"query": "{ hello }"}',
    "lone surrogate escaped": b'{"query": "{ hello }", "variables": {"a": "\\ud800"}}',
    "lone surrogate in query": b'{"query": "\\udc00{ hello }"}',
    "lone surrogate in bytes": b'{"query": "{ hello }", "operationName": "\xed\xa0\x80"}',
    "NUL raw": b'{"query": "{ hello }\x00"}',
    "NUL in query": b'{"query": "{ hello }\\u0000"}',
    "NUL in variables": b'{"query": "{ hello }", "variables": {"a": [{"b": "x\\u0000"}]}}',
    "NUL in a name": b'{"query": "{ hello }", "variables": {"a\\u0000": 1}}',
    "NUL in operationName": b'{"query": "{ hello }", "operationName": "\\u0000"}',
    "NaN": b'{"query": "{ hello }", "variables": {"a": NaN}}',
    "Infinity": b'{"query": "{ hello }", "variables": {"a": -Infinity}}',
    "number beyond double": b'{"query": "{ hello }", "variables": {"a": 1e999}}',
    "integer of thousands of digits": b'{"query": "{ hello }", "variables": {"a": ' + b"9" * 5000 + b"}}",
    "deep arrays": b'{"query": "{ hello }", "variables": {"a": ' + b"[" * 40_000 + b"]" * 40_000 + b"}}",
    "deep objects": b'{"a":' * 15_000 + b"1" + b"}" * 15_000,
}


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    """An endpoint with the lab's settings."""
    async with serving(Lab().app) as url:
        yield url


@pytest.fixture(scope="module")
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that endpoint."""
    async with httpx.AsyncClient(base_url=url) as client:
        yield client


def assert_refused(response: httpx.Response, status: int = 400) -> str:
    """Check that the body is a GraphQL error; return its code."""
    assert response.status_code == status, response.text
    body = response.json()
    assert list(body) == ["errors"]
    assert body["errors"][0]["message"]
    return body["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_malformed_bodies_are_refused(client: httpx.AsyncClient, content: bytes, accept: str):
    """What is not one request in strict JSON is 400 whatever the client accepts."""
    headers = {"content-type": "application/json", "accept": accept}
    assert assert_refused(await client.post("/graphql", content=content, headers=headers)) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "query=%7Bhello%7D&query=%7Bhello%7D",
        "query=%7Bhello%7D&variables=[]",
        "query=%7Bhello%7D&variables=x",
        'query=%7Bhello%7D&variables={"a":"%5Cu0000"}',
        "query=%7Bhello%7D%00",
        "query=%ff",
        "query=%ED%A0%80",
        "query=%7Bhello%7D&extensions=1",
        "&".join(f"a{number}=1" for number in range(1000)),
    ],
)
async def test_malformed_query_strings_are_refused(client: httpx.AsyncClient, query_string: str):
    """The parameters of a GET are held to the same rules."""
    assert assert_refused(await client.get(f"/graphql?{query_string}")) == "BAD_REQUEST"


async def test_null_parameters_count_as_absent(client: httpx.AsyncClient):
    """Clients send null for what they do not use, and parameters that we do not know."""
    fields = {"query": "{ hello }", "variables": None, "operationName": None, "extensions": None, "more": 1}
    assert (await client.post("/graphql", json=fields)).json() == {"data": {"hello": "hello you"}}


async def test_an_escaped_backslash_before_u0000_is_no_nul(client: httpx.AsyncClient):
    """The six characters are a text like any other."""
    body = b'{"query": "query Q($n: String) { hello(name: $n) }", "variables": {"n": "\\\\u0000 \\"query\\""}}'
    response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.json() == {"data": {"hello": 'hello \\u0000 "query"'}}


async def test_variables_nested_as_deep_as_json_allows_are_answered(client: httpx.AsyncClient):
    """Below the parser's own limit, the type of the variable decides; nothing overflows."""
    body = (
        b'{"query": "query Q($n: String) { hello(name: $n) }", "variables": {"n": ' + b"[" * 1000 + b"]" * 1000 + b"}}"
    )
    headers = {"content-type": "application/json", "accept": "application/graphql-response+json"}
    assert assert_refused(await client.post("/graphql", content=body, headers=headers)) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "query", ["{ hello" * 3000, "{" * 1500 + "}" * 1500, "[" * 1900], ids=["long", "deep", "lists"]
)
async def test_hostile_documents_are_refused(client: httpx.AsyncClient, query: str):
    """A document beyond tokens or nesting is a syntax error."""
    headers = {"accept": "application/graphql-response+json"}
    response = await client.post("/graphql", json={"query": query}, headers=headers)
    assert assert_refused(response) == "GRAPHQL_PARSE_FAILED"


async def test_a_body_over_the_limit_is_refused_by_its_length(client: httpx.AsyncClient):
    """413 names the setting; 50 MB are sent and read away, and the client sees the answer."""
    headers = {"content-type": "application/json"}
    response = await client.post("/graphql", content=b" " * 50_000_000, headers=headers)
    assert assert_refused(response, 413) == "LIMIT_EXCEEDED"
    assert "server.max_body_bytes" in response.text


async def test_a_body_over_the_limit_is_refused_while_it_streams(client: httpx.AsyncClient):
    """A body that does not tell its length is counted."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 10_000

    headers = {"content-type": "application/json"}
    assert assert_refused(await client.post("/graphql", content=chunks(), headers=headers), 413) == "LIMIT_EXCEEDED"


async def raw_request(url: str, *parts: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection and send bytes as they are."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for part in parts:
        writer.write(part)
    await writer.drain()
    return reader, writer


HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 22\r\n"


async def test_a_body_in_pieces_is_put_together(url: str):
    """Chunks are joined, wherever they break."""
    body = b'{"query": "{ hello }"}'
    reader, writer = await raw_request(url, HEAD, b"\r\n", body[:5])
    await asyncio.sleep(0.05)
    writer.write(body[5:])
    assert b" 200 OK" in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_body_that_takes_too_long_is_refused():
    """408, and the connection ends."""
    async with serving(Lab(body_timeout_seconds=0.1).app) as url:
        reader, writer = await raw_request(url, HEAD, b"\r\n", b'{"query"')
        head, _, content = (await reader.readuntil(b"}]}")).partition(b"\r\n\r\n")
        assert b" 408 " in head
        assert b"connection: close" in head
        assert orjson.loads(content)["errors"][0]["extensions"]["code"] == "REQUEST_TIMEOUT"
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_waits_for_continue_is_refused_at_once(url: str):
    """A declared length over the limit is answered before the body is asked for."""
    head = HEAD.replace(b"22", b"999999999") + b"Expect: 100-continue\r\n\r\n"
    reader, writer = await raw_request(url, head)
    assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_truncated_body_leaves_the_server_well(url: str, client: httpx.AsyncClient):
    """A client that goes away in mid-body gets nothing and harms nothing."""
    reader, writer = await raw_request(url, HEAD, b"\r\n", b'{"query"')
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200
