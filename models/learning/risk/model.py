"""A trained model of the risk of failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.learning.boosting import ArtefactError, Classifier, Explanation, group_of, seal, unseal
from models.learning.features import Features, FloatArray, History, Layout, check_same
from models.learning.risk.interactions import Interaction

KIND = "risk/1"
_SHOWN = ("level", "count", "value", "time")


class Level(StrEnum):
    """How urgent a risk is."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True)
class Levels:
    """Probabilities from which on a risk is of a level; below the first it is LOW."""

    medium: float = 0.1
    high: float = 0.3
    critical: float = 0.6

    def of(self, probability: float) -> Level:
        """Return the level of a probability."""
        if probability >= self.critical:
            return Level.CRITICAL
        if probability >= self.high:
            return Level.HIGH
        return Level.MEDIUM if probability >= self.medium else Level.LOW


@dataclass(frozen=True, slots=True, eq=False)
class Risks:
    """Risks of failure within the model's horizon.

    Attributes:
        probability: (h,) calibrated; NaN where nothing is known of a unit.
        levels: (h,) how urgent; None where nothing is known.
        confidence: (h,) from 0 to 1: how well the model ordered units that it had not seen, less the shares of what
            it uses that is missing or beyond what it has seen.
        missing: (h,) share of what the model uses that is missing.
        outside: (h,) share of it that lies beyond what was seen in training.
        features: (h, f) what the predictions were made from, named by the model's `feature_names`.
    """

    probability: FloatArray
    levels: tuple[Level | None, ...]
    confidence: FloatArray
    missing: FloatArray
    outside: FloatArray
    features: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RiskFactors:
    """Why the risks are what they are.

    Attributes:
        names: (g,) factors: channels, events, attributes, age, and quantities derived of two channels.
        channels: (g,) which channels each factor rests on: one, or the two of a derived quantity.
        weights: (g,) how much each factor matters to the model in general; adds up to 1.
        base: (h,) probability without knowing the unit.
        contributions: (h, g) what each adds to it; base and contributions add up to the probability.
        scores: (h, g) contribution as a share of all of the unit's, from -1 (lowers the risk) to 1 (raises it).
        values: (h, g) the factor's present value, in its own unit: level, count of events, age; NaN where unknown.
        typical: (g,) its median in training.
    """

    names: tuple[str, ...]
    channels: tuple[tuple[str, ...], ...]
    weights: FloatArray
    base: FloatArray
    contributions: FloatArray
    scores: FloatArray
    values: FloatArray
    typical: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RiskModel:
    """Probability of a failure within a horizon.

    Attributes:
        features: how histories become features.
        interactions: derived quantities.
        classifier: the trees.
        weights: (g,) share of each factor in the contributions in training.
        typical: (g,) median of each factor's value in training.
        horizon: how far ahead a failure counts, in the histories' unit of time.
        skill: 2 AUC - 1 of out-of-fold predictions, from 0 (chance) to 1.
        levels: from which probability on a risk is urgent.
    """

    features: Features
    interactions: tuple[Interaction, ...]
    classifier: Classifier
    weights: FloatArray
    typical: FloatArray
    horizon: float
    skill: float
    levels: Levels

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, as channel.statistic."""
        return names_with(self.features, self.interactions)

    def predict(self, layout: Layout, histories: Sequence[History], instants: FloatArray | None = None) -> Risks:
        """Predict a batch.

        Args:
            layout: of the histories.
            histories: any number.
            instants: (h,) when each prediction is made; the newest instant of each history where not given.

        Raises:
            ChannelMismatch: the layout is not the one that the model was trained on.
            HistoryProblem: a history does not fit the layout.
        """
        rows = self._rows(layout, histories, instants)
        # Without any history not even the age is known.
        known = np.isfinite(rows[:, self.feature_names.index("age.time")])
        probability = np.where(known, self.classifier.probability(rows), np.nan)
        missing, outside = self.classifier.doubts(rows)
        sure = self.skill * np.clip(1 - missing, 0.0, 1.0) * np.clip(1 - outside, 0.0, 1.0)
        levels = tuple(self.levels.of(risk) if np.isfinite(risk) else None for risk in probability.tolist())
        return Risks(probability, levels, np.where(known, sure, np.nan), missing, outside, rows)

    def explain(self, layout: Layout, histories: Sequence[History], instants: FloatArray | None = None) -> RiskFactors:
        """Return the factors of a batch; for arguments and errors see `predict`."""
        return self.factors(self._rows(layout, histories, instants))

    def factors(self, rows: FloatArray) -> RiskFactors:
        """Return the factors of (h, f) features, as `predict` gave them."""
        found = self.classifier.explain(rows)
        total = np.abs(found.contributions).sum(axis=1, keepdims=True)
        return RiskFactors(
            names=found.groups,
            channels=tuple(self._channels(group) for group in found.groups),
            weights=self.weights,
            base=found.base,
            contributions=found.contributions,
            scores=np.divide(found.contributions, total, out=np.zeros_like(found.contributions), where=total > 0),
            values=shown_values(self.feature_names, found, rows),
            typical=self.typical,
        )

    def to_text(self) -> str:
        """Return the artefact to store."""
        return seal(
            KIND,
            {
                "features": self.features.to_json(),
                "interactions": [interaction.to_json() for interaction in self.interactions],
                "classifier": self.classifier.to_json(),
                "weights": self.weights.tolist(),
                "typical": self.typical.tolist(),
                "horizon": self.horizon,
                "skill": self.skill,
                "levels": [self.levels.medium, self.levels.high, self.levels.critical],
            },
        )

    def _rows(self, layout: Layout, histories: Sequence[History], instants: FloatArray | None) -> FloatArray:
        check_same(self.features.layout, layout)
        ends = np.array([history.end for history in histories], np.float64) if instants is None else instants
        return with_interactions(self.features, self.features.present(histories, ends), self.interactions)

    def _channels(self, group: str) -> tuple[str, ...]:
        channels = self.features.layout.channels
        for interaction in self.interactions:
            if interaction.name(channels) == group:
                return channels[interaction.left], channels[interaction.right]
        return (group,)


def names_with(features: Features, interactions: Sequence[Interaction]) -> tuple[str, ...]:
    """Return the names of features and derived quantities."""
    channels = features.layout.channels
    return (*features.names, *(f"{interaction.name(channels)}.level" for interaction in interactions))


def with_interactions(features: Features, rows: FloatArray, interactions: Sequence[Interaction]) -> FloatArray:
    """Return (n, f + i) features and derived quantities of (n, f) features."""
    levels = features.levels(rows)
    return np.column_stack([rows, *(interaction.of(levels) for interaction in interactions)])


def shown_values(names: Sequence[str], found: Explanation, rows: FloatArray) -> FloatArray:
    """Return (n, g) of each group the feature that says most to people: level, count, value or time."""
    column: dict[str, int] = {}
    for index, name in enumerate(names):
        if name.rpartition(".")[2] in _SHOWN:
            column[group_of(name)] = index
    return rows[:, [column[group] for group in found.groups]]


def load(text: str, *, threads: int = 1) -> RiskModel:
    """Return the model that `to_text` wrote.

    Args:
        text: the artefact.
        threads: of LightGBM, in predicting.

    Raises:
        ArtefactError: the text is no model of risk, or it was changed.
    """
    stored = unseal(KIND, text)
    try:
        return RiskModel(
            Features.from_json(stored["features"]),
            tuple(Interaction.from_json(each) for each in stored["interactions"]),
            Classifier.from_json(stored["classifier"], threads),
            np.asarray(stored["weights"], np.float64),
            np.asarray(stored["typical"], np.float64),
            stored["horizon"],
            stored["skill"],
            Levels(*stored["levels"]),
        )
    except (KeyError, TypeError) as problem:
        raise ArtefactError(f"The stored {KIND} model lacks or misnames a part: {problem}.") from None
