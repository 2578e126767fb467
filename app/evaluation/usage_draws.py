"""Draws of days without dates, laid out on hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.localtime import FloatArray

_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, eq=False)
class DrawDays:
    """Draws as columns of n rows.

    Attributes:
        day: (n,) name of the day.
        start_seconds: (n,) seconds after its midnight.
        seconds: (n,) duration.
        liters_per_second: (n,) flow, constant for the duration.
        notes: how they were read, in lines for people.
    """

    day: NDArray[Any]
    start_seconds: FloatArray
    seconds: FloatArray
    liters_per_second: FloatArray
    notes: Sequence[str]

    @classmethod
    def joined(cls, parts: Sequence["DrawDays"]) -> "DrawDays":
        """Return the draws of several files, at least one, as one."""
        return cls(
            np.concatenate([part.day for part in parts]),
            np.concatenate([part.start_seconds for part in parts]),
            np.concatenate([part.seconds for part in parts]),
            np.concatenate([part.liters_per_second for part in parts]),
            list(dict.fromkeys(chain.from_iterable(part.notes for part in parts))),
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """The days that there are."""
        return frozenset(self.day.tolist())

    @cached_property
    def liters(self) -> dict[str, FloatArray]:
        """By day (48,) litres of each hour: a draw of the evening may flow into the next day."""
        return {name: self._of_day(self.day == name) for name in self.names}

    def _of_day(self, rows: NDArray[np.bool_]) -> FloatArray:
        edges = np.arange(49) * _HOUR_SECONDS
        start, flow = self.start_seconds[rows, None], self.liters_per_second[rows, None]
        flowed = np.clip(edges - start, 0.0, self.seconds[rows, None]) * flow
        return np.diff(flowed.sum(axis=0))


def year_of(days: Sequence[str], draws: DrawDays) -> FloatArray:
    """Return (24 n,) litres of each hour of n days that follow each other; a day without draws is dry.

    What flows after the last day is left out.
    """
    hours = np.zeros(24 * (len(days) + 1))
    for place, day in enumerate(days):
        if day in draws.liters:
            hours[24 * place : 24 * place + 48] += draws.liters[day]
    return hours[: 24 * len(days)]
