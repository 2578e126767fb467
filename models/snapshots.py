"""Rows inside events: what a thing was when something happened to it, whatever has become of it since."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import SQLModel

from models.statements import Row, table_columns
from models.types import UtcDateTime, from_micros, to_micros


def snapshot(table: type[SQLModel], row: Row) -> dict[str, Any]:
    """Return the columns of a row as JSON values; raises KeyError if the row lacks one."""
    values = {name: row[name] for name in table_columns(table)}
    return {name: to_micros(value) if isinstance(value, datetime) else value for name, value in values.items()}


def restored(table: type[SQLModel], payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row that a snapshot was made of; columns that came later are None."""
    row: dict[str, Any] = {}
    for name, column in table_columns(table).items():
        value = payload.get(name)
        row[name] = from_micros(value) if value is not None and isinstance(column.type, UtcDateTime) else value
    return row
