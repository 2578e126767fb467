"""Anomalies and alerts for tests of the graph, as the detector and the rules would leave them."""

import itertools
from datetime import timedelta
from typing import Any

import orjson

from models.alerts import AlertChangeKind
from models.repositories import alerts, anomalies, histories
from models.severity import Severity
from models.store import Store
from resolvers.alerting.writing import announce
from schema import ids
from tests.factories import MIDDAY

_numbers = itertools.count(1)


def anomaly_id(row_id: int) -> str:
    """Return the global id of an anomaly."""
    return ids.encode("Anomaly", row_id)


def alert_id(row_id: int) -> str:
    """Return the global id of an alert of a device."""
    return ids.encode("DeviceAlert", row_id)


def by_severity(**counts: int) -> list[dict[str, Any]]:
    """Return counts as the fleet tells them: of every severity, zero where none is given."""
    return [{"severity": each.value, "count": counts.get(each.value, 0)} for each in Severity]


async def add_anomaly(store: Store, device_id: int, **changes: Any) -> int:
    """Store an anomaly and return its id: closed, of high severity, in the temperature; changes name columns.

    An anomaly in state OPEN goes on unless told otherwise; `metrics` may be a list.
    """
    detected_at = changes.get("detected_at", MIDDAY)
    row: dict[str, Any] = {
        "device_id": device_id,
        "device_kind": "WATER_HEATER",
        "metric": "temperature",
        "metrics": [changes.get("metric", "temperature")],
        "pattern": "HIGH",
        "score": 0.75,
        "severity": "HIGH",
        "state": "CLOSED",
        "observed": 88.5,
        "expected": 55.25,
        "explanation": "Temperature was 88.5 °C, 55.25 °C was expected.",
        "detector_version": "1",
        "detected_at": detected_at,
        "peak_at": detected_at,
        "ended_at": None if changes.get("state") == "OPEN" else detected_at + timedelta(minutes=5),
        "created_at": detected_at,
        "resolved_at": None,
        "resolved_by": None,
        "verdict": None,
        "comment": None,
        **changes,
    }
    if not isinstance(row["metrics"], str):
        row["metrics"] = orjson.dumps(row["metrics"]).decode()
    async with store.transaction() as transaction:
        await anomalies.add(transaction, [row])
    return row["id"]


async def add_alert(store: Store, device_id: int | None, **changes: Any) -> int:
    """Raise an alert and return its id: open, of high severity, for a hot tank; changes name columns.

    Each is about something else, unless `deduplication_key` is given.
    """
    raised_at = changes.get("raised_at", MIDDAY)
    row: dict[str, Any] = {
        "deduplication_key": f"test:{next(_numbers)}",
        "device_id": device_id,
        "device_kind": "WATER_HEATER",
        "kind": "OVER_TEMPERATURE",
        "severity": "HIGH",
        "state": "OPEN",
        "message": "The tank has 88.5 °C, 75 °C or more is too hot.",
        "metric": "temperature",
        "value": 88.5,
        "threshold": 75.0,
        "raised_at": raised_at,
        "updated_at": raised_at,
        **changes,
    }
    async with store.transaction() as transaction:
        added = await alerts.add_many(transaction, [row])
        await announce(transaction, [(AlertChangeKind.RAISED, each) for each in added])
    return added[0]["id"]


async def tell_anomaly(store: Store, row_id: int, change: str, **changes: Any) -> None:
    """Let the log tell of a change of an anomaly, after which it was as stored but for the changes."""
    async with store.transaction() as transaction:
        (row,) = await histories.by_ids(transaction, anomalies.ANOMALIES, [row_id])
        assert row is not None
        transaction.emit(anomalies.changed(change, {**row, **changes}))


async def tell_alert(store: Store, row_id: int, change: AlertChangeKind, **changes: Any) -> None:
    """Let the log and the history tell of a change of an alert, after which it was as stored but for the changes."""
    async with store.transaction() as transaction:
        (row,) = await histories.by_ids(transaction, alerts.ALERTS, [row_id])
        assert row is not None
        await announce(transaction, [(change, {**row, **changes})])
