"""Findings of drift: of each feature of a version, its predictions and its errors, at each evaluation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from models.repositories.base import Reads, Writes
from models.repositories.given import as_parameter, given_rows
from models.repositories.histories import History
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import ModelDriftRow
from models.types import UtcDateTime

DRIFT = History(ModelDriftRow, "evaluated_at", owner="model_id")
_DRIFT = table_columns(ModelDriftRow)
_NEW = {name: column for name, column in _DRIFT.items() if name != "id"}


async def add_many(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store findings: all columns but the id."""
    if rows:
        given = as_parameter(rows, _NEW, transaction.dialect)
        await transaction.execute(_insert(transaction.dialect), given=given)


async def since(db: Reads, model_ids: Sequence[int], instant: datetime) -> dict[int, list[Row]]:
    """Return the findings of each version of evaluations at an instant or later, oldest first."""
    found: dict[int, list[Row]] = {model_id: [] for model_id in model_ids}
    for row in await db.fetch(_since(db.dialect), ids=list(found), instant=instant):
        found[row["model_id"]].append(row)
    return found


async def is_evaluated(db: Reads, model_id: int, instant: datetime) -> bool:
    """Say whether there are findings of an evaluation."""
    return bool(await db.fetch(_at(), model_id=model_id, instant=instant))


@prepared
def _insert(dialect: str) -> Statement:
    given = given_rows(_NEW, dialect)
    return Statement(insert(ModelDriftRow).from_select(list(_NEW), select(*(given.c[name] for name in _NEW))))


@prepared
def _since(dialect: str) -> Statement:
    recent = _DRIFT["evaluated_at"] >= bindparam("instant", type_=UtcDateTime())
    rows = select(*_DRIFT.values()).where(is_one_of(_DRIFT["model_id"], "ids", dialect), recent)
    return Statement(rows.order_by(_DRIFT["evaluated_at"], _DRIFT["id"]))


@prepared
def _at() -> Statement:
    mine = (
        _DRIFT["model_id"] == bindparam("model_id"),
        _DRIFT["evaluated_at"] == bindparam("instant", type_=UtcDateTime()),
    )
    return Statement(select(_DRIFT["id"]).where(*mine).limit(1))
