"""Which of two versions of a model predicts better: measured where neither had an unfair advantage.

The rule: both are scored on the same rows, the days of devices after the end of what the present version learnt from.
For the present version they lie in the future; the candidate predicts them by trees that saw no row of the device. So
neither has seen what it is scored on. Where there are too few such rows, the errors that each made out of fold in its
own training are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.backtest import Backtest
from models.learning.features import FloatArray, History
from models.learning.lifespan import LifespanModel
from models.learning.risk import RiskModel, pr_auc
from models.predictions import PredictionKind
from resolvers.predicting.fleet import FleetHistories

NEW_DATA, CROSS_VALIDATION, BACKTEST = "NEW_DATA", "CROSS_VALIDATION", "BACKTEST"
_FEWEST_ROWS, _FEWEST_UNITS, _FEWEST_POSITIVES = 20, 3, 5
_MOST_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Measure:
    """What versions are compared by.

    Attributes:
        name: among the metrics of a version.
        label: in sentences.
        less_is_better: an error rather than a skill.
    """

    name: str
    label: str
    less_is_better: bool


MEASURES: Mapping[PredictionKind, Measure] = {
    PredictionKind.LIFESPAN: Measure("mae", "mean absolute error, days", less_is_better=True),
    PredictionKind.MULTI_FACTOR: Measure("pr_auc", "area under precision over recall", less_is_better=False),
    PredictionKind.ANOMALY: Measure("recall", "share of faults that are found", less_is_better=False),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions by one measure; None where a version has no value.

    Attributes:
        basis: NEW_DATA, CROSS_VALIDATION or BACKTEST.
        rows: how many both were scored on; 0 by cross-validation.
        least_gain: by more than this the candidate must be better, since less is noise; None where it is enough that
            it is not worse.
    """

    measure: Measure
    candidate: float | None
    present: float | None
    basis: str
    rows: int = 0
    least_gain: float | None = None

    @property
    def is_worse(self) -> bool:
        """Whether the candidate is worse: also where only the present version can be measured."""
        if self.present is None:
            return False
        if self.candidate is None:
            return True
        if self.least_gain is not None:
            return self.candidate <= self.present + self.least_gain
        return self.candidate > self.present if self.measure.less_is_better else self.candidate < self.present


def compare(  # noqa: PLR0917 - two versions and what they are scored on
    kind: PredictionKind,
    fleet: FleetHistories,
    backtest: Backtest,
    present: LifespanModel | RiskModel,
    since: float,
    reach: float = np.inf,
) -> dict[str, Any] | None:
    """Score a candidate and the present version on new rows.

    Args:
        kind: what they predict.
        fleet: that the candidate was trained on.
        backtest: of its training.
        present: the version in production.
        since: the newest instant that the present version learnt from.
        reach: longest remaining life that the candidate tells apart by readings; truths are no longer.

    Returns:
        The measure's name, both values and how many rows and devices there were; None where they are too few.
    """
    new = np.flatnonzero(backtest.known & (backtest.instants > since))
    new = new[:: max(len(new) // _MOST_ROWS, 1)]
    units, truths = backtest.units[new], backtest.truths[new]
    if len(new) < _FEWEST_ROWS or len(np.unique(units)) < _FEWEST_UNITS:
        return None
    if kind is PredictionKind.MULTI_FACTOR and min(truths.sum(), len(truths) - truths.sum()) < _FEWEST_POSITIVES:
        return None
    histories = [fleet.histories[int(unit)] for unit in units]
    predicted = np.minimum(_predicted(present, fleet, histories, backtest.instants[new]), reach)
    return {
        "measure": MEASURES[kind].name,
        "candidate": _score(kind, truths, backtest.predicted[new]),
        "present": _score(kind, truths, predicted),
        "rows": len(new),
        "devices": len(np.unique(units)),
    }


def _predicted(
    present: LifespanModel | RiskModel, fleet: FleetHistories, histories: Sequence[History], instants: FloatArray
) -> FloatArray:
    if isinstance(present, LifespanModel):
        return present.predict(fleet.layout, histories, instants).value
    return present.predict(fleet.layout, histories, instants).probability


def _score(kind: PredictionKind, truths: FloatArray, predicted: FloatArray) -> float:
    if kind is PredictionKind.LIFESPAN:
        return float(np.abs(predicted - truths).mean())
    return pr_auc(truths, predicted)


def between(
    kind: PredictionKind, candidate: Mapping[str, Any], present: Mapping[str, Any], present_id: int
) -> Comparison:
    """Return how a candidate stands to the version that is in production now.

    Args:
        kind: what they predict.
        candidate: its metrics, with what `compare` found against `present_id` at its training, if it did.
        present: metrics of the version in production.
        present_id: of that version.
    """
    measure = MEASURES[kind]
    if kind is PredictionKind.ANOMALY:
        with_detector = _with_detector(measure, candidate)
        if with_detector.is_worse or measure.name not in present:
            return with_detector
    found = candidate.get("comparison")
    if found is not None and found["present_id"] == present_id and found["measure"] == measure.name:
        return Comparison(measure, found["candidate"], found["present"], NEW_DATA, found["rows"])
    return Comparison(measure, candidate.get(measure.name), present.get(measure.name), CROSS_VALIDATION)


def _with_detector(measure: Measure, candidate: Mapping[str, Any]) -> Comparison:
    """Return how a trained model of anomalies, with the detector, stands to the detector alone.

    Without it devices are watched as well; so whatever is in production, it has to be better, and beyond noise.
    """
    alone = candidate.get("detector_recall", 0.0)
    rows, least = int(candidate.get("faults", 0)), candidate.get("margin", 0.0)
    return Comparison(measure, candidate.get(measure.name), alone, BACKTEST, rows, least)
