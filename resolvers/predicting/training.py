"""Training: asked for by people or by the server, done by one process, stored as a version of the model."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from models.devices import KINDS
from models.drivers import UniqueViolated
from models.errors import BadUserInput, Conflict
from models.predictions import ModelStage, PredictionKind, TrainingState
from models.repositories import prediction_models, training_runs
from models.repositories.prediction_models import as_json, changed
from models.statements import Row
from models.store import Transaction
from resolvers.context import Scope, Services
from resolvers.predicting.comparison import MEASURES
from resolvers.predicting.data import instant_of, load_fleet
from resolvers.predicting.fleet import days_of
from resolvers.predicting.fleet_hours import load_fleet_hours
from resolvers.predicting.jobs import Fleet, Plan, Present
from resolvers.predicting.methods import is_untrained, name_of, register_beside
from resolvers.predicting.promotion import compared, replace
from resolvers.predicting.residual_training import MOST_LOOKS

TRAINED_KINDS = tuple(MEASURES)
FIRST = "The first version: there was none that it could be worse than."
_STOPPED = "The process that trained fell silent; the training can be asked for again."


class TrainingEnded(Conflict):
    """A run was ended from elsewhere while it went on."""


async def request(scope: Scope, kind: PredictionKind, device_kind: str) -> Row:
    """Ask for a training and return its run.

    Raises:
        BadUserInput: nothing is trained for this kind of prediction, or of this kind of device.
        Conflict: a training of the same model has not finished.
    """
    return await _begin(scope, kind, device_kind, {"state": TrainingState.QUEUED.value})


async def begin(scope: Scope, kind: PredictionKind, device_kind: str) -> Row:
    """Begin a training in this process and return its run; raises as `request` does."""
    at = scope.services.clock()
    running = {"state": TrainingState.RUNNING.value, "started_at": at, "beat_at": at}
    return await _begin(scope, kind, device_kind, running)


async def _begin(scope: Scope, kind: PredictionKind, device_kind: str, values: Mapping[str, Any]) -> Row:
    _check(kind, device_kind)
    asked = {
        "kind": kind.value,
        "device_kind": device_kind,
        "progress": 0.0,
        "requested_at": scope.services.clock(),
        "requested_by": scope.principal.name,
    }
    try:
        async with scope.store.transaction() as transaction:
            return await training_runs.add(transaction, {**asked, **values})
    except UniqueViolated:
        raise await _under_way(scope, kind, device_kind) from None


async def take(services: Services) -> Row | None:
    """Take the run that has waited longest, for this process to do it; None if none waits."""
    async with services.store.transaction() as transaction:
        return await training_runs.take(transaction, services.clock())


async def prepare(services: Services, run: Row) -> tuple[Plan, Fleet]:
    """Return what a run learns from, and how."""
    settings = services.settings.predictions
    kind = PredictionKind(run["kind"])
    fleet: Fleet
    if kind is PredictionKind.ANOMALY:
        await register_beside(services.store, kind, run["device_kind"], services.clock())
        most = min(settings.training_max_rows, MOST_LOOKS)
        fleet = await load_fleet_hours(services.store, run["device_kind"], services.clock(), most)
    else:
        fleet = await load_fleet(services.store, run["device_kind"], until=services.clock())
    plan = Plan(
        kind=kind,
        horizon_days=settings.horizon_days,
        min_failures=settings.min_failures,
        trees=settings.training_trees,
        max_rows=settings.training_max_rows,
        threads=settings.training_threads,
        present=await _present(services, run),
    )
    return plan, fleet


async def tell(services: Services, run: Row, progress: float) -> None:
    """Note that a run goes on; raises TrainingEnded if somebody has ended it."""
    async with services.store.transaction() as transaction:
        if not await training_runs.beat(transaction, run["id"], progress, services.clock()):
            raise _ended(run)


async def complete(services: Services, run: Row, learnt: Mapping[str, Any]) -> Row:
    """Store what was learnt as a version, finish the run, and return the version.

    It is a candidate, unless it is the first one. In the place of a method it has to be better than that one.

    Raises:
        TrainingEnded: somebody has ended the run.
    """
    at = services.clock()
    await register_beside(services.store, PredictionKind(run["kind"]), run["device_kind"], at)
    async with services.store.transaction() as transaction:
        await prediction_models.lock(transaction)
        present = await prediction_models.production(transaction, run["kind"], run["device_kind"])
        version = await prediction_models.add(transaction, _version(run, learnt, at))
        transaction.emit(changed("TRAINED", version))
        reason = _reason_to_promote(version, present)
        if reason is not None:
            version, _ = await replace(transaction, version, present, at, None, reason)
        await _finish(transaction, run, at, model_id=version["id"])
    return version


def _reason_to_promote(version: Row, present: Row | None) -> str | None:
    """Return why a new version goes into production by itself; None where people decide."""
    if present is None:
        return FIRST
    if not is_untrained(present):
        return None
    comparison = compared(version, present)
    if comparison.is_worse or comparison.candidate is None:
        return None
    return (
        f"The first that is better than the method without training: {comparison.measure.label}, "
        f"{comparison.candidate:.2f} against {comparison.present:.2f} in a backtest on {comparison.rows} faults."
    )


async def fail(services: Services, run: Row, error: str) -> None:
    """Store why a run failed; one that somebody has ended stays as it is."""
    at = services.clock()
    async with services.store.transaction() as transaction:
        values = {"state": TrainingState.FAILED.value, "finished_at": at, "error": error}
        await training_runs.finish(transaction, run["id"], {**values, "model_id": None, "progress": run["progress"]})


async def abandon(services: Services) -> list[Row]:
    """Let runs fail whose processes fell silent, and return them."""
    at = services.clock()
    silence = timedelta(seconds=services.settings.predictions.training_abandoned_after_seconds)
    async with services.store.transaction() as transaction:
        return await training_runs.abandon(transaction, at - silence, at, _STOPPED)


async def _finish(transaction: Transaction, run: Row, at: Any, *, model_id: int) -> None:
    values = {"state": TrainingState.SUCCEEDED.value, "finished_at": at, "error": None}
    if not await training_runs.finish(transaction, run["id"], {**values, "model_id": model_id, "progress": 1.0}):
        raise _ended(run)


async def _present(services: Services, run: Row) -> Present | None:
    row = await prediction_models.production(services.store, run["kind"], run["device_kind"])
    if row is not None and is_untrained(row):
        return Present(row["id"], "", 0.0)
    if row is None or row["window_to"] is None:
        return None
    artefact = await prediction_models.artefact(services.store, row["id"])
    return Present(row["id"], artefact, days_of(row["window_to"]))


def _version(run: Row, learnt: Mapping[str, Any], at: Any) -> dict[str, Any]:
    start, end = learnt["window"]
    reference = learnt["reference"]
    return {
        "name": name_of(PredictionKind(run["kind"]), run["device_kind"]),
        "kind": run["kind"],
        "device_kind": run["device_kind"],
        "stage": ModelStage.CANDIDATE.value,
        "method": learnt["method"],
        "trained_at": at,
        "window_from": instant_of(start),
        "window_to": instant_of(end),
        "sample_count": learnt["sample_count"],
        "feature_names": as_json(learnt["feature_names"]),
        "parameters": as_json(learnt["parameters"]),
        "metrics": as_json(learnt["metrics"]),
        "reference": None if reference is None else as_json(reference),
        "artefact": learnt["artefact"],
        "promoted_at": None,
        "promoted_by": None,
        "promotion_reason": None,
    }


def _check(kind: PredictionKind, device_kind: str) -> None:
    if kind not in TRAINED_KINDS:
        *others, last = (each.value for each in TRAINED_KINDS)
        able = f"{', '.join(others)} or {last}"
        raise BadUserInput(
            f"{kind.value} is predicted by a method that needs no training; {able} can be trained.",
            input_path=("input", "kind"),
        )
    if kind not in KINDS[device_kind].predicted:
        raise BadUserInput(
            f"{kind.value} is not predicted for a {KINDS[device_kind].label}.", input_path=("input", "deviceKind")
        )


async def _under_way(scope: Scope, kind: PredictionKind, device_kind: str) -> Conflict:
    name = name_of(kind, device_kind)
    run = await training_runs.unfinished(scope.store, kind.value, device_kind)
    since = "" if run is None else f" since {run['requested_at'].isoformat()} ({run['state']})"
    return Conflict(f"A training of the model '{name}' is under way{since}; wait until it has ended.")


def _ended(run: Row) -> TrainingEnded:
    return TrainingEnded(f"The training run {run['id']} was ended from elsewhere while it went on.")
