"""What is finished and old is deleted, in steps that look at a bounded number of rows.

A step goes on behind the row at which the last one stopped, in the order of an index, so the cost of a step depends
neither on how much there is nor on how much of it has to stay.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, delete, exists, or_, select, true, tuple_
from sqlmodel import SQLModel

from models.alerts import AlertState
from models.anomalies import AnomalyState
from models.predictions import PredictionKind
from models.repositories.base import Writes
from models.statements import Statement, is_one_of, prepared, table_columns
from models.tables import (
    AlertRow,
    AnomalyRow,
    DeviceFailureRow,
    ModelDriftRow,
    ModelMetricRow,
    PredictionOutcomeRow,
    PredictionRow,
)
from models.types import UtcDateTime

STEP_ROWS = 2000
"""What a step looks at, and deletes at most: some tens of milliseconds."""

_EVER = datetime.min.replace(tzinfo=UTC)
_ALERT = table_columns(AlertRow)
_ANOMALY = table_columns(AnomalyRow)
_PREDICTION = table_columns(PredictionRow)
_BEFORE = bindparam("before", type_=UtcDateTime())


class Finished(Enum):
    """What is deleted when it is old, by the name that metrics and the log give it."""

    ALERTS = "alerts"
    MODEL_ALERTS = "model_alerts"
    ANOMALIES = "anomalies"
    JUDGED_ANOMALIES = "judged_anomalies"
    PREDICTIONS = "predictions"
    MODEL_METRICS = "model_metrics"
    MODEL_DRIFT = "model_drift"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step goes on: behind this row.

    Attributes:
        at: its instant.
        id: its id.
    """

    at: datetime = _EVER
    id: int = 0


async def forget(
    transaction: Writes, what: Finished, before: datetime, behind: Place, most: int = STEP_ROWS
) -> tuple[int, Place | None]:
    """Look at the next rows, and delete those of them that were finished before an instant.

    What belongs to them (changes of alerts; features and outcomes of predictions) goes along.

    Returns:
        How many were deleted, and where to go on; None if there are no others that old.
    """
    bound = {"at": behind.at, "id": behind.id} if _RULES[what].is_by_instant else {"id": behind.id}
    rows = await transaction.fetch(_next(what), **bound, count=most)
    if not rows:
        return 0, None
    ids = [row["id"] for row in rows]
    count = await transaction.execute(_delete(what, transaction.dialect), ids=ids, before=before)
    last = rows[-1]
    is_last = len(rows) < most or last["at"] >= before
    return count, None if is_last else Place(last["at"], last["id"])


@dataclass(frozen=True, slots=True)
class _Rule:
    """How to find what is finished.

    Attributes:
        table: holds it.
        instant: name of a column; what is younger than wanted by it is not finished long enough either.
        is_by_instant: there is an index by the instant and the id; otherwise the ids are in the order of the instants,
            which are those of storing.
        is_finished: the condition on a row, with the parameter `before`.
    """

    table: type[SQLModel]
    instant: str
    is_by_instant: bool
    is_finished: Callable[[], ColumnElement[bool]]

    @property
    def columns(self) -> Mapping[str, Any]:
        return table_columns(self.table)

    @property
    def order(self) -> tuple[Any, ...]:
        return (self.columns[self.instant], self.columns["id"]) if self.is_by_instant else (self.columns["id"],)


def _resolved_alert(of_models: bool) -> ColumnElement[bool]:
    mine = _ALERT["model_id"].is_not(None) if of_models else _ALERT["model_id"].is_(None)
    return and_(mine, _ALERT["state"] == AlertState.RESOLVED.value, _ALERT["resolved_at"] < _BEFORE)


def _ended_anomaly(is_judged: bool) -> ColumnElement[bool]:
    state, at = (AnomalyState.RESOLVED, "resolved_at") if is_judged else (AnomalyState.CLOSED, "ended_at")
    needed = exists().where(_ALERT["anomaly_id"] == _ANOMALY["id"], _ALERT["state"] != AlertState.RESOLVED.value)
    old = and_(_ANOMALY["ended_at"] < _BEFORE, _ANOMALY[at] < _BEFORE)
    return and_(_ANOMALY["state"] == state.value, old, ~needed)


def _over_prediction() -> ColumnElement[bool]:
    """Return the condition that a prediction's outcome is known for long, or that none is to come."""
    outcome, failure = table_columns(PredictionOutcomeRow), table_columns(DeviceFailureRow)
    recent = exists().where(outcome["prediction_id"] == _PREDICTION["id"], outcome["observed_at"] >= _BEFORE)
    life_ended = exists().where(failure["device_id"] == _PREDICTION["device_id"], failure["ends_life"].is_(True))
    waits_for_no_end = or_(_PREDICTION["kind"] != PredictionKind.LIFESPAN.value, life_ended)
    return and_(~recent, waits_for_no_end)


_RULES = {
    Finished.ALERTS: _Rule(AlertRow, "raised_at", True, lambda: _resolved_alert(of_models=False)),
    Finished.MODEL_ALERTS: _Rule(AlertRow, "raised_at", True, lambda: _resolved_alert(of_models=True)),
    Finished.ANOMALIES: _Rule(AnomalyRow, "detected_at", True, lambda: _ended_anomaly(is_judged=False)),
    Finished.JUDGED_ANOMALIES: _Rule(AnomalyRow, "detected_at", True, lambda: _ended_anomaly(is_judged=True)),
    Finished.PREDICTIONS: _Rule(PredictionRow, "predicted_at", False, _over_prediction),
    Finished.MODEL_METRICS: _Rule(ModelMetricRow, "recorded_at", False, true),
    Finished.MODEL_DRIFT: _Rule(ModelDriftRow, "evaluated_at", False, true),
}


@prepared
def _next(what: Finished) -> Statement:
    rule = _RULES[what]
    behind: dict[str, Any] = {"at": UtcDateTime(), "id": BigInteger()}
    names = ("at", "id") if rule.is_by_instant else ("id",)
    place = tuple_(*rule.order) > tuple_(*(bindparam(name, type_=behind[name]) for name in names))
    rows = select(rule.columns[rule.instant].label("at"), rule.columns["id"]).where(place)
    return Statement(rows.order_by(*rule.order).limit(bindparam("count")))


@prepared
def _delete(what: Finished, dialect: str) -> Statement:
    rule = _RULES[what]
    old = rule.columns[rule.instant] < _BEFORE
    # Asked again where it is deleted: whoever changed it meanwhile has the last word.
    return Statement(delete(rule.table).where(is_one_of(rule.columns["id"], "ids", dialect), old, rule.is_finished()))
