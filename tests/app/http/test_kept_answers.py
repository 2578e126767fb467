"""Answers that are kept by clients, and answers that are compressed."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.http.compression import wants_gzip
from tests.app.http.lab import LOCKED, Lab
from tests.serving import serving

DOCUMENTS = {
    "hello": "query ($name: String) { hello(name: $name) }",
    "caller": "{ caller }",
    "broken": "{ broken }",
    "missing": "{ missing }",
    "count": "subscription { count(target: 1) }",
}
PLAIN = {"accept-encoding": "identity"}


@asynccontextmanager
async def client_of(**changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with trusted documents."""
    async with (
        serving(Lab(trusted=DOCUMENTS, allowed_origins=(), **changes).app) as url,
        httpx.AsyncClient(base_url=url, headers=PLAIN) as client,
    ):
        yield client


async def test_an_answer_is_kept_until_it_changes():
    """A tag names the bytes; who sends it back gets 304 and nothing else, until the answer is another."""
    async with client_of(trusted_max_age_seconds=7) as client:
        asked = {"documentId": "hello", "variables": '{"name":"Ada"}'}
        first = await client.get("/graphql", params=asked)
        assert first.json() == {"data": {"hello": "hello Ada"}}
        assert first.headers["cache-control"] == "private, max-age=7, must-revalidate"
        assert first.headers["vary"] == "accept, authorization"
        tag = first.headers["etag"]
        for held in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = await client.get("/graphql", params=asked, headers={"if-none-match": held})
            assert (again.status_code, again.content) == (304, b"")
            assert (again.headers["etag"], again.headers["vary"]) == (tag, "accept, authorization")
            assert "content-type" not in again.headers
        other = await client.get("/graphql", params={"documentId": "hello"}, headers={"if-none-match": tag})
        assert other.json() == {"data": {"hello": "hello you"}}
        assert other.headers["etag"] != tag


async def test_answers_of_two_callers_have_two_tags():
    """What a token may see decides the bytes; without a token nothing is told, tag or not."""
    async with client_of(auth=LOCKED) as client:
        panel = {"authorization": "Bearer panel-secret"}
        tag = (await client.get("/graphql", params={"documentId": "caller"}, headers=panel)).headers["etag"]
        stranger = await client.get("/graphql", params={"documentId": "caller"}, headers={"if-none-match": tag})
        assert stranger.status_code == 401
        assert "etag" not in stranger.headers


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("GET", {"documentId": "broken"}),
        ("GET", {"documentId": "missing"}),
        ("GET", {"documentId": "unknown"}),
        ("GET", {"documentId": "count"}),
        ("GET", {"query": "{ hello }"}),
        ("POST", {"documentId": "hello"}),
    ],
)
async def test_nothing_else_is_kept(method: str, asked: dict[str, str]):
    """Neither errors nor documents that anybody may send, nor the answer to a POST."""
    async with client_of() as client:
        given: dict[str, Any] = {"params": asked} if method == "GET" else {"json": asked}
        response = await client.request(method, "/graphql", headers={"if-none-match": "*"}, **given)
        assert response.status_code != 304
        assert not {"etag", "cache-control"} & set(response.headers)


async def test_large_answers_are_compressed_for_those_who_accept_it():
    """The threshold counts bytes before compression; what may be compressed says that it varies."""
    async with client_of(compress_min_bytes=300) as client:
        large, small = ({"query": f'{{ hello(name: "{"x" * size}") }}'} for size in (1000, 10))
        response = await client.post("/graphql", json=large, headers={"accept-encoding": "br, gzip"})
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["vary"] == "accept-encoding"
        assert int(response.headers["content-length"]) < 100
        plain = await client.post("/graphql", json=large)
        assert response.json() == plain.json()
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == "accept-encoding"
        little = await client.post("/graphql", json=small, headers={"accept-encoding": "gzip"})
        assert not {"content-encoding", "vary"} & set(little.headers)


async def test_a_very_large_answer_is_compressed_whole():
    """Beside the event loop, and to the same bytes."""
    async with client_of(compress_min_bytes=300, max_body_bytes=2_000_000) as client:
        name = "abcdefgh" * 100_000
        query = "query ($name: String!) { hello(name: $name) }"
        body = {"query": query, "variables": {"name": name}}
        response = await client.post("/graphql", json=body, headers={"accept-encoding": "gzip"})
        assert response.headers["content-encoding"] == "gzip"
        assert response.json() == {"data": {"hello": f"hello {name}"}}


async def test_compressed_and_plain_answers_have_tags_of_their_own():
    """Strong tags name bytes, and these are others."""
    async with client_of(compress_min_bytes=1) as client:
        asked = {"documentId": "hello"}
        plain = await client.get("/graphql", params=asked)
        packed = await client.get("/graphql", params=asked, headers={"accept-encoding": "gzip"})
        assert packed.headers["vary"] == "accept, authorization, accept-encoding"
        tags = [each.headers["etag"] for each in (plain, packed)]
        assert len(set(tags)) == 2
        held = {"accept-encoding": "gzip", "if-none-match": tags[1]}
        assert (await client.get("/graphql", params=asked, headers=held)).status_code == 304
        assert gzip.decompress(gzip.compress(plain.content)) == packed.content


@pytest.mark.parametrize(
    ("accept_encoding", "wanted"),
    [
        (None, False),
        (b"", False),
        (b"identity", False),
        (b"gzip", True),
        (b"GZIP;q=0.5, br", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000, *", False),
        (b"br, *;q=0.1", True),
        (b"*;q=0", False),
        (b"x-gzip", True),
    ],
)
def test_what_a_client_accepts_is_read_as_http_says(accept_encoding: bytes | None, wanted: bool):
    """By name before '*'; a quality of 0 forbids."""
    assert wants_gzip(accept_encoding) is wanted
