"""Risk that a device fails within a horizon: by the model of risk, or, without failures to learn from, by age."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from models.learning.features import ChannelMismatch
from models.learning.lifespan import LifespanModel
from models.learning.risk import Levels, RiskModel, Risks
from models.predicted import Absent, AbsentReason, Found
from models.predictions import PredictionKind
from resolvers.predicting.data import days_of, instant_of
from resolvers.predicting.doubts import Examined, of_features, staleness
from resolvers.predicting.jobs import RISK_METHOD
from resolvers.predicting.lifespan import mismatch, plain, usable
from resolvers.predicting.subjects import Compute, Outcomes, Subjects, same_for_all

if TYPE_CHECKING:
    from resolvers.context import Services


class RiskPredictor:
    """Predicts the probability of a failure within a horizon."""

    needs_histories = True

    async def prepare(self, services: "Services", subjects: Subjects) -> Compute:
        """Load nothing: the histories are there."""
        if PredictionKind.MULTI_FACTOR in subjects.models:
            absent = subjects.no_model(PredictionKind.MULTI_FACTOR)
            return (lambda: _predicted(subjects)) if absent is None else same_for_all(subjects, absent)
        if subjects.no_model(PredictionKind.LIFESPAN) is None:
            horizon = float(services.settings.predictions.horizon_days)
            return lambda: _by_age(subjects, horizon)
        return same_for_all(subjects, subjects.lacking(PredictionKind.MULTI_FACTOR))


def _predicted(subjects: Subjects) -> Outcomes:
    model = subjects.models[PredictionKind.MULTI_FACTOR]
    risk = cast("RiskModel", model.model)
    looked = usable(subjects)
    now = days_of(subjects.now)
    there = [place for place, (_, absent) in enumerate(looked) if absent is None]
    histories = [looked[place][0].history for place in there]
    try:
        found = risk.predict(subjects.known_histories.layout, histories, np.full(len(there), now))
    except ChannelMismatch as problem:
        return [mismatch(problem)] * len(subjects.rows)
    outcomes: Outcomes = [absent or _nothing() for _, absent in looked]
    features = plain(found.features)
    for index, place in enumerate(there):
        outcomes[place] = _outcome(model.id, risk, found, index, looked[place][0], now, features[index])
    return outcomes


def _outcome(  # noqa: PLR0917 - a prediction and what it is told with
    model_id: int,
    model: RiskModel,
    found: Risks,
    index: int,
    looked: Examined,
    now: float,
    features: Sequence[float | None],
) -> Found | Absent:
    probability, level = float(found.probability[index]), found.levels[index]
    if level is None or not np.isfinite(probability):
        return _nothing()
    history = looked.history
    newest = float(history.times[-1]) if len(history.times) else None
    factor, stale = (1.0, ()) if newest is None else staleness(newest, now)
    doubts = (*looked.doubts, *stale, *of_features(float(found.missing[index]), float(found.outside[index])))
    return Found(
        method=RISK_METHOD,
        model_id=model_id,
        data_until=None if newest is None else instant_of(newest),
        confidence=float(found.confidence[index]) * factor * looked.factor,
        value=probability,
        details={"level": level.value, "horizon_days": model.horizon, "doubts": list(doubts)},
        features=features,
        missing_share=float(found.missing[index]),
    )


def _by_age(subjects: Subjects, horizon: float) -> Outcomes:
    """Predict by the survival of the fleet: the share of those of the same age that fail within the horizon."""
    model = subjects.models[PredictionKind.LIFESPAN]
    lifespan = cast("LifespanModel", model.model)
    survival, now = lifespan.survival, days_of(subjects.now)
    method = "WEIBAYES" if survival.shape_is_assumed else "WEIBULL"
    outcomes: Outcomes = []
    for place, absent in zip(
        (subjects.places()[id_] for id_ in subjects.ids), (each[1] for each in usable(subjects)), strict=True
    ):
        history = subjects.known_histories.histories[place]
        age = now - history.start
        if absent is not None or not np.isfinite(age):
            outcomes.append(absent or _nothing())
            continue
        probability = survival.failing_within(age, horizon)
        lower, upper = (float(survival.remaining(np.array([age]), share)[0]) for share in _tails(lifespan.coverage))
        outcomes.append(
            Found(
                method=method,
                model_id=model.id,
                data_until=instant_of(float(history.times[-1])) if len(history.times) else None,
                confidence=float(lifespan.told(np.array([lower]), np.array([upper]))[0]),
                value=probability,
                details={
                    "level": Levels().of(probability).value,
                    "horizon_days": horizon,
                    "age_days": age,
                    "new_probability": survival.failing_within(0.0, horizon),
                    "doubts": ["No failures were there to learn from; the age alone was looked at."],
                },
            )
        )
    return outcomes


def _tails(coverage: float) -> tuple[float, float]:
    return (1 - coverage) / 2, (1 + coverage) / 2


def _nothing() -> Absent:
    return Absent(AbsentReason.NO_READINGS, "Neither readings nor the beginning of its service are known.")
