"""The registry of models that predict: versions that never change, and which of them are in production."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, func, insert, select, update

from models.predictions import ModelStage
from models.repositories.base import Reads, Writes
from models.repositories.events import NewEvent
from models.repositories.histories import History
from models.snapshots import snapshot
from models.statements import Row, Statement, prepared, table_columns
from models.tables import PredictionModelRow

MODEL_CHANGED = "model_changed"
MODEL = table_columns(PredictionModelRow)
# The artefact is large, and nobody but who predicts has a use for it.
MODEL_COLUMNS = frozenset(MODEL) - {"artefact"}
MODELS = History(PredictionModelRow, "trained_at", shown=MODEL_COLUMNS)
# Any number; with it versions of all models are numbered and promoted one after the other.
_LOCK = 0x10707E15
_PRODUCTION = MODEL["stage"] == ModelStage.PRODUCTION.value


async def lock(transaction: Writes) -> None:
    """Let nobody else number or promote versions until the end of the transaction."""
    if transaction.dialect == "postgresql":
        await transaction.run("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def add(transaction: Writes, values: Mapping[str, Any]) -> Row:
    """Store a new version with the next number of its kind and return it, without the artefact.

    Args:
        transaction: holds the lock.
        values: all columns but id and version.
    """
    newest = await transaction.fetch(_newest(), kind=values["kind"], device_kind=values["device_kind"])
    row = {**values, "version": (newest[0]["version"] or 0) + 1}
    row["id"] = (await transaction.fetch(_insert(), **row))[0]["id"]
    del row["artefact"]
    return row


async def in_production(db: Reads, device_kind: str) -> dict[str, int]:
    """Return the id of the version in production of each kind of prediction that has one."""
    return {row["kind"]: row["id"] for row in await db.fetch(_in_production(), device_kind=device_kind)}


async def production(db: Reads, kind: str, device_kind: str) -> Row | None:
    """Return the version in production, without the artefact; None if there is none."""
    rows = await db.fetch(_production(), kind=kind, device_kind=device_kind)
    return rows[0] if rows else None


async def of_kind(db: Reads, kind: str) -> Sequence[Row]:
    """Return all versions for a kind of prediction, without their artefacts, oldest first."""
    return await db.fetch(_of_kind(), kind=kind)


async def get(db: Reads, model_id: int) -> Row | None:
    """Return a version, without the artefact; None if there is none."""
    rows = await db.fetch(_get(MODEL_COLUMNS), id=model_id)
    return rows[0] if rows else None


async def artefact(db: Reads, model_id: int) -> str:
    """Return the artefact of a version that is there."""
    return (await db.fetch(_get(frozenset({"artefact"})), id=model_id))[0]["artefact"]


async def move(  # noqa: PLR0917 - what becomes of what, and by whom
    transaction: Writes, row: Row, stage: ModelStage, at: datetime, by: str | None = None, reason: str | None = None
) -> Row:
    """Give a version another stage and return it; who promoted it, when and why is told of PRODUCTION only.

    Args:
        transaction: holds the lock; no other version is in production when this one gets there.
        row: the version, without the artefact.
        stage: the new one.
        at: when.
        by: who does it.
        reason: why.
    """
    changes: dict[str, Any] = {"stage": stage.value}
    if stage is ModelStage.PRODUCTION:
        changes |= {"promoted_at": at, "promoted_by": by, "promotion_reason": reason}
    bound = {f"new_{name}": value for name, value in changes.items()}
    await transaction.execute(_change(frozenset(changes)), model_id=row["id"], **bound)
    return {**row, **changes}


def changed(change: str, row: Row) -> NewEvent:
    """Return the event of a change, which carries the version as it is after it, without artefact and reference.

    Args:
        change: TRAINED, PROMOTED or ARCHIVED.
        row: all columns but the artefact.
    """
    payload = snapshot(PredictionModelRow, {**row, "artefact": None})
    # Both are large, and no subscriber has a use for them.
    del payload["artefact"], payload["reference"]
    return NewEvent(MODEL_CHANGED, {"change": change, **payload})


def as_json(value: Any) -> str:
    """Return what a column of JSON holds; numbers that are not finite become null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


@prepared
def _newest() -> Statement:
    mine = (MODEL["kind"] == bindparam("kind"), MODEL["device_kind"] == bindparam("device_kind"))
    return Statement(select(func.max(MODEL["version"]).label("version")).where(*mine))


@prepared
def _insert() -> Statement:
    values = {name: bindparam(name, type_=column.type) for name, column in MODEL.items() if name != "id"}
    return Statement(insert(PredictionModelRow).values(values).returning(MODEL["id"]))


@prepared
def _in_production() -> Statement:
    mine = MODEL["device_kind"] == bindparam("device_kind")
    return Statement(select(MODEL["id"], MODEL["kind"]).where(mine, _PRODUCTION))


@prepared
def _production() -> Statement:
    mine = (MODEL["kind"] == bindparam("kind"), MODEL["device_kind"] == bindparam("device_kind"))
    columns = [column for name, column in MODEL.items() if name in MODEL_COLUMNS]
    return Statement(select(*columns).where(*mine, _PRODUCTION))


@prepared
def _of_kind() -> Statement:
    columns = [column for name, column in MODEL.items() if name in MODEL_COLUMNS]
    return Statement(select(*columns).where(MODEL["kind"] == bindparam("kind")).order_by(MODEL["id"]))


@prepared
def _get(names: frozenset[str]) -> Statement:
    columns = [column for name, column in MODEL.items() if name in names]
    return Statement(select(*columns).where(MODEL["id"] == bindparam("id")))


@prepared
def _change(names: frozenset[str]) -> Statement:
    values = {name: bindparam(f"new_{name}", type_=MODEL[name].type) for name in sorted(names)}
    return Statement(update(PredictionModelRow).where(MODEL["id"] == bindparam("model_id")).values(values))
