"""Whether a trained model finds more than the detector alone does, at the same rate of false alarms.

Both answer for the same days of devices that the model has not seen. The days that are in good order set the
thresholds: of each answer so that the same share of them is alarmed about. Then the days with a fault are counted that
each finds. What is compared with the detector is what would be served: the detector and the model together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.residuals.looks import FloatArray, IntArray

BoolArray = NDArray[np.bool_]

FALSE_ALARMS = 0.05
"""Share of good days that all answers are allowed to alarm about."""
FEWEST_GOOD_DAYS, FEWEST_FAULTS, FEWEST_DEVICES = 20, 20, 3
# Standard errors that a gain must exceed to be more than noise: one side, 5 %.
_BEYOND_NOISE = 1.645


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Shares of the faults that are found.

    Attributes:
        detector: by the detector alone.
        model: by the model alone.
        together: by both.
        margin: by how much `together` must exceed `detector` to be better beyond noise.
        faults: how many there were.
        good_days: by which the thresholds were set.
        devices: of the faults.
    """

    detector: float
    model: float
    together: float
    margin: float
    faults: int
    good_days: int
    devices: int

    @property
    def is_better(self) -> bool:
        """Whether the model adds to the detector beyond noise."""
        return self.together > self.detector + self.margin


def compare(detector: FloatArray, model: FloatArray, is_faulty: BoolArray, units: IntArray) -> Compared | None:
    """Compare answers for n days of devices.

    Args:
        detector: (n,) its answer, higher is stranger.
        model: (n,) its answer; NaN where it has none, which alarms about nothing.
        is_faulty: (n,) whether there was a fault.
        units: (n,) the device.

    Returns:
        None where there are fewer than 20 good days, 20 faults, or 3 devices with faults.
    """
    good = np.flatnonzero(~is_faulty)
    faulty = np.flatnonzero(is_faulty)
    devices = np.unique(units[faulty])
    if len(good) < FEWEST_GOOD_DAYS or len(faulty) < FEWEST_FAULTS or len(devices) < FEWEST_DEVICES:
        return None
    answers = [np.where(np.isfinite(each), each, -np.inf) for each in (detector, model)]
    ranks = [_rank(each, each[good]) for each in answers]
    # The strangeness of each on the same scale, ties broken by the other.
    together = np.maximum(*ranks) + np.minimum(*ranks) / (10 * len(good))
    found = [_found(each, good, faulty) for each in (answers[0], answers[1], together)]
    gained = found[2].astype(np.float64) - found[0]
    return Compared(
        detector=float(found[0].mean()),
        model=float(found[1].mean()),
        together=float(found[2].mean()),
        margin=_BEYOND_NOISE * _standard_error(gained, units[faulty]),
        faults=len(faulty),
        good_days=len(good),
        devices=len(devices),
    )


def _rank(answers: FloatArray, good: FloatArray) -> FloatArray:
    """Return (n,) how many good days are less strange, and beyond all of them how much stranger it is."""
    ordered = np.sort(good)
    return np.searchsorted(ordered, answers, side="left") + (answers > ordered[-1])


def _found(answers: FloatArray, good: IntArray, faulty: IntArray) -> BoolArray:
    """Return which faults are alarmed about at the threshold that no more than the allowed good days exceed."""
    ordered = np.sort(answers[good])
    allowed = int(FALSE_ALARMS * len(good))
    return answers[faulty] > ordered[len(ordered) - 1 - allowed]


def _standard_error(gained: FloatArray, units: IntArray) -> float:
    """Return the standard error of the mean of (n,) gains, of which those of one device hang together."""
    _, place = np.unique(units, return_inverse=True)
    totals = np.bincount(place, gained - gained.mean())
    count = len(totals)
    return float(np.sqrt(np.sum(totals**2) * count / (count - 1)) / len(gained))
