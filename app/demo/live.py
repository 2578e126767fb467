"""The demo fleet in the present: readings and sales that keep arriving, controls that are obeyed."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from app.demo.drills import Drills
from app.demo.fleet import demo_heaters, specifications
from app.demo.history import History
from app.demo.vending_fleet import demo_machines, vending_specifications
from app.demo.vending_history import VendingHistory
from resolvers.context import Services

# A gap is filled with at most as many readings of each device as a day has minutes, and not further back than this.
_GAP_READINGS = 1440
_LONGEST_GAP = timedelta(days=30)


class Part(Protocol):
    """The devices of one kind, which go on together."""

    interval_seconds: int

    def __len__(self) -> int: ...

    @property
    def now(self) -> datetime:
        """The instant up to which they have run."""
        ...

    async def obey(self) -> None:
        """Take over from the database what people have set."""
        ...

    async def advance(self, until: datetime, interval_seconds: float) -> int:
        """Go on to an instant; return how many readings were new."""
        ...


class LiveFleet:
    """Devices of the demo fleet that go on with the clock.

    Args:
        parts: the devices of each kind, up to their last reading.
        drills: what is staged while it goes on.
    """

    def __init__(self, services: Services, parts: Sequence[Part], drills: Drills | None = None) -> None:
        self._drills = drills
        self._services = services
        self._parts = parts
        self._interval_seconds = services.settings.simulator.interval_seconds

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def seconds_to_next(self) -> float:
        """Return how long it is until the next readings are due."""
        return self._interval_seconds - self._services.clock().timestamp() % self._interval_seconds

    async def catch_up(self) -> int:
        """Fill the time since the last reading, coarsely if it is long; return how many readings were new."""
        count = 0
        for part in self._parts:
            now = self._services.clock()
            readings = (now - part.now).total_seconds() / part.interval_seconds
            count += await part.advance(now, part.interval_seconds * max(1, math.ceil(readings / _GAP_READINGS)))
        return count

    async def step(self) -> int:
        """Obey what the database holds, then store what is due; return how many readings were new."""
        if self._drills is not None:
            self._drills.step(self._services.clock())
        count = 0
        for part in self._parts:
            await part.obey()
            count += await part.advance(self._services.clock(), self._interval_seconds)
        return count


async def open_fleet(services: Services) -> LiveFleet | None:
    """Return the demo devices of the database, each kind as of its last reading; None if there is none.

    Raises:
        Unavailable: the database cannot be reached.
    """
    now, settings = services.clock(), services.settings.simulator
    parts: list[Part] = []
    drills: Drills | None = None
    heaters = demo_heaters(*await specifications(services.store, settings, now))
    if heaters:
        start = _start([heater.latest_reading_at for heater in heaters], now)
        history = await History.begun(services, heaters, start)
        parts.append(history)
        if settings.drill_interval_seconds:
            drills = Drills(history, settings.drill_interval_seconds, settings.seed, now)
    machines = demo_machines(*await vending_specifications(services.store, settings, now))
    if machines:
        start = _start([machine.latest_reading_at for machine in machines], now)
        parts.append(await VendingHistory.begun(services, machines, start))
    return LiveFleet(services, parts, drills) if parts else None


def _start(latest: Sequence[datetime | None], now: datetime) -> datetime:
    # The newest of all: one device that was silent for long must not make the others repeat their past.
    newest = max((at for at in latest if at is not None), default=now)
    return min(now, max(newest, now - _LONGEST_GAP))
