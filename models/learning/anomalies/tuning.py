"""What the detector is set by: one configuration for every kind of device and every data set."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Packed = NDArray[Any]
"""Structured rows, one for each device."""

MICROS_PER_HOUR = 3_600_000_000
HOURS = 24
THRESHOLD = 0.5
"""Scores from here on are alarming."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the detector learns and when it speaks.

    Attributes:
        block_readings: readings of a device for which its baseline stays as it is.
        memory_hours: time after which what was learnt has faded to 1/e ...
        memory_readings: ... but not before so many readings.
        fast_weight: weight of the newest reading in the short means.
        margin: how many times the greatest strangeness that is remembered alarms.
        habituation: by how much an incident raises what is remembered as the greatest strangeness, at most.
        warm_up_readings: readings before the first score ...
        warm_up_hours: ... and time before it.
        calm_readings: readings below the threshold after which an incident is over.
        adopt_hours: an incident that lasts so long is the new normal ...
        adopt_readings: ... if it lasts as many readings.
        season_days: days after which the profile of the day forgets.
    """

    block_readings: int = 32
    memory_hours: float = 168.0
    memory_readings: int = 2000
    fast_weight: float = 0.1
    margin: float = 1.5
    habituation: float = 1.5
    warm_up_readings: int = 128
    warm_up_hours: float = 24.0
    calm_readings: int = 24
    adopt_hours: float = 12.0
    adopt_readings: int = 600
    season_days: int = 7
