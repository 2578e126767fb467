"""Surroundings that change at an instant for the whole town: harder water, colder or warmer mains."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from models.devices.simulation.hashing import FloatArray
from models.devices.simulation.wear import Cause, CauseKind
from models.types import to_micros

# What the usual water leaves in a year is removed by upkeep; what harder water adds to it stays. It is as fast as an
# accident at the waterworks has to be for a week of the demo to show it.
USUAL_SCALE_MM_PER_YEAR = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The water of the town from an instant on, until other surroundings begin.

    Attributes:
        since: an aware instant.
        hardness_factor: lime in the water over that of the usual water; scale grows so much faster, also in heaters
            that had none. At least 1.
        inlet_offset: what the mains are warmer than usual, K; negative: colder.
    """

    since: datetime
    hardness_factor: float = 1.0
    inlet_offset: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.hardness_factor) and self.hardness_factor >= 1):
            raise ValueError(f"the water is {self.hardness_factor} times as hard as usual; it must be at least 1")
        if not math.isfinite(self.inlet_offset):
            raise ValueError(f"the mains are {self.inlet_offset} K warmer than usual; it must be a finite number")


def scaled_up(causes: Sequence[Cause], changes: Sequence[Surroundings]) -> tuple[Cause, ...]:
    """Return the causes of wear of a heater, with what harder water adds to them.

    Args:
        causes: its own, under the usual water.
        changes: ascending in time.
    """
    factors = [1.0, *(change.hardness_factor for change in changes)]
    steps = [(change.since, after - before) for change, (before, after) in zip(changes, pairwise(factors), strict=True)]
    added = [Cause(CauseKind.SCALE, since, step * USUAL_SCALE_MM_PER_YEAR) for since, step in steps if step]
    for cause in causes:
        if cause.kind is CauseKind.SCALE:
            # Before its onset there is nothing that could grow faster.
            added += [
                Cause(cause.kind, max(since, cause.started_at), step * cause.rate_per_year)
                for since, step in steps
                if step
            ]
    return (*causes, *added)


def inlet_offset(changes: Sequence[Surroundings], seconds: FloatArray) -> FloatArray:
    """Return what the mains are warmer than usual, K, up to (n,) seconds since 1970.

    The changes are ascending in time; what ends as one of them begins is as before.
    """
    since = np.array([to_micros(change.since) / 1e6 for change in changes])
    offsets = np.array([0.0, *(change.inlet_offset for change in changes)])
    return offsets[np.searchsorted(since, seconds, side="left")]
