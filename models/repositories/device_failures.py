"""Failures of devices, and the ends of their lives."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from models.repositories.base import Reads, Writes
from models.repositories.histories import History
from models.statements import Statement, is_one_of, prepared, table_columns
from models.tables import DeviceFailureRow

FAILURES = History(DeviceFailureRow, "failed_at")
_FAILURE = table_columns(DeviceFailureRow)


async def add(transaction: Writes, values: Mapping[str, Any]) -> int:
    """Store a failure and return its id."""
    rows = await transaction.fetch(_insert(frozenset(values)), **values)
    failure_id: int = rows[0]["id"]
    return failure_id


async def ends_of_life(db: Reads, device_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when each device was given up; one that is still in use is absent."""
    rows = await db.fetch(_ends_of_life(db.dialect), ids=list(device_ids))
    return {row["device_id"]: row["failed_at"] for row in rows}


@prepared
def _insert(names: frozenset[str]) -> Statement:
    values = {name: bindparam(name, type_=_FAILURE[name].type) for name in sorted(names)}
    return Statement(insert(DeviceFailureRow).values(values).returning(_FAILURE["id"]))


@prepared
def _ends_of_life(dialect: str) -> Statement:
    mine = is_one_of(_FAILURE["device_id"], "ids", dialect)
    columns = (_FAILURE["device_id"], _FAILURE["failed_at"])
    return Statement(select(*columns).where(mine, _FAILURE["ends_life"].is_(True)))
