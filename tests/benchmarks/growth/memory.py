"""The memory of the server's process over minutes of mixed load."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle

import numpy as np
import orjson

from tests.benchmarks import ingestion
from tests.benchmarks.catalogue import documents
from tests.benchmarks.driving import ask, drive
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.growth.subscribers import listening, megabytes
from tests.benchmarks.targets import Target, our_server

# In mixed load: connections that ask, batches a second, and sockets that come and go each second.
_ASKING, _BATCHES, _PASSING = 4, 10, 5
_LISTENING = 100
_EVERY = 10
# What the server keeps by design is full early on: its newest events, and the documents that it knows.
_SMALL = {"IOTSPHERE_EVENTS__BUFFER_SIZE": "500", "IOTSPHERE_GRAPHQL__DOCUMENT_CACHE_SIZE": "100"}
MARK = 0.03


@dataclass(frozen=True, slots=True)
class Memory:
    """What was found.

    Attributes:
        minutes: times of the samples of mixed load, and
        megabytes: what they were.
        requests: that were answered in that time.
        readings: that were stored in it.
    """

    minutes: list[float]
    megabytes: list[float]
    requests: int
    readings: int

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


async def measured(fleet: Fleet, minutes: float) -> Memory:
    """Load a server of its own."""
    with our_server(fleet, **_SMALL) as target:
        load = _Load(fleet, target, minutes * 60)
        await load.run()
    return Memory(load.minutes, load.megabytes, load.requests, load.readings)


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
        async with listening(self._target, _LISTENING), asyncio.TaskGroup() as tasks:
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
            async with listening(self._target, _PASSING):
                await asyncio.sleep(1)

    async def _watch(self) -> None:
        begun = time.monotonic()
        while not self._over():
            self.minutes.append((time.monotonic() - begun) / 60)
            self.megabytes.append(megabytes(self._target))
            await asyncio.sleep(self._seconds / 120)

    def _over(self) -> bool:
        return time.monotonic() >= self._deadline


def _unheard_of(number: int) -> bytes:
    text = f"query Unheard{number} {{ waterHeaters(first: 1) {{ nodes {{ id name alias{number}: location }} }} }}"
    return orjson.dumps({"query": text})


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
