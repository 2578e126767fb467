"""Drills: incidents that the demo stages, so that whoever watches it sees one within a minute."""

from datetime import datetime, timedelta

import numpy as np

from app.demo.history import History
from models.devices.simulation import Incident, IncidentKind

_FIRST_AFTER = timedelta(seconds=15)
_SHORTEST_SECONDS, _LONGEST_SECONDS = 60, 120
_LOWEST_BAR, _HIGHEST_BAR = 2.5, 4.5


class Drills:
    """Lets the pressure of one heater after the other spike for a minute or two.

    Args:
        heaters: whose pressure it is.
        interval_seconds: between the beginnings of two spikes.
        seed: of the order, the heights and the lengths.
        start: when the drills begin.
    """

    def __init__(self, heaters: History, interval_seconds: float, seed: int, start: datetime) -> None:
        self._heaters = heaters
        self._interval = timedelta(seconds=interval_seconds)
        self._chance = np.random.default_rng(seed)
        self._order = self._chance.permutation(len(heaters)).tolist()
        self._next = start + min(_FIRST_AFTER, self._interval)

    def step(self, now: datetime) -> None:
        """Stage the next spike if it is due."""
        if now < self._next:
            return
        device = self._order.pop(0)
        self._order.append(device)
        lasts = timedelta(seconds=self._chance.uniform(_SHORTEST_SECONDS, _LONGEST_SECONDS))
        height = float(self._chance.uniform(_LOWEST_BAR, _HIGHEST_BAR))
        self._heaters.stage(Incident(device, IncidentKind.PRESSURE_SPIKE, now, now + lasts, height))
        self._next = now + self._interval
