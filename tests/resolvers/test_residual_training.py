"""The trained model of anomalies: learnt from hours, promoted only where it is better, and used beside the detector."""

from datetime import timedelta
from typing import Any

import numpy as np
import orjson
import pytest

from models.anomalies import Verdict
from models.devices import KINDS
from models.errors import Conflict
from models.learning import residuals
from models.learning.boosting import NothingToLearn
from models.predictions import PredictionKind
from models.reading_hours import HOUR, HOUR_MICROS
from models.repositories import prediction_models, reading_hours, training_runs
from models.store import Store
from models.types import from_micros
from resolvers.context import Scope
from resolvers.predicting import first_models, fleet_hours, methods, promotion, training
from resolvers.predicting.hour_steps import baseline_columns_of, columns_of, step_layout
from resolvers.predicting.jobs import learn, packed, unpacked
from resolvers.predicting.recommendations import recommended
from resolvers.predicting.residual_findings import compared, looks_of
from resolvers.predicting.residual_training import METHOD, feature_names
from tests.app.running import SetClock, services_over
from tests.coupled import CHANNELS, add_coupled, coupled, without_heating
from tests.factories import MIDDAY
from tests.findings import add_anomaly
from tests.lifetimes import add_failure
from tests.versions import TRAINER, add_version

ANOMALY = PredictionKind.ANOMALY
HEATERS = "WATER_HEATER"
NOW = MIDDAY.replace(hour=0)
DAYS = 12
_LEARNT: dict[str, dict[str, Any]] = {}


@pytest.fixture
def services(store: Store):
    """Services whose time stands still, and whose predictions are made anew each time."""
    return services_over(store, SetClock(NOW), predictions={"reuse_seconds": 0}, ingest={"max_batch_size": 1000})


async def learnt_from(services, **changes) -> dict[str, Any]:
    """Return what a training of the fleet gives, through the bytes that a process would be sent."""
    run = await training.begin(Scope(services, TRAINER), ANOMALY, HEATERS)
    plan, fleet = await training.prepare(services, run)
    found = learn(*unpacked(packed(plan, fleet)), lambda _share: None)
    return {**found, **changes, "run": run}


async def trained(services, **changes):
    """Train on the fleet and store the version; it is learnt once for all tests of a run."""
    if "all" not in _LEARNT:
        _LEARNT["all"] = await learnt_from(services)
        await training.fail(services, _LEARNT["all"].pop("run"), "It was only looked at.")
    return await add_version(services, ANOMALY, **{**_LEARNT["all"], **changes})


async def predicted(services, id_: int) -> Any:
    """Return the prediction of a device with its details."""
    row = (await services.predicting.find(services, [(id_, ANOMALY)]))[id_, ANOMALY]
    return {**row, **orjson.loads(row["details"])}


async def in_production(services) -> Any:
    """Return the version in production."""
    row = await prediction_models.production(services.store, ANOMALY.value, HEATERS)
    assert row is not None
    return row


@pytest.fixture
async def fleet(services):
    """Heaters whose channels go together, all in good order."""
    return await add_coupled(services, coupled(6, DAYS), NOW)


async def test_what_is_better_takes_the_detectors_place_by_itself(services, fleet):
    """The backtest tells both; the detector's version is kept, and people can go back to it."""
    found = await learnt_from(services)
    metrics = found["metrics"]
    assert metrics["recall"] > metrics["detector_recall"] + metrics["margin"]
    assert metrics["comparison"]["rows"] == metrics["faults"] >= 20
    assert found["parameters"]["basis"] == "INJECTED"
    version = await training.complete(services, found.pop("run"), found)
    assert (version["stage"], version["method"]) == ("PRODUCTION", METHOD)
    assert "in a backtest on" in version["promotion_reason"]
    (detector,) = [
        row for row in await prediction_models.of_kind(services.store, ANOMALY.value) if row["id"] != version["id"]
    ]
    assert (detector["stage"], detector["method"]) == ("ARCHIVED", "STREAMING_DETECTOR")
    scope = Scope(services, TRAINER)
    with pytest.raises(Conflict, match="give a reason"):
        await promotion.promote(scope, detector["id"], force=False, reason=None)
    await promotion.promote(scope, detector["id"], force=False, reason="Too many questions.")
    assert (await in_production(services))["method"] == "STREAMING_DETECTOR"


async def test_what_is_not_better_stays_a_candidate(services, fleet):
    """By less than noise, or without a backtest: the refusal says so, the detector remains, force puts it there."""
    noisy = {"recall": 0.5, "detector_recall": 0.45, "margin": 0.1, "faults": 40.0}
    for metrics, told in ((noisy, "is 0.5 together with the detector, against 0.45"), ({}, "is not known together")):
        version = await trained(services, metrics=metrics)
        assert version["stage"] == "CANDIDATE"
        with pytest.raises(Conflict, match=told):
            await promotion.promote(Scope(services, TRAINER), version["id"], force=False, reason=None)
    assert (await predicted(services, fleet[0]))["method"] == "STREAMING_DETECTOR"
    forced = await promotion.promote(Scope(services, TRAINER), version["id"], force=True, reason="To see it.")
    assert forced.model["stage"] == "PRODUCTION"
    better = {**noisy, "recall": 0.7}
    assert (await trained(services, metrics=better))["stage"] == "CANDIDATE"


async def test_a_later_version_is_compared_with_the_present_one_too(services, fleet):
    """It has to be better than the detector, and not worse than the trained one that is there."""
    good = {"recall": 0.7, "detector_recall": 0.3, "margin": 0.1, "faults": 40.0}
    first = await trained(services, metrics=good)
    assert first["stage"] == "PRODUCTION"
    worse = await trained(services, metrics={**good, "recall": 0.6})
    with pytest.raises(Conflict, match=r"is 0.6 against 0.7 by cross-validation"):
        await promotion.promote(Scope(services, TRAINER), worse["id"], force=False, reason=None)
    found = await learnt_from(services)
    comparison = found["metrics"]["comparison"]
    assert comparison["present_id"] == first["id"]
    assert comparison["present"] > found["metrics"]["detector_recall"]


async def test_a_server_leaves_a_trained_version_where_it_is(services, fleet):
    """The methods of the code are registered at each start."""
    version = await trained(services)
    for _ in range(2):
        assert (await services.models.productions(services.store, HEATERS))[ANOMALY].id == version["id"]
        await methods.register(services.store, HEATERS, NOW)
    assert len(await prediction_models.of_kind(services.store, ANOMALY.value)) == 2


async def test_power_without_heating_is_told(services):
    """Which channel, by how much in its unit, over which hours; with an action. The detector alone does not see it."""
    values = coupled(6, DAYS)
    values[5] = without_heating(values[5], 24)
    ids = await add_coupled(services, values, NOW)
    before = await predicted(services, ids[5])
    assert not before["is_anomalous"]
    version = await trained(services)
    good, broken = [await predicted(services, id_) for id_ in (ids[0], ids[5])]
    assert (good["method"], good["model_id"], good["is_anomalous"]) == (METHOD, version["id"], False)
    assert (broken["method"], broken["is_anomalous"], broken["value"] >= 0.5) == (METHOD, True, True)
    finding = next(each for each in broken["findings"] if each["method"] == METHOD)
    assert (finding["metric"], finding["is_present"], finding["anomaly_id"]) == ("power", True, None)
    assert finding["observed"] < 1
    assert finding["expected"] > 100
    assert NOW - 8 * HOUR <= from_micros(finding["began_at"]) < from_micros(finding["ended_at"]) <= NOW
    assert broken["doubts"] == []
    row = (await services.predicting.find(services, [(ids[5], ANOMALY)]))[ids[5], ANOMALY]
    (told,) = await services.explaining.told(services, [row])
    explained = told.explained
    assert explained is not None
    assert explained.factors[0].name == "power"
    assert sum(factor.contribution for factor in explained.factors) == pytest.approx(row["value"])
    advice = {each.action.value: each.reason for each in recommended(row, explained)}
    assert "W where the other channels let expect" in advice["CHECK_HEATING"]


async def test_training_and_serving_see_the_same(services, fleet):
    """The looks of a training at an instant, and those that serving makes of that instant's hours, are equal."""
    kind, store = KINDS[HEATERS], services.store
    layout = step_layout(kind)
    loaded = await fleet_hours.load_fleet_hours(store, HEATERS, NOW, 60)
    end = loaded.end
    assert from_micros(end * HOUR_MICROS) == NOW
    rows = [
        await reading_hours.load(store, HEATERS, fleet, NOW - hours * HOUR, NOW, columns)
        for hours, columns in ((696, baseline_columns_of(kind)), (72, columns_of(kind)))
    ]
    served = residuals.see(layout, looks_of(kind, rows[0], rows[1], fleet, end))
    looks = [residuals.look_at(layout, steps, loaded.first, [end]) for steps in loaded.steps]
    learnt = residuals.see(layout, residuals.joined(layout, looks))
    for name in ("features", "targets", "level", "scale"):
        assert np.array_equal(getattr(served, name), getattr(learnt, name), equal_nan=True), name
    assert np.isfinite(served.features).mean() > 0.9


async def test_many_devices_cost_as_many_statements_as_one(services, fleet, statements):
    """And none for hours that were compared a moment ago."""
    await trained(services)
    counts: list[int] = []
    for ids in (fleet[:1], fleet[1:], fleet):
        await services.models.productions(services.store, HEATERS)
        statements.clear()
        await services.predicting.find(services, [(id_, ANOMALY) for id_ in ids])
        counts.append(sum("water_heater_hours" in each for each in statements))
    assert counts == [2, 2, 0]


async def test_devices_of_which_too_little_is_known(services, fleet):
    """The detector answers alone, and it is said why; a channel that is missing or rests is not compared."""
    await trained(services)
    values = coupled(3, 4, seed=5)
    values[1, :, CHANNELS.index("power")] = 500.0
    values = values.astype(object)
    values[2, :, CHANNELS.index("pressure")] = None
    young = (await add_coupled(services, coupled(1, 2, seed=6), NOW))[0]
    row = await predicted(services, young)
    assert row["method"] == "STREAMING_DETECTOR"
    assert "were not compared with each other" in row["doubts"][0]
    assert row["missing_share"] == 1.0
    _, resting, lacking = [await predicted(services, id_) for id_ in await add_coupled(services, values, NOW)]
    names = orjson.loads((await in_production(services))["feature_names"])
    assert (resting["method"], lacking["method"]) == (METHOD, METHOD)
    assert resting["missing_share"] == lacking["missing_share"] == 1 / len(names)


@pytest.mark.parametrize("broken", ["corrupt", "other"])
async def test_a_model_that_cannot_be_used_leaves_the_detector(services, fleet, broken):
    """Damaged, or trained on other channels: the detector answers alone, and the prediction says so."""
    text = (await trained(services))["id"] and _LEARNT["all"]["artefact"]
    if broken == "other":
        model = residuals.load(text)
        layout = residuals.StepLayout(
            channels=("current", *model.layout.channels[1:]), units=model.layout.units, inputs=model.layout.inputs
        )
        text = residuals.ResidualModel(layout, model.trees, model.limits).to_text()
    else:
        text = text[:-30]
    version = await trained(services, artefact=text)
    scope = Scope(services, TRAINER)
    with pytest.raises(Conflict, match="cannot be used"):
        await promotion.promote(scope, version["id"], force=True, reason="Anyway.")
    async with services.store.transaction() as transaction:
        present = await prediction_models.production(transaction, ANOMALY.value, HEATERS)
        await promotion.replace(transaction, version, present, NOW, None, "Anyway.")
    row = await predicted(services, fleet[0])
    assert (row["method"], row["model_id"]) == ("STREAMING_DETECTOR", version["id"])
    assert "cannot be used" in row["doubts"][0]
    assert "The detector has answered alone." in row["doubts"][0]


async def test_days_in_trouble_are_not_learnt_from(services, fleet):
    """Confirmed anomalies and the days before failures; false alarms are good days."""
    store = services.store
    at = NOW - timedelta(days=3)
    await add_anomaly(store, fleet[0], detected_at=at, verdict=Verdict.TRUE_ALARM.value)
    await add_anomaly(store, fleet[1], detected_at=at, verdict=Verdict.FALSE_ALARM.value)
    await add_failure(store, fleet[2], at)
    loaded = await fleet_hours.load_fleet_hours(store, HEATERS, NOW, 60)
    assert {unit for unit, _, _ in loaded.cases} == {0, 2}
    ends = np.array([loaded.end - 24 * day for day in range(10)])
    for unit, cases, troubled in ((0, 1, 1), (1, 0, 0), (2, 2, 8)):
        units = np.full(len(ends), unit)
        assert fleet_hours.overlaps(loaded.cases, units, ends).sum() == cases
        assert fleet_hours.overlaps(loaded.troubled, units, ends).sum() == troubled


async def test_too_little_to_learn_from(services):
    """No devices, and a fleet whose hours have a reading each: one sentence with what is needed."""
    with pytest.raises(NothingToLearn, match="0 days of 0 devices"):
        await learnt_from(services)
    await add_coupled(services, coupled(2, 3)[:, ::1], NOW)
    assert not await fleet_hours.is_enough(services.store, HEATERS, NOW)


async def test_it_is_trained_first_where_there_is_enough_and_then_left_to_people(services, fleet):
    """A run that succeeded is not followed by another one; one that failed is, after a day."""
    clock = services.clock

    async def runs() -> int:
        await first_models.request(services)
        row = await training_runs.newest(services.store, ANOMALY.value, HEATERS)
        return 0 if row is None else row["id"]

    first = await runs()
    assert first
    while (run := await training.take(services)) is not None:
        await training.fail(services, run, "Too little.")
    clock.forward(hours=23)
    assert await runs() == first
    clock.forward(hours=2)
    second = await runs()
    assert second > first
    while (run := await training.take(services)) is not None:
        if run["id"] == second:
            await trained_run(services, run)
        else:
            await training.fail(services, run, "Too little.")
    clock.forward(days=3)
    assert await runs() == second


async def trained_run(services, run) -> None:
    """End a run with a version that is no better than the detector."""
    if "all" not in _LEARNT:
        plan, fleet = await training.prepare(services, run)
        _LEARNT["all"] = learn(plan, fleet, lambda _share: None)
    await training.complete(services, run, {**_LEARNT["all"], "metrics": {}})


async def test_its_inputs_are_watched(services, fleet):
    """What is kept of each prediction is compared with the training: the mean residual of each channel."""
    version = await trained(services)
    model = residuals.load(_LEARNT["all"]["artefact"])
    assert orjson.loads(version["feature_names"]) == feature_names(model)
    reference = orjson.loads(version["reference"])
    assert set(reference["features"]) == set(feature_names(model))
    assert "prediction" not in reference


async def test_no_devices_no_findings(services, fleet):
    """Nothing is looked at, and nothing breaks."""
    await trained(services)
    kind = KINDS[HEATERS]
    model = residuals.load(_LEARNT["all"]["artefact"])
    assert compared(kind, model, residuals.joined(step_layout(kind), [])) == []
