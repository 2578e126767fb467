"""Metrics that others report of models, and models that run elsewhere."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from models.errors import BadUserInput, Conflict, IoTSphereError, NotFound
from models.predictions import PredictionKind
from models.repositories.model_metrics import METRICS
from models.store import Store
from resolvers.monitoring.reporting import ReportedMetric, register_external, report
from resolvers.predicting import promotion
from tests.monitoring import DAY, LIFESPAN, NOON, ModelLab, messages, reasons

MAE = ReportedMetric("mae", 12.5, 40, NOON - DAY, NOON)


async def refused(lab: ModelLab, metrics, kind: type[IoTSphereError] = BadUserInput, **named) -> IoTSphereError:
    """Return the error with which a report is refused; nothing of it is stored."""
    before = await lab.listed(METRICS)
    with pytest.raises(kind) as caught:
        await report(lab.scope, metrics, **named)
    assert await lab.listed(METRICS) == before
    return caught.value


async def test_metrics_are_stored_with_who_reported_them(store: Store):
    """A version is named by its id, or by its model's name and its number; rows come back in the order given."""
    lab = ModelLab(store)
    model = await lab.add_model()
    first = await report(lab.scope, [MAE, replace(MAE, name="f1", value=0.5)], model_id=model)
    assert [(row["name"], row["value"], row["reported_by"]) for row in first] == [
        *(("mae", 12.5, "Grace"), ("f1", 0.5, "Grace")),
    ]
    later = replace(MAE, window_start=NOON - 2 * DAY, window_end=NOON - DAY)
    (row,) = await report(lab.scope, [later], name="water heater lifespan", version=1)
    assert (row["model_id"], row["recorded_at"], row["window_end"]) == (model, NOON, NOON - DAY)


async def test_an_unknown_model_or_version_is_not_found(store: Store):
    """By id, by name, and by number; what there is is told."""
    lab = ModelLab(store)
    await lab.add_model()
    error = await refused(lab, [MAE], NotFound, model_id=99)
    assert (error.message, error.input_path) == ("There is no model version with id 99.", ("input", "modelId"))
    error = await refused(lab, [MAE], NotFound, name="nobody", version=1)
    assert (error.message, error.input_path) == ("There is no model 'nobody'.", ("input", "name"))
    error = await refused(lab, [MAE], NotFound, name="water heater lifespan", version=7)
    assert error.message == "The model 'water heater lifespan' has no version 7; its newest is 1."


@pytest.mark.parametrize("named", [{}, {"name": "a"}, {"version": 1}, {"model_id": 1, "name": "a", "version": 1}])
async def test_a_version_is_named_in_one_way(store: Store, named):
    """Neither not at all, nor by half, nor twice."""
    error = await refused(ModelLab(store), [MAE], **named)
    assert error.message == "Name either 'modelId', or 'name' and 'version'."


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"value": math.nan}, "value", "must be finite"),
        ({"value": math.inf}, "value", "must be finite"),
        ({"sample_count": 0}, "sampleCount", "must be from 1"),
        ({"sample_count": -3}, "sampleCount", "must be from 1"),
        ({"sample_count": 2**31}, "sampleCount", "must be from 1"),
        ({"window_end": NOON - DAY}, "windowEnd", "not after its start"),
        ({"window_end": NOON - 2 * DAY}, "windowEnd", "not after its start"),
        ({"window_end": NOON + DAY}, "windowEnd", "ends in the future"),
        ({"name": ""}, "name", "lower case"),
        ({"name": "Mean Error"}, "name", "lower case"),
        ({"name": "a" * 61}, "name", "lower case"),
    ],
)
async def test_what_cannot_be_is_refused(store: Store, changes, field, words):
    """The error names the metric's place and field; the good one beside it is not stored either."""
    lab = ModelLab(store)
    model = await lab.add_model()
    error = await refused(lab, [replace(MAE, name="other"), replace(MAE, **changes)], model_id=model)
    assert error.input_path == ("input", "metrics", 1, field)
    assert words in error.message


async def test_nothing_and_too_much_are_refused(store: Store):
    """A report has something to say, within reason."""
    lab = ModelLab(store)
    model = await lab.add_model()
    assert (await refused(lab, [], model_id=model)).message == "Report at least one metric."
    assert "1000 metrics" in (await refused(lab, [MAE] * 1001, model_id=model)).message


async def test_windows_of_one_metric_do_not_overlap(store: Store):
    """Neither within a report nor with what is stored; side by side they may lie, and other metrics do not matter."""
    lab = ModelLab(store)
    model, other = await lab.add_model(), await lab.add_model(PredictionKind.MULTI_FACTOR)
    half = replace(MAE, window_start=NOON - DAY / 2)
    error = await refused(lab, [MAE, half], model_id=model)
    assert error.input_path == ("input", "metrics", 1, "windowStart")
    assert "overlap" in error.message
    await report(lab.scope, [MAE], model_id=model)
    for again in (MAE, half, replace(MAE, window_start=NOON - 3 * DAY, window_end=NOON - DAY / 2)):
        error = await refused(lab, [replace(MAE, name="f1"), again], Conflict, model_id=model)
        assert error.input_path == ("input", "metrics", 1, "windowStart")
        assert "by Grace; windows of one metric do not overlap." in error.message
    before = replace(MAE, window_start=NOON - 2 * DAY, window_end=NOON - DAY)
    assert len(await report(lab.scope, [before, replace(half, name="f1")], model_id=model)) == 2
    assert len(await report(lab.scope, [MAE], model_id=other)) == 1


async def test_a_model_that_runs_elsewhere_is_judged_by_what_is_reported(store: Store):
    """It is registered as a version that never predicts here, and alarms like any other."""
    lab = ModelLab(store)
    told = {"mae": 8.0}
    row = await register_external(
        lab.scope, name="cloud lifespan", kind=LIFESPAN, device_kind="WATER_HEATER", metrics=told
    )
    assert (row["stage"], row["method"], row["version"]) == ("CANDIDATE", "EXTERNAL", 1)
    (health,) = await lab.evaluate()
    assert (health["status"], messages(health)["volume"]) == ("UNKNOWN", "Nothing has been reported of it lately.")
    await report(lab.scope, [replace(MAE, value=21.0)], name="cloud lifespan", version=1)
    (health,) = await lab.evaluate()
    assert (health["status"], reasons(health)) == ("CRITICAL", {"mae": "CRITICAL"})
    assert messages(health)["mae"] == "The mean absolute error is 21 days; 20 days or more is critical."
    (alert,) = await lab.alerts()
    assert (alert["kind"], alert["severity"]) == ("MODEL_PERFORMANCE", "HIGH")
    lab.clock.forward(days=1)
    well = replace(MAE, value=7.0, window_start=NOON, window_end=NOON + timedelta(hours=1))
    await report(lab.scope, [well], model_id=row["id"])
    (health,) = await lab.evaluate()
    assert health["status"] == "HEALTHY"
    (alert,) = await lab.alerts()
    assert alert["state"] == "RESOLVED"


async def test_too_few_samples_are_unknown(store: Store):
    """What is reported of three devices is no reason to alarm anybody."""
    lab = ModelLab(store)
    row = await register_external(
        lab.scope, name="cloud", kind=LIFESPAN, device_kind="WATER_HEATER", metrics={"mae": 1.0}
    )
    await report(lab.scope, [replace(MAE, value=99.0, sample_count=3)], model_id=row["id"])
    (health,) = await lab.evaluate()
    assert health["status"] == "UNKNOWN"
    assert messages(health)["mae"] == (
        "The mean absolute error rests on 3 devices with outcomes; 5 are needed to judge it."
    )


async def test_a_model_that_runs_elsewhere_cannot_be_promoted(store: Store):
    """There is nothing here to predict by."""
    lab = ModelLab(store)
    row = await register_external(lab.scope, name="cloud", kind=LIFESPAN, device_kind="WATER_HEATER")
    with pytest.raises(Conflict, match="runs elsewhere"):
        await promotion.promote(lab.scope, row["id"], force=False, reason=None)


@pytest.mark.parametrize(
    "changes", [{"name": " "}, {"device_kind": "SPACESHIP"}, {"metrics": {"mae": math.inf}}, {"metrics": {"M A E": 1}}]
)
async def test_a_model_that_cannot_be_is_not_registered(store: Store, changes):
    """A name, a kind of device that there is, finite errors."""
    given = {"name": "cloud", "kind": LIFESPAN, "device_kind": "WATER_HEATER", **changes}
    with pytest.raises(BadUserInput):
        await register_external(ModelLab(store).scope, **given)
