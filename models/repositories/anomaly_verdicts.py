"""What people said of anomalies."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, update

from models.repositories.anomalies import ANOMALY
from models.repositories.base import Writes
from models.statements import Statement, prepared
from models.tables import AnomalyRow

_JUDGED = ("state", "resolved_at", "resolved_by", "verdict", "comment")


async def store(transaction: Writes, row: Mapping[str, Any]) -> None:
    """Store the judgement that a row carries; the caller holds the lock of its device."""
    values = {f"new_{name}": row[name] for name in _JUDGED}
    await transaction.execute(_judge(), anomaly_id=row["id"], **values)


@prepared
def _judge() -> Statement:
    values = {name: bindparam(f"new_{name}", type_=ANOMALY[name].type) for name in _JUDGED}
    return Statement(update(AnomalyRow).where(ANOMALY["id"] == bindparam("anomaly_id")).values(values))
