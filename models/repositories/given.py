"""Rows that travel to the database as one parameter, so that a statement is the same for any number of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Column, FromClause, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB

from models.types import to_micros


def given_rows(columns: Mapping[str, Column[Any]], dialect: str, parameter: str = "given") -> FromClause:
    """Return the rows of a parameter that `as_parameter` made, with these columns."""
    value = bindparam(parameter, type_=Text())
    if dialect == "postgresql":
        typed = [column(name, each.type) for name, each in columns.items()]
        return (
            func.jsonb_to_recordset(cast(value, JSONB)).table_valued(*typed).render_derived(parameter, with_types=True)
        )
    each_row = func.json_each(value).table_valued("value", name="each_row")
    fields = [
        func.json_extract(each_row.c.value, f"$.{name}", type_=each.type).label(name) for name, each in columns.items()
    ]
    return select(*fields).select_from(each_row).subquery(parameter)


def as_parameter(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], dialect: str) -> str:
    """Return rows as the text that `given_rows` reads; raises KeyError where a row lacks a column."""
    return orjson.dumps([{str(name): _plain(row[name], dialect) for name in columns} for row in rows]).decode()


def _plain(value: Any, dialect: str) -> Any:
    # orjson writes instants as PostgreSQL reads them.
    return to_micros(value) if dialect == "sqlite" and isinstance(value, datetime) else value
