"""The watch over models, round after round: what is measured, how it is judged, whom it alarms."""

from datetime import timedelta

import numpy as np
import orjson
import pytest

from models.clock import now
from models.errors import NotFound
from models.monitoring import MetricName
from models.repositories.alerts import ALERT_CHANGED
from models.repositories.model_metrics import METRICS
from models.repositories.predictions import PREDICTIONS
from models.store import Store
from resolvers.predicting import promotion
from tests.factories import add_heater
from tests.lives import learn
from tests.monitoring import DAY, LIFESPAN, NOON, RISK, ModelLab, messages, reasons
from tests.versions import add_version


async def drifted_lab(store: Store, **changes) -> tuple[ModelLab, int]:
    """Return a lab in which a feature has moved by two standard deviations for three days."""
    lab = ModelLab(store, **changes)
    await lab.add_devices(40)
    model = await lab.add_model()
    for _ in range(3):
        features = lab.random.standard_normal((40, 2)) + np.array([2.0, 0.0])
        await lab.predict(model, features=features)
        await lab.next_day()
        await lab.evaluate()
    return lab, model


async def test_a_version_without_predictions_is_unknown_and_says_why(store: Store):
    """Nobody knows how a model does that has predicted nothing."""
    lab = ModelLab(store)
    await lab.add_model()
    (row,) = await lab.evaluate()
    assert (row["status"], row["score"]) == ("UNKNOWN", None)
    assert messages(row)["volume"] == "It has made 0 predictions in the newest window; 30 are needed to judge them."
    assert await lab.alerts() == []


async def test_what_a_version_predicts_is_measured_once_for_each_window(store: Store):
    """A round may be repeated: the metrics of a window are stored once, and count each prediction."""
    lab = ModelLab(store)
    await lab.add_devices(35)
    model = await lab.add_model()
    await lab.predict(model, values=[50.0] * 35, duration_ms=120.0, missing_share=0.25)
    await lab.next_day()
    (row,) = await lab.evaluate()
    await lab.evaluate()
    found = await lab.metrics()
    assert found[MetricName.VOLUME] == 35
    assert found[MetricName.LATENCY_MS] == found[MetricName.LATENCY_P95_MS] == 120
    assert (found[MetricName.INTERVAL_WIDTH], found[MetricName.CONFIDENCE]) == (40, 0.5)
    assert (found[MetricName.MISSING_SHARE], found[MetricName.PREDICTION_MEAN]) == (0.25, 50)
    assert found[MetricName.ESTIMATED_MAE] == pytest.approx(10)
    names = [each["name"] for each in await lab.listed(METRICS)]
    assert len(names) == len(set(names))
    assert reasons(row)["missing_share"] == "WARNING"


async def test_a_version_that_does_as_at_its_training_is_healthy(store: Store):
    """Inputs, predictions, speed and the estimated error are as they were; the score is full."""
    lab = ModelLab(store)
    await lab.add_devices(40)
    model = await lab.add_model()
    for _ in range(3):
        await lab.predict(model)
        await lab.next_day()
        await lab.evaluate()
    row = (await lab.health())[-1]
    assert (row["status"], row["score"]) == ("HEALTHY", 1.0)
    assert set((await lab.drift()).values()) == {"STABLE"}
    assert reasons(row) == dict.fromkeys(
        [
            *("volume", "latency_p95_ms", "missing_share", "drifted_share", "poor_data_share", "prediction_drift"),
            *("estimated_mae", "age_days"),
        ],
        "HEALTHY",
    )
    assert await lab.alerts() == []


async def test_health_has_a_new_row_only_when_a_status_changes(store: Store):
    """Rounds between refresh the present row; each change is an event that tells the status of before."""
    lab = ModelLab(store)
    await lab.add_devices(40)
    model = await lab.add_model()
    await lab.evaluate()
    lab.clock.forward(minutes=1)
    await lab.evaluate()
    (row,) = await lab.health()
    assert (row["began_at"], row["evaluated_at"]) == (NOON, NOON + timedelta(minutes=1))
    await lab.predict(model)
    await lab.next_day()
    await lab.evaluate()
    rows = await lab.health()
    assert [each["status"] for each in rows] == ["UNKNOWN", "HEALTHY"]
    told = [(each["model_id"], each["status"], each["previous_status"]) for each in await lab.told()]
    assert told == [(model, "UNKNOWN", None), (model, "HEALTHY", "UNKNOWN")]


async def test_drift_that_persists_turns_health_and_raises_one_alert(store: Store):
    """One window is no drift; the alert says what has moved, by how much, what rests on the version, what to do."""
    lab, model = await drifted_lab(store)
    rows = await lab.health()
    assert [each["status"] for each in rows][-1] == "CRITICAL"
    assert reasons(rows[0])["drifted_share"] == "HEALTHY"
    assert "heat: the values have moved up by" in messages(rows[-1])["drifted_share"]
    (alert,) = await lab.alerts()
    assert (alert["kind"], alert["severity"], alert["state"]) == ("MODEL_DRIFT", "HIGH", "OPEN")
    assert (alert["model_id"], alert["device_id"], alert["device_kind"]) == (model, None, None)
    assert alert["deduplication_key"] == f"model:{model}:MODEL_DRIFT"
    assert alert["message"].endswith("Train a new version.")
    assert "40 for 40 devices within 24 hours" in alert["impact"]
    assert [each["change"] for each in await lab.told(ALERT_CHANGED)] == ["RAISED"]


async def test_nothing_is_estimated_while_inputs_drift(store: Store):
    """A model's own certainty is worth nothing in a world that it does not know."""
    lab, _ = await drifted_lab(store)
    row = (await lab.health())[-1]
    assert reasons(row)["estimated_mae"] == "UNKNOWN"
    assert "cannot be estimated" in messages(row)["estimated_mae"]


async def test_a_new_version_takes_over_and_the_alert_of_the_old_one_resolves(store: Store):
    """It resolves with the promotion, not a round later; the new version begins with nothing known."""
    lab, model = await drifted_lab(store)
    replacing = await lab.add_model()
    await lab.evaluate()
    (alert,) = await lab.alerts()
    assert (alert["state"], alert["resolved_by"]) == ("RESOLVED", None)
    present = (await lab.health())[-1]
    assert (present["model_id"], present["status"]) == (replacing, "UNKNOWN")
    assert [each["change"] for each in await lab.told(ALERT_CHANGED)] == ["RAISED", "RESOLVED"]
    assert model != replacing


async def test_drift_that_is_over_resolves_the_alert(store: Store):
    """The world may come back."""
    lab, model = await drifted_lab(store)
    for _ in range(2):
        await lab.predict(model)
        await lab.next_day()
        await lab.evaluate()
    (alert,) = await lab.alerts()
    assert alert["state"] == "RESOLVED"
    assert (await lab.health())[-1]["status"] == "HEALTHY"


async def test_missing_inputs_are_poor_data_not_drift(store: Store):
    """A sensor that falls silent is another trouble than a world that changes, and a training does not help."""
    lab = ModelLab(store)
    await lab.add_devices(60)
    model = await lab.add_model()
    for _ in range(2):
        features = lab.random.standard_normal((60, 2))
        features[:50, 1] = np.nan
        await lab.predict(model, features=features)
        await lab.next_day()
        await lab.evaluate()
    row = (await lab.health())[-1]
    assert (await lab.drift())["wear"] == "MISSING"
    assert (reasons(row)["poor_data_share"], reasons(row)["drifted_share"]) == ("CRITICAL", "HEALTHY")
    (alert,) = await lab.alerts()
    assert alert["kind"] == "MODEL_DATA_QUALITY"
    assert "a new version does not help" in alert["message"]


async def test_a_small_fleet_is_not_blamed_for_its_own_composition(store: Store):
    """Ten devices looked at on four days are ten devices: that they differ from the training is chance."""
    lab = ModelLab(store, monitoring={"drift_window_hours": 96, "drift_windows_needed": 1})
    await lab.add_devices(10)
    model = await lab.add_model()
    lab.clock.time = NOON.replace(day=14)
    of_device = lab.random.standard_normal((10, 2)) + np.array([0.7, 0.0])
    for _ in range(12):
        await lab.predict(model, features=of_device + lab.random.standard_normal((10, 2)) * 0.05)
        await lab.next_day()
        await lab.evaluate()
    assert (await lab.drift())["heat"] == "STABLE"


async def test_an_unreadable_reference_says_so_and_harms_no_other_model(store: Store):
    """A version that another server has stored in its own way is not compared, and the rest is looked at."""
    lab = ModelLab(store)
    await lab.add_devices(40)
    broken = await lab.add_model(reference=orjson.dumps({"features": {"heat": {"count": 3}}}).decode())
    other = await lab.add_model(RISK)
    await lab.predict(broken)
    await lab.predict(other, kind=RISK, values=[0.1] * 40)
    await lab.next_day()
    first, second = await lab.evaluate()
    assert "No window of predictions has been compared" in messages(first)["drifted_share"]
    assert reasons(second)["drifted_share"] == "HEALTHY"


async def test_an_old_model_is_stale(store: Store):
    """It may do well still, but nobody knows: it has not seen how the world has gone on."""
    lab = ModelLab(store)
    await lab.add_model(window_to=NOON - 400 * DAY)
    (row,) = await lab.evaluate()
    assert (row["status"], reasons(row)["age_days"]) == ("WARNING", "WARNING")
    (alert,) = await lab.alerts()
    assert (alert["kind"], alert["severity"]) == ("MODEL_STALE", "LOW")


async def test_promotion_itself_resolves_the_alerts_of_the_replaced_version(store: Store):
    """Whoever promotes sees them go at once."""
    lab = ModelLab(store)
    old = await add_version(lab.services, metrics={"mae": 20.0}, window=[0.0, 10_000.0])
    await lab.evaluate()
    (alert,) = await lab.alerts()
    assert (alert["kind"], alert["state"], alert["model_id"]) == ("MODEL_STALE", "OPEN", old["id"])
    better = await add_version(lab.services, metrics={"mae": 10.0})
    await promotion.promote(lab.scope, better["id"], force=False, reason=None)
    (alert,) = await lab.alerts()
    assert alert["state"] == "RESOLVED"


async def test_evaluating_an_unknown_version_is_not_found(store: Store):
    """The sentence names the id."""
    with pytest.raises(NotFound, match="no model version with id 99"):
        await ModelLab(store).evaluate(99)


async def test_the_watch_predicts_a_sample_of_the_fleet_once_a_window(store: Store):
    """Nobody has to ask for predictions, and rounds in between make none."""
    lab = ModelLab(store, monitoring={"sample_devices": 2})
    ids = [await add_heater(store, installed_at=now() - (100 + 10 * place) * DAY) for place in range(4)]
    await learn(store, LIFESPAN)
    # In the morning: two hours later is the same window.
    lab.clock.time = (now() + DAY).replace(hour=6)
    await lab.evaluate()
    made = await lab.listed(PREDICTIONS)
    assert {row["device_id"] for row in made if row["kind"] == LIFESPAN.value} == {ids[0], ids[2]}
    lab.clock.forward(hours=2)
    await lab.evaluate()
    assert len(await lab.listed(PREDICTIONS)) == len(made)
    await lab.next_day()
    await lab.evaluate()
    assert len(await lab.listed(PREDICTIONS)) == 2 * len(made)


async def test_a_defect_that_one_version_meets_is_told_when_the_others_were_looked_at(store: Store):
    """The worker shows it as its failure, and nothing else goes unwatched."""
    lab = ModelLab(store)
    await lab.add_devices(40)
    broken = await lab.add_model(metrics="not JSON")
    other = await lab.add_model(RISK)
    with pytest.raises(ValueError, match="invalid literal"):
        await lab.evaluate()
    assert broken != other
    assert {row["model_id"] for row in await lab.health()} == {other}
