"""Alerts and their changes; whoever writes alerts of a device or a model by its conditions holds its lock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, text, true, update
from sqlalchemy.dialects import postgresql, sqlite

from models.alerts import AlertKind, AlertOwner, AlertState
from models.filters import Filter
from models.repositories.base import Reads, Writes
from models.repositories.given import as_parameter, given_rows
from models.repositories.histories import History
from models.statements import Row, Statement, is_one_of, pick, prepared, table_columns
from models.tables import AlertChangeRow, AlertRow

Columns = frozenset[str] | None

ALERTS = History(AlertRow, "raised_at")
MODEL_ALERTS = History(AlertRow, "raised_at", owner="model_id")
ALERT_CHANGED = "alert_changed"
UNRESOLVED = Filter(choices=(("state", (AlertState.ACKNOWLEDGED.value, AlertState.OPEN.value)),))

_ALERT = table_columns(AlertRow)
_CHANGE = table_columns(AlertChangeRow)
_NEW = {name: column for name, column in _ALERT.items() if name != "id"}
_NEW_CHANGE = {name: column for name, column in _CHANGE.items() if name != "id"}
_TOLD = ("severity", "message", "metric", "value", "threshold", "anomaly_id", "impact", "updated_at")
_STANDS = _ALERT["state"] != AlertState.RESOLVED.value


def deduplication_key(owner_id: int, kind: AlertKind, owner: AlertOwner = AlertOwner.DEVICE) -> str:
    """Return what an alert is about: one of it stands at a time."""
    return f"{owner.value}:{owner_id}:{kind.value}"


async def add_many(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Store new alerts and return them; one whose deduplication key has an alert that stands already is left out."""
    if not rows:
        return []
    given = as_parameter([{**dict.fromkeys(_NEW), **row} for row in rows], _NEW, transaction.dialect)
    return list(await transaction.fetch(_insert(transaction.dialect), given=given))


async def retell_many(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Give standing alerts, by their deduplication keys, another severity and message; return those that stood.

    Args:
        transaction: holds the locks of the devices or models.
        rows: deduplication_key, severity, message, metric, value, threshold, anomaly_id, impact and updated_at of each.
    """
    if not rows:
        return []
    columns = {name: _ALERT[name] for name in ("deduplication_key", *_TOLD)}
    given = as_parameter(rows, columns, transaction.dialect)
    return list(await transaction.fetch(_retell(transaction.dialect), given=given))


async def resolve_many(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Resolve standing alerts by their deduplication keys and return those that stood.

    Args:
        transaction: holds the locks of the devices or models.
        rows: deduplication_key, resolved_at, updated_at, resolved_by and resolve_comment of each.
    """
    if not rows:
        return []
    given = as_parameter(rows, _resolved_columns(), transaction.dialect)
    return list(await transaction.fetch(_resolve(transaction.dialect), given=given))


async def change(transaction: Writes, alert_id: int, states: Sequence[AlertState], values: Mapping[str, Any]) -> bool:
    """Change columns of one alert if it has one of these states; False if it has not, or there is none."""
    statement = _change(tuple(state.value for state in states), frozenset(values))
    bound = {f"new_{name}": value for name, value in values.items()}
    return await transaction.execute(statement, id=alert_id, **bound) == 1


async def add_changes(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record changes of alerts: all columns but the id."""
    given = as_parameter(rows, _NEW_CHANGE, transaction.dialect)
    await transaction.execute(_insert_changes(transaction.dialect), given=given)


async def changes_by_alerts(db: Reads, alert_ids: Sequence[int], columns: Columns = None) -> list[list[Row]]:
    """Return the changes of each alert, oldest first."""
    found: dict[int, list[Row]] = {alert_id: [] for alert_id in alert_ids}
    for row in await db.fetch(_changes(columns, db.dialect), ids=list(found)):
        found[row["alert_id"]].append(row)
    return [found[alert_id] for alert_id in alert_ids]


async def unresolved_counts_by_devices(db: Reads, device_ids: Sequence[int]) -> list[dict[str, int]]:
    """Return how many unresolved alerts of each severity each device has; severities without any are absent."""
    found: dict[int, dict[str, int]] = {device_id: {} for device_id in device_ids}
    for row in await db.fetch(_unresolved_counts(db.dialect), ids=list(found)):
        found[row["device_id"]][row["severity"]] = row["count"]
    return [found[device_id] for device_id in device_ids]


def resolution(at: datetime, now: datetime, by: str | None = None, comment: str | None = None) -> dict[str, Any]:
    """Return what resolving sets: when it was over, when that was noticed, and by whom with which words."""
    return {"resolved_at": at, "updated_at": now, "resolved_by": by, "resolve_comment": comment}


def _resolved_columns() -> dict[str, Any]:
    names = ("deduplication_key", "resolved_at", "updated_at", "resolved_by", "resolve_comment")
    return {name: _ALERT[name] for name in names}


@prepared
def _insert(dialect: str) -> Statement:
    given = given_rows(_NEW, dialect)
    # SQLite takes ON CONFLICT behind a SELECT only where that has a WHERE.
    rows = select(*(given.c[name] for name in _NEW)).where(true())
    add = postgresql.insert(AlertRow) if dialect == "postgresql" else sqlite.insert(AlertRow)
    added = add.from_select(list(_NEW), rows).on_conflict_do_nothing(
        index_elements=["deduplication_key"], index_where=text("state <> 'RESOLVED'")
    )
    return Statement(added.returning(*_ALERT.values()))


@prepared
def _retell(dialect: str) -> Statement:
    given = given_rows({name: _ALERT[name] for name in ("deduplication_key", *_TOLD)}, dialect)
    mine = _ALERT["deduplication_key"] == given.c.deduplication_key
    values = {name: given.c[name] for name in _TOLD}
    return Statement(update(AlertRow).where(mine, _STANDS).values(values).returning(*_ALERT.values()))


@prepared
def _resolve(dialect: str) -> Statement:
    columns = _resolved_columns()
    given = given_rows(columns, dialect)
    mine = _ALERT["deduplication_key"] == given.c.deduplication_key
    values: dict[str, Any] = {name: given.c[name] for name in columns if name != "deduplication_key"}
    values["state"] = AlertState.RESOLVED.value
    return Statement(update(AlertRow).where(mine, _STANDS).values(values).returning(*_ALERT.values()))


@prepared
def _change(states: tuple[str, ...], names: frozenset[str]) -> Statement:
    values = {name: bindparam(f"new_{name}", type_=_ALERT[name].type) for name in sorted(names)}
    mine = (_ALERT["id"] == bindparam("id"), or_(*(_ALERT["state"] == state for state in states)))
    return Statement(update(AlertRow).where(*mine).values(values))


@prepared
def _insert_changes(dialect: str) -> Statement:
    given = given_rows(_NEW_CHANGE, dialect)
    return Statement(
        insert(AlertChangeRow).from_select(list(_NEW_CHANGE), select(*(given.c[name] for name in _NEW_CHANGE)))
    )


@prepared
def _changes(columns: Columns, dialect: str) -> Statement:
    chosen = pick(_CHANGE, columns, "id", "alert_id")
    mine = is_one_of(_CHANGE["alert_id"], "ids", dialect)
    return Statement(select(*chosen).where(mine).order_by(_CHANGE["alert_id"], _CHANGE["id"]))


@prepared
def _unresolved_counts(dialect: str) -> Statement:
    mine = is_one_of(_ALERT["device_id"], "ids", dialect)
    counted = select(_ALERT["device_id"], _ALERT["severity"], func.count().label("count")).where(mine, _STANDS)
    return Statement(counted.group_by(_ALERT["device_id"], _ALERT["severity"]))
