"""GraphQL over HTTP: methods, media types, status codes and who calls."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.app.http.lab import LOCKED, Lab
from tests.serving import serving

GRAPHQL_JSON = "application/graphql-response+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an endpoint with the lab's settings."""
    async with serving(Lab().app) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def post(client: httpx.AsyncClient, query: str, *, accept: str = GRAPHQL_JSON, **fields: Any) -> httpx.Response:
    """Send one operation."""
    return await client.post("/graphql", json={"query": query, **fields}, headers={"accept": accept})


async def test_answers_a_query(client: httpx.AsyncClient):
    """Data comes back with the negotiated type and a content length."""
    response = await post(client, "query Q($n: String!) { hello(name: $n) }", variables={"n": "é\U0001f600"})
    assert response.status_code == 200
    assert response.json() == {"data": {"hello": "hello é\U0001f600"}}
    assert response.headers["content-type"] == f"{GRAPHQL_JSON}; charset=utf-8"
    assert int(response.headers["content-length"]) == len(response.content)


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"application/json;q=0.5, {GRAPHQL_JSON};q=0.9", GRAPHQL_JSON),
        (f"application/json, {GRAPHQL_JSON}", "application/json"),
        (f"{GRAPHQL_JSON};q=0, */*", "application/json"),
        (f"*/*, application/json;q=0.5, {GRAPHQL_JSON};q=0.8", GRAPHQL_JSON),
        (f"application/json;q=0.5, */*, {GRAPHQL_JSON};q=0.8", GRAPHQL_JSON),
        ("text/html, application/json;q=nonsense, */*;q=0.1", "application/json"),
    ],
)
async def test_the_response_has_the_type_that_is_accepted(client: httpx.AsyncClient, accept: str, answered: str):
    """Preference and order count; a free choice gives plain JSON."""
    request = client.build_request("POST", "/graphql", json={"query": "{ hello }"})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = await client.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == answered


@pytest.mark.parametrize(
    "query", ["{", "{ nope }", "query Q($n: Int!) { hello }", "query A { hello } query B { hello }"]
)
async def test_request_errors_have_the_status_of_their_media_type(client: httpx.AsyncClient, query: str):
    """An operation that never ran is 400 for clients of the new type, 200 for the others, and has no data."""
    for accept, status in ((GRAPHQL_JSON, 400), ("application/json", 200)):
        response = await post(client, query, accept=accept)
        assert response.status_code == status
        assert "data" not in response.json()
        assert response.json()["errors"][0]["extensions"]["code"]


async def test_execution_errors_are_answers(client: httpx.AsyncClient):
    """What ran and failed is 200 with data and errors; a defect is masked."""
    response = await post(client, "{ missing }")
    assert response.status_code == 200
    assert response.json()["data"] == {"missing": None}
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    masked = await post(client, "{ broken }")
    assert masked.status_code == 200
    assert "secret" not in masked.text
    assert masked.json()["errors"][0]["extensions"]["code"] == "INTERNAL"


async def test_get_answers_queries(client: httpx.AsyncClient):
    """A query, its variables and its name may stand in the address."""
    parameters = {"query": "query Q($n: String) { hello(name: $n) }", "variables": '{"n": "x"}', "operationName": "Q"}
    response = await client.get("/graphql", params=parameters)
    assert response.json() == {"data": {"hello": "hello x"}}


async def test_get_changes_nothing(client: httpx.AsyncClient):
    """A mutation needs a POST, which a foreign page cannot send unasked."""
    response = await client.get("/graphql", params={"query": "mutation { touch }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, method: str):
    """Only GET and POST have a meaning."""
    response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_subscriptions_are_not_answered_as_json(client: httpx.AsyncClient):
    """The error says which transports have subscriptions."""
    response = await post(client, "subscription { count(target: 1) }")
    assert response.status_code == 406
    assert "websocket" in response.json()["errors"][0]["message"]


async def test_accept_without_a_known_type_is_refused(client: httpx.AsyncClient):
    """406 names what there is."""
    response = await post(client, "{ hello }", accept="image/png")
    assert response.status_code == 406
    assert GRAPHQL_JSON in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "text/plain; application/json",
    ],
)
async def test_other_content_types_are_refused(client: httpx.AsyncClient, content_type: str | None):
    """Types that a foreign page can send without a preflight never run anything."""
    headers = {} if content_type is None else {"content-type": content_type}
    response = await client.post("/graphql", content=b'{"query": "mutation { touch }"}', headers=headers)
    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"'])
async def test_json_in_utf8_is_accepted_however_it_is_written(client: httpx.AsyncClient, content_type: str):
    """Case and quotes do not matter."""
    content = b'{"query": "{ hello }"}'
    response = await client.post("/graphql", content=content, headers={"content-type": content_type})
    assert response.status_code == 200


async def test_compressed_bodies_are_refused(client: httpx.AsyncClient):
    """A small body cannot become a large one."""
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert (await client.post("/graphql", content=b"\x1f\x8b", headers=headers)).status_code == 415


async def test_browsers_get_the_explorer(client: httpx.AsyncClient):
    """A page, which runs no script but its own."""
    response = await client.get("/graphql", headers={"accept": BROWSER})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in response.headers["content-security-policy"]


async def test_browsers_are_told_when_the_explorer_is_off():
    """The text names the setting; a query in the address is still answered."""
    async with serving(Lab(graphiql=False).app) as url, httpx.AsyncClient(base_url=url) as client:
        response = await client.get("/graphql", headers={"accept": BROWSER})
        assert response.status_code == 404
        assert "server.graphiql" in response.json()["errors"][0]["message"]
        answered = await client.get("/graphql", params={"query": "{ hello }"}, headers={"accept": BROWSER})
        assert answered.json() == {"data": {"hello": "hello you"}}


async def test_other_paths_belong_to_the_application(client: httpx.AsyncClient):
    """The endpoint takes one path only."""
    assert (await client.get("/graphql/elsewhere")).status_code == 404


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic cGFuZWw6eA==", "Bearer"])
async def test_callers_without_a_known_token_are_refused(header: str | None):
    """401 with the challenge and a GraphQL error."""
    async with serving(Lab(auth=LOCKED).app) as url, httpx.AsyncClient(base_url=url) as client:
        headers = {} if header is None else {"authorization": header}
        response = await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_resolvers_see_who_calls():
    """The principal of the token reaches the context."""
    async with serving(Lab(auth=LOCKED).app) as url, httpx.AsyncClient(base_url=url) as client:
        headers = {"authorization": "bearer panel-secret"}
        response = await client.post("/graphql", json={"query": "{ caller }"}, headers=headers)
        assert response.json() == {"data": {"caller": "panel"}}
