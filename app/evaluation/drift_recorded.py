"""Drift on recorded streams: columns that begin to vary, and models whose errors grow."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.evaluation.drift_alarms import ROWS_A_CALL, TRAINED_ROWS, alarms_of
from app.evaluation.drift_files import FloatArray, Recorded
from models.learning.boosting import Boosting, Classifier, NothingToLearn, Table, fit_classifier
from models.learning.drift import ErrorWatch, error_reference, sketch_of

RETRAINED_ROWS = 1000
_BOOSTING = Boosting(
    trees=80, learning_rate=0.1, leaves=15, rows_in_leaf=10, feature_share=1.0, row_share=0.8, ridge=1.0
)


@dataclass(frozen=True, slots=True)
class ConceptEvaluation:
    """How the errors of a model were watched that is trained anew after each alarm.

    Attributes:
        delays: of each change, the rows to the first alarm after it and before the next; None where none came.
        false_alarms: all other alarms.
        rows: that were watched.
    """

    delays: tuple[int | None, ...]
    false_alarms: int
    rows: int


def evaluate_beginning(values: FloatArray) -> list[int]:
    """Return the rows after which the alarms over (n,) values came, of which the first 2,000 are learnt from."""
    sketch = sketch_of(values[:TRAINED_ROWS])
    return [TRAINED_ROWS + row for row in alarms_of(sketch, values[TRAINED_ROWS:])]


def evaluate_concept(table: Recorded, change_every: int) -> ConceptEvaluation:
    """Train on the first 2,000 rows, watch the errors, and after each alarm train anew on the next 1,000 rows."""
    features, targets = table.values[:, :-1], (table.values[:, -1] == table.values[:, -1].max()).astype(np.float64)
    alarms: list[int] = []
    row, watched, end = 0, 0, TRAINED_ROWS
    while (alarm := _next_alarm(features, targets, row, end)) is not None:
        watched += alarm - end
        alarms.append(alarm)
        row, end = alarm, alarm + RETRAINED_ROWS
    watched += max(len(targets) - end, 0)
    changes = range(change_every, len(targets), change_every)
    firsts = [next((at for at in alarms if change < at <= change + change_every), None) for change in changes]
    delays = tuple(None if at is None else at - change for at, change in zip(firsts, changes, strict=True))
    return ConceptEvaluation(delays, len(alarms) - sum(at is not None for at in firsts), watched)


def recorded_lines(table: Recorded, change_every: int) -> Iterator[str]:
    """Yield the results on a recorded table as text."""
    beginnings = table.beginnings()
    for column, begins in beginnings.items():
        alarms = evaluate_beginning(table.values[:, table.columns.index(column)])
        early = sum(row <= begins for row in alarms)
        after = next((row - begins for row in alarms if row > begins), None)
        found = "not found" if after is None else f"found after {after} rows"
        yield f"{table.name}, {column}: begins to vary after {begins} rows; {found}, {early} false alarms before"
    if beginnings or not table.has_classes:
        return
    concept = evaluate_concept(table, change_every)
    delays = ", ".join("not found" if delay is None else str(delay) for delay in concept.delays)
    rate = concept.false_alarms / max(concept.rows, 1) * 10_000
    yield (
        f"{table.name}: the concept changes every {change_every} rows; rows to the alarm: {delays}; "
        f"{concept.false_alarms} false alarms, {rate:.2f} in 10,000 rows"
    )


def _next_alarm(features: FloatArray, targets: FloatArray, first: int, end: int) -> int | None:
    """Return the row after which a model trained on some rows alarms; None if it never does, or there is none."""
    trained = _train(features[first:end], targets[first:end])
    if trained is None or end >= len(targets):
        return None
    model, own = trained
    errors = np.abs((model.probability(features[end:]) >= 0.5) - targets[end:])
    watch = ErrorWatch(error_reference(own))
    for row in range(0, len(errors), ROWS_A_CALL):
        if watch.update(errors[row : row + ROWS_A_CALL]).drifted:
            return end + min(row + ROWS_A_CALL, len(errors))
    return None


def _train(features: FloatArray, targets: FloatArray) -> tuple[Classifier, FloatArray] | None:
    """Return a model and its out-of-fold errors, 0 or 1; None where there is nothing to learn."""
    names = tuple(f"column.{place}" for place in range(features.shape[1]))
    table = Table(features=features, names=names, targets=targets, units=np.arange(len(targets)))
    try:
        model, probabilities = fit_classifier(table, boosting=_BOOSTING)
    except NothingToLearn:
        return None
    return model, np.abs((probabilities >= 0.5) - targets)
