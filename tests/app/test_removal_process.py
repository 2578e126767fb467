"""The removal of a large device by server processes, of which one is killed on the way."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx

from models.store import Store
from schema import ids
from tests.app.running import ROOT, use_environment
from tests.app.test_cli_process import FLEET, process, url_told
from tests.factories import MIDDAY, add_heater, add_readings, database_settings, event_settings

COUNT = 30_000
# A reading that is held, in the worker's second step, and what is left then: a step deletes some other rows, too.
HELD, LEFT = 12_000, range(20_000, 20_100)
# A reading a second, of a month that has a partition.
FILL = """
INSERT INTO water_heater_readings (device_id, recorded_at, temperature)
SELECT $1, $2::timestamptz - n * interval '1 second', 50 FROM generate_series(1, $3::int) AS n"""
HOLD = """
SELECT 1 FROM water_heater_readings WHERE device_id = $1 AND recorded_at = $2::timestamptz - $3 * interval '1 second'
FOR UPDATE"""
DELETE = "mutation ($input: DeleteDeviceInput!) { deleteDevice(input: $input) { deletedId } }"
SEEN = "query ($id: ID!) { node(id: $id) { id } devices { totalCount } }"


async def asked(client: httpx.AsyncClient, url: str, query: str, **variables: Any) -> Any:
    """Return the data of an answer."""
    answer = (await client.post(url, json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def left(store: Store, device_id: int) -> int:
    """Return how many readings of a device are there."""
    return (await store.run("SELECT count(*) FROM water_heater_readings WHERE device_id = $1", device_id))[0][0]


async def working(client: httpx.AsyncClient, url: str) -> bool:
    """Say whether a server removes devices."""
    text = (await client.get(f"{url.removesuffix('/graphql')}/metrics")).text
    return 'iotsphere_worker_lease_held{worker="removal"} 1.0' in text


async def test_a_killed_server_leaves_its_removal_to_another(postgresql_url, tmp_path, monkeypatch):
    """The device is gone with the answer, for both servers; its readings go although who deletes them is killed."""
    variables = {"APP_ENV": "development", "IOTSPHERE_DATABASE__URL": postgresql_url, **FLEET}
    variables |= {"IOTSPHERE_SIMULATOR__ENABLED": "false", "IOTSPHERE_MONITORING__LEASE_SECONDS": "1"}
    use_environment(monkeypatch, tmp_path, **variables)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    store = Store(database_settings(postgresql_url), event_settings())
    await store.open()
    device, other = await add_heater(store), await add_heater(store)
    for each in (device, other):
        await add_readings(store, each, [MIDDAY])
    async with store.transaction() as transaction:
        await transaction.run(FILL, device, MIDDAY, COUNT)
    name = ids.encode("WaterHeater", device)
    async with (
        process("serve", "--port", "0") as one,
        process("serve", "--port", "0") as two,
        httpx.AsyncClient() as client,
        AsyncExitStack() as holding,
        asyncio.timeout(60),
    ):
        urls = [await url_told(each) for each in (one, two)]
        transaction = await holding.enter_async_context(store.transaction())
        assert await transaction.run(HOLD, device, MIDDAY, COUNT - HELD)
        await asked(client, urls[0], DELETE, input={"id": name})
        for url in urls:
            assert await asked(client, url, SEEN, id=name) == {"node": None, "devices": {"totalCount": 1}}
        while await left(store, device) not in LEFT:  # noqa: ASYNC110 - nothing tells of another's workers
            await asyncio.sleep(0.01)
        first = [await working(client, url) for url in urls].index(True)
        (one, two)[first].kill()
        await (one, two)[first].wait()
        assert await left(store, device) in LEFT
        await holding.aclose()
        while await left(store, device):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)
        assert await asked(client, urls[1 - first], SEEN, id=name) == {"node": None, "devices": {"totalCount": 1}}
        while await store.run("SELECT 1 FROM devices WHERE id = $1", device):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)
    assert await left(store, other) == 1
    await store.close()
