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

    Strangeness is counted in limits: the greatest nonconformity that is remembered is 1.

    Attributes:
        block_readings: readings of a device for which its baseline stays as it is.
        memory_hours: time after which what was learnt has faded to 1/e ...
        memory_readings: ... but not before so many readings.
        limit_memories: how many times as long limits are remembered.
        limit_step: how far a limit rises at once, on a scale of logarithms, towards what exceeded it without alarming;
            it goes the whole way when the day is over.
        habituation: how far it rises towards what alarmed; so what recurs becomes usual.
        fast_weight: weight of a reading in the short means, if it comes after the usual interval.
        margin: strangeness that alarms: the threshold of the score.
        caution: by how much more it takes after one block of learning; with more blocks less, by their square root.
        warm_up_readings: readings before the first score ...
        warm_up_hours: ... and time before it.
        confirming_readings: alarming readings that open an incident ...
        sure_score: ... or a single one with such a score.
        calm_readings: readings below the threshold after which an incident is over.
        refractory_readings: readings after which the memory of an incident has faded to 1/e: until then only what ...
        refractory_step: ... is so many times as strange as that is another one.
        adopt_hours: an incident that lasts so long is the new normal ...
        adopt_readings: ... if it lasts as many readings.
        season_days: days after which the profile of the day forgets.
    """

    block_readings: int = 32
    memory_hours: float = 168.0
    memory_readings: int = 2000
    limit_memories: float = 4.0
    limit_step: float = 0.5
    habituation: float = 0.5
    fast_weight: float = 0.1
    margin: float = 1.5
    caution: float = 0.5
    warm_up_readings: int = 128
    warm_up_hours: float = 24.0
    confirming_readings: int = 3
    sure_score: float = 0.6
    calm_readings: int = 24
    refractory_readings: int = 300
    refractory_step: float = 1.5
    adopt_hours: float = 12.0
    adopt_readings: int = 600
    season_days: int = 7
