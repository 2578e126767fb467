"""How answers are encoded, and what is told when none can be made."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import numpy as np
import orjson
import pytest

from models.errors import Unavailable
from schema.encoding import encode, encode_or_mask
from tests.app.http.lab import Lab
from tests.app.http.test_socket import hear, opened, socket_url, subscribe
from tests.serving import serving


def test_values_that_resolvers_leave_as_they_are():
    """Times, arrays, exact numbers and NaN have one JSON form each."""
    body = {
        "time": datetime(2024, 5, 1, 12, tzinfo=UTC),
        "array": np.array([1.5, np.nan]),
        "cost": Decimal("1.10"),
        "number": np.float64(2.5),
        "nan": float("nan"),
    }
    assert orjson.loads(encode(body)) == {
        "time": "2024-05-01T12:00:00+00:00",
        "array": [1.5, None],
        "cost": "1.10",
        "number": 2.5,
        "nan": None,
    }


def test_what_cannot_be_encoded_is_an_error_of_the_body():
    """The client gets a body all the same."""
    body = orjson.loads(encode_or_mask({"data": {"a": object()}}))
    assert body["errors"][0]["extensions"]["code"] == "INTERNAL"


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("secret-detail"), "INTERNAL"), (Unavailable("The database is away."), "UNAVAILABLE")],
)
async def test_a_context_that_cannot_be_made_is_a_clear_error(error: Exception, code: str):
    """On every transport, masked where it is a defect."""
    lab = Lab()
    lab.context_error = error
    async with serving(lab.app) as url, httpx.AsyncClient(base_url=url) as client:
        for accept in ("application/json", "text/event-stream"):
            for query in ("{ hello }", "subscription { ticks }"):
                response = await client.post("/graphql", json={"query": query}, headers={"accept": accept})
                assert "secret" not in response.text
                assert response.status_code == 406 or f'"code":"{code}"' in response.text
        async with opened(socket_url(url)) as socket:
            for number, query in enumerate(("{ hello }", "subscription { ticks }")):
                await subscribe(socket, str(number), query)
                message = await hear(socket)
                assert message["id"] == str(number)
                assert message["type"] in {"next", "error"}
                assert f'"code": "{code}"' in json.dumps(message)
                if message["type"] == "next":
                    assert (await hear(socket))["type"] == "complete"


async def test_headers_that_are_sent_twice_are_joined():
    """Two Accept headers mean the same as one with a comma."""
    async with serving(Lab().app) as url, httpx.AsyncClient(base_url=url) as client:
        headers = [("accept", "image/png"), ("accept", "application/graphql-response+json")]
        response = await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
        assert response.headers["content-type"].startswith("application/graphql-response+json")
