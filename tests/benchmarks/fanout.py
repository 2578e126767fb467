"""Fan-out: one subscription of a thousand websockets against a bare broadcast of the same messages, in turns.

The events are committed by another process, this one, and tell of readings that are stored already: what is measured
begins with the commit.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from statistics import median, quantiles
from typing import Any

from models.events import CHANNEL
from models.repositories.events import NewEvent
from models.store import Store
from models.types import to_micros
from resolvers.ingest import READINGS_RECORDED
from tests.benchmarks.documents import global_id
from tests.benchmarks.driving import ask
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.listening import Listeners
from tests.benchmarks.targets import Target
from tests.factories import database_settings, event_settings

SUBSCRIBERS = 1000
_DOCUMENT = """subscription ($ids: [ID!]!) { readingRecorded(deviceIds: $ids) {
  device { id name } reading { recordedAt ... on WaterHeaterReading { temperature power flowRate } }
} }"""


@dataclass(frozen=True, slots=True)
class Burst:
    """One way in which events come.

    Attributes:
        size: events that are committed together; the next come when all subscribers have these.
        times: bursts of one round.
    """

    size: int
    times: int


BURSTS = (Burst(1, 100), Burst(10, 10), Burst(100, 2))


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What a burst came to.

    Attributes:
        subscribers: how many there were.
        ours: deliveries per second, by round.
        bare: those of the bare broadcast.
        latencies: from the commit to the receipt, in seconds, of our deliveries.
        cpu: processor time of our server for a delivery, in seconds.
        bare_cpu: that of the bare broadcast.
    """

    subscribers: int
    burst: Burst
    ours: list[float]
    bare: list[float]
    latencies: list[float]
    cpu: float
    bare_cpu: float

    @property
    def ratios(self) -> list[float]:
        """Our rate over that of the bare broadcast, by round."""
        return [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    def latency(self, percent: int) -> float:
        """Return a percentile of the latencies, in seconds."""
        return quantiles(self.latencies, n=100)[percent - 1]


class Announcer:
    """Commits events of readings that are stored already.

    Attributes:
        commits: when each transaction was committed, in seconds since the epoch.
    """

    def __init__(self, store: Store, readings: Sequence[tuple[int, int]]) -> None:
        self._store = store
        self._readings = cycle(readings)
        self.commits: list[float] = []

    async def publish(self, size: int) -> None:
        """Commit so many events in one transaction, and tell servers of them."""
        async with self._store.transaction() as transaction:
            for _ in range(size):
                id_, micros = next(self._readings)
                payload = {"kind": "WATER_HEATER", "device_ids": [id_], "recorded_at": [micros]}
                transaction.emit(NewEvent(READINGS_RECORDED, payload))
        self.commits.append(time.time())
        await self._store.driver.notify(CHANNEL)


class Audience:
    """Subscribers of our server and sockets of the bare broadcast, as many."""

    def __init__(self, ours: Target, bare: Target, announcer: Announcer) -> None:
        self._ours = ours
        self._bare = bare
        self._announcer = announcer
        self._mine = Listeners()
        self._others = Listeners()
        self._size = 0
        self._message = b""

    async def open(self, size: int, devices: int) -> None:
        """Connect all; each has been heard once when this returns."""
        await subscribe(self._mine, self._ours, size, devices)
        await self._others.connect(self._bare.port, "/", size)
        self._size = size
        await self._announcer.publish(1)
        await self._mine.until(size)
        self._message = self._mine.first
        await self._broadcast(1)
        await self._others.until(size)

    def close(self) -> None:
        """Disconnect all."""
        self._mine.close()
        self._others.close()

    async def compare(self, burst: Burst, *, rounds: int) -> Deliveries:
        """Let both send the same, in turns."""
        ours: list[float] = []
        bare: list[float] = []
        latencies: list[float] = []
        cpu = bare_cpu = 0.0
        # Not measured: after its start a server finds devices that fell silent, and alerts to raise.
        await self._rate(self._mine, burst, self._announcer.publish)
        for _ in range(rounds):
            before, start = self._ours.cpu_seconds(), len(self._mine.arrivals)
            ours.append(await self._rate(self._mine, burst, self._announcer.publish))
            cpu += self._ours.cpu_seconds() - before
            latencies += self._latencies(start, burst)
            before = self._bare.cpu_seconds()
            bare.append(await self._rate(self._others, burst, self._broadcast))
            bare_cpu += self._bare.cpu_seconds() - before
        each = 1 / (rounds * burst.times * burst.size * self._size)
        return Deliveries(self._size, burst, ours, bare, latencies, cpu * each, bare_cpu * each)

    async def _rate(self, listeners: Listeners, burst: Burst, send: Callable[[int], Awaitable[None]]) -> float:
        before = len(listeners.arrivals)
        started = time.perf_counter()
        for turn in range(1, burst.times + 1):
            await send(burst.size)
            await listeners.until(before + turn * burst.size * self._size)
        return burst.times * burst.size * self._size / (time.perf_counter() - started)

    async def _broadcast(self, size: int) -> None:
        await ask(self._bare.port, f"/{size}", self._message)

    def _latencies(self, start: int, burst: Burst) -> list[float]:
        """Return from commit to receipt of a round's deliveries: each burst is one transaction."""
        size = burst.size * self._size
        commits = self._announcer.commits[-burst.times :]
        return [
            at - commit
            for turn, commit in enumerate(commits)
            for at in self._mine.arrivals[start + turn * size : start + (turn + 1) * size]
        ]


async def subscribe(listeners: Listeners, target: Target, count: int, devices: int) -> None:
    """Let so many more websockets follow the readings of the first devices."""
    query = {"query": _DOCUMENT, "variables": {"ids": [global_id(number) for number in range(1, devices + 1)]}}
    message = {"id": "1", "type": "subscribe", "payload": query}
    await listeners.connect(target.port, "/graphql", count, {"type": "connection_init"}, message)


@asynccontextmanager
async def announcing(fleet: Fleet, devices: int) -> AsyncGenerator[Announcer]:
    """Open the database, to announce readings of the first devices."""
    store = Store(database_settings(fleet.url), event_settings())
    await store.open()
    try:
        chosen = "SELECT device_id, recorded_at FROM water_heater_readings WHERE device_id <= $1 LIMIT 1000"
        rows: Any = await store.run(chosen, devices)
        yield Announcer(store, [(id_, to_micros(at)) for id_, at in rows])
    finally:
        await store.close()


@asynccontextmanager
async def audience(fleet: Fleet, ours: Target, bare: Target, size: int) -> AsyncGenerator[Audience]:
    """Let subscribers listen to all devices of the fleet, up to a thousand."""
    devices = min(fleet.devices, 1000)
    async with announcing(fleet, devices) as announcer:
        listening = Audience(ours, bare, announcer)
        await listening.open(size, devices)
        try:
            yield listening
        finally:
            listening.close()
