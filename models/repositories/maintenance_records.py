"""Maintenance records and the parts fitted."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select

from models.repositories.base import Reads, Writes
from models.repositories.histories import History
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import MaintenancePartRow, MaintenanceRecordRow

RECORDS = History(MaintenanceRecordRow, "performed_at")
_RECORD = table_columns(MaintenanceRecordRow)
_PART = table_columns(MaintenancePartRow)


async def add(transaction: Writes, values: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> int:
    """Store a record with its parts and return its id."""
    rows = await transaction.fetch(_insert(frozenset(values)), **values)
    record_id: int = rows[0]["id"]
    if parts:
        numbered = [
            {"record_id": record_id, "position": place, "part_number": None, **part} for place, part in enumerate(parts)
        ]
        await transaction.execute_many(_insert_part(), numbered)
    return record_id


async def parts_by_records(db: Reads, record_ids: Sequence[int]) -> list[list[Row]]:
    """Return the parts of each record, in the order in which they were given."""
    found: dict[int, list[Row]] = {record_id: [] for record_id in record_ids}
    for row in await db.fetch(_parts(db.dialect), ids=list(found)):
        found[row["record_id"]].append(row)
    return [found[record_id] for record_id in record_ids]


@prepared
def _insert(names: frozenset[str]) -> Statement:
    values = {name: bindparam(name, type_=_RECORD[name].type) for name in sorted(names)}
    return Statement(insert(MaintenanceRecordRow).values(values).returning(_RECORD["id"]))


@prepared
def _insert_part() -> Statement:
    values = {name: bindparam(name, type_=column.type) for name, column in _PART.items()}
    return Statement(insert(MaintenancePartRow).values(values))


@prepared
def _parts(dialect: str) -> Statement:
    mine = is_one_of(_PART["record_id"], "ids", dialect)
    return Statement(select(*_PART.values()).where(mine).order_by(_PART["record_id"], _PART["position"]))
