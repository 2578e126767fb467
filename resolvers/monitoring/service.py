"""The watch over models: each round looks at every version in production, and at those that run elsewhere."""

import logging
from collections.abc import Sequence
from datetime import timedelta

import orjson

from models.errors import IoTSphereError, NotFound
from models.monitoring import MetricName
from models.repositories import model_drift, model_health, model_metrics, monitored_models, prediction_models
from models.repositories.model_health import changed
from models.repositories.prediction_models import as_json
from models.statements import Row
from models.store import Transaction
from resolvers.context import Services
from resolvers.monitoring import alarming, comparing, measuring, retraining, sampling
from resolvers.monitoring.drifting import together
from resolvers.monitoring.reasons import Known, Reason, reasons_of, score_of, status_of
from resolvers.monitoring.rounds import Fence, Round, unfenced

logger = logging.getLogger("iotsphere.models")

# Metrics and findings of so many windows ago are no longer of the present.
_METRIC_WINDOWS = 2


async def evaluate(services: Services, model_id: int | None = None, *, fence: Fence = unfenced) -> list[Row]:
    """Do one round: outcomes, metrics, drift, health, alerts and new versions; a round may be repeated at will.

    Args:
        services: of the process.
        model_id: of the one version to look at; all that are watched where it is not given.
        fence: called first in each transaction.

    Returns:
        The present health of each version.

    Raises:
        NotFound: there is no such version.
    """
    watch = Round(services, services.clock(), fence)
    if model_id is not None:
        return [await _evaluate(watch, await _one(services, model_id))]
    await sampling.predict(watch)
    await _let_go(watch)
    return await _evaluate_all(watch, await monitored_models.watched(services.store))


async def _evaluate_all(watch: Round, models: Sequence[Row]) -> list[Row]:
    """Evaluate versions one after the other; a defect that one meets is raised when the others have been looked at."""
    found: list[Row] = []
    defect: Exception | None = None
    for model in models:
        try:
            found.append(await _evaluate(watch, model))
        except IoTSphereError:
            # The database is away, or the work has been taken over: it is the same for the others.
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other models are watched
            logger.warning("version %d of the model '%s' could not be evaluated", model["version"], model["name"])
            defect = defect or error
    if defect is not None:
        raise defect
    return found


async def _one(services: Services, model_id: int) -> Row:
    model = await prediction_models.get(services.store, model_id)
    if model is None:
        raise NotFound(f"There is no model version with id {model_id}.", input_path=("modelId",))
    return model


async def _let_go(watch: Round) -> None:
    """Be done with the alerts of versions that were replaced."""
    replaced = await monitored_models.with_conditions(watch.store)
    async with watch.transaction() as transaction:
        await alarming.end(transaction, replaced, watch.at)


async def _evaluate(watch: Round, model: Row) -> Row:
    await comparing.compare(watch, model)
    drifting = together(await _findings(watch, model), watch.settings)
    await measuring.measure(watch, model, is_drifting=drifting.persists)
    metrics = await _metrics(watch, model)
    known = Known(model, metrics, drifting, watch.at)
    found = reasons_of(watch.services.settings, known)
    async with watch.transaction() as transaction:
        locked = await monitored_models.lock(transaction, [model["id"]])
        health = await _store(transaction, watch, model, found)
        # Who was replaced a moment ago has no alerts any more.
        helpful = (
            await alarming.tell(transaction, watch.settings, model, found, metrics.get(MetricName.VOLUME), watch.at)
            if monitored_models.is_watched(locked[model["id"]])
            else []
        )
    if helpful:
        await retraining.request(watch, model)
    await retraining.promote_better(watch, model)
    return health


async def _findings(watch: Round, model: Row) -> Sequence[Row]:
    hours = watch.settings.drift_window_hours * watch.settings.drift_windows_of * _METRIC_WINDOWS
    since = watch.compared.end - timedelta(hours=hours)
    return (await model_drift.since(watch.store, [model["id"]], since))[model["id"]]


async def _metrics(watch: Round, model: Row) -> dict[str, Row]:
    # Who reports from elsewhere may have longer windows; what has been said last counts as long as outcomes do.
    since = min(watch.judged.start, watch.measured.start)
    newest = (await model_metrics.newest(watch.store, [model["id"]], since))[model["id"]]
    latest = watch.measured.end - timedelta(hours=watch.settings.window_hours * _METRIC_WINDOWS)
    return {name: row for name, row in newest.items() if row["reported_by"] is not None or row["window_end"] > latest}


async def _store(transaction: Transaction, watch: Round, model: Row, found: list[Reason]) -> Row:
    """Store the health of a locked version: as a new row where it has changed, else as the present one."""
    status, at = status_of(found).value, watch.at
    reasons = as_json([reason.to_json() for reason in found])
    told = {"status": status, "score": score_of(found), "reasons": reasons, "evaluated_at": at}
    present = (await model_health.present(transaction, [model["id"]])).get(model["id"])
    if present is not None and present["status"] == status and _statuses(present["reasons"]) == _statuses(reasons):
        return await model_health.refresh(transaction, present, told)
    row = await model_health.add(transaction, {"model_id": model["id"], "began_at": at, **told})
    transaction.emit(changed(row, None if present is None else present["status"]))
    return row


def _statuses(reasons: str) -> dict[str, str]:
    return {reason["metric"]: reason["status"] for reason in orjson.loads(reasons)}
