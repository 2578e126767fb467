"""The detector of anomalies on labelled series: by the protocols of SKAB and NAB, with one configuration for all."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.evaluation.anomalies_channels import alarms
from app.evaluation.anomalies_files import BoolArray, IntArray, LabelledSeries, read_labelled
from app.evaluation.anomalies_nab import PROFILES, Detections, NabScore, nab_score
from models.learning.anomalies import Detector, Scored, States, StepKind, worth_telling

SKAB_FITTED_ROWS = 400
_PUBLISHED_SKAB = (
    ("Conv-AE", 0.78, 13.6, 28.0),
    ("always alarm", 0.70, 100.0, 0.0),
)
_PUBLISHED_SKAB_BALANCED = "published balanced accuracy: Conv-AE 79.2, T2+Q 74.2"
_PUBLISHED_NAB = "published, standard: HTM 70.1, CAD OSE 69.9, KNN-CAD 58.0, RCF 51.7, windowed Gaussian 39.6"
_PERCENT = 100
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class PointScore:
    """How well readings were told apart; rates in percent.

    Attributes:
        f1: harmonic mean of precision and recall, of the anomalous readings.
        false_alarm_rate: FAR, share of the normal readings that were alarmed about.
        missed_alarm_rate: MAR, share of the anomalous readings that were not.
    """

    f1: float
    false_alarm_rate: float
    missed_alarm_rate: float

    @property
    def balanced_accuracy(self) -> float:
        """The mean of what both kinds of readings were recognised, in percent."""
        return _PERCENT - (self.false_alarm_rate + self.missed_alarm_rate) / 2


@dataclass(frozen=True, slots=True)
class SkabEvaluation:
    """The result over the files of SKAB together; `microseconds` for a reading, all its sensors together.

    `channels` is that of the trained comparison of channels, `either` of both; None where nothing could be learnt.
    """

    files: int
    readings: int
    points: PointScore
    microseconds: float
    channels: PointScore | None = None
    either: PointScore | None = None


@dataclass(frozen=True, slots=True)
class NabEvaluation:
    """The result over the files of NAB together, by the name of the profile; `opened` counts the incidents."""

    files: int
    readings: int
    windows: int
    opened: int
    scores: dict[str, NabScore]
    microseconds: float


def point_score(predicted: BoolArray, truth: BoolArray) -> PointScore:
    """Compare (n,) predictions with (n,) labels; NaN where there is nothing to count."""
    both = int(np.count_nonzero(predicted & truth))
    positive, alarmed = int(np.count_nonzero(truth)), int(np.count_nonzero(predicted))
    return PointScore(
        f1=_share(2 * both, positive + alarmed),
        false_alarm_rate=_PERCENT * _share(alarmed - both, len(truth) - positive),
        missed_alarm_rate=_PERCENT * _share(positive - both, positive),
    )


def evaluate_skab(series: Sequence[LabelledSeries]) -> SkabEvaluation:
    """Learn from the first 400 readings of each file, score the rest, and count all files' readings together.

    The first readings are known to be normal, so the warm-up ends with them.
    """
    predicted, truth = [np.zeros(0, np.bool_)], [np.zeros(0, np.bool_)]
    spent = 0.0
    labelled = [one for one in series if one.is_anomalous is not None]
    compared = alarms(labelled, SKAB_FITTED_ROWS) if labelled else None
    for one in series:
        labels = one.is_anomalous
        if labels is None:
            continue
        began = time.process_time()
        detector = Detector(one.channels)
        states = detector.load([None])
        _score(detector, states, one, slice(0, SKAB_FITTED_ROWS))
        states.end_warm_up()
        scored = _score(detector, states, one, slice(SKAB_FITTED_ROWS, None))
        spent += time.process_time() - began
        predicted.append(scored.is_open)
        truth.append(labels[SKAB_FITTED_ROWS:])
    readings = sum(len(one.at_micros) for one in series)
    known, told = np.concatenate(truth), np.concatenate(predicted)
    found = SkabEvaluation(len(series), readings, point_score(told, known), _each(spent, readings))
    if compared is None:
        return found
    unfit = np.concatenate(compared)
    return replace(found, channels=point_score(unfit, known), either=point_score(unfit | told, known))


def evaluate_nab(series: Sequence[LabelledSeries]) -> NabEvaluation:
    """Score each file from its first reading, and all files together by the profiles, with one threshold for all."""
    found: list[Detections] = []
    spent, opened = 0.0, 0
    for one in series:
        began = time.process_time()
        detector = Detector(one.channels)
        scored = _score(detector, detector.load([None]), one, slice(None))
        spent += time.process_time() - began
        opened += sum(step.kind is StepKind.OPENED for step in scored.steps)
        found.append(Detections(one.at_micros, worth_telling(scored.score, detector.tuning), one.windows))
    readings = sum(len(one.at_micros) for one in series)
    return NabEvaluation(
        files=len(series),
        readings=readings,
        windows=sum(len(one.windows) for one in series),
        opened=opened,
        scores={profile.name: nab_score(found, profile) for profile in PROFILES},
        microseconds=_each(spent, readings),
    )


def run(paths: Iterable[Path]) -> list[str]:
    """Return the lines that `iotsphere evaluate anomalies` prints.

    Raises:
        FileProblem: a file cannot be read, or there is no labelled series.
    """
    series = read_labelled(paths)
    skab = [one for one in series if one.is_anomalous is not None]
    nab = [one for one in series if one.is_anomalous is None]
    lines = skab_lines(evaluate_skab(skab)) if skab else []
    return lines + (nab_lines(evaluate_nab(nab)) if nab else [])


def skab_lines(found: SkabEvaluation) -> list[str]:
    """Return the result of SKAB as text."""
    own = (("this detector", found.points), ("channels", found.channels), ("either", found.either))
    rows = [(name, points) for name, points in own if points is not None]
    rows += [(name, PointScore(*rest)) for name, *rest in _PUBLISHED_SKAB]
    return [
        f"SKAB: {found.files} files, {found.readings} readings, the first {SKAB_FITTED_ROWS} of each to learn from",
        f"  {'':<16}{'F1':>6}{'FAR %':>8}{'MAR %':>8}{'balanced accuracy %':>21}",
        *(
            f"  {name:<16}{row.f1:6.2f}{row.false_alarm_rate:8.1f}{row.missed_alarm_rate:8.1f}"
            f"{row.balanced_accuracy:21.1f}"
            for name, row in rows
        ),
        f"  {_PUBLISHED_SKAB_BALANCED}",
        f"  {found.microseconds:.1f} µs a reading",
    ]


def nab_lines(found: NabEvaluation) -> list[str]:
    """Return the result of NAB as text."""
    return [
        f"NAB: {found.files} files, {found.readings} readings, {found.windows} windows, one threshold for all files",
        f"  {'profile':<16}{'score':>6}{'threshold':>11}",
        *(f"  {name:<16}{score.score:6.1f}{score.threshold:11.3f}" for name, score in found.scores.items()),
        f"  {_PUBLISHED_NAB}",
        f"  incidents that the detector opens by its own threshold: {found.opened}",
        f"  {found.microseconds:.1f} µs a reading",
    ]


def _score(detector: Detector, states: States, series: LabelledSeries, rows: slice) -> Scored:
    at: IntArray = series.at_micros[rows]
    return detector.score(states, np.zeros(len(at), np.int64), at, series.values[rows])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _each(seconds: float, readings: int) -> float:
    return seconds / readings * _MICROSECONDS if readings else float("nan")
