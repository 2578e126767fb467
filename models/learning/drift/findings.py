"""What is found of a feature's values: drift or poor data, how sure that is and how bad."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.severity import Severity


class Kind(StrEnum):
    """What a window of values is, compared with the training window."""

    STABLE = "STABLE"
    """Nothing stands out."""
    DRIFT = "DRIFT"
    """The distribution has changed; which statistic shows it most is told beside."""
    CONCEPT_DRIFT = "CONCEPT_DRIFT"
    """The model errs more than it did when it was tested."""
    CONSTANT = "CONSTANT"
    """All values are the same, though they varied in training."""
    STUCK = "STUCK"
    """The newest values repeat one another for longer than any did in training, after others before them."""
    MISSING = "MISSING"
    """More values are missing than in training."""
    OUT_OF_RANGE = "OUT_OF_RANGE"
    """Values lie far beyond all that were learnt from."""
    STALE = "STALE"
    """No value has come for far longer than usual."""
    UNKNOWN = "UNKNOWN"
    """There is too little to say anything; the reason is told beside."""


DATA_QUALITY = frozenset({Kind.CONSTANT, Kind.STUCK, Kind.MISSING, Kind.OUT_OF_RANGE, Kind.STALE})


class Statistic(StrEnum):
    """What was measured."""

    LEVEL = "LEVEL"
    """Mean of the normal scores: by how many standard deviations of the training window the values have moved."""
    SPREAD = "SPREAD"
    """Mean square of what neighbouring scores do not explain, relative to training: 1 is no change."""
    SHAPE = "SHAPE"
    """Population stability index over the bins of the sketch."""
    ERROR = "ERROR"
    """Mean of the errors, in their own unit, single ones limited."""
    MISSING_SHARE = "MISSING_SHARE"
    """Share of the rows without a value."""
    OUTSIDE_SHARE = "OUTSIDE_SHARE"
    """Share of the values far beyond the training's."""
    CHANGED_SHARE = "CHANGED_SHARE"
    """Share of values that differ from the one that (nearly) all had in training."""
    REPEATS = "REPEATS"
    """Number of equal values in a row, up to the newest."""
    COURSE = "COURSE"
    """Mean of all devices' newest days less what the days before lead one to expect, in the unit of the values."""
    AGE = "AGE"
    """Time since the newest value, in the unit of the instants."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is found of a window.

    Attributes:
        kind: what it is.
        statistic: what was measured; of a stable window what came nearest to its threshold. None if UNKNOWN.
        value: of the statistic; NaN if UNKNOWN.
        threshold: beyond which `value` is a finding; below it where values may fall too low, as of a spread.
        drifted: whether the inputs are not as in training: true of every kind but STABLE and UNKNOWN.
        severity: how large the change is, whatever the certainty; None where nothing was found.
        sample_count: values, not missing, that the statistic is made of.
        reason: one sentence that says so to people.
    """

    kind: Kind
    statistic: Statistic | None
    value: float
    threshold: float
    drifted: bool
    severity: Severity | None
    sample_count: int
    reason: str

    @property
    def is_data_quality(self) -> bool:
        """Whether the data are at fault, not the world."""
        return self.kind in DATA_QUALITY


def unknown(sample_count: int, reason: str) -> Finding:
    """Return that nothing can be said, and why."""
    return Finding(Kind.UNKNOWN, None, float("nan"), float("nan"), False, None, sample_count, reason)


def persistent(findings: Sequence[Finding], needed: int = 2, of: int = 3) -> bool:
    """Return whether enough of the newest verdicts are drift or poor data; windows without a verdict do not count.

    Args:
        findings: of windows that do not overlap, oldest first.
        needed: how many have to be.
        of: among how many.
    """
    judged = [finding for finding in findings if finding.kind is not Kind.UNKNOWN]
    return sum(finding.drifted for finding in judged[-of:]) >= needed


# Sizes from which a change is of a severity, in rising order.
SIZES: dict[Statistic, tuple[float, float, float]] = {
    Statistic.LEVEL: (0.5, 1.0, 2.0),
    # Of the logarithm of the mean square: standard deviations that change by a quarter, by half, to double.
    Statistic.SPREAD: (0.446, 0.811, 1.386),
    # The first two are the customary marks of the index.
    Statistic.SHAPE: (0.1, 0.25, 1.0),
    # By which share the errors have grown.
    Statistic.ERROR: (0.25, 0.5, 1.0),
    Statistic.MISSING_SHARE: (0.1, 0.25, 0.5),
    Statistic.OUTSIDE_SHARE: (0.02, 0.1, 0.5),
    Statistic.CHANGED_SHARE: (0.05, 0.25, 0.5),
    # In deviations of a device's days.
    Statistic.COURSE: (0.5, 1.0, 2.0),
}


def severity_of_size(statistic: Statistic, size: float) -> Severity:
    """Return how bad a change is: by its size, since any change becomes certain with enough rows."""
    order = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
    return order[sum(size >= least for least in SIZES[statistic])]
