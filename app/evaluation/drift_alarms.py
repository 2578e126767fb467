"""The alarms of a watch over a whole stream."""

import numpy as np
from numpy.typing import NDArray

from models.learning.drift import Sketch, Watch

FloatArray = NDArray[np.float64]

TRAINED_ROWS = 2000
ROWS_A_CALL = 25


def alarms_of(sketch: Sketch, values: FloatArray, seconds: FloatArray | None = None) -> list[int]:
    """Return after how many of (n,) rows each alarm came; after an alarm the watch begins anew."""
    alarms: list[int] = []
    watch = Watch(sketch)
    for row in range(0, len(values), ROWS_A_CALL):
        end = row + ROWS_A_CALL
        instants = None if seconds is None else seconds[row:end]
        if watch.update(values[row:end], instants).drifted:
            alarms.append(min(end, len(values)))
            watch = Watch(sketch)
    return alarms
