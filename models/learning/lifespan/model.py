"""A trained model of remaining life."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.learning.boosting import ArtefactError, Explanation, Regressor, scaled, seal, unseal
from models.learning.boosting.explanation import rescaled
from models.learning.features import AGE, Features, FloatArray, History, IntArray, Layout, check_layout, check_same
from models.learning.lifespan.beyond import Beyond
from models.learning.lifespan.survival import Survival

KIND = "lifespan/1"


class Method(StrEnum):
    """How a remaining life was found.

    REGRESSION: from the unit's own readings, by boosted trees with a conformal interval.
    WEIBULL: from its age alone, by the lives of the fleet.
    WEIBAYES: from its age alone, with too few failures in the fleet to learn how risk grows with age.
    """

    REGRESSION = "REGRESSION"
    WEIBULL = "WEIBULL"
    WEIBAYES = "WEIBAYES"


class Reason(StrEnum):
    """Why there is no prediction.

    NO_HISTORY: neither readings nor the beginning of service are known.
    """

    NO_HISTORY = "NO_HISTORY"


@dataclass(frozen=True, slots=True, eq=False)
class Remaining:
    """Remaining lives, in the histories' unit of time, counted from the instant of the prediction.

    Attributes:
        value: (h,) expected remaining life; NaN with a reason.
        lower: (h,) lower end of the interval.
        upper: (h,) its upper end.
        confidence: (h,) from 0 to 1: one minus the interval's width as a share of the fleet's own spread, less the
            shares of what the model uses that is missing or beyond what it has seen.
        missing: (h,) share of what the model uses that is missing.
        outside: (h,) share of it that lies beyond what was seen in training.
        methods: (h,) how each was found; None with a reason.
        reasons: (h,) why there is none; None with a value.
        features: (h, f) what the predictions were made from, named by the model's `feature_names`.
    """

    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    confidence: FloatArray
    missing: FloatArray
    outside: FloatArray
    methods: tuple[Method | None, ...]
    reasons: tuple[Reason | None, ...]
    features: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LifespanModel:
    """Remaining life by boosted trees where it was trained on readings, else by age.

    Attributes:
        features: how histories become features.
        regressor: None where there were too few failures to learn from.
        survival: lives of the fleet.
        spread: width of the fleet's own interval of remaining life, on the scale of the regressor.
        coverage: share of the truths that intervals are meant to hold.
        beyond: what is told of remaining lives that are longer than those learnt from; None where there are none.
    """

    features: Features
    regressor: Regressor | None
    survival: Survival
    spread: float
    coverage: float
    beyond: Beyond | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, as channel.statistic."""
        return self.features.names

    def predict(self, layout: Layout, histories: Sequence[History], instants: FloatArray | None = None) -> Remaining:
        """Predict a batch.

        Args:
            layout: of the histories.
            histories: any number; a unit without readings is predicted by its age.
            instants: (h,) when each prediction is made; the newest instant of each history where not given.

        Raises:
            ChannelMismatch: the layout is not the one that the model was trained on.
            HistoryProblem: a history does not fit the layout.
        """
        moments = self._moments(layout, histories, instants)
        rows = self.features.present(histories, moments)
        ages = moments - np.array([history.start for history in histories], np.float64)
        value, lower, upper = self._by_age(ages)
        missing, outside = np.zeros(len(ages)), np.zeros(len(ages))
        by_age = Method.WEIBAYES if self.survival.shape_is_assumed else Method.WEIBULL
        methods: list[Method | None] = [by_age if np.isfinite(age) else None for age in ages]
        learnt = self._learnt(histories, moments)
        if self.regressor is not None and len(learnt):
            value[learnt], lower[learnt], upper[learnt] = self._by_readings(self.regressor, rows[learnt], ages[learnt])
            missing[learnt], outside[learnt] = self.regressor.doubts(rows[learnt])
            for place in learnt.tolist():
                methods[place] = Method.REGRESSION
        return Remaining(
            value=value,
            lower=lower,
            upper=upper,
            confidence=self.told(lower, upper) * np.clip(1 - missing, 0.0, 1.0) * np.clip(1 - outside, 0.0, 1.0),
            missing=missing,
            outside=outside,
            methods=tuple(methods),
            reasons=tuple(Reason.NO_HISTORY if method is None else None for method in methods),
            features=rows,
        )

    def explain(self, layout: Layout, histories: Sequence[History], instants: FloatArray | None = None) -> Explanation:
        """Return what each channel adds to the remaining lives, in the unit of time; NaN where none is predicted.

        Raises:
            ChannelMismatch: the layout is not the one that the model was trained on.
            HistoryProblem: a history does not fit the layout.
        """
        moments = self._moments(layout, histories, instants)
        check_layout(layout, histories)
        ages = moments - np.array([history.start for history in histories], np.float64)
        base, _, _ = self._by_age(np.zeros(len(ages)))
        aged = self._by_age(ages)[0] - base
        learnt = self._learnt(histories, moments)
        if self.regressor is None or not len(learnt):
            return Explanation((AGE,), base, aged[:, None])
        rows = self.features.present([histories[int(place)] for place in learnt], moments[learnt])
        found = self.parts(self.regressor, rows, ages[learnt])
        groups = found.groups if AGE in found.groups else (*found.groups, AGE)
        contributions = np.zeros((len(ages), len(groups)))
        contributions[:, groups.index(AGE)] = aged
        contributions[learnt] = 0.0
        contributions[learnt, : len(found.groups)] = found.contributions
        base[learnt] = found.base
        return Explanation(groups, base, contributions)

    def to_text(self) -> str:
        """Return the artefact to store."""
        return seal(
            KIND,
            {
                "features": self.features.to_json(),
                "regressor": None if self.regressor is None else self.regressor.to_json(),
                "survival": self.survival.to_json(),
                "spread": self.spread,
                "coverage": self.coverage,
                "beyond": None if self.beyond is None else self.beyond.to_json(),
            },
        )

    def told(self, lower: FloatArray, upper: FloatArray) -> FloatArray:
        """Return (n,) what intervals tell, from 0 for as much as is known of any unit of the fleet to 1 for all."""
        is_logarithmic = self.regressor is not None and self.regressor.is_logarithmic
        low, high = (scaled(ends, is_logarithmic=is_logarithmic) for ends in (lower, upper))
        return np.clip(1 - (high - low) / self.spread, 0.0, 1.0)

    def parts(self, regressor: Regressor, rows: FloatArray, ages: FloatArray) -> Explanation:
        """Return what each channel adds to (n,) remaining lives that were told by readings."""
        found = regressor.explain(rows)
        if self.beyond is None:
            return found
        told = found.base + found.contributions.sum(axis=1)
        base, value = (self.beyond.value(each, ages, self.survival) for each in (found.base, told))
        return Explanation(found.groups, base, rescaled(found.contributions, base, value))

    def _by_readings(
        self, regressor: Regressor, rows: FloatArray, ages: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        value, lower, upper = regressor.predict(rows)
        if self.beyond is None:
            return value, lower, upper
        lower, upper = self.beyond.interval(value, lower, upper, ages, self.survival, self.coverage)
        return self.beyond.value(value, ages, self.survival), lower, upper

    def _moments(self, layout: Layout, histories: Sequence[History], instants: FloatArray | None) -> FloatArray:
        check_same(self.features.layout, layout)
        return np.array([history.end for history in histories], np.float64) if instants is None else instants

    def _learnt(self, histories: Sequence[History], moments: FloatArray) -> IntArray:
        """Return the places of histories that have a reading before their instant."""
        read = [
            bool(len(history.times)) and history.times[0] <= moment and bool(np.isfinite(history.values).any())
            for history, moment in zip(histories, moments, strict=True)
        ]
        return np.flatnonzero(np.array(read, np.bool_)).astype(np.int64)

    def _by_age(self, ages: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        tail = (1 - self.coverage) / 2
        value, lower, upper = (self.survival.remaining(ages, share) for share in (0.5, tail, 1 - tail))
        return value, lower, upper


def load(text: str, *, threads: int = 1) -> LifespanModel:
    """Return the model that `to_text` wrote.

    Args:
        text: the artefact.
        threads: of LightGBM, in predicting.

    Raises:
        ArtefactError: the text is no model of remaining life, or it was changed.
    """
    stored = unseal(KIND, text)
    try:
        regressor, beyond = stored["regressor"], stored.get("beyond")
        return LifespanModel(
            Features.from_json(stored["features"]),
            None if regressor is None else Regressor.from_json(regressor, threads),
            Survival.from_json(stored["survival"]),
            stored["spread"],
            stored["coverage"],
            None if beyond is None else Beyond.from_json(beyond),
        )
    except (KeyError, TypeError) as problem:
        raise ArtefactError(f"The stored {KIND} model lacks or misnames a part: {problem}.") from None
