"""Which method forecasts the demand of each machine, until it is chosen anew."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from models.learning.demand import Choice, Method
from models.repositories import device_changes
from models.repositories.base import Reads, Writes
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import VendingMachineDemandChoiceRow
from models.types import UtcDateTime

_CHOICE = table_columns(VendingMachineDemandChoiceRow)
_METHODS = {method.value for method in Method}


async def by_devices(db: Reads, device_ids: Sequence[int], since: datetime) -> dict[int, Choice]:
    """Return the choices that were made since an instant, by machine."""
    rows = await db.fetch(_by_devices(db.dialect), ids=list(device_ids), since=since)
    return {row["device_id"]: _choice(row) for row in rows if _is_known(row)}


async def put(transaction: Writes, choices: Mapping[int, Choice], at: datetime) -> None:
    """Store choices with a method in the place of earlier ones; a machine that was removed meanwhile is left out."""
    there = await device_changes.lock(transaction, list(choices))
    rows = [_row(device_id, choices[device_id], at) for device_id in there]
    if rows:
        await transaction.execute(_remove(transaction.dialect), ids=list(there))
        await transaction.execute_many(_insert(), rows)


def _row(device_id: int, choice: Choice, at: datetime) -> dict[str, object]:
    return {
        "device_id": device_id,
        "method": choice.method,
        "members": " ".join(choice.members),
        "mae": choice.mae,
        "day_count": choice.backtest_days,
        "day_variation": choice.day_variation,
        "evaluated_at": at,
    }


def _choice(row: Row) -> Choice:
    method = Method(row["method"])
    return Choice(
        method=method,
        members=tuple(Method(name) for name in row["members"].split()),
        backtest_days=row["day_count"],
        maes={method: row["mae"]},
        day_variation=row["day_variation"],
    )


def _is_known(row: Row) -> bool:
    # A version of the server that knows other methods may have stored it.
    return {row["method"], *row["members"].split()} <= _METHODS


@prepared
def _by_devices(dialect: str) -> Statement:
    fresh = _CHOICE["evaluated_at"] >= bindparam("since", type_=UtcDateTime())
    return Statement(select(*_CHOICE.values()).where(is_one_of(_CHOICE["device_id"], "ids", dialect), fresh))


@prepared
def _remove(dialect: str) -> Statement:
    mine = is_one_of(_CHOICE["device_id"], "ids", dialect)
    return Statement(delete(VendingMachineDemandChoiceRow).where(mine))


@prepared
def _insert() -> Statement:
    values = {name: bindparam(name, type_=column.type) for name, column in _CHOICE.items()}
    return Statement(insert(VendingMachineDemandChoiceRow).values(values))
