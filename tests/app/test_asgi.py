"""The application, assembled: what it serves, when it is ready, how it starts and stops."""

import asyncio
from typing import Any

import httpx
import pytest

from app.asgi import create_app
from app.database import MigrationsPending
from models.errors import Unavailable
from models.principal import ANONYMOUS
from schema.engine import Prepared, Request, Response
from tests.databases import postgresql_url as url_of
from tests.databases import run_as_admin
from tests.factories import settings
from tests.serving import serving

SMALL_FLEET: dict[str, Any] = {"simulator": {"device_count": 2, "history_days": 0.02}}


def mock(**changes):
    """Return settings of a server with generated data."""
    return settings(data={"source": "mock"}, **{**SMALL_FLEET, **changes})


async def answer(client, query):
    """Post a document and return the body of the answer."""
    return (await client.post("/graphql", json={"query": query})).json()


@pytest.fixture
async def served():
    """An application with generated data, and a client of it."""
    app = create_app(mock())
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield app, client


async def test_generated_data_is_served_from_memory(served):
    """With data.source = "mock" there is a fleet, and no database was configured."""
    _, client = served
    body = await answer(client, "{ fleet { deviceCount } devices(first: 1) { edges { node { name } } } }")
    assert body["data"] == {
        "fleet": {"deviceCount": 2},
        "devices": {"edges": [{"node": {"name": "Water heater A01"}}]},
    }


async def test_the_front_page_leads_to_the_explorer_with_documents_of_a_real_device(served):
    """What a browser finds at the bare address are three documents that work as they are."""
    app, client = served
    response = await client.get("/", headers={"accept": "text/html"}, follow_redirects=True)
    assert response.url.path == "/graphql"
    assert response.headers["content-type"].startswith("text/html")
    assert "V2F0ZXJIZWF0ZXI6" in response.text
    script = next(part.split('"')[0] for part in response.text.split('src="')[1:])
    assert (await client.get(script)).status_code == 200
    examples = app.state.parts.examples
    for document in (examples.query, examples.mutation):
        assert "errors" not in await answer(client, document)


async def test_the_example_of_a_subscription_opens(served):
    """It is followed without variables, as the tab of the explorer holds it."""
    app, _ = served
    parts = app.state.parts
    engine = parts.endpoint._engine
    prepared = engine.prepare(Request(parts.examples.subscription, {}))
    assert isinstance(prepared, Prepared)
    opened = await engine.subscribe(prepared, {}, parts.endpoint._new_context(ANONYMOUS))
    assert not isinstance(opened, Response)


async def test_without_the_explorer_there_is_none():
    """server.graphiql = false."""
    async with serving(create_app(mock(server={"graphiql": False}))) as url, httpx.AsyncClient(base_url=url) as client:
        response = await client.get("/graphql", headers={"accept": "text/html"})
        assert response.status_code == 404
        assert (await client.get("/graphql/assets/explorer.js")).status_code == 404


async def test_it_is_alive_and_ready(served):
    """Both for whoever runs it; neither may be cached."""
    _, client = served
    alive, ready = await client.get("/healthz"), await client.get("/readyz")
    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert ready.json()["workers"]["status"] == {"status": "ok", "failures": 0}
    assert {response.headers["cache-control"] for response in (alive, ready)} == {"no-store"}


async def test_it_is_not_ready_without_its_database_but_alive(served):
    """The answer says what is wrong, in a sentence."""
    app, client = served
    await app.state.parts.runtime.services.store.close()
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["status"] == "unavailable"
    assert ready.json()["database"]["status"] == "failing"
    assert ready.json()["database"]["problem"].endswith(".")
    assert (await client.get("/healthz")).status_code == 200


async def test_it_is_not_ready_while_a_worker_fails():
    """A worker that has no table to work on must not go unnoticed; strangers are not told its words."""
    app = create_app(mock(devices={"status_check_seconds": 0.05}))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        async with app.state.parts.runtime.services.store.transaction() as transaction:
            await transaction.run("ALTER TABLE devices RENAME TO lost")
        async with asyncio.timeout(20):
            # Other workers miss the table as well.
            while (  # noqa: ASYNC110 - seen from outside
                worker := (ready := await client.get("/readyz")).json()["workers"]["status"]
            )["status"] == "ok":
                await asyncio.sleep(0.02)
        assert ready.status_code == 503
        assert ready.json()["database"] == {"status": "ok"}
        assert worker["status"] == "failing"
        assert worker["problem"] == "Unexpected OperationalError; the server's log has more."
        assert 'iotsphere_worker_failures_total{worker="status"} ' in (await client.get("/metrics")).text


async def test_metrics_count_operations_readings_and_failures(served):
    """In the text format of Prometheus."""
    _, client = served
    await answer(client, "{ fleet { deviceCount } }")
    await answer(client, "{ nothing }")
    await answer(client, 'mutation { deleteDevice(input: { id: "nonsense" }) { deletedId } }')
    text = (await client.get("/metrics")).text
    assert 'iotsphere_operations_total{outcome="ok",type="query"} 1.0' in text
    assert 'iotsphere_operations_total{outcome="failed",type="none"}' in text
    assert 'iotsphere_operation_seconds_count{type="query"} 1.0' in text
    assert 'iotsphere_readings_total{verdict="accepted"}' in text
    assert "iotsphere_websockets 0.0" in text
    assert "python_gc_objects_collected_total" in text


async def test_a_database_without_migrations_is_refused_in_one_sentence(postgresql_server):
    """PostgreSQL may be shared: only its owner changes its tables."""
    await run_as_admin(postgresql_server, "CREATE DATABASE bare")
    app = create_app(settings(database={"url": url_of(postgresql_server, "bare")}))
    try:
        with pytest.raises(MigrationsPending, match=r"run 'iotsphere migrate' first\.$"):
            async with app.router.lifespan_context(app):
                pass
    finally:
        await run_as_admin(postgresql_server, "DROP DATABASE bare WITH (FORCE)")


async def test_an_embedded_database_is_migrated_at_the_start(tmp_path):
    """A file that does not exist yet is made, with its folder."""
    path = tmp_path / "new" / "fleet.db"
    app = create_app(settings(database={"url": f"sqlite+aiosqlite:///{path}"}))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await answer(client, "{ fleet { deviceCount } }"))["data"] == {"fleet": {"deviceCount": 0}}
    assert path.is_file()


async def test_it_runs_on_each_database_and_closes_it_at_the_end(database_url):
    """Workers first, then what is being stored, then the database."""
    app = create_app(settings(database={"url": database_url}, **SMALL_FLEET), seeds_demo=True)
    async with app.router.lifespan_context(app):
        services = app.state.parts.runtime.services
        tasks = {task.get_name() for task in asyncio.all_tasks()}
        assert "status" in tasks
        assert ("partitions" in tasks) == database_url.startswith("postgresql")
    assert "status" not in {task.get_name() for task in asyncio.all_tasks()}
    with pytest.raises(Unavailable):
        async with services.store.transaction():
            pass
