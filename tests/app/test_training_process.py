"""Trainings in processes of their own: real ones, that succeed, fail, take too long, and are stopped."""

import asyncio
import logging

import pytest

from app import training as processes
from app.training import TrainingFailed, carry_out
from app.workers import Supervisor, Training
from models.paging import Window
from models.repositories import histories, prediction_models
from models.repositories.training_runs import RUNS
from models.store import Store
from resolvers.context import Scope
from resolvers.predicting import training
from tests.app.running import SetClock, services_over
from tests.lifetimes import TODAY, add_lives
from tests.versions import LIFESPAN, RISK, TRAINER

HEATERS = "WATER_HEATER"


def services_at(store: Store, **predictions):
    """Return services at the end of the days that tests write."""
    return services_over(store, SetClock(TODAY), predictions=predictions)


async def begun(services, kind=LIFESPAN):
    """Begin a training in this process."""
    return await training.begin(Scope(services, TRAINER), kind, HEATERS)


async def pause():
    """Wait a moment before another look into the database."""
    await asyncio.sleep(0.02)


async def newest(store: Store):
    """Return the run that was asked for last."""
    return (await histories.page(store, RUNS, Window(1))).rows[0]


async def test_a_worker_trains_what_was_asked_for(store: Store):
    """From the request to a version in production that predicts, by a process that the event loop does not wait for."""
    services = services_at(store)
    await add_lives(store, failed=6, living=4, days=40)
    await training.request(Scope(services, TRAINER), LIFESPAN, HEATERS)
    supervisor = Supervisor([Training(services)], on_failure=lambda _name: None)
    async with supervisor.running():
        while (run := await newest(store))["finished_at"] is None:
            await pause()
    assert (run["state"], run["error"], run["progress"]) == ("SUCCEEDED", None, 1.0)
    assert supervisor.states[0].failures == 0
    loaded = await services.models.production(store, LIFESPAN, HEATERS)
    assert loaded is not None
    assert (loaded.id, loaded.problem, loaded.row["method"]) == (run["model_id"], None, "REGRESSION")
    assert (loaded.row["window_to"], loaded.row["sample_count"] > 150) == (TODAY, True)
    assert loaded.row["reference"] is not None


async def test_what_cannot_be_learnt_is_the_error_of_the_run(store: Store):
    """A sentence that says what is missing; there is no version."""
    services = services_at(store)
    await add_lives(store, failed=0, living=2)
    with pytest.raises(TrainingFailed, match="There is no positive case to learn from"):
        await carry_out(services, await begun(services, RISK))
    run = await newest(store)
    assert (run["state"], run["model_id"]) == ("FAILED", None)
    assert "of 60 instants 0 lie before a failure" in run["error"]
    assert await prediction_models.in_production(store, HEATERS) == {}


async def test_a_training_that_takes_too_long_is_ended(store: Store):
    """The limit is named; its process does not live on."""
    services = services_at(store, training_timeout_seconds=0.3)
    with pytest.raises(TrainingFailed, match=r"longer than 0\.3 s \(predictions\.training_timeout_seconds\)"):
        await carry_out(services, await begun(services))
    assert (await newest(store))["state"] == "FAILED"


async def test_a_stop_of_the_server_ends_the_training(store: Store):
    """The run says so, and can be asked for again."""
    services = services_at(store)
    await training.request(Scope(services, TRAINER), LIFESPAN, HEATERS)
    async with Supervisor([Training(services)], on_failure=lambda _name: None).running():
        while (await newest(store))["state"] == "QUEUED":
            await pause()
    run = await newest(store)
    assert (run["state"], run["error"]) == (
        *("FAILED", "The server was stopped during the training; it can be asked for again."),
    )
    await training.request(Scope(services, TRAINER), LIFESPAN, HEATERS)


async def test_a_run_that_was_ended_from_elsewhere_is_given_up(store: Store, caplog):
    """Its process is ended, and the worker goes on with the next run."""
    clock = SetClock(TODAY)
    services = services_over(store, clock, predictions={"training_abandoned_after_seconds": 1})
    await training.request(Scope(services, TRAINER), LIFESPAN, HEATERS)
    taken = asyncio.ensure_future(Training(services).train_next())
    while (await newest(store))["state"] == "QUEUED":
        await pause()
    clock.forward(seconds=2)
    await training.abandon(services)
    with caplog.at_level(logging.WARNING, "iotsphere.training"):
        assert await taken
    assert "ended from elsewhere" in caplog.text


async def test_a_process_that_breaks_is_told_of(store: Store, caplog, monkeypatch: pytest.MonkeyPatch):
    """Clients read that it ended, the log has what it complained about."""
    monkeypatch.setattr(processes, "_PROGRAM", "no_such_module")
    services = services_at(store)
    with caplog.at_level(logging.ERROR, "iotsphere.training"), pytest.raises(TrainingFailed, match="status 1"):
        await carry_out(services, await begun(services))
    assert "No module named no_such_module" in caplog.text
    assert (await newest(store))["error"] == "The training's process ended with status 1; the server's log has more."


async def test_first_models_come_by_themselves(store: Store):
    """A server that finds devices and no model of their lives trains one, and registers what needs no training."""
    services = services_at(store, trains_first_models=True)
    await add_lives(store, failed=1, living=2, days=5)
    async with Supervisor([Training(services)], on_failure=lambda _name: None).running():
        while {*await prediction_models.in_production(store, HEATERS)} != {"ANOMALY", "USAGE_PATTERNS", LIFESPAN.value}:
            await pause()
    version = await prediction_models.production(store, LIFESPAN.value, HEATERS)
    assert version is not None
    assert (version["method"], (await newest(store))["requested_by"]) == ("WEIBAYES", "server")
