"""What single devices have otherwise than the settings of their kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select

from models.repositories.base import Reads, Writes
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import AlertRuleRow

OWN = ("is_enabled", "high_threshold", "critical_threshold", "hold_seconds", "recover_seconds")
_RULE = table_columns(AlertRuleRow)


async def by_devices(db: Reads, device_ids: Sequence[int]) -> dict[tuple[int, str], Row]:
    """Return the rules of devices, by device and kind of alert."""
    rows = await db.fetch(_by_devices(db.dialect), ids=list(device_ids))
    return {(row["device_id"], row["kind"]): row for row in rows}


async def put(transaction: Writes, row: Mapping[str, Any]) -> None:
    """Store a rule in the place of an earlier one; the device is locked."""
    await remove(transaction, row["device_id"], row["kind"])
    await transaction.execute(_insert(), **row)


async def remove(transaction: Writes, device_id: int, kind: str) -> None:
    """Remove the rule of a device for a kind of alert, if there is one."""
    await transaction.execute(_remove(), device_id=device_id, kind=kind)


@prepared
def _by_devices(dialect: str) -> Statement:
    return Statement(select(*_RULE.values()).where(is_one_of(_RULE["device_id"], "ids", dialect)))


@prepared
def _insert() -> Statement:
    return Statement(
        insert(AlertRuleRow).values({name: bindparam(name, type_=each.type) for name, each in _RULE.items()})
    )


@prepared
def _remove() -> Statement:
    mine = (_RULE["device_id"] == bindparam("device_id"), _RULE["kind"] == bindparam("kind"))
    return Statement(delete(AlertRuleRow).where(*mine))
