"""The demo fleet in the present: readings that keep arriving, controls that are obeyed."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.demo.fleet import demo_heaters, known_mode, specifications
from app.demo.history import INTERVAL_SECONDS, History
from models.repositories import devices
from resolvers.context import Services

_CONTROLS = frozenset({"target_temperature", "mode"})
# A gap is filled with at most as many readings of each heater as a day has minutes, and not further back than this.
_GAP_READINGS = 1440
_LONGEST_GAP = timedelta(days=30)


class LiveFleet:
    """Heaters of the demo fleet that go on with the clock.

    Args:
        history: of the heaters, up to their last reading.
    """

    def __init__(self, services: Services, history: History) -> None:
        self._services = services
        self._history = history
        self._interval_seconds = services.settings.simulator.interval_seconds

    def __len__(self) -> int:
        return len(self._history.heaters)

    def seconds_to_next(self) -> float:
        """Return how long it is until the next readings are due."""
        return self._interval_seconds - self._services.clock().timestamp() % self._interval_seconds

    async def catch_up(self) -> int:
        """Fill the time since the last reading, coarsely if it is long; return how many readings were new."""
        now = self._services.clock()
        minutes = (now - self._history.simulation.now) / timedelta(minutes=1)
        return await self._history.advance(now, INTERVAL_SECONDS * max(1, math.ceil(minutes / _GAP_READINGS)))

    async def step(self) -> int:
        """Obey the controls that the database holds, then store what is due; return how many readings were new."""
        await self._obey()
        return await self._history.advance(self._services.clock(), self._interval_seconds)

    async def _obey(self) -> None:
        heaters = self._history.heaters
        ids = [heater.device_id for heater in heaters]
        for index, row in enumerate(await devices.by_ids(self._services.store, ids, _CONTROLS)):
            if row is not None:
                mode = known_mode(heaters[index].spec, row["mode"])
                self._history.simulation.set_controls(index, row["target_temperature"], mode)


async def open_fleet(services: Services) -> LiveFleet | None:
    """Return the demo heaters of the database, as of their last reading; None if there is none.

    Raises:
        Unavailable: the database cannot be reached.
    """
    now = services.clock()
    heaters = demo_heaters(*await specifications(services.store, services.settings.simulator, now))
    if not heaters:
        return None
    start = _start([heater.latest_reading_at for heater in heaters], now)
    return LiveFleet(services, await History.begun(services, heaters, start))


def _start(latest: Sequence[datetime | None], now: datetime) -> datetime:
    # The newest of all: one heater that was silent for long must not make the others repeat their past.
    newest = max((at for at in latest if at is not None), default=now)
    return min(now, max(newest, now - _LONGEST_GAP))
