"""Which web pages may call."""

import dataclasses

import httpx
import pytest

from app.http.origins import may_connect, middleware
from tests.app.http.lab import SERVER, Lab
from tests.serving import serving

ALLOWED = ("https://dashboard.example",)


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "may"),
    [
        (None, b"api.example", (), True),
        (b"https://api.example", b"api.example", (), True),
        (b"https://API.example", b"api.EXAMPLE:443", (), True),
        (b"http://api.example:8000", b"api.example:8000", (), True),
        (b"http://[::1]:8000", b"[::1]:8000", (), True),
        (b"https://dashboard.example", b"api.example", ALLOWED, True),
        (b"https://any.example", b"api.example", ("*",), True),
        (b"null", b"api.example", ALLOWED, False),
        (b"https://evil.example", b"api.example", ALLOWED, False),
        (b"http://api.example:8001", b"api.example:8000", (), False),
        (b"https://api.example.evil.example", b"api.example", (), False),
        (b"http://api.example:port", b"api.example", (), False),
        (b"https://api.example", None, (), False),
        (b"\xff\xfe", b"api.example", (), False),
        (b"", b"", (), False),
    ],
)
def test_who_may_open_a_websocket(origin: bytes | None, host: bytes | None, allowed: tuple[str, ...], may: bool):
    """The same site, allowed sites, and programs."""
    assert may_connect(origin, host, allowed) is may


async def test_allowed_origins_are_told_to_browsers():
    """A preflight of an allowed page is granted, of another refused."""
    async with serving(Lab().app) as url, httpx.AsyncClient(base_url=url) as client:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        granted = await client.options("/graphql", headers={"origin": ALLOWED[0], **asked})
        assert granted.status_code == 200
        assert granted.headers["access-control-allow-origin"] == ALLOWED[0]
        refused = await client.options("/graphql", headers={"origin": "https://evil.example", **asked})
        assert refused.status_code == 400


def test_no_middleware_where_no_other_site_may_call():
    """What nobody needs costs nothing."""
    assert middleware(dataclasses.replace(SERVER, allowed_origins=())) == []
