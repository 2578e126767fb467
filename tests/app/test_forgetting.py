"""What is finished is deleted when it is old enough, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from app.workers import Forgetting
from app.workers.forgetting import kept_days
from app.workers.leased import LeaseLost
from models.alerts import AlertChangeKind
from models.predictions import PredictionKind
from models.repositories import device_failures, predictions
from models.repositories.retention import Finished
from models.store import Store, Transaction
from resolvers.monitoring.rounds import unfenced
from tests.factories import MIDDAY, add_heater, settings
from tests.findings import add_alert, add_anomaly, tell_alert
from tests.monitored import add_drift, add_metric, add_model_alert, add_prediction, add_watched

DAY = timedelta(days=1)
LONG_AGO, LATELY = MIDDAY - 1000 * DAY, MIDDAY - 5 * DAY
RESOLVED = {"state": "RESOLVED", "resolved_at": LONG_AGO + DAY}


def forgetting(store: Store, fence=unfenced, counted=lambda _of, _count: None, **days: float) -> Forgetting:
    """Return the worker, with small steps, at midday."""
    chosen = settings(retention=days, monitoring={"outcome_days": 90})
    return Forgetting(store, chosen, fence, counted, clock=lambda: MIDDAY, step_rows=2)


async def left(store: Store, table: str, key: str = "id") -> list[int]:
    """Return the ids of the rows of a table."""
    return [row[0] for row in await store.run(f"SELECT {key} FROM {table} ORDER BY {key}")]


async def test_alerts_go_when_they_were_resolved_long_ago(store: Store):
    """With their changes; those that stand stay however old they are, among as many others as there may be."""
    heater, model = await add_heater(store), await add_watched(store)
    stays: list[int] = []
    for _ in range(4):
        gone = await add_alert(store, heater, raised_at=LONG_AGO, **RESOLVED)
        await tell_alert(store, gone, AlertChangeKind.RESOLVED)
        stays += [
            await add_alert(store, heater, raised_at=LONG_AGO),
            await add_alert(store, heater, raised_at=LONG_AGO, state="ACKNOWLEDGED"),
            await add_alert(store, heater, raised_at=LONG_AGO, state="RESOLVED", resolved_at=LATELY),
            await add_alert(store, heater, raised_at=LATELY, state="RESOLVED", resolved_at=LATELY),
            await add_model_alert(store, model, raised_at=LONG_AGO, **RESOLVED),
        ]
    counted: list[tuple[str, int]] = []
    worker = forgetting(store, counted=lambda of, count: counted.append((of, count)), alerts_days=30)
    assert (await worker.check())[Finished.ALERTS] == 4
    assert sum(count for of, count in counted if of == "alerts") == 4
    assert await left(store, "alerts") == stays
    assert set(await left(store, "alert_changes", "alert_id")) == set(stays)
    assert await worker.check() == {}


async def test_alerts_of_models_have_a_time_of_their_own(store: Store):
    """Those of devices are not touched by it."""
    heater, model = await add_heater(store), await add_watched(store)
    await add_model_alert(store, model, raised_at=LONG_AGO, **RESOLVED)
    stays = [
        await add_model_alert(store, model, raised_at=LONG_AGO),
        await add_alert(store, heater, raised_at=LONG_AGO, **RESOLVED),
    ]
    assert await forgetting(store, model_alerts_days=30).check() == {Finished.MODEL_ALERTS: 1}
    assert await left(store, "alerts") == stays


async def test_anomalies_go_when_they_ended_long_ago_and_nothing_rests_on_them(store: Store):
    """Judged ones have a time of their own; one with an alert that stands is needed; one that goes on is open."""
    heater, other = await add_heater(store), await add_heater(store)
    old = {"detected_at": LONG_AGO}
    judged = {"state": "RESOLVED", "resolved_at": LONG_AGO + DAY, "verdict": "FALSE_ALARM"}
    closed, true_alarm = await add_anomaly(store, heater, **old), await add_anomaly(store, heater, **old, **judged)
    stays = [
        await add_anomaly(store, heater, **old, state="OPEN"),
        await add_anomaly(store, heater, **old),
        await add_anomaly(store, other, **old, **judged, ended_at=None),
        await add_anomaly(store, heater, **old, **{**judged, "resolved_at": LATELY}),
        await add_anomaly(store, heater, detected_at=LATELY),
    ]
    await add_alert(store, heater, anomaly_id=stays[1], raised_at=LONG_AGO)
    told = await add_alert(store, heater, anomaly_id=closed, raised_at=LONG_AGO, **RESOLVED)
    assert await forgetting(store, anomalies_days=200).check() == {Finished.ANOMALIES: 1}
    assert await left(store, "anomalies") == [true_alarm, *stays]
    assert await forgetting(store, judged_anomalies_days=200).check() == {Finished.JUDGED_ANOMALIES: 1}
    assert await left(store, "anomalies") == stays
    # An alert of it that is over stays, and has no anomaly any more.
    assert [row[0] for row in await store.run(f"SELECT anomaly_id FROM alerts WHERE id = {told}")] == [None]


async def test_predictions_go_when_no_outcome_is_to_come(store: Store):
    """With their features and outcomes; a life that goes on is open, and what was observed lately is measured."""
    model = await add_watched(store)
    lives, ended = await add_heater(store), await add_heater(store)
    async with store.transaction() as transaction:
        failure = {"device_id": ended, "failed_at": LONG_AGO + DAY, "created_at": LONG_AGO + DAY, "ends_life": True}
        await device_failures.add(transaction, failure)
    gone = await add_prediction(store, model, ended, LONG_AGO)
    stays = [await add_prediction(store, model, lives, LONG_AGO), await add_prediction(store, model, ended, LONG_AGO)]
    await _outcome(store, gone, LONG_AGO + DAY)
    await _outcome(store, stays[1], LATELY)
    usage = await _usage(store, lives, LONG_AGO)
    stays.append(await _usage(store, lives, LATELY))
    assert await forgetting(store, predictions_days=200).check() == {Finished.PREDICTIONS: 2}
    assert await left(store, "predictions") == stays
    assert usage not in await left(store, "prediction_features", "prediction_id")
    assert await left(store, "prediction_outcomes", "prediction_id") == stays[1:2]


async def test_metrics_and_findings_of_drift_go(store: Store):
    """Each by its own setting."""
    model = await add_watched(store)
    await add_metric(store, model, LONG_AGO)
    stays = await add_metric(store, model, LATELY)
    for at in (LONG_AGO, LATELY):
        await add_drift(store, model, evaluated_at=at)
    deleted = await forgetting(store, model_metrics_days=200).check()
    assert deleted == {Finished.MODEL_METRICS: 1, Finished.MODEL_DRIFT: 1}
    assert await left(store, "model_metrics") == [stays]


def test_nothing_goes_that_is_kept_for_ever_or_that_the_watch_needs():
    """0 means for ever; a time that is too short for the watch over models becomes the one that it needs."""
    names: list[str] = ["alerts_days", "anomalies_days", "predictions_days", "model_metrics_days"]
    forever = dict.fromkeys(names, 0)
    assert set(kept_days(settings(retention=forever))) == {Finished.MODEL_DRIFT}
    short = dict.fromkeys(names, 0.01)
    found = kept_days(
        settings(retention=short, predictions={"horizon_days": 60}, monitoring={"outcome_days": 90, "window_hours": 24})
    )
    assert found[Finished.ALERTS] == 0.01
    assert found[Finished.PREDICTIONS] == 150
    assert found[Finished.MODEL_METRICS] >= 2
    assert found[Finished.ANOMALIES] >= 90


async def test_a_process_that_lost_its_lease_deletes_nothing(store: Store):
    """The fence is asked in each transaction, before anything is deleted."""
    stays = await add_alert(store, await add_heater(store), raised_at=LONG_AGO, **RESOLVED)

    async def lost(_transaction: Transaction) -> None:
        raise LeaseLost("held by another")

    with pytest.raises(LeaseLost):
        await forgetting(store, fence=lost, alerts_days=30).check()
    assert await left(store, "alerts") == [stays]


async def _outcome(store: Store, prediction_id: int, observed_at: Any) -> None:
    at = observed_at if store.dialect == "postgresql" else round(observed_at.timestamp() * 1e6)
    async with store.transaction() as transaction:
        await transaction.copy_in(
            "prediction_outcomes",
            ("prediction_id", "observed_at", "value", "is_lower_bound"),
            [(prediction_id, at, 1.0, False)],
        )


async def _usage(store: Store, device_id: int, at: Any) -> int:
    kind = PredictionKind.USAGE_PATTERNS.value
    row = dict.fromkeys(predictions._NEW)
    row |= {"device_id": device_id, "device_kind": "WATER_HEATER", "kind": kind, "method": "PROFILE", "details": "{}"}
    row |= {"predicted_at": at, "confidence": 0.5}
    async with store.transaction() as transaction:
        return (await predictions.add(transaction, [row], {(device_id, kind): [1.0]}))[device_id, kind]["id"]
