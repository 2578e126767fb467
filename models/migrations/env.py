"""Alembic's environment: runs on the connection that models.migrator hands over."""

import re
from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from models.tables import DeviceRow

_PARTITION = re.compile(r"_y\d{4}m\d{2}$")


def _is_ours(name: str | None, type_: str, _parents: Any) -> bool:
    # Partitions are made as months come, not by migrations.
    return not (type_ == "table" and name is not None and _PARTITION.search(name))


def _rendered(type_: str, item: Any, _context: Any) -> str | Literal[False]:
    # SQLModel's own string type is a String to the database; a migration should not depend on SQLModel.
    return f"sa.String(length={item.length})" if type_ == "type" and isinstance(item, AutoString) else False


context.configure(
    connection=context.config.attributes["connection"],
    # Of all tables: importing one has registered every one.
    target_metadata=DeviceRow.metadata,
    include_name=_is_ours,
    # SQLite cannot alter most things in place: Alembic copies the table.
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    compare_type=True,
    user_module_prefix="types.",
    render_item=_rendered,
)
with context.begin_transaction():
    context.run_migrations()
