"""The explorer's page and its files."""

import re
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from app.http.graphiql import explorer_page
from tests.app.http.lab import Lab
from tests.serving import serving


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an endpoint with the lab's settings."""
    async with serving(Lab().app) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_the_page_loads_nothing_from_elsewhere(client: httpx.AsyncClient):
    """Every script and style is served here, and browsers may keep it."""
    page = (await client.get("/graphql", headers={"accept": "text/html"})).text
    files = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert len(files) == 7
    assert "//" not in page.replace("data:,", "")
    for file in files:
        response = await client.get(file)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]


async def test_other_files_are_not_served(client: httpx.AsyncClient):
    """The address of the files leads nowhere else."""
    for path in ("../__init__.py", "%2e%2e/apps.py", "explorer.html", ""):
        assert (await client.get(f"/graphql/assets/{path}")).status_code in {404, 405}


def test_documents_cannot_break_out_of_the_page():
    """What the tabs hold is data, whatever it contains."""
    document = "</script><script>alert(1)</script>"
    page = explorer_page(title="<b>", documents=[document]).decode()
    assert page.count("<script>") == 0
    assert "<b>" not in page
    (settings,) = re.findall(r'<script id="settings" type="application/json">(.*)</script>', page)
    assert orjson.loads(settings)["documents"] == [document]
