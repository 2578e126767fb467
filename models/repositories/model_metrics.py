"""Metrics of models over windows of time: measured by the server, or reported by others."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, select, true
from sqlalchemy.dialects import postgresql, sqlite

from models.repositories.base import Reads, Writes
from models.repositories.given import as_parameter, given_rows
from models.repositories.histories import History
from models.statements import Row, Statement, is_one_of, prepared, table_columns
from models.tables import ModelMetricRow
from models.types import UtcDateTime

METRICS = History(ModelMetricRow, "recorded_at", owner="model_id")
_METRIC = table_columns(ModelMetricRow)
_NEW = {name: column for name, column in _METRIC.items() if name != "id"}
_WINDOW = {name: _METRIC[name] for name in ("name", "window_start", "window_end")}


async def add_many(transaction: Writes, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Store metrics and return them; those of a window that is told already are left out."""
    if not rows:
        return []
    given = as_parameter(rows, _NEW, transaction.dialect)
    return list(await transaction.fetch(_insert(transaction.dialect), given=given))


async def overlapping(transaction: Writes, model_id: int, windows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return stored metrics of a locked version whose windows overlap given ones of the same name.

    Args:
        transaction: holds the lock of the version.
        model_id: of the version.
        windows: name, window_start and window_end of each.
    """
    given = as_parameter(windows, _WINDOW, transaction.dialect)
    return list(await transaction.fetch(_overlapping(transaction.dialect), given=given, model_id=model_id))


async def newest(db: Reads, model_ids: Sequence[int], since: datetime) -> dict[int, dict[str, Row]]:
    """Return of each version the metric with the latest window by name, if that ended after an instant."""
    found: dict[int, dict[str, Row]] = {model_id: {} for model_id in model_ids}
    for row in await db.fetch(_newest(db.dialect), ids=list(found), since=since):
        found[row["model_id"]][row["name"]] = row
    return found


async def is_measured(db: Reads, model_id: int, name: str, window_end: datetime) -> bool:
    """Say whether a metric of a window is stored."""
    return bool(await db.fetch(_of_window(), model_id=model_id, name=name, window_end=window_end))


@prepared
def _insert(dialect: str) -> Statement:
    given = given_rows(_NEW, dialect)
    # SQLite takes ON CONFLICT behind a SELECT only where that has a WHERE.
    rows = select(*(given.c[name] for name in _NEW)).where(true())
    add = postgresql.insert(ModelMetricRow) if dialect == "postgresql" else sqlite.insert(ModelMetricRow)
    added = add.from_select(list(_NEW), rows).on_conflict_do_nothing(index_elements=["model_id", "name", "window_end"])
    return Statement(added.returning(*_METRIC.values()))


@prepared
def _overlapping(dialect: str) -> Statement:
    given = given_rows(_WINDOW, dialect)
    overlap = and_(
        _METRIC["name"] == given.c.name,
        _METRIC["window_start"] < given.c.window_end,
        given.c.window_start < _METRIC["window_end"],
    )
    there = exists(select(given.c.name).where(overlap).correlate(ModelMetricRow))
    mine = _METRIC["model_id"] == bindparam("model_id")
    return Statement(select(*_METRIC.values()).where(mine, there).order_by(_METRIC["id"]))


@prepared
def _newest(dialect: str) -> Statement:
    recent = _METRIC["window_end"] > bindparam("since", type_=UtcDateTime())
    mine = and_(is_one_of(_METRIC["model_id"], "ids", dialect), recent)
    keys = (_METRIC["model_id"], _METRIC["name"])
    place = func.row_number().over(partition_by=keys, order_by=(_METRIC["window_end"].desc(), _METRIC["id"].desc()))
    ranked = select(*_METRIC.values(), place.label("place")).where(mine).subquery("ranked")
    return Statement(select(*(ranked.c[name] for name in _METRIC)).where(ranked.c.place == 1))


@prepared
def _of_window() -> Statement:
    mine = [_METRIC[name] == bindparam(name, type_=_METRIC[name].type) for name in ("model_id", "name", "window_end")]
    return Statement(select(_METRIC["id"]).where(*mine))
