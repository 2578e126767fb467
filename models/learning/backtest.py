"""What a training leaves to judge its model by: every row that was learnt from, predicted by others' rows alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.features import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backtest:
    """The n rows of a training.

    Attributes:
        features: (n, f) what was learnt from.
        units: (n,) place of each row's unit among those that were handed in.
        instants: (n,) when the unit was looked at, in the histories' unit of time.
        truths: (n,) what was to be predicted.
        known: (n,) whether that is known, rather than estimated.
        predicted: (n,) what trees that saw no row of the unit make of it.
    """

    features: FloatArray
    units: IntArray
    instants: FloatArray
    truths: FloatArray
    known: NDArray[np.bool_]
    predicted: FloatArray
