"""What the detector says: a score for each reading, and the steps of incidents."""

from dataclasses import dataclass
from enum import Enum

from models.learning.anomalies.tuning import THRESHOLD, BoolArray, FloatArray
from models.severity import Severity


class StepKind(Enum):
    """What became of an incident."""

    OPENED = "OPENED"
    RAISED = "RAISED"
    """Its severity has risen."""
    CLOSED = "CLOSED"


class Evidence(Enum):
    """In which way the main channel is strange."""

    HIGH = "HIGH"
    """The reading is above all usual ones."""
    LOW = "LOW"
    """The reading is below all usual ones."""
    SHIFT = "SHIFT"
    """The mean of the last readings is off, each of which might be usual."""
    JUMP = "JUMP"
    """It differs from the reading before it by more than usual."""
    NOISE = "NOISE"
    """It goes up and down more than usual."""
    SEASON = "SEASON"
    """It is unusual for the hour of the day."""
    JOINT = "JOINT"
    """Several channels are off at once, each perhaps by little; the main channel is the one that is off the most."""


# Scores from which an incident is of a severity.
SEVERITY_SCORES: tuple[tuple[float, Severity], ...] = (
    (THRESHOLD, Severity.LOW),
    (0.6, Severity.MEDIUM),
    (0.7, Severity.HIGH),
    (0.85, Severity.CRITICAL),
)


def severity_of(score: float) -> Severity:
    """Return the severity of an incident with this greatest score."""
    return next((severity for least, severity in reversed(SEVERITY_SCORES) if score >= least), Severity.LOW)


@dataclass(frozen=True, slots=True)
class IncidentStep:
    """A step of an incident of one device.

    Attributes:
        row: the row of the call at which it happened.
        device: index of the device in the states.
        kind: what happened.
        began_at_micros: when the incident began; with the device it identifies the incident.
        ended_at_micros: its last alarming reading so far; of a closed incident its end.
        peak_at_micros: the strangest reading so far.
        is_adopted: whether it was closed because it has become the new normal.
        channel: the channel that was the strangest at the peak.
        channels: all channels that have been alarming, in the order of the detector's channels.
        evidence: in which way the main channel was strange at the peak.
        score: the score at the peak.
        severity: that of the peak.
        observed: value of the main channel at the peak: the reading, or for SHIFT and JOINT the mean of the last ones,
            for NOISE the usual difference between two of the last ones.
        expected: what was expected instead: the mean, the hour's mean for SEASON, the reading before for JUMP, the
            usual difference between two readings for NOISE.
        spread: standard deviation of the main channel.
    """

    row: int
    device: int
    kind: StepKind
    began_at_micros: int
    ended_at_micros: int
    peak_at_micros: int
    is_adopted: bool
    channel: str
    channels: tuple[str, ...]
    evidence: Evidence
    score: float
    severity: Severity
    observed: float
    expected: float
    spread: float


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a call of the detector found.

    Attributes:
        score: (n,) in [0, 1), alarming from 0.5; 0 while the device is being learnt; NaN where the reading was ignored,
            being not newer than the device's newest.
        is_open: (n,) whether an incident is going on.
        steps: what became of incidents, by row.
    """

    score: FloatArray
    is_open: BoolArray
    steps: list[IncidentStep]
