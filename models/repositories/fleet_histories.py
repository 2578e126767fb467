"""What is known of devices over their whole lives, beside their readings: for those who learn from many at once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlmodel import SQLModel

from models.devices import KINDS
from models.repositories.base import Reads
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import AnomalyRow, DeviceFailureRow, DeviceRow, MaintenanceRecordRow
from models.types import UtcDateTime

_DEVICE = table_columns(DeviceRow)


async def ids_of_kind(db: Reads, kind: str) -> list[int]:
    """Return the ids of all devices of a kind, in their order."""
    return [row["id"] for row in await db.fetch(_ids_of_kind(), kind=kind)]


async def count_devices(db: Reads, kind: str) -> int:
    """Return how many devices of a kind there are."""
    return (await db.fetch(_count_devices(), kind=kind))[0]["count"]


async def count_failures(db: Reads, kind: str) -> int:
    """Return how many failures of devices of a kind there are."""
    return (await db.fetch(_count_failures(), kind=kind))[0]["count"]


async def devices(db: Reads, kind: str, ids: Sequence[int]) -> Sequence[Row]:
    """Return id, installed_at, created_at and what is learnt of the details, of those that are of the kind, by id."""
    return await db.fetch(_devices(kind, db.dialect), ids=list(ids), kind=kind)


async def maintenance(db: Reads, ids: Sequence[int], until: datetime) -> Sequence[Row]:
    """Return device_id, at and kind of all maintenance up to an instant, oldest first."""
    return await db.fetch(_events(MaintenanceRecordRow, "performed_at", ("kind",), db.dialect), ids=ids, until=until)


async def anomalies(db: Reads, ids: Sequence[int], until: datetime) -> Sequence[Row]:
    """Return device_id and at of all anomalies up to an instant, oldest first."""
    return await db.fetch(_events(AnomalyRow, "detected_at", (), db.dialect), ids=ids, until=until)


async def judged_anomalies(db: Reads, ids: Sequence[int], until: datetime) -> Sequence[Row]:
    """Return device_id, at, ended_at and verdict of all anomalies up to an instant, oldest first."""
    statement = _events(AnomalyRow, "detected_at", ("ended_at", "verdict"), db.dialect)
    return await db.fetch(statement, ids=ids, until=until)


async def failures(db: Reads, ids: Sequence[int], until: datetime) -> Sequence[Row]:
    """Return device_id, at, ends_life and cause of all failures up to an instant, oldest first."""
    return await db.fetch(
        _events(DeviceFailureRow, "failed_at", ("ends_life", "cause"), db.dialect), ids=ids, until=until
    )


@prepared
def _ids_of_kind() -> Statement:
    return Statement(select(_DEVICE["id"]).where(_DEVICE["kind"] == bindparam("kind")).order_by(_DEVICE["id"]))


@prepared
def _count_devices() -> Statement:
    return Statement(select(func.count().label("count")).where(_DEVICE["kind"] == bindparam("kind")))


@prepared
def _count_failures() -> Statement:
    failure = table_columns(DeviceFailureRow)
    counted = select(func.count().label("count")).join_from(
        DeviceFailureRow, DeviceRow, failure["device_id"] == _DEVICE["id"]
    )
    return Statement(counted.where(_DEVICE["kind"] == bindparam("kind")))


@prepared
def _devices(kind: str, dialect: str) -> Statement:
    own = table_columns(KINDS[kind].detail_table)
    chosen = [
        *(_DEVICE[name] for name in ("id", "installed_at", "created_at")),
        *(own[name] for name in sorted(KINDS[kind].learnt.details)),
    ]
    joined = select(*chosen).join_from(DeviceRow, KINDS[kind].detail_table, own["device_id"] == _DEVICE["id"])
    mine = (is_one_of(_DEVICE["id"], "ids", dialect), _DEVICE["kind"] == bindparam("kind"))
    return Statement(joined.where(*mine).order_by(_DEVICE["id"]))


@prepared
def _events(table: type[SQLModel], instant: str, more: tuple[str, ...], dialect: str) -> Statement:
    columns = table_columns(table)
    at = columns[instant]
    chosen = (columns["device_id"], at.label("at"), *(columns[name] for name in more))
    known = (is_one_of(columns["device_id"], "ids", dialect), at <= bindparam("until", type_=UtcDateTime()))
    return Statement(select(*chosen).where(*known).order_by(at, columns["id"]))
