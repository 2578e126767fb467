"""The score of the Numenta Anomaly Benchmark.

Source: Lavin and Ahmad, Evaluating Real-Time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark (2015),
with the details of its reference implementation, version 1.1: the position of a reading in its window counts from the
window's right end, a false alarm costs less the nearer it follows a window, one before any window costs all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.evaluation.anomalies_files import FloatArray, IntArray

PROBATION_SHARE = 0.15
_PROBATION_LONGEST = 5000


@dataclass(frozen=True, slots=True)
class Profile:
    """What detections are worth: weights of a window found, of a false alarm, of a window missed."""

    name: str
    found: float
    false_alarm: float
    missed: float


PROFILES = (
    Profile("standard", 1.0, 0.11, 1.0),
    Profile("reward_low_FP", 1.0, 0.22, 1.0),
    Profile("reward_low_FN", 1.0, 0.11, 2.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Scores of one series.

    Attributes:
        at_micros: (n,) rising microseconds since 1970.
        score: (n,) higher is stranger; alarms are raised at and above a threshold.
        windows: (w, 2) first and last instant of each labelled window.
    """

    at_micros: IntArray
    score: FloatArray
    windows: IntArray


@dataclass(frozen=True, slots=True)
class NabScore:
    """The normalised score, 100 for perfect detection and 0 for none, and the threshold that gives it."""

    score: float
    threshold: float


def probation(length: int) -> int:
    """Return how many readings at the start of a series are not judged."""
    return int(PROBATION_SHARE * min(length, _PROBATION_LONGEST))


def nab_score(series: Sequence[Detections], profile: Profile) -> NabScore:
    """Return the best score of some series together over all thresholds; NaN where they have no window."""
    scores, worths, owners, total = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, np.int64)], 0
    for detections in series:
        worth, window = _worth(detections, profile)
        judged = slice(probation(len(worth)), None)
        scores.append(detections.score[judged])
        worths.append(worth[judged])
        owners.append(np.where(window[judged] >= 0, window[judged] + total, -1))
        total += len(detections.windows)
    if not total:
        return NabScore(float("nan"), float("nan"))
    return _sweep(np.concatenate(scores), np.concatenate(worths), np.concatenate(owners), total, profile)


def _worth(detections: Detections, profile: Profile) -> tuple[FloatArray, IntArray]:
    """Return what an alarm at each reading is worth, and the window that it is in, -1 for none."""
    at, length = detections.at_micros, len(detections.at_micros)
    window = np.full(length, -1)
    worth = np.full(length, -profile.false_alarm)
    place = np.arange(length)
    windows: list[list[int]] = detections.windows.tolist()
    for number, (first, last) in enumerate(windows):
        left, right = int(np.searchsorted(at, first)), int(np.searchsorted(at, last, side="right")) - 1
        width = right - left + 1
        if width < 1:
            continue
        inside = slice(left, right + 1)
        window[inside] = number
        worth[inside] = profile.found * _sigmoid(-(right - place[inside] + 1) / width) / _sigmoid(np.array(-1.0))
        after = slice(right + 1, length)
        worth[after] = profile.false_alarm * _sigmoid((place[after] - right) / max(width - 1, 1))
    return worth, window


def _sigmoid(position: FloatArray) -> FloatArray:
    """Return the scaled sigmoid: 1 well within a window, 0 at its end, -1 long after it."""
    return np.where(position > 3.0, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 3.0))) - 1)


def _sweep(score: FloatArray, worth: FloatArray, owner: IntArray, windows: int, profile: Profile) -> NabScore:
    order = np.argsort(-score, kind="stable")
    score, worth, owner = score[order], worth[order], owner[order]
    # Of a window counts the most that any of its alarms is worth.
    best = np.full(windows, -profile.missed)
    total = top = -profile.missed * windows
    threshold = 1.0
    gains = np.where(owner < 0, worth, 0.0)
    for place, (own, value) in enumerate(zip(owner.tolist(), worth.tolist(), strict=True)):
        if own < 0:
            total += gains[place]
        elif value > best[own]:
            total += value - best[own]
            best[own] = value
        is_last_of_score = place + 1 == len(score) or score[place + 1] < score[place]
        if is_last_of_score and total > top:
            top, threshold = total, score[place]
    nothing = -profile.missed * windows
    return NabScore(float(100 * (top - nothing) / (profile.found * windows - nothing)), float(threshold))
