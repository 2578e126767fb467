"""The history of water heaters' controls."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, insert

from models.repositories.base import Writes
from models.repositories.histories import History
from models.statements import Statement, prepared, table_columns
from models.tables import WaterHeaterControlChangeRow

CONTROL_CHANGES = History(WaterHeaterControlChangeRow, "changed_at")
_CHANGE = table_columns(WaterHeaterControlChangeRow)


async def add_control_change(transaction: Writes, values: Mapping[str, Any]) -> None:
    """Record a change of the target temperature or the mode."""
    await transaction.execute(_insert(frozenset(values)), **values)


@prepared
def _insert(names: frozenset[str]) -> Statement:
    values = {name: bindparam(name, type_=_CHANGE[name].type) for name in sorted(names)}
    return Statement(insert(WaterHeaterControlChangeRow).values(values))
