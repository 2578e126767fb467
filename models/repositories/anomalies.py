"""Anomalies: opened, followed and closed by the detector."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from models.repositories.base import Reads, Writes
from models.repositories.events import NewEvent
from models.repositories.histories import History
from models.snapshots import snapshot
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import AnomalyRow
from models.types import UtcDateTime

ANOMALIES = History(AnomalyRow, "detected_at")
ANOMALY = table_columns(AnomalyRow)
ANOMALY_CHANGED = "anomaly_changed"

# What changes while an incident lasts, and when it ends.
_FOLLOWED = (
    *("metric", "metrics", "pattern", "score", "severity", "state"),
    *("observed", "expected", "explanation", "peak_at", "ended_at"),
)


async def going_on(db: Reads, device_ids: Sequence[int]) -> dict[int, Row]:
    """Return the anomaly that has not ended of each device that has one."""
    rows = await db.fetch(_going_on(db.dialect), ids=list(device_ids))
    return {row["device_id"]: row for row in rows}


async def recent(db: Reads, device_ids: Sequence[int], since: datetime) -> dict[int, list[Row]]:
    """Return the anomalies of each device that go on or ended at an instant or after it, newest first."""
    found: dict[int, list[Row]] = {}
    for row in await db.fetch(_recent(db.dialect), ids=list(device_ids), since=since):
        found.setdefault(row["device_id"], []).append(row)
    return found


async def add(transaction: Writes, rows: Sequence[dict[str, Any]]) -> None:
    """Store new anomalies and give each row its `id`; the one before it of the same device has ended."""
    for row in rows:
        values = {name: row[name] for name in ANOMALY if name != "id"}
        row["id"] = (await transaction.fetch(_insert(), **values))[0]["id"]


async def follow(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store how anomalies that are there have gone on."""
    changes = [{"anomaly_id": row["id"], **{f"new_{name}": row[name] for name in _FOLLOWED}} for row in rows]
    if changes:
        await transaction.execute_many(_follow(), changes)


def changed(change: str, row: Row) -> NewEvent:
    """Return the event of a change, which carries the anomaly as it is after it.

    Args:
        change: OPENED, ESCALATED, CLOSED or RESOLVED.
        row: all columns.
    """
    return NewEvent(ANOMALY_CHANGED, {"change": change, **snapshot(AnomalyRow, row)})


@prepared
def _going_on(dialect: str) -> Statement:
    mine = is_one_of(ANOMALY["device_id"], "ids", dialect)
    return Statement(select(*ANOMALY.values()).where(mine, ANOMALY["ended_at"].is_(None)))


@prepared
def _recent(dialect: str) -> Statement:
    mine = is_one_of(ANOMALY["device_id"], "ids", dialect)
    lately = or_(ANOMALY["ended_at"].is_(None), ANOMALY["ended_at"] >= bindparam("since", type_=UtcDateTime()))
    rows = select(*ANOMALY.values()).where(mine, lately)
    return Statement(rows.order_by(ANOMALY["detected_at"].desc(), ANOMALY["id"].desc()))


@prepared
def _insert() -> Statement:
    values = {name: bindparam(name, type_=column.type) for name, column in ANOMALY.items() if name != "id"}
    return Statement(insert(AnomalyRow).values(values).returning(ANOMALY["id"]))


@prepared
def _follow() -> Statement:
    values = {name: bindparam(f"new_{name}", type_=ANOMALY[name].type) for name in _FOLLOWED}
    return Statement(update(AnomalyRow).where(ANOMALY["id"] == bindparam("anomaly_id")).values(values))
