"""Training runs: asked for once at a time, taken by one process, ended in the open."""

import asyncio
from datetime import timedelta

import pytest

from models.errors import BadUserInput, Conflict
from models.paging import Window
from models.predictions import PredictionKind
from models.repositories import asked_hours, histories, prediction_models
from models.repositories.training_runs import RUNS
from models.store import Store
from models.types import to_micros
from resolvers.context import Scope
from resolvers.predicting import first_models, training
from resolvers.predicting.training import TrainingEnded
from resolvers.summing import sum_up
from tests.app.running import SetClock, services_over
from tests.factories import MIDDAY
from tests.lifetimes import TODAY, add_lives
from tests.versions import LIFESPAN, RISK, TRAINER, add_version, learnt

HEATERS = "WATER_HEATER"


async def asked(services, kind=LIFESPAN, device_kind=HEATERS):
    """Ask for a training as an operator."""
    return await training.request(Scope(services, TRAINER), kind, device_kind)


async def run_of(store: Store, run):
    """Return a run as it stands."""
    (found,) = await histories.by_ids(store, RUNS, [run["id"]])
    assert found is not None
    return found


async def test_a_run_goes_from_queued_to_a_version(store: Store):
    """Who asked, when it began, how far it is, when it ended and what came of it is kept."""
    services = services_over(store, SetClock(MIDDAY))
    run = await asked(services)
    assert (run["state"], run["requested_by"], run["started_at"]) == ("QUEUED", "Ada", None)
    taken = await training.take(services)
    assert taken is not None
    assert (taken["id"], taken["state"], taken["started_at"]) == (run["id"], "RUNNING", MIDDAY)
    await training.tell(services, taken, 0.25)
    assert (await run_of(store, run))["progress"] == 0.25
    version = await training.complete(services, taken, learnt())
    ended = await run_of(store, run)
    assert (ended["state"], ended["progress"], ended["model_id"], ended["finished_at"]) == (
        *("SUCCEEDED", 1.0, version["id"], MIDDAY),
    )
    assert await training.take(services) is None


async def test_one_training_of_a_model_at_a_time(store: Store):
    """Whoever asks meanwhile is told since when it goes on; other models, and the same one afterwards, are free."""
    services = services_over(store, SetClock(MIDDAY))
    results = await asyncio.gather(*(asked(services) for _ in range(4)), return_exceptions=True)
    refused = [each for each in results if isinstance(each, Conflict)]
    assert len(refused) == 3
    assert refused[0].message == (
        "A training of the model 'water heater lifespan' is under way since 2024-07-15T12:00:00+00:00 (QUEUED); wait "
        "until it has ended."
    )
    await asked(services, RISK)
    await asked(services, device_kind="VENDING_MACHINE")
    taken = await training.take(services)
    assert taken is not None
    with pytest.raises(Conflict):
        await asked(services)
    await training.fail(services, taken, "Too little history.")
    assert (await run_of(store, taken))["error"] == "Too little history."
    await asked(services)


async def test_processes_share_the_runs_out(store: Store):
    """Each run is taken once, the one that has waited longest first."""
    services = services_over(store)
    runs = [
        await asked(services, LIFESPAN),
        await asked(services, RISK),
        await asked(services, LIFESPAN, "VENDING_MACHINE"),
    ]
    taken = await asyncio.gather(*(training.take(services) for _ in range(5)))
    assert sorted(each["id"] for each in taken if each is not None) == [run["id"] for run in runs]


async def test_methods_are_not_trained(store: Store):
    """The refusal names what can be trained."""
    with pytest.raises(BadUserInput, match="LIFESPAN, MULTI_FACTOR or ANOMALY can be trained"):
        await asked(services_over(store), PredictionKind.USAGE_PATTERNS)


async def test_a_run_whose_process_died_can_be_asked_for_again(store: Store):
    """Without a beat it fails; what its process hands in later is refused, and leaves no version."""
    clock = SetClock(MIDDAY)
    services = services_over(store, clock)
    run = await training.begin(Scope(services, TRAINER), LIFESPAN, HEATERS)
    clock.forward(seconds=29)
    assert await training.abandon(services) == []
    await training.tell(services, run, 0.5)
    clock.forward(seconds=29)
    assert await training.abandon(services) == []
    clock.forward(seconds=2)
    (dead,) = await training.abandon(services)
    assert (dead["id"], dead["state"], dead["progress"]) == (run["id"], "FAILED", 0.5)
    assert dead["error"] == "The process that trained fell silent; the training can be asked for again."
    for late in (training.tell(services, run, 0.9), training.complete(services, run, learnt())):
        with pytest.raises(TrainingEnded):
            await late
    await training.fail(services, run, "Something else.")
    assert (await run_of(store, run))["error"] == dead["error"]
    assert await prediction_models.in_production(store, HEATERS) == {}
    await asked(services)


async def test_what_is_learnt_from_is_the_fleet_of_the_moment(store: Store):
    """The job holds all devices of the kind, the settings, and the version in production."""
    services = services_over(store, SetClock(TODAY), predictions={"horizon_days": 12, "training_trees": 7})
    ids = await add_lives(store, failed=1, living=2, days=5)
    run = await training.begin(Scope(services, TRAINER), RISK, HEATERS)
    plan, fleet = await training.prepare(services, run)
    assert (plan.kind, plan.horizon_days, plan.trees, plan.present) == (RISK, 12, 7, None)
    assert fleet.device_ids == ids
    version = await add_version(services)
    plan, _ = await training.prepare(services, await training.begin(Scope(services, TRAINER), LIFESPAN, HEATERS))
    assert plan.present is not None
    assert (plan.present.id, plan.present.artefact) == (version["id"], learnt()["artefact"])


async def test_the_first_models_are_asked_for_when_there_is_something_to_learn(store: Store):
    """Not without devices, not while their past is read in, not risk without failures; and never a second time."""
    clock = SetClock(TODAY)
    services = services_over(store, clock)

    async def requested():
        await first_models.request(services)
        page = await histories.page(store, RUNS, Window(10))
        return sorted((row["kind"], row["device_kind"], row["state"]) for row in page.rows)

    assert await requested() == []
    (device, *_) = await add_lives(store, failed=0, living=2, days=10)
    async with store.transaction() as transaction:
        await asked_hours.ask(transaction, [(device, to_micros(TODAY - timedelta(hours=30)))])
    assert await requested() == []
    await sum_up(store, TODAY)
    assert await requested() == [("LIFESPAN", HEATERS, "QUEUED")]
    await add_lives(store, failed=5, living=0, days=10)
    both = [("LIFESPAN", HEATERS, "QUEUED"), ("MULTI_FACTOR", HEATERS, "QUEUED")]
    assert await requested() == both
    taken = await training.take(services)
    assert taken is not None
    await training.fail(services, taken, "Too little history.")
    clock.forward(minutes=59)
    assert len(await requested()) == 2
    clock.forward(minutes=2)
    assert len(await requested()) == 3
    again = await training.take(services)
    assert again is not None
    clock.forward(hours=2)
    assert len(await requested()) == 3
