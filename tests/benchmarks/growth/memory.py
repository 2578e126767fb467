"""The memory of the server's process: with ever more subscribers, and over minutes of mixed load."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle

import numpy as np
import orjson

from tests.benchmarks import ingestion
from tests.benchmarks.catalogue import documents
from tests.benchmarks.documents import global_id
from tests.benchmarks.driving import ask, drive
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.growth.loading import at_rest
from tests.benchmarks.listening import Listeners
from tests.benchmarks.targets import Target, our_server

SUBSCRIBERS = (0, 100, 1000, 5000)
_SETTLE_SECONDS = 2.0
_SUBSCRIPTION = """subscription ($ids: [ID!]!) { readingRecorded(deviceIds: $ids) {
  device { id name } reading { recordedAt ... on WaterHeaterReading { temperature power flowRate } }
} }"""
# In mixed load: connections that ask, batches a second, and sockets that come and go each second.
_ASKING, _BATCHES, _PASSING = 4, 10, 5
_LISTENING = 100
# Each listens to a building.
_LISTENED = [global_id(id_) for id_ in range(1, 26)]
_EVERY = 10
# What the server keeps by design is full early on: its newest events, and the documents that it knows.
_SMALL = {"IOTSPHERE_EVENTS__BUFFER_SIZE": "500", "IOTSPHERE_GRAPHQL__DOCUMENT_CACHE_SIZE": "100"}
MARK = 0.03


@dataclass(frozen=True, slots=True)
class Memory:
    """What was found.

    Attributes:
        by_subscribers: MB of the process by the number of its subscribers.
        minutes: times of the samples of mixed load, and
        megabytes: what they were.
        requests: that were answered in that time.
        readings: that were stored in it.
    """

    by_subscribers: dict[int, float]
    minutes: list[float]
    megabytes: list[float]
    requests: int
    readings: int

    def subscriber_kilobytes(self, subscribers: int) -> float:
        """Return what each of so many subscribers takes."""
        return (self.by_subscribers[subscribers] - self.by_subscribers[0]) * 1000 / subscribers

    @property
    def slope(self) -> float:
        """MB a minute over the second half of the load."""
        half = len(self.minutes) // 2
        return float(np.polyfit(self.minutes[half:], self.megabytes[half:], 1)[0])

    @property
    def growth(self) -> float:
        """What the second half of the load added, as a share of what was there."""
        half = len(self.minutes) // 2
        return self.slope * (self.minutes[-1] - self.minutes[half]) / self.megabytes[half]


async def measured(fleet: Fleet, minutes: float, subscribers: tuple[int, ...]) -> Memory:
    """Measure both, each over a server of its own."""
    by_subscribers = await _with_subscribers(fleet, subscribers)
    with our_server(fleet, **_SMALL) as target:
        load = _Load(fleet, target, minutes * 60)
        await load.run()
    return Memory(by_subscribers, load.minutes, load.megabytes, load.requests, load.readings)


async def _with_subscribers(fleet: Fleet, wanted: tuple[int, ...]) -> dict[int, float]:
    found: dict[int, float] = {}
    readings = ingestion.Readings(fleet)
    with our_server(fleet) as target:
        await at_rest(fleet, target)
        async with _listening(target, 0) as listeners:
            # Once, so that all is loaded that deliveries need.
            await ask(target.port, "/graphql", ingestion.body(readings.batch(10)))
            for connected, number in zip((0, *wanted), wanted, strict=False):
                await _connect(listeners, target, number - connected)
                before = len(listeners.arrivals)
                await ask(target.port, "/graphql", ingestion.body(readings.batch(1)))
                await listeners.until(before + number)
                await asyncio.sleep(_SETTLE_SECONDS)
                found[number] = _megabytes(target)
    return found


@asynccontextmanager
async def _listening(target: Target, number: int) -> AsyncGenerator[Listeners]:
    listeners = Listeners()
    try:
        await _connect(listeners, target, number)
        yield listeners
    finally:
        listeners.close()


async def _connect(listeners: Listeners, target: Target, number: int) -> None:
    query = {"query": _SUBSCRIPTION, "variables": {"ids": _LISTENED}}
    subscribe = {"id": "1", "type": "subscribe", "payload": query}
    await listeners.connect(target.port, "/graphql", number, {"type": "connection_init"}, subscribe)


def _megabytes(target: Target) -> float:
    """Return the memory that is the process's alone."""
    return target.process.memory_full_info().uss / 1e6


class _Load:
    """All kinds of requests at once."""

    def __init__(self, fleet: Fleet, target: Target, seconds: float) -> None:
        self._fleet = fleet
        self._target = target
        self._seconds = seconds
        self._deadline = 0.0
        self.minutes: list[float] = []
        self.megabytes: list[float] = []
        self.requests = 0
        self.readings = 0

    async def run(self) -> None:
        """Load the server until the time is over."""
        self._deadline = time.monotonic() + self._seconds
        async with _listening(self._target, _LISTENING), asyncio.TaskGroup() as tasks:
            for work in (self._ask, self._send, self._pass_by, self._watch):
                tasks.create_task(work())

    def _bodies(self) -> Iterator[bytes]:
        known = [each.bodies(self._fleet.devices) for each in documents(self._fleet.end)]
        for number, bodies in enumerate(cycle(known)):
            # As clients that put values into their texts do: each of these is a document of its own.
            yield _unheard_of(number) if number % _EVERY == 0 else next(bodies)

    async def _ask(self) -> None:
        window = await drive(
            self._target.port,
            "/graphql",
            self._bodies(),
            connections=_ASKING,
            seconds=self._seconds,
            expected=b'{"data"',
        )
        self.requests = len(window.latencies)

    async def _send(self) -> None:
        readings = ingestion.Readings(self._fleet)
        size = 100
        for turn in count(1):
            if self._over():
                return
            await ask(self._target.port, "/graphql", ingestion.body(readings.batch(size)))
            self.readings = turn * size
            await asyncio.sleep(1 / _BATCHES)

    async def _pass_by(self) -> None:
        while not self._over():
            async with _listening(self._target, _PASSING):
                await asyncio.sleep(1)

    async def _watch(self) -> None:
        begun = time.monotonic()
        while not self._over():
            self.minutes.append((time.monotonic() - begun) / 60)
            self.megabytes.append(_megabytes(self._target))
            await asyncio.sleep(self._seconds / 120)

    def _over(self) -> bool:
        return time.monotonic() >= self._deadline


def _unheard_of(number: int) -> bytes:
    text = f"query Unheard{number} {{ waterHeaters(first: 1) {{ nodes {{ id name alias{number}: location }} }} }}"
    return orjson.dumps({"query": text})


def subscriber_table(found: Memory) -> list[list[str]]:
    """Return a row for each number of subscribers."""
    rows = [["subscribers", "MB of the process", "kB for each"]]
    for number, megabytes in found.by_subscribers.items():
        each = f"{found.subscriber_kilobytes(number):.1f}" if number else ""
        rows.append([f"{number:,}", f"{megabytes:.1f}", each])
    return rows


def load_table(found: Memory) -> list[list[str]]:
    """Return a row for some of the samples."""
    rows = [["minutes of load", "MB of the process"]]
    last = len(found.minutes) - 1
    places = sorted({round(last * part / 10) for part in range(11)})
    return [*rows, *([f"{found.minutes[place]:.1f}", f"{found.megabytes[place]:.1f}"] for place in places)]


def verdict(found: Memory) -> str:
    """Return whether it is flat, in a sentence."""
    return (
        f"Memory under load: {found.slope * 1000:.0f} kB a minute in the second half, which is {found.growth:.1%} of "
        f"what was there; it counts as flat up to {MARK:.0%}."
    )
