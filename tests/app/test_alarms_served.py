"""Anomalies and alerts over the wire: from strange readings to a dashboard's websocket, on each database."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from app.asgi import create_app
from tests import factories
from tests.contract import document
from tests.dashboards import ask, dashboard, until
from tests.serving import serving

COUNT = 576
SPIKE = range(500, 512)
INTERVAL = timedelta(minutes=5)


@pytest.fixture
async def base_url(database_url: str) -> AsyncIterator[str]:
    """A server over a fresh, migrated database of each kind."""
    chosen = factories.settings(database={"url": database_url}, ingest={"max_batch_size": 1000})
    async with serving(create_app(chosen)) as url:
        yield url


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server."""
    async with httpx.AsyncClient(base_url=base_url) as opened:
        yield opened


async def strange_days(client: httpx.AsyncClient, device: str) -> Any:
    """Send two days of readings with an hour of high pressure and return the payload."""
    chance = random.Random(1)
    start = datetime.now(UTC).replace(second=0, microsecond=0) - COUNT * INTERVAL
    rows = [
        {
            "deviceId": device,
            "recordedAt": (start + place * INTERVAL).isoformat(),
            "pressure": 3 + chance.gauss(0, 0.05) + (6 if place in SPIKE else 0),
        }
        for place in range(COUNT)
    ]
    body = await ask(client, document("record_readings"), input={"readings": rows})
    return body["recordWaterHeaterReadings"]


async def registered(client: httpx.AsyncClient) -> str:
    """Register a water heater and return its id."""
    given = {"name": "Boiler", "serialNumber": "B-1"}
    return (await ask(client, document("create_water_heater"), input=given))["createWaterHeater"]["waterHeater"]["id"]


async def test_strange_readings_reach_the_dashboard(base_url: str, client: httpx.AsyncClient):
    """An hour of high pressure is an anomaly at once, and again behind any cursor, with what people said meanwhile."""
    device, document_ = await registered(client), document("on_anomaly")
    wanted = {"filter": {"deviceIds": [device], "states": ["OPEN", "RESOLVED"]}}
    async with dashboard(base_url, document_, wanted) as socket:
        (opened,) = (await strange_days(client, device))["anomalies"]
        found = await until(socket, "anomaly", id=opened["id"], severity=opened["severity"])
    assert found[0]["anomaly"]["device"] == {"id": device, "name": "Boiler"}

    judged = {"id": opened["id"], "verdict": "TRUE_ALARM", "comment": "The valve stuck."}
    done = (await ask(client, document("resolve_anomaly"), input=judged))["resolveAnomaly"]["anomaly"]
    assert (done["state"], done["verdict"]) == ("RESOLVED", "TRUE_ALARM")
    async with dashboard(base_url, document_, {**wanted, "after": found[0]["cursor"]}) as socket:
        # What was missed behind the cursor, and the verdict.
        rest = [orjson.loads(await socket.recv())["payload"]["data"]["anomalyDetected"] for _ in found]
    assert rest[:-1] == found[1:]
    assert rest[-1]["anomaly"]["id"] == opened["id"]


async def test_an_alert_is_taken_on_before_all_eyes(base_url: str, client: httpx.AsyncClient):
    """A pressure beyond the threshold is an alert at once, and every dashboard sees who takes it on."""
    device = await registered(client)
    async with dashboard(base_url, document("on_alert"), {"filter": {"kinds": ["HIGH_PRESSURE"]}}) as socket:
        reading = {"deviceId": device, "recordedAt": datetime.now(UTC).isoformat(), "pressure": 9.5}
        await ask(client, document("record_readings"), input={"readings": [reading]})
        raised = (await until(socket, "alert", state="OPEN"))[-1]["alert"]
        assert (raised["__typename"], raised["device"]) == ("DeviceAlert", {"id": device, "name": "Boiler"})
        taken = await ask(client, document("acknowledge_alert"), input={"id": raised["id"]})
        assert taken["acknowledgeAlert"]["alert"]["acknowledgedBy"] == "anonymous"
        seen = (await until(socket, "alert", state="ACKNOWLEDGED"))[-1]["alert"]
    assert seen["id"] == raised["id"]
    (alert,) = (await ask(client, document("alerts"), first=10))["alerts"]["nodes"]
    assert (alert["id"], alert["state"], alert["kind"]) == (raised["id"], "ACKNOWLEDGED", "HIGH_PRESSURE")
