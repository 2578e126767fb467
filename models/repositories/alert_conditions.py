"""Conditions that are not at rest, and the search for devices of which something is to be found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from models.alerts import AlertKind, AlertOwner, ConditionPhase
from models.devices.status import STANDING, DeviceStatus
from models.repositories.base import Reads, Writes
from models.repositories.given import as_parameter, given_rows
from models.repositories.removed_devices import IS_THERE
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import (
    AlertConditionRow,
    AlertRuleRow,
    DeviceRow,
    MaintenanceRecordRow,
    ModelConditionRow,
    VendingMachineProductRow,
)
from models.types import BigIntegerList

Key = tuple[int, str]
"""Id of the owner and kind of alert."""

_CONDITION = table_columns(AlertConditionRow)
_RULE = table_columns(AlertRuleRow)
_DEVICE = table_columns(DeviceRow)
_PRODUCT = table_columns(VendingMachineProductRow)
_RECORD = table_columns(MaintenanceRecordRow)
_DUE = {name: _CONDITION[name] for name in ("kind", "phase", "since")}


class Conditions:
    """The conditions of one sort of owners.

    Args:
        table: of the conditions.
        owner: whose they are.
    """

    def __init__(self, table: type[SQLModel], owner: AlertOwner) -> None:
        self.table = table
        self.owner = owner.column

    async def by_owners(self, db: Reads, owner_ids: Sequence[int]) -> dict[Key, Row]:
        """Return the conditions of owners, by owner and kind of alert."""
        rows = await db.fetch(_by_owners(self, db.dialect), ids=list(owner_ids))
        return {(row[self.owner], row["kind"]): row for row in rows}

    async def put_many(self, transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store conditions of locked owners in the place of earlier ones; columns that the table lacks are left out."""
        if rows:
            given = as_parameter(rows, table_columns(self.table), transaction.dialect)
            await transaction.execute(_put(self, transaction.dialect), given=given)

    async def remove_many(self, transaction: Writes, keys: Sequence[Key]) -> None:
        """Remove conditions of locked owners, which are at rest now."""
        if keys:
            rows = [{self.owner: owner_id, "kind": kind} for owner_id, kind in keys]
            given = as_parameter(rows, self.key(), transaction.dialect)
            await transaction.execute(_remove(self, transaction.dialect), given=given)

    def key(self) -> dict[str, Any]:
        """Return the columns of the key."""
        return {name: table_columns(self.table)[name] for name in (self.owner, "kind")}


CONDITIONS: Mapping[AlertOwner, Conditions] = {
    AlertOwner.DEVICE: Conditions(AlertConditionRow, AlertOwner.DEVICE),
    AlertOwner.MODEL: Conditions(ModelConditionRow, AlertOwner.MODEL),
}


async def by_devices(db: Reads, device_ids: Sequence[int]) -> dict[Key, Row]:
    """Return the conditions of devices, by device and kind of alert."""
    return await CONDITIONS[AlertOwner.DEVICE].by_owners(db, device_ids)


async def lock_free(transaction: Writes, device_ids: Sequence[int]) -> list[int]:
    """Lock those of the devices that nobody else has locked, in the order of their ids, and return these."""
    rows = await transaction.fetch(_lock_free(transaction.dialect), ids=sorted(device_ids))
    return [row["id"] for row in rows]


async def due(
    db: Reads, latest: Mapping[tuple[AlertKind, ConditionPhase], datetime], after: int, limit: int
) -> list[int]:
    """Return devices with a condition whose time may be up, in the order of their ids, behind one id.

    Args:
        db: a store or a transaction.
        latest: by kind and phase the instant since which a condition must have been in it; where a device has timing of
            its own the caller looks.
        after: an id, 0 to begin.
        limit: the most devices to return.
    """
    rows = [{"kind": kind.value, "phase": phase.value, "since": at} for (kind, phase), at in latest.items()]
    given = as_parameter(rows, _DUE, db.dialect)
    return _ids(await db.fetch(_due(db.dialect), given=given, after=after, count=limit))


async def silent(db: Reads, after: int, limit: int) -> list[int]:
    """Return devices whose silence, or its end, is not told of by a condition; arguments as of `due`."""
    return _ids(await db.fetch(_silent(), after=after, count=limit))


async def low(db: Reads, after: int, limit: int) -> list[int]:
    """Return machines whose low stock, or its end, is not told of by a condition; arguments as of `due`."""
    return _ids(await db.fetch(_low(), after=after, count=limit))


async def unmaintained(db: Reads, kind: str, since: datetime, after: int, limit: int) -> list[int]:
    """Return devices of a kind whose maintenance may be due, or no longer due, without a condition that says so.

    Args:
        db: a store or a transaction.
        kind: of the devices.
        since: maintenance of before is due again; where a device has an interval of its own the caller looks.
        after: an id, 0 to begin.
        limit: the most devices to return.
    """
    return _ids(await db.fetch(_unmaintained(), kind=kind, due_since=since, after=after, count=limit))


async def last_maintained(db: Reads, device_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when devices were maintained last: else installed, else registered."""
    rows = await db.fetch(_last_maintained(db.dialect), ids=list(device_ids))
    return {row["id"]: row["maintained_at"] for row in rows}


def _ids(rows: Sequence[Row]) -> list[int]:
    return [row["id"] for row in rows]


def _not_at_rest(kind: AlertKind, device_id: ColumnElement[Any], *phases: ConditionPhase) -> Select[Any]:
    found = select(_CONDITION["device_id"]).where(
        _CONDITION["device_id"] == device_id, _CONDITION["kind"] == kind.value
    )
    # Not IN: SQLAlchemy would leave its list to be filled in when the statement runs.
    return found.where(or_(*(_CONDITION["phase"] == phase.value for phase in phases))) if phases else found


def _untold(kind: AlertKind, is_there: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a device's state and its alert condition say different things."""
    told = _not_at_rest(kind, _DEVICE["id"], ConditionPhase.PENDING, ConditionPhase.FIRING).exists()
    may_begin = and_(*(_DEVICE["status"] != status.value for status in STANDING))
    return or_(and_(is_there, may_begin, ~told), and_(~is_there, told))


def _page(condition: ColumnElement[bool]) -> Statement:
    rows = select(_DEVICE["id"]).where(_DEVICE["id"] > bindparam("after"), condition)
    return Statement(rows.order_by(_DEVICE["id"]).limit(bindparam("count")))


def _maintained_at() -> ColumnElement[Any]:
    last = select(func.max(_RECORD["performed_at"])).where(_RECORD["device_id"] == _DEVICE["id"]).scalar_subquery()
    return func.coalesce(last, _DEVICE["installed_at"], _DEVICE["created_at"], type_=_DEVICE["created_at"].type)


@prepared
def _by_owners(conditions: Conditions, dialect: str) -> Statement:
    columns = table_columns(conditions.table)
    owner = columns[conditions.owner]
    if dialect == "postgresql":
        # A table that has grown fast is thought small, and read as a whole: then a join costs much less than a list
        # that each row is compared with.
        ids = bindparam("ids", type_=BigIntegerList())
        wanted = func.unnest(ids).table_valued("id", name="wanted").render_derived()
        return Statement(select(*columns.values()).where(owner == wanted.c.id))
    return Statement(select(*columns.values()).where(is_one_of(owner, "ids", dialect)))


@prepared
def _put(conditions: Conditions, dialect: str) -> Statement:
    columns, key = table_columns(conditions.table), conditions.key()
    given = given_rows(columns, dialect)
    # SQLite takes ON CONFLICT behind a SELECT only where that has a WHERE.
    rows = select(*(given.c[name] for name in columns)).where(given.c[conditions.owner].is_not(None))
    add = postgresql.insert(conditions.table) if dialect == "postgresql" else sqlite.insert(conditions.table)
    put = add.from_select(list(columns), rows)
    changed = {name: put.excluded[name] for name in columns if name not in key}
    return Statement(put.on_conflict_do_update(index_elements=list(key), set_=changed))


@prepared
def _remove(conditions: Conditions, dialect: str) -> Statement:
    columns, key = table_columns(conditions.table), conditions.key()
    given = given_rows(key, dialect)
    same = and_(*(columns[name] == given.c[name] for name in key))
    there = select(given).where(same).correlate(conditions.table).exists()
    return Statement(delete(conditions.table).where(there))


@prepared
def _lock_free(dialect: str) -> Statement:
    mine = is_one_of(_DEVICE["id"], "ids", dialect)
    rows = select(_DEVICE["id"]).where(mine, IS_THERE).order_by(_DEVICE["id"])
    return Statement(rows.with_for_update(skip_locked=True))


@prepared
def _due(dialect: str) -> Statement:
    given = given_rows(_DUE, dialect)
    same_rule = and_(_RULE["device_id"] == _CONDITION["device_id"], _RULE["kind"] == _CONDITION["kind"])
    own = or_(_RULE["hold_seconds"].is_not(None), _RULE["recover_seconds"].is_not(None))
    may_be_up = or_(_CONDITION["since"] <= given.c.since, select(_RULE["device_id"]).where(same_rule, own).exists())
    matching = and_(_CONDITION["kind"] == given.c.kind, _CONDITION["phase"] == given.c.phase, may_be_up)
    behind = _CONDITION["device_id"] > bindparam("after")
    rows = select(_CONDITION["device_id"].label("id")).where(matching, behind).distinct()
    return Statement(rows.order_by(_CONDITION["device_id"]).limit(bindparam("count")))


@prepared
def _silent() -> Statement:
    # A device that never sent anything is not silent: it has yet to begin.
    fell_silent = and_(_DEVICE["status"] == DeviceStatus.OFFLINE.value, _DEVICE["last_seen_at"].is_not(None))
    return _page(_untold(AlertKind.OFFLINE, fell_silent))


@prepared
def _low() -> Statement:
    is_low = and_(_PRODUCT["removed_at"].is_(None), _PRODUCT["quantity"] <= _PRODUCT["low_stock_threshold"])
    some = select(_PRODUCT["id"]).where(_PRODUCT["device_id"] == _DEVICE["id"], is_low).exists()
    return _page(_untold(AlertKind.LOW_STOCK, some))


@prepared
def _unmaintained() -> Statement:
    due_since = bindparam("due_since", type_=_DEVICE["created_at"].type)
    own_rule = and_(_RULE["device_id"] == _DEVICE["id"], _RULE["kind"] == AlertKind.MAINTENANCE_DUE.value)
    own = select(_RULE["device_id"]).where(own_rule, _RULE["high_threshold"].is_not(None)).exists()
    untold = or_(_untold(AlertKind.MAINTENANCE_DUE, _maintained_at() <= due_since), own)
    return _page(and_(_DEVICE["kind"] == bindparam("kind"), untold))


@prepared
def _last_maintained(dialect: str) -> Statement:
    mine = is_one_of(_DEVICE["id"], "ids", dialect)
    return Statement(select(_DEVICE["id"], _maintained_at().label("maintained_at")).where(mine))
