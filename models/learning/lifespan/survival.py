"""Remaining life from age alone: a Weibull distribution of lives, of which many have not ended yet.

Source: Meeker, Escobar and Pascual, Statistical Methods for Reliability Data (2nd edition), chapters 4 and 8, for the
likelihood with censored units; Abernethy, The New Weibull Handbook (5th edition), chapter 6, for the estimate with a
given shape (Weibayes), which counts one failure where there is none and so errs on the early side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learning.boosting import NothingToLearn
from models.learning.features import FloatArray

# With fewer failures the shape cannot be told from the data; wear-out that grows evenly with age is then assumed.
FEWEST_FOR_SHAPE = 3
ASSUMED_SHAPE = 2.0
_SHAPES = (0.2, 20.0)
_BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class Survival:
    """How long units of a fleet last.

    Attributes:
        shape: of the Weibull distribution; over 1 the risk grows with age.
        scale: age that 37 % reach, in the histories' unit of time.
        shape_is_assumed: whether there were too few failures to learn the shape.
    """

    shape: float
    scale: float
    shape_is_assumed: bool

    def remaining(self, ages: FloatArray, share: float | FloatArray) -> FloatArray:
        """Return (n,) further lives that a share of the units fails within, given that they reached (n,) ages."""
        past = (np.maximum(ages, 0.0) / self.scale) ** self.shape
        return self.scale * (past - np.log1p(-share)) ** (1 / self.shape) - np.maximum(ages, 0.0)

    def failing_within(self, age: float, horizon: float) -> float:
        """Return the share of the units of an age that fail within a further time."""
        past, then = (max(age, 0.0) / self.scale) ** self.shape, ((max(age, 0.0) + horizon) / self.scale) ** self.shape
        return float(-np.expm1(past - then))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"shape": self.shape, "scale": self.scale, "shape_is_assumed": self.shape_is_assumed}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Survival":
        """Return what `to_json` wrote."""
        return cls(stored["shape"], stored["scale"], stored["shape_is_assumed"])


def fit_survival(ages: FloatArray, failed: NDArray[np.bool_]) -> Survival:
    """Fit by maximum likelihood; with fewer than three failures only the scale, the shape being assumed.

    Args:
        ages: (n,) age at failure, or the age reached so far.
        failed: (n,) whether the unit failed at that age; the others count as still running.

    Raises:
        NothingToLearn: no unit has any age.
    """
    lasted = ages > 0
    ages, failed = ages[lasted], failed[lasted]
    if not len(ages):
        raise NothingToLearn("No unit has been observed for any time, so there is no age to learn from.")
    failures = int(failed.sum())
    assumed = failures < FEWEST_FOR_SHAPE
    # Ages relative to the greatest keep powers from overflowing.
    greatest = float(ages.max())
    relative = ages / greatest
    shape = ASSUMED_SHAPE if assumed else _shape(relative, failed)
    scale = float((np.sum(relative**shape) / max(failures, 1)) ** (1 / shape))
    return Survival(shape, scale * greatest, assumed)


def _shape(ages: FloatArray, failed: NDArray[np.bool_]) -> float:
    """Return the root of the profile likelihood's derivative, which grows with the shape, by bisection."""
    logs = np.log(ages)
    mean_log = float(logs[failed].mean())
    low, high = _SHAPES
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        powers = ages**middle
        if float(powers @ logs / powers.sum()) - 1 / middle < mean_log:
            low = middle
        else:
            high = middle
    return (low + high) / 2
