"""Training runs: asked for, taken by one process, told of while they go on, and finished."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from models.predictions import TrainingState
from models.repositories.base import Reads, Writes
from models.repositories.histories import History
from models.statements import Row, Statement, prepared, table_columns
from models.tables import TrainingRunRow
from models.types import UtcDateTime

RUNS = History(TrainingRunRow, "requested_at", owner="model_id")
_RUN = table_columns(TrainingRunRow)
_RUNNING = _RUN["state"] == TrainingState.RUNNING.value
_FINISHED = ("state", "finished_at", "error", "model_id", "progress")


async def add(transaction: Writes, values: Mapping[str, Any]) -> Row:
    """Store a run and return it; raises UniqueViolated where one of the same model is unfinished."""
    row: dict[str, Any] = {**dict.fromkeys(name for name in _RUN if name != "id"), **values}
    return {**row, "id": (await transaction.fetch(_insert(), **row))[0]["id"]}


async def unfinished(db: Reads, kind: str, device_kind: str) -> Row | None:
    """Return the run of a model that has not finished, None if there is none."""
    rows = await db.fetch(_unfinished(), kind=kind, device_kind=device_kind)
    return rows[0] if rows else None


async def newest(db: Reads, kind: str, device_kind: str) -> Row | None:
    """Return the run of a model that was asked for last, None if there is none."""
    rows = await db.fetch(_newest(), kind=kind, device_kind=device_kind)
    return rows[0] if rows else None


async def take(transaction: Writes, at: datetime) -> Row | None:
    """Begin the run that has waited longest, and return it; None if none waits. Two processes never take the same."""
    rows = await transaction.fetch(_take(), at=at)
    return rows[0] if rows else None


async def beat(transaction: Writes, run_id: int, progress: float, at: datetime) -> bool:
    """Note that a run goes on and how far it is; False if it does not run any more."""
    return await transaction.execute(_beat(), run_id=run_id, new_progress=progress, at=at) == 1


async def finish(transaction: Writes, run_id: int, values: Mapping[str, Any]) -> bool:
    """Store how a run ended: state, finished_at, error, model_id, progress; False if it does not run any more."""
    bound = {f"new_{name}": values[name] for name in _FINISHED}
    return await transaction.execute(_finish(), run_id=run_id, **bound) == 1


async def abandon(transaction: Writes, silent_since: datetime, at: datetime, error: str) -> list[Row]:
    """Let runs fail whose process has not been heard of since an instant, and return them."""
    return list(await transaction.fetch(_abandon(), silent_since=silent_since, at=at, why=error))


@prepared
def _insert() -> Statement:
    values = {name: bindparam(name, type_=column.type) for name, column in _RUN.items() if name != "id"}
    return Statement(insert(TrainingRunRow).values(values).returning(_RUN["id"]))


@prepared
def _unfinished() -> Statement:
    mine = (_RUN["kind"] == bindparam("kind"), _RUN["device_kind"] == bindparam("device_kind"))
    return Statement(select(*_RUN.values()).where(*mine, _RUN["finished_at"].is_(None)))


@prepared
def _newest() -> Statement:
    mine = (_RUN["kind"] == bindparam("kind"), _RUN["device_kind"] == bindparam("device_kind"))
    return Statement(select(*_RUN.values()).where(*mine).order_by(_RUN["id"].desc()).limit(1))


@prepared
def _take() -> Statement:
    waiting = select(_RUN["id"]).where(_RUN["state"] == TrainingState.QUEUED.value).order_by(_RUN["id"]).limit(1)
    # Named, so that it is looked up once.
    first = waiting.with_for_update(skip_locked=True).cte("first")
    at = bindparam("at", type_=UtcDateTime())
    values = {"state": TrainingState.RUNNING.value, "started_at": at, "beat_at": at}
    taken = update(TrainingRunRow).where(_RUN["id"].in_(select(first.c.id))).values(values)
    return Statement(taken.returning(*_RUN.values()))


@prepared
def _beat() -> Statement:
    values: dict[str, Any] = {"progress": bindparam("new_progress"), "beat_at": bindparam("at", type_=UtcDateTime())}
    return Statement(update(TrainingRunRow).where(_RUN["id"] == bindparam("run_id"), _RUNNING).values(values))


@prepared
def _finish() -> Statement:
    values = {name: bindparam(f"new_{name}", type_=_RUN[name].type) for name in _FINISHED}
    return Statement(update(TrainingRunRow).where(_RUN["id"] == bindparam("run_id"), _RUNNING).values(values))


@prepared
def _abandon() -> Statement:
    silent = _RUN["beat_at"] < bindparam("silent_since", type_=UtcDateTime())
    values: dict[str, Any] = {
        "state": TrainingState.FAILED.value,
        "finished_at": bindparam("at", type_=UtcDateTime()),
        "error": bindparam("why"),
    }
    failed = update(TrainingRunRow).where(_RUNNING, silent).values(values)
    return Statement(failed.returning(*_RUN.values()))
