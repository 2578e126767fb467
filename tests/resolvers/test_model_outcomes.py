"""Models by what came of their predictions: errors, calibration, alarms; and the versions that follow from them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from models.monitoring import MetricName
from models.predictions import PredictionKind
from models.repositories import device_failures, prediction_models, training_runs
from models.repositories.prediction_models import as_json
from models.store import Store
from resolvers.predicting import training
from tests.findings import add_anomaly
from tests.monitoring import DAY, LIFESPAN, NOON, RISK, ModelLab, messages, reasons
from tests.versions import learnt


class FailingLab(ModelLab):
    """A lab whose heaters fail."""

    async def fail(self, devices: Sequence[int], at: datetime, **changes: Any) -> None:
        """Report a failure of each."""
        async with self.store.transaction() as transaction:
            for device in devices:
                values = {"device_id": device, "failed_at": at, "ends_life": False, "created_at": at, **changes}
                await device_failures.add(transaction, values)


async def test_remaining_life_is_judged_by_the_ends_of_lives(store: Store):
    """Errors count each device and day once; they are compared with those of the training."""
    lab = FailingLab(store)
    devices = await lab.add_devices(6)
    model = await lab.add_model(metrics=as_json({"mae": 10.0}))
    for hour in (0, 1):
        await lab.predict(model, NOON.replace(hour=hour), values=[32.5] * 6, features=None)
    await lab.fail(devices, NOON.replace(hour=1) + 5 * DAY, ends_life=True)
    lab.clock.time = NOON + 6 * DAY
    (row,) = await lab.evaluate()
    found, counts = await lab.metrics(), await lab.counts()
    # Of the two predictions of the day the later one counts.
    assert (found[MetricName.MAE], counts[MetricName.MAE]) == (27.5, 6)
    assert (found[MetricName.BIAS], found[MetricName.RMSE]) == (27.5, 27.5)
    assert found[MetricName.INTERVAL_COVERAGE] == 0
    assert (reasons(row)["mae"], reasons(row)["interval_coverage"]) == ("CRITICAL", "CRITICAL")
    assert messages(row)["mae"] == "The mean absolute error is 27.5 days; 25 days or more is critical."
    (alert,) = await lab.alerts()
    assert (alert["kind"], alert["severity"], alert["metric"]) == ("MODEL_PERFORMANCE", "HIGH", "mae")


async def test_errors_of_few_devices_are_unknown(store: Store):
    """Four lives that ended otherwise than predicted may be chance."""
    lab = FailingLab(store)
    devices = await lab.add_devices(4)
    model = await lab.add_model()
    await lab.predict(model, values=[500.0] * 4)
    await lab.fail(devices, NOON + DAY, ends_life=True)
    lab.clock.time = NOON + 2 * DAY
    (row,) = await lab.evaluate()
    assert reasons(row)["mae"] == "UNKNOWN"
    assert "rests on 4 devices with outcomes; 5 are needed" in messages(row)["mae"]
    assert await lab.alerts() == []


async def test_risks_are_judged_by_failures_within_their_horizon(store: Store):
    """Brier score and calibration, once the horizon is over."""
    lab = FailingLab(store)
    devices = await lab.add_devices(10)
    model = await lab.add_model(RISK)
    await lab.predict(model, kind=RISK, values=[0.9] * 10, lower=None, upper=None)
    await lab.fail(devices[:1], NOON + DAY)
    lab.clock.time = NOON + 31 * DAY
    (row,) = await lab.evaluate()
    found = await lab.metrics()
    assert found[MetricName.BRIER] == pytest.approx((0.01 + 9 * 0.81) / 10)
    assert found[MetricName.CALIBRATION_ERROR] == pytest.approx(0.8)
    assert (reasons(row)["brier"], reasons(row)["calibration_error"]) == ("CRITICAL", "CRITICAL")


async def test_anomalies_are_judged_by_verdicts_and_by_failures(store: Store):
    """Precision over what people have judged, recall over what failed; false alarms foresee nothing."""
    lab = FailingLab(store)
    devices = await lab.add_devices(12)
    await lab.add_model(
        PredictionKind.ANOMALY,
        reference=None,
        window_to=None,
        method="STREAMING_DETECTOR",
        parameters=as_json({"version": "1"}),
        promoted_at=NOON - 8 * DAY,
    )
    for place, device in enumerate(devices[:10]):
        verdict = "TRUE_ALARM" if place < 3 else "FALSE_ALARM"
        await add_anomaly(store, device, detected_at=NOON, verdict=verdict, resolved_at=NOON + DAY / 4)
    await lab.fail(devices[2:12], NOON + DAY / 4)
    await lab.next_day()
    (row,) = await lab.evaluate()
    found, counts = await lab.metrics(), await lab.counts()
    assert (found[MetricName.PRECISION], counts[MetricName.PRECISION]) == (0.3, 10)
    assert (found[MetricName.RECALL], counts[MetricName.RECALL]) == (0.1, 10)
    assert (reasons(row)["precision"], reasons(row)["recall"]) == ("WARNING", "CRITICAL")
    (alert,) = await lab.alerts()
    assert "Train" not in alert["message"]


async def test_errors_that_grow_are_concept_drift(store: Store):
    """The inputs are as ever, what follows from them is not."""
    lab = FailingLab(store, monitoring={"drift_windows_needed": 1})
    devices = await lab.add_devices(40)
    model = await lab.add_model()
    await lab.predict(model, NOON, values=[1000.0] * 40)
    await lab.fail(devices, NOON + DAY, ends_life=True)
    lab.clock.time = NOON + 2 * DAY
    await lab.evaluate()
    await lab.predict(model)
    await lab.next_day()
    (row,) = await lab.evaluate()
    assert (await lab.drift())["error"] == "CONCEPT_DRIFT"
    assert reasons(row)["error_drift"] == "CRITICAL"


async def drifting(store: Store, **changes: Any) -> tuple[FailingLab, int]:
    """Return a lab with an alert of a version that is worse than it was."""
    lab = FailingLab(store, monitoring={"trains_when_drifting": True, **changes})
    devices = await lab.add_devices(6)
    model = await lab.add_model(metrics=as_json({"mae": 10.0}))
    await lab.predict(model, values=[60.0] * 6)
    await lab.fail(devices, NOON + DAY, ends_life=True)
    lab.clock.time = NOON + 2 * DAY
    await lab.evaluate()
    return lab, model


async def test_a_training_is_asked_for_where_settings_allow_it(store: Store):
    """Once: the next one after a pause."""
    lab, model = await drifting(store)
    run = await training_runs.newest(store, LIFESPAN.value, "WATER_HEATER")
    assert run is not None
    assert (run["state"], run["requested_by"]) == ("QUEUED", "server")
    await lab.evaluate()
    again = await training_runs.newest(store, LIFESPAN.value, "WATER_HEATER")
    assert again == run
    assert model


async def test_without_that_setting_it_is_only_recommended(store: Store):
    """People decide when models are trained."""
    lab, _ = await drifting(store, trains_when_drifting=False)
    assert await training_runs.newest(store, LIFESPAN.value, "WATER_HEATER") is None
    (alert,) = await lab.alerts()
    assert alert["message"].endswith("Train a new version.")


async def trained(lab: FailingLab, **metrics: float) -> int:
    """Let the run that was asked for come to an end; return the id of its version."""
    run = await training.take(lab.services)
    assert run is not None
    return (await training.complete(lab.services, run, learnt(metrics=metrics)))["id"]


@pytest.mark.parametrize(("mae", "stage"), [(8.0, "PRODUCTION"), (12.0, "CANDIDATE")])
async def test_what_was_trained_is_promoted_if_it_is_not_worse(store: Store, mae, stage):
    """Where settings allow; the alert of the version before goes with it."""
    lab, _ = await drifting(store, promotes_better=True)
    version = await trained(lab, mae=mae)
    await lab.evaluate()
    row = await prediction_models.get(store, version)
    assert row is not None
    assert row["stage"] == stage
    (alert,) = await lab.alerts()
    assert alert["state"] == ("RESOLVED" if stage == "PRODUCTION" else "OPEN")


async def test_a_candidate_waits_for_people_where_settings_do_not_promote(store: Store):
    """It is the default."""
    lab, _ = await drifting(store)
    version = await trained(lab, mae=1.0)
    await lab.evaluate()
    row = await prediction_models.get(store, version)
    assert row is not None
    assert row["stage"] == "CANDIDATE"


async def test_another_training_is_not_asked_for_while_a_candidate_waits(store: Store):
    """However long the alert stands: people would find a heap of them."""
    lab, _ = await drifting(store)
    await trained(lab, mae=1.0)
    lab.clock.forward(days=3)
    await lab.evaluate()
    assert await training.take(lab.services) is None
