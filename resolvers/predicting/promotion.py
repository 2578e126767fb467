"""Promotion: which version of a model is in production."""

import asyncio
from datetime import datetime
from typing import NamedTuple

import orjson

from models.errors import BadUserInput, Conflict, NotFound
from models.learning.boosting import ArtefactError
from models.learning.features import ChannelMismatch
from models.monitoring import EXTERNAL
from models.predictions import ModelStage, PredictionKind
from models.repositories import prediction_models
from models.repositories.base import Reads
from models.repositories.prediction_models import changed
from models.statements import Row
from models.store import Transaction
from resolvers import checks
from resolvers.context import Scope
from resolvers.monitoring import alarming
from resolvers.predicting.comparison import BACKTEST, NEW_DATA, Comparison, between
from resolvers.predicting.methods import is_of_this_server, is_untrained, register_beside
from resolvers.predicting.registry import read


class Promoted(NamedTuple):
    """A version that is now in production, and the one that was before, if any."""

    model: Row
    replaced: Row | None


async def promote(scope: Scope, model_id: int, *, force: bool, reason: str | None) -> Promoted:
    """Put a version into production in the place of the present one, which is archived.

    An archived version is taken back with a reason, whatever its errors are: that is a rollback.

    Args:
        scope: of who does it.
        model_id: the version.
        force: although it is worse than the present one.
        reason: why; needed with `force`, and for an archived version.

    Raises:
        NotFound: there is no such version.
        BadUserInput: the reason is missing or too long.
        Conflict: it is in production already, cannot be used, or is worse than the present version.
    """
    text = checks.optional_text(reason, "reason", longest=checks.NOTES_LENGTH)
    at = scope.services.clock()
    row = await _get(scope.store, model_id)
    await register_beside(scope.store, PredictionKind(row["kind"]), row["device_kind"], at)
    await _check_usable(scope, row)
    async with scope.store.transaction() as transaction:
        await prediction_models.lock(transaction)
        row = await _get(transaction, model_id)
        present = await prediction_models.production(transaction, row["kind"], row["device_kind"])
        _check(row, present, force=force, reason=text)
        return await replace(transaction, row, present, at, scope.principal.name, text)


async def replace(  # noqa: PLR0917 - what takes whose place, by whom and why
    transaction: Transaction, row: Row, present: Row | None, at: datetime, by: str | None, reason: str | None
) -> Promoted:
    """Put a version into production in the place of the present one, if there is one; the lock is held."""
    replaced = None
    if present is not None:
        replaced = await prediction_models.move(transaction, present, ModelStage.ARCHIVED, at)
        transaction.emit(changed("ARCHIVED", replaced))
        await alarming.end(transaction, [replaced["id"]], at)
    promoted = await prediction_models.move(transaction, row, ModelStage.PRODUCTION, at, by, reason)
    transaction.emit(changed("PROMOTED", promoted))
    return Promoted(promoted, replaced)


async def _get(db: Reads, model_id: int) -> Row:
    row = await prediction_models.get(db, model_id)
    if row is None:
        raise NotFound(f"There is no model version with id {model_id}.", input_path=("input", "modelId"))
    return row


async def _check_usable(scope: Scope, row: Row) -> None:
    if row["method"] == EXTERNAL:
        raise Conflict(
            f"The model '{row['name']}' runs elsewhere; this server only watches what is reported of it.",
            input_path=("input", "modelId"),
        )
    if is_untrained(row):
        _check_method(row)
        return
    text = await prediction_models.artefact(scope.store, row["id"])
    try:
        await asyncio.to_thread(read, row, text)
    except (ArtefactError, ChannelMismatch) as error:
        raise Conflict(
            f"Version {row['version']} of the model '{row['name']}' cannot be used: {error}",
            input_path=("input", "modelId"),
        ) from error


def _check_method(row: Row) -> None:
    """Let people go back to a method from a trained version; any other change of it comes with the server's."""
    if row["stage"] == ModelStage.PRODUCTION.value or not is_of_this_server(row):
        raise Conflict(
            f"The model '{row['name']}' is a method of the server, whose version comes with the server's.",
            input_path=("input", "modelId"),
        )


def _check(row: Row, present: Row | None, *, force: bool, reason: str | None) -> None:
    named = f"Version {row['version']} of the model '{row['name']}'"
    if row["stage"] == ModelStage.PRODUCTION.value:
        raise Conflict(f"{named} is in production already.", input_path=("input", "modelId"))
    if reason is None and row["stage"] == ModelStage.ARCHIVED.value:
        raise Conflict(f"{named} is archived; to go back to it, give a reason.", input_path=("input", "reason"))
    if reason is None and force:
        raise BadUserInput("A forced promotion needs a reason.", input_path=("input", "reason"))
    if present is None or force or row["stage"] == ModelStage.ARCHIVED.value:
        return
    comparison = compared(row, present)
    if comparison.is_worse:
        raise Conflict(
            f"{named} is worse than version {present['version']}, which is in production: {_told(comparison)}. "
            "Promote it with 'force' and a reason if it shall be so.",
            input_path=("input", "modelId"),
            metric=comparison.measure.name,
            candidate=comparison.candidate,
            present=comparison.present,
            basis=comparison.basis,
        )


def compared(row: Row, present: Row) -> Comparison:
    """Return how a version stands to the one in production."""
    metrics = [orjson.loads(each["metrics"]) for each in (row, present)]
    return between(PredictionKind(row["kind"]), metrics[0], metrics[1], present["id"])


def _told(comparison: Comparison) -> str:
    told = "not known" if comparison.candidate is None else f"{comparison.candidate:.4g}"
    if comparison.basis == BACKTEST:
        least = (comparison.present or 0.0) + (comparison.least_gain or 0.0)
        return (
            f"its {comparison.measure.label}, is {told} together with the detector, against {comparison.present:.4g} "
            f"of the detector alone, in a backtest on {comparison.rows} faults; more than {least:.4g} is beyond noise"
        )
    where = f"on {comparison.rows} new days of devices" if comparison.basis == NEW_DATA else "by cross-validation"
    return f"its {comparison.measure.label}, is {told} against {comparison.present:.4g} {where}"
