"""What models have predicted, as those look at it who judge models: of each device at most one prediction a day.

What a prediction rests on changes once a day, so another one of the same day would say nothing new, and a device that
people look at often would count for many.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, func, or_, select, type_coerce

from models.anomalies import Verdict
from models.failures import PREVENTIVE_REPLACEMENT
from models.repositories.base import Reads
from models.repositories.prediction_outcomes import days_between
from models.statements import Row, Statement, prepared, table_columns
from models.tables import (
    AnomalyRow,
    DeviceFailureRow,
    DeviceRow,
    PredictionFeaturesRow,
    PredictionOutcomeRow,
    PredictionRow,
)
from models.types import UtcDateTime

_PREDICTION = table_columns(PredictionRow)
_FEATURES = table_columns(PredictionFeaturesRow)
_OUTCOME = table_columns(PredictionOutcomeRow)
_ANOMALY = table_columns(AnomalyRow)
_FAILURE = table_columns(DeviceFailureRow)
_DEVICE = table_columns(DeviceRow)
_MEASURED = ("device_id", "confidence", "value", "lower", "upper", "missing_share", "duration_ms")
_START, _END = (bindparam(name, type_=UtcDateTime()) for name in ("start", "end_"))
# Of a large fleet a part says as much as the whole.
MOST_ROWS = 20_000


async def made(db: Reads, model: Row, start: datetime, end: datetime) -> list[Row]:
    """Return what a version predicted in a window, newest first, at most `MOST_ROWS`: what is measured of each."""
    return list(await db.fetch(_made(), **_bounds(model, start, end), most=MOST_ROWS))


async def volume(db: Reads, model: Row, start: datetime, end: datetime) -> tuple[int, int]:
    """Return how many predictions a version made in a window, and of how many devices."""
    row = (await db.fetch(_volume(), **_bounds(model, start, end)))[0]
    return row["predictions"], row["devices"]


async def inputs(db: Reads, model: Row, start: datetime, end: datetime) -> list[Row]:
    """Return device_id, value and feature_values (JSON, or None) by device and day, in the order of time."""
    return list(await db.fetch(_inputs(db.dialect), **_bounds(model, start, end), most=MOST_ROWS))


async def judged(db: Reads, model: Row, start: datetime, end: datetime) -> list[Row]:
    """Return device_id, value, lower, upper, outcome and is_lower_bound by device and day.

    Those whose outcomes were observed in a window, its end included, in the order in which they were.
    """
    return list(await db.fetch(_judged(db.dialect), **_bounds(model, start, end), most=MOST_ROWS))


async def verdicts(db: Reads, device_kind: str, detector: str, start: datetime, end: datetime) -> list[Row]:
    """Return device_id and verdict of the anomalies of a version of the detector that were judged in a window."""
    bound = {"device_kind": device_kind, "detector": detector, "start": start, "end_": end, "most": MOST_ROWS}
    return list(await db.fetch(_verdicts(), **bound))


async def warned(db: Reads, device_kind: str, lead_days: float, start: datetime, end: datetime) -> list[Row]:
    """Return device_id and `before` of the failures of a window: how many anomalies there were so long before each."""
    bound = {"device_kind": device_kind, "lead": lead_days, "start": start, "end_": end, "most": MOST_ROWS}
    return list(await db.fetch(_warned(db.dialect), **bound))


def _bounds(model: Row, start: datetime, end: datetime) -> dict[str, Any]:
    # A model of remaining life also tells risks, where there is none for those.
    return {"model_id": model["id"], "kind": model["kind"], "start": start, "end_": end}


def _mine() -> ColumnElement[bool]:
    return and_(_PREDICTION["model_id"] == bindparam("model_id"), _PREDICTION["kind"] == bindparam("kind"))


def _within(instant: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(instant >= _START, instant < _END)


def _day(dialect: str) -> ColumnElement[Any]:
    at = _PREDICTION["predicted_at"]
    if dialect == "postgresql":
        return func.date_trunc("day", at, "UTC")
    return type_coerce(at, BigInteger()) // 86_400_000_000


@prepared
def _made() -> Statement:
    rows = select(*(_PREDICTION[name] for name in _MEASURED)).where(_mine(), _within(_PREDICTION["predicted_at"]))
    return Statement(rows.order_by(_PREDICTION["predicted_at"].desc()).limit(bindparam("most")))


@prepared
def _volume() -> Statement:
    counts = (func.count().label("predictions"), func.count(_PREDICTION["device_id"].distinct()).label("devices"))
    return Statement(select(*counts).where(_mine(), _within(_PREDICTION["predicted_at"])))


@prepared
def _inputs(dialect: str) -> Statement:
    newest = select(func.max(_PREDICTION["id"])).where(_mine(), _within(_PREDICTION["predicted_at"]))
    ids = newest.group_by(_PREDICTION["device_id"], _day(dialect))
    columns = (_PREDICTION["device_id"], _PREDICTION["value"], _FEATURES["feature_values"])
    joined = select(*columns).outerjoin_from(
        _PREDICTION["id"].table, _FEATURES["prediction_id"].table, _FEATURES["prediction_id"] == _PREDICTION["id"]
    )
    order = (_PREDICTION["predicted_at"], _PREDICTION["id"])
    return Statement(joined.where(_PREDICTION["id"].in_(ids)).order_by(*order).limit(bindparam("most")))


@prepared
def _judged(dialect: str) -> Statement:
    known = _OUTCOME["prediction_id"] == _PREDICTION["id"]
    tables = (_PREDICTION["id"].table, _OUTCOME["prediction_id"].table, known)
    observed = and_(_OUTCOME["observed_at"] > _START, _OUTCOME["observed_at"] <= _END)
    newest = select(func.max(_PREDICTION["id"])).join_from(*tables).where(_mine(), observed)
    ids = newest.group_by(_PREDICTION["device_id"], _day(dialect))
    columns = (
        *(_PREDICTION[name] for name in ("device_id", "value", "lower", "upper")),
        _OUTCOME["value"].label("outcome"),
        _OUTCOME["is_lower_bound"],
    )
    rows = select(*columns).join_from(*tables).where(_PREDICTION["id"].in_(ids))
    return Statement(rows.order_by(_OUTCOME["observed_at"], _PREDICTION["id"]).limit(bindparam("most")))


@prepared
def _verdicts() -> Statement:
    mine = and_(
        _ANOMALY["device_kind"] == bindparam("device_kind"),
        _ANOMALY["detector_version"] == bindparam("detector"),
        _ANOMALY["verdict"].is_not(None),
    )
    rows = select(_ANOMALY["device_id"], _ANOMALY["verdict"]).where(mine, _within(_ANOMALY["resolved_at"]))
    return Statement(rows.order_by(_ANOMALY["resolved_at"].desc()).limit(bindparam("most")))


@prepared
def _warned(dialect: str) -> Statement:
    lead = days_between(_ANOMALY["detected_at"], _FAILURE["failed_at"], dialect)
    before = (
        select(func.count())
        .where(
            _ANOMALY["device_id"] == _FAILURE["device_id"],
            _ANOMALY["detected_at"] <= _FAILURE["failed_at"],
            or_(
                lead <= bindparam("lead"), _ANOMALY["ended_at"].is_(None), _ANOMALY["ended_at"] >= _FAILURE["failed_at"]
            ),
            func.coalesce(_ANOMALY["verdict"], "") != Verdict.FALSE_ALARM.value,
        )
        .scalar_subquery()
    )
    of_kind = and_(_DEVICE["id"] == _FAILURE["device_id"], _DEVICE["kind"] == bindparam("device_kind"))
    rows = select(_FAILURE["device_id"], before.label("before")).join_from(
        _FAILURE["id"].table, _DEVICE["id"].table, of_kind
    )
    real = func.coalesce(_FAILURE["cause"], "") != PREVENTIVE_REPLACEMENT
    newest = _FAILURE["failed_at"].desc()
    return Statement(rows.where(_within(_FAILURE["failed_at"]), real).order_by(newest).limit(bindparam("most")))
