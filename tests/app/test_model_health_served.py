"""The health of a model over the wire: reported by a service, judged by the server, seen on a dashboard."""

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

HOUR = timedelta(hours=1)
REGISTER = """mutation ($input: RegisterExternalModelInput!) {
  registerExternalModel(input: $input) { model { id name version } }
}"""
REPORT = """mutation ($input: ReportModelMetricsInput!) { reportModelMetrics(input: $input) { metrics { value } } }"""
READ = """query ($id: ID!) { model(id: $id) {
  health { status reasons { metric status value threshold message } }
  healthHistory { nodes { status } } alerts { nodes { id state kind history { state } } }
} }"""


@pytest.fixture
async def base_url(database_url: str) -> AsyncIterator[str]:
    """A server over a fresh, migrated database of each kind, which looks after models all the time."""
    chosen = factories.settings(database={"url": database_url}, monitoring={"check_seconds": 0.1})
    async with serving(create_app(chosen)) as url:
        yield url


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server."""
    async with httpx.AsyncClient(base_url=base_url) as opened:
        yield opened


def report(model: Any, value: float, end: datetime) -> dict[str, Any]:
    """Return the input of a mean absolute error of the hour that ends there."""
    window = {"windowStart": (end - HOUR).isoformat(), "windowEnd": end.isoformat()}
    metric = {"name": "mae", "value": value, "sampleCount": 50, **window}
    return {"name": model["name"], "version": model["version"], "metrics": [metric]}


async def test_a_model_falls_ill_and_recovers_before_all_eyes(base_url: str, client: httpx.AsyncClient):
    """Bad errors turn the health and raise an alert, good ones end both; behind the cursor it can be read again."""
    given = {"name": "forecaster", "kind": "LIFESPAN", "deviceKind": "WATER_HEATER"}
    given = {**given, "metrics": [{"name": "mae", "value": 10}]}
    now = datetime.now(UTC).replace(microsecond=0)
    async with dashboard(base_url, document("on_model_health"), {}) as health:
        model = (await ask(client, REGISTER, input=given))["registerExternalModel"]["model"]
        wanted = {"filter": {"modelIds": [model["id"]]}}
        async with dashboard(base_url, document("on_alert"), wanted) as alerts:
            await ask(client, REPORT, input=report(model, 100, now - HOUR))
            seen = [each async for each in changes(health, model, "CRITICAL")]
            raised = (await until(alerts, "alert", state="OPEN"))[-1]["alert"]
            assert (raised["__typename"], raised["model"]) == ("ModelAlert", {"name": "forecaster", "version": 1})
            taken = await ask(client, document("acknowledge_alert"), input={"id": raised["id"], "comment": "I look."})
            assert taken["acknowledgeAlert"]["alert"]["acknowledgedBy"] == "anonymous"
            await ask(client, REPORT, input=report(model, 9, now))
            seen += [each async for each in changes(health, model, "HEALTHY")]
            await until(alerts, "alert", state="RESOLVED")

    first, *rest = seen
    async with dashboard(base_url, document("on_model_health"), {"after": first["cursor"]}) as health:
        again = [orjson.loads(await health.recv())["payload"]["data"]["modelHealthChanged"] for _ in rest]
    assert again == rest
    # Other models are watched as well.
    mine = [each for each in seen if each["model"] == model]
    assert [each["previousStatus"] for each in mine] == [None, *(each["health"]["status"] for each in mine[:-1])]

    found = (await ask(client, READ, id=model["id"]))["model"]
    assert found["health"]["status"] == "HEALTHY"
    assert {"metric": "mae", "status": "HEALTHY", "value": 9.0, "threshold": 15.0} in [
        {name: value for name, value in reason.items() if name != "message"} for reason in found["health"]["reasons"]
    ]
    assert [node["status"] for node in found["healthHistory"]["nodes"]][:2] == ["HEALTHY", "CRITICAL"]
    (alert,) = found["alerts"]["nodes"]
    assert (alert["kind"], alert["id"]) == ("MODEL_PERFORMANCE", raised["id"])
    assert [each["state"] for each in alert["history"]] == ["OPEN", "ACKNOWLEDGED", "RESOLVED"]
    shown = await ask(client, document("model_health"))
    assert all(node["name"] != "forecaster" for node in shown["models"]["nodes"])


async def changes(socket: Any, model: Any, status: str) -> AsyncIterator[Any]:
    """Yield the events of a socket up to the one that gives a model a status."""
    while True:
        event = orjson.loads(await socket.recv())["payload"]["data"]["modelHealthChanged"]
        yield event
        if (event["model"], event["health"]["status"]) == (model, status):
            return
