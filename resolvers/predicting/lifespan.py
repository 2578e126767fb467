"""Remaining life of devices, by the model of their kind that is in production."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from models.charts import FloatArray
from models.learning.features import ChannelMismatch
from models.learning.lifespan import LifespanModel, Remaining
from models.predicted import Absent, AbsentReason, Found
from models.predictions import PredictionKind
from resolvers.predicting.data import days_of, instant_of
from resolvers.predicting.doubts import Examined, examined, of_features, staleness
from resolvers.predicting.subjects import Compute, Looked, Outcomes, Subjects, same_for_all

if TYPE_CHECKING:
    from resolvers.context import Services

# With fewer days of readings a device has no beginning that its present could be compared with.
FEWEST_DAYS = 7


class LifespanPredictor:
    """Predicts in how many days a device will have to be replaced."""

    needs_histories = True

    async def prepare(self, services: "Services", subjects: Subjects) -> Compute:  # noqa: ARG002 - the protocol
        """Load nothing: the histories are there."""
        absent = subjects.no_model(PredictionKind.LIFESPAN)
        if absent is not None:
            return same_for_all(subjects, absent)
        return lambda: _predicted(subjects)


def usable(subjects: Subjects) -> list[Looked]:
    """Return for each device what a model may look at, or why there is too little; each is examined once."""
    places = subjects.places()
    for row in subjects.rows:
        if row["id"] not in subjects.examined:
            is_installed = row["installed_at"] is not None
            subjects.examined[row["id"]] = _usable(subjects, places[row["id"]], is_installed=is_installed)
    return [subjects.examined[row["id"]] for row in subjects.rows]


def _usable(subjects: Subjects, place: int, *, is_installed: bool) -> Looked:
    known = subjects.known_histories
    history, days = known.histories[place], known.days[place]
    if days >= FEWEST_DAYS:
        return examined(subjects.kind, history, known.unit_changes[place]), None
    if is_installed:
        # What is left is its age.
        told = f"There are readings of {days} whole days; {FEWEST_DAYS} are needed to look at more than the age."
        alone = replace(history, times=np.empty(0), values=np.empty((0, 0)), settings=np.empty((0, 0)))
        return Examined(alone, (told,)), None
    if days:
        message = (
            f"Readings of {days} whole days are there, {FEWEST_DAYS} are needed, and its installation is not known."
        )
        return Examined(history, ()), Absent(AbsentReason.TOO_LITTLE_HISTORY, message)
    message = "There are no readings of a whole day, and when it was installed is not known."
    return Examined(history, ()), Absent(AbsentReason.NO_READINGS, message)


def mismatch(problem: ChannelMismatch) -> Absent:
    """Return the reason that a model was trained on other channels than there are."""
    return Absent(AbsentReason.MODEL_UNFIT, f"{problem} Train a new version.")


def _predicted(subjects: Subjects) -> Outcomes:
    model = subjects.models[PredictionKind.LIFESPAN]
    looked = usable(subjects)
    now = days_of(subjects.now)
    there = [place for place, (_, absent) in enumerate(looked) if absent is None]
    histories = [looked[place][0].history for place in there]
    try:
        found = cast("LifespanModel", model.model).predict(
            subjects.known_histories.layout, histories, np.full(len(there), now)
        )
    except ChannelMismatch as problem:
        return [mismatch(problem)] * len(subjects.rows)
    outcomes: Outcomes = [absent or _nothing() for _, absent in looked]
    features = plain(found.features)
    for index, place in enumerate(there):
        outcomes[place] = _outcome(model.id, found, index, looked[place][0], now, features[index])
    return outcomes


def _outcome(  # noqa: PLR0917 - a prediction and what it is told with
    model_id: int, found: Remaining, index: int, looked: Examined, now: float, features: Sequence[float | None]
) -> Found | Absent:
    method = found.methods[index]
    value, lower, upper = (float(each[index]) for each in (found.value, found.lower, found.upper))
    if method is None or not np.isfinite([value, lower, upper]).all():
        return _nothing()
    history = looked.history
    newest = float(history.times[-1]) if len(history.times) else None
    factor, stale = (1.0, ()) if newest is None else staleness(newest, now)
    doubts = (*looked.doubts, *stale, *of_features(float(found.missing[index]), float(found.outside[index])))
    return Found(
        method=method.value,
        model_id=model_id,
        data_until=None if newest is None else instant_of(newest),
        confidence=float(found.confidence[index]) * factor * looked.factor,
        value=value,
        lower=lower,
        upper=upper,
        details={"doubts": list(doubts)},
        features=features,
        missing_share=float(found.missing[index]),
    )


def plain(rows: FloatArray) -> list[list[float | None]]:
    """Return (n, f) numbers as JSON has them: None for those that are not finite."""
    values = rows.astype(object)
    values[~np.isfinite(rows)] = None
    return values.tolist()


def _nothing() -> Absent:
    return Absent(AbsentReason.NO_READINGS, "Neither readings nor the beginning of its service are known.")
