"""Outcomes, matched to the predictions that were made before them; observed when they happened, however late reported.

Each function is one statement, which stores what is new or has changed and may be repeated at will. A failure that was
prevented by replacing the device says only that the device would have lived longer.
"""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql, sqlite

from models.anomalies import Verdict
from models.devices.status import DeviceStatus
from models.failures import PREVENTIVE_REPLACEMENT
from models.predictions import PredictionKind
from models.repositories.base import Writes
from models.statements import Statement, prepared, table_columns
from models.tables import AnomalyRow, DeviceFailureRow, DeviceRow, PredictionOutcomeRow, PredictionRow
from models.types import UtcDateTime

# Typed by hand: SQLAlchemy leaves open what numbers it gives.
_FLOAT = cast("Any", Double())

_PREDICTION = table_columns(PredictionRow)
_OUTCOME = table_columns(PredictionOutcomeRow)
_FAILURE = table_columns(DeviceFailureRow)
_ANOMALY = table_columns(AnomalyRow)
_DEVICE = table_columns(DeviceRow)
_STORED = ("prediction_id", "observed_at", "value", "is_lower_bound")
_PREVENTED = func.coalesce(_FAILURE["cause"], "") == PREVENTIVE_REPLACEMENT
_AT = bindparam("at", type_=UtcDateTime())
_SINCE = bindparam("since", type_=UtcDateTime())


async def match_ends_of_life(transaction: Writes, since: datetime) -> int:
    """Match ends of lives to predictions of remaining life: the days until then. Returns how many are new or changed.

    Args:
        transaction: in which they are stored.
        since: ends that were reported earlier have been matched.
    """
    return await transaction.execute(_ends_of_life(transaction.dialect), since=since)


async def match_survival(transaction: Writes, model_id: int, at: datetime) -> int:
    """Match an instant to predictions of a version that devices have outlived by then: they lived at least so long."""
    return await transaction.execute(_survival(transaction.dialect), model_id=model_id, at=at)


async def match_failures(
    transaction: Writes, model_id: int, horizon_days: float, since: datetime, over_before: datetime
) -> int:
    """Match failures to predictions of risk by a version: 1 if one came within the horizon, 0 once that is over.

    Args:
        transaction: in which they are stored.
        model_id: the version.
        horizon_days: of its predictions.
        since: earlier predictions are passed over.
        over_before: the horizon of predictions until then is over.
    """
    bound = {"model_id": model_id, "horizon": horizon_days, "since": since, "over_before": over_before}
    return await transaction.execute(_failures(transaction.dialect), **bound)


async def match_verdicts(transaction: Writes, model_id: int, since: datetime) -> int:
    """Match verdicts on anomalies to predictions of a version while they went on: 1 for a true alarm, else 0.

    Args:
        transaction: in which they are stored.
        model_id: the version.
        since: verdicts of before have been matched.
    """
    return await transaction.execute(_verdicts(transaction.dialect), model_id=model_id, since=since)


def days_between(earlier: ColumnElement[Any], later: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Return the days from one instant to another."""
    if dialect == "postgresql":
        return cast_to(func.extract("epoch", later - earlier), _FLOAT) / 86_400.0
    micros = later.op("-", return_type=BigInteger())(earlier)
    return cast_to(micros, _FLOAT) / 86.4e9


def _put(found: Any, dialect: str) -> Statement:
    """Return the statement that stores rows as `_STORED`, where they are new or say something else."""
    rows = found.subquery("found")
    before = table_columns(PredictionOutcomeRow)
    said = or_(
        before["prediction_id"].is_(None),
        before["value"] != rows.c.value,
        before["is_lower_bound"] != rows.c.is_lower_bound,
    )
    new = (
        select(*(rows.c[name] for name in _STORED))
        .select_from(rows.outerjoin(_OUTCOME["value"].table, before["prediction_id"] == rows.c.prediction_id))
        .where(said)
    )
    add = postgresql.insert(PredictionOutcomeRow) if dialect == "postgresql" else sqlite.insert(PredictionOutcomeRow)
    put = add.from_select(list(_STORED), new)
    changed = {name: put.excluded[name] for name in _STORED if name != "prediction_id"}
    return Statement(put.on_conflict_do_update(index_elements=["prediction_id"], set_=changed))


def _found(observed_at: ColumnElement[Any], value: ColumnElement[Any], is_lower_bound: ColumnElement[Any]) -> Any:
    columns = (_PREDICTION["id"].label("prediction_id"), observed_at.label("observed_at"))
    return select(*columns, value.label("value"), is_lower_bound.label("is_lower_bound"))


def _of(kind: PredictionKind) -> ColumnElement[bool]:
    return and_(_PREDICTION["model_id"] == bindparam("model_id"), _PREDICTION["kind"] == kind.value)


@prepared
def _ends_of_life(dialect: str) -> Statement:
    mine = and_(
        _PREDICTION["device_id"] == _FAILURE["device_id"],
        _PREDICTION["kind"] == PredictionKind.LIFESPAN.value,
        _PREDICTION["predicted_at"] <= _FAILURE["failed_at"],
    )
    days = days_between(_PREDICTION["predicted_at"], _FAILURE["failed_at"], dialect)
    found = _found(_FAILURE["failed_at"], days, _PREVENTED).join_from(
        _FAILURE["id"].table, _PREDICTION["id"].table, mine
    )
    return _put(found.where(_FAILURE["ends_life"].is_(True), _FAILURE["created_at"] >= _SINCE), dialect)


@prepared
def _survival(dialect: str) -> Statement:
    days = days_between(_PREDICTION["predicted_at"], _AT, dialect)
    ended = exists().where(_FAILURE["device_id"] == _PREDICTION["device_id"], _FAILURE["ends_life"].is_(True))
    lives = and_(_DEVICE["status"] != DeviceStatus.RETIRED.value, ~ended)
    mine = and_(_DEVICE["id"] == _PREDICTION["device_id"], lives)
    found = _found(_AT, days, literal(True)).join_from(_PREDICTION["id"].table, _DEVICE["id"].table, mine)
    return _put(found.where(_of(PredictionKind.LIFESPAN), _PREDICTION["value"] < days), dialect)


@prepared
def _failures(dialect: str) -> Statement:
    days = days_between(_PREDICTION["predicted_at"], _FAILURE["failed_at"], dialect)
    within = and_(
        _FAILURE["device_id"] == _PREDICTION["device_id"],
        _FAILURE["failed_at"] > _PREDICTION["predicted_at"],
        days <= bindparam("horizon", type_=_FLOAT),
    )
    failed = exists().where(within, ~_PREVENTED)
    # Nobody knows whether a device that was replaced would have failed.
    ended = exists().where(within, _FAILURE["ends_life"].is_(True))
    over = and_(_PREDICTION["predicted_at"] <= bindparam("over_before", type_=UtcDateTime()), ~ended)
    first = (
        select(func.min(_FAILURE["failed_at"])).where(within, ~_PREVENTED).correlate(PredictionRow).scalar_subquery()
    )
    observed_at = func.coalesce(first, _horizon_end(dialect), type_=UtcDateTime())
    found = _found(observed_at, case((failed, 1.0), else_=0.0), literal(False)).select_from(_PREDICTION["id"].table)
    recent = _PREDICTION["predicted_at"] >= _SINCE
    return _put(found.where(_of(PredictionKind.MULTI_FACTOR), recent, or_(failed, over)), dialect)


def _horizon_end(dialect: str) -> ColumnElement[Any]:
    horizon = bindparam("horizon", type_=_FLOAT)
    if dialect == "postgresql":
        days = func.make_interval(0, 0, 0, 0, 0, 0, horizon * 86_400.0)
        return _PREDICTION["predicted_at"] + days
    micros = cast_to(horizon * 86.4e9, BigInteger())
    return _PREDICTION["predicted_at"].op("+", return_type=UtcDateTime())(micros)


@prepared
def _verdicts(dialect: str) -> Statement:
    then = and_(
        _ANOMALY["device_id"] == _PREDICTION["device_id"],
        _ANOMALY["detected_at"] <= _PREDICTION["predicted_at"],
        or_(_ANOMALY["ended_at"].is_(None), _ANOMALY["ended_at"] >= _PREDICTION["predicted_at"]),
    )
    judged = and_(_ANOMALY["verdict"].is_not(None), _ANOMALY["resolved_at"] >= _SINCE)
    # Where one ended in the moment in which the next began, a true alarm counts.
    value = func.max(case((_ANOMALY["verdict"] == Verdict.TRUE_ALARM.value, 1.0), else_=0.0))
    found = _found(func.max(_ANOMALY["resolved_at"]), value, literal(False)).join_from(
        _ANOMALY["id"].table, _PREDICTION["id"].table, then
    )
    return _put(found.where(judged, _of(PredictionKind.ANOMALY)).group_by(_PREDICTION["id"]), dialect)
