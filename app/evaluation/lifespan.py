"""The prediction of remaining life on recorded runs to failure: errors, intervals, and what they rest on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.evaluation.run_to_failure_files import RunToFailure, read_runs
from models.learning.boosting import Boosting, NothingToLearn
from models.learning.features import FloatArray, History
from models.learning.lifespan import MOST_ROWS, Life, load, train

CAP = 125.0
SEED = 1
_FOLDS = 5
_LOOKS = 5
_YOUNGEST_SHARE = 0.1
_CROSS_VALIDATED_ROWS = 12_000
_SHOWN_CHANNELS = 6
# RMSE with the true life capped at 125 cycles.
_PUBLISHED = {
    "DCNN (2018)": (12.61, 22.36, 12.64, 23.31),
    "STAR (2024)": (10.61, 13.47, 10.71, 15.87),
    "gradient boosting, a public report (2026)": (12.52, 13.44, 12.52, 14.06),
}


@dataclass(frozen=True, slots=True, eq=False)
class LifespanEvaluation:
    """How well remaining life was predicted for units that were not learnt from.

    Attributes:
        name: of the collection.
        learnt: units that were learnt from; of cross-validation, in all folds together.
        cross_validated: whether units were held out for want of a test set.
        cap: longest remaining life to tell apart, in the unit of the times.
        truths: (n,) true remaining lives, uncapped.
        values: (n,) predictions.
        lower: (n,) lower ends of the 90 % interval.
        upper: (n,) upper ends.
        by_age: (n,) what age alone would predict.
        confidence: (n,) of each prediction.
        shares: how much each channel contributed, as a share of all contributions.
        gap: the largest difference between a prediction and its base plus contributions.
    """

    name: str
    learnt: int
    cross_validated: bool
    cap: float
    truths: FloatArray
    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    by_age: FloatArray
    confidence: FloatArray
    shares: dict[str, float]
    gap: float

    @property
    def capped(self) -> FloatArray:
        """True remaining lives, at most the cap."""
        return np.minimum(self.truths, self.cap)

    @property
    def coverage(self) -> float:
        """Share of the capped truths within the interval."""
        return float(np.mean((self.capped >= self.lower) & (self.capped <= self.upper)))

    @property
    def width(self) -> float:
        """Mean width of the interval."""
        return float(np.mean(self.upper - self.lower))


def rmse(values: FloatArray, truths: FloatArray) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((values - truths) ** 2)))


def nasa_score(values: FloatArray, truths: FloatArray) -> float:
    """Return the sum of penalties, exponential in the error and steeper for lives that were predicted too long.

    Source: Saxena, Goebel, Simon and Eklund, Damage propagation modeling for aircraft engine run-to-failure
    simulation (2008), International Conference on Prognostics and Health Management, equation 11.
    """
    errors = values - truths
    return float(np.sum(np.expm1(np.where(errors < 0, -errors / 13, errors / 10))))


def evaluate(
    path: Path, *, cap: float = CAP, settings: int | None = None, seed: int = SEED
) -> list[LifespanEvaluation]:
    """Evaluate every collection of a path; for the path and settings see `read_runs`.

    Raises:
        FileProblem: a file cannot be read.
        NothingToLearn: a collection has too few units.
    """
    return [evaluate_collection(collection, cap, seed) for collection in read_runs(path, settings)]


def evaluate_collection(
    collection: RunToFailure, cap: float = CAP, seed: int = SEED, boosting: Boosting | None = None
) -> LifespanEvaluation:
    """Predict the test set, or each fifth of the units from the others."""
    if len(collection.tested):
        cases = _Cases.of_tests(collection)
        return _joined(collection, cap, [_predicted(collection, collection.runs, cases, _Training(cap, boosting))])
    training = _Training(cap, boosting, _CROSS_VALIDATED_ROWS)
    random = np.random.default_rng(seed)
    order = random.permutation(len(collection.runs))
    folds: list[set[int]] = [set(part.tolist()) for part in np.array_split(order, _FOLDS) if len(part)]
    parts = [
        _predicted(
            collection,
            [run for place, run in enumerate(collection.runs) if place not in fold],
            _Cases.of_runs([collection.runs[place] for place in sorted(fold)], random),
            training,
        )
        for fold in folds
    ]
    return _joined(collection, cap, parts)


def run(paths: Sequence[Path], *, cap: float = CAP, settings: int | None = None, seed: int = SEED) -> list[str]:
    """Return the lines that `iotsphere evaluate lifespan` prints.

    Raises:
        FileProblem: a file cannot be read.
    """
    lines: list[str] = []
    for path in paths:
        for collection in read_runs(path, settings):
            try:
                lines += lines_of(evaluate_collection(collection, cap, seed))
            except NothingToLearn as problem:
                lines.append(f"{collection.name}: {problem}")
    return lines


def lines_of(found: LifespanEvaluation) -> list[str]:
    """Return one evaluation as text."""
    how = "units held out by fifths" if found.cross_validated else f"learnt from {found.learnt} other units"
    cap = f"{found.cap:g}"
    held, age = f"{found.coverage:.1%}", rmse(np.minimum(found.by_age, found.cap), found.capped)
    lines = [
        f"{found.name}: remaining life, {len(found.truths)} predictions, {how}, in the unit of the times",
        f"  {'':<44}{'capped at ' + cap:>14}{'uncapped':>12}",
        f"  {'RMSE':<44}{rmse(found.values, found.capped):14.2f}{rmse(found.values, found.truths):12.2f}",
        f"  {'NASA score':<44}{_score(found.values, found.capped):>14}{_score(found.values, found.truths):>12}",
        f"  {'RMSE of age alone':<44}{age:14.2f}{rmse(found.by_age, found.truths):12.2f}",
        f"  90 % interval: held {held}, mean width {found.width:.1f}; mean confidence {found.confidence.mean():.2f}",
    ]
    set_of_four = re.search(r"(?i)fd00([1-4])", found.name)
    if set_of_four and found.cap == CAP:
        lines += [
            f"  {'published: ' + name:<54}{figures[int(set_of_four[1]) - 1]:4.2f}"
            for name, figures in _PUBLISHED.items()
        ]
    shown = list(found.shares.items())[:_SHOWN_CHANNELS]
    lines.append("  contributions: " + ", ".join(f"{channel} {share:.0%}" for channel, share in shown))
    lines.append(f"  predictions and their contributions differ by {found.gap:.0e} at most")
    return lines


def _score(values: FloatArray, truths: FloatArray) -> str:
    score = nasa_score(values, truths)
    return f"{score:.0f}" if score < 1e6 else f"{score:.1e}"


class _Training(NamedTuple):
    cap: float
    boosting: Boosting | None
    most_rows: int = MOST_ROWS


@dataclass(frozen=True, slots=True, eq=False)
class _Cases:
    histories: list[History]
    truths: FloatArray

    @classmethod
    def of_tests(cls, collection: RunToFailure) -> "_Cases":
        return cls(list(collection.tested), collection.remaining)

    @classmethod
    def of_runs(cls, runs: Sequence[History], random: np.random.Generator) -> "_Cases":
        """Cut each run off at some instants by chance, none in its first tenth."""
        histories: list[History] = []
        truths: list[float] = []
        for history in runs:
            first = int(len(history.times) * _YOUNGEST_SHARE)
            for place in random.integers(first, len(history.times), _LOOKS).tolist():
                histories.append(history.until(float(history.times[place])))
                truths.append(float(history.times[-1] - history.times[place]))
        return cls(histories, np.array(truths))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    cases: _Cases
    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    by_age: FloatArray
    confidence: FloatArray
    contributed: dict[str, float]
    gap: float


def _predicted(collection: RunToFailure, runs: Sequence[History], cases: _Cases, training: _Training) -> _Part:
    lives = [Life(history, failed_at=float(history.times[-1])) for history in runs]
    # What is evaluated is what would be stored and read back.
    text = train(
        collection.layout, lives, cap=training.cap, boosting=training.boosting, most_rows=training.most_rows
    ).text
    model = load(text)
    found = model.predict(collection.layout, cases.histories)
    why = model.explain(collection.layout, cases.histories)
    ages = np.array([history.end - history.start for history in cases.histories])
    contributed = dict(zip(why.groups, np.abs(why.contributions).sum(axis=0).tolist(), strict=True))
    gap = float(np.abs(why.base + why.contributions.sum(axis=1) - found.value).max())
    by_age = model.survival.remaining(ages, 0.5)
    return _Part(cases, found.value, found.lower, found.upper, by_age, found.confidence, contributed, gap)


def _joined(collection: RunToFailure, cap: float, parts: Sequence[_Part]) -> LifespanEvaluation:
    contributed: dict[str, float] = {}
    for part in parts:
        for channel, amount in part.contributed.items():
            contributed[channel] = contributed.get(channel, 0.0) + amount
    total = sum(contributed.values()) or 1.0
    order = sorted(contributed, key=lambda channel: -contributed[channel])
    return LifespanEvaluation(
        name=collection.name,
        learnt=len(collection.runs),
        cross_validated=not collection.tested,
        cap=cap,
        truths=np.concatenate([part.cases.truths for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
        by_age=np.concatenate([part.by_age for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        shares={channel: contributed[channel] / total for channel in order},
        gap=max(part.gap for part in parts),
    )
