"""The health of models: one row for each time that it changed, of which the newest is the present."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from models.repositories.base import Reads, Writes
from models.repositories.events import NewEvent
from models.repositories.histories import History
from models.snapshots import snapshot
from models.statements import Row, Statement, is_one_of, pick, prepared, table_columns
from models.tables import ModelHealthRow

HEALTH = History(ModelHealthRow, "began_at", owner="model_id")
MODEL_HEALTH_CHANGED = "model_health_changed"
_HEALTH = table_columns(ModelHealthRow)
_REFRESHED = ("score", "reasons", "evaluated_at")

Columns = frozenset[str] | None


async def present(db: Reads, model_ids: Sequence[int], columns: Columns = None) -> dict[int, Row]:
    """Return the newest row of each version; one that was never evaluated is absent."""
    statement = _present(columns, db.dialect)

    async def load(ids: list[int]) -> dict[int, Row]:
        return {row["model_id"]: row for row in await db.fetch(statement, ids=ids)}

    found = await db.gather(statement, model_ids, load)
    return {id_: found[id_] for id_ in model_ids if id_ in found}


async def add(transaction: Writes, values: Mapping[str, Any]) -> Row:
    """Store a new row of a locked version and return it: all columns but the id are given."""
    return {**values, "id": (await transaction.fetch(_insert(), **values))[0]["id"]}


async def refresh(transaction: Writes, row: Row, values: Mapping[str, Any]) -> Row:
    """Give the present row of a locked version a new score, reasons and evaluated_at, and return it."""
    bound = {f"new_{name}": values[name] for name in _REFRESHED}
    await transaction.execute(_refresh(), health_id=row["id"], **bound)
    return {**row, **{name: values[name] for name in _REFRESHED}}


def changed(row: Row, previous_status: str | None) -> NewEvent:
    """Return the event of a change, which carries the row and the status of before; None if there was none."""
    return NewEvent(MODEL_HEALTH_CHANGED, {**snapshot(ModelHealthRow, row), "previous_status": previous_status})


@prepared
def _present(columns: Columns, dialect: str) -> Statement:
    chosen = pick(_HEALTH, columns, "id", "model_id")
    ids = select(func.max(_HEALTH["id"])).where(is_one_of(_HEALTH["model_id"], "ids", dialect))
    return Statement(select(*chosen).where(_HEALTH["id"].in_(ids.group_by(_HEALTH["model_id"]))))


@prepared
def _insert() -> Statement:
    values = {name: bindparam(name, type_=column.type) for name, column in _HEALTH.items() if name != "id"}
    return Statement(insert(ModelHealthRow).values(values).returning(_HEALTH["id"]))


@prepared
def _refresh() -> Statement:
    values = {name: bindparam(f"new_{name}", type_=_HEALTH[name].type) for name in _REFRESHED}
    return Statement(update(ModelHealthRow).where(_HEALTH["id"] == bindparam("health_id")).values(values))
