"""Ever more subscribers: what an event costs that goes to all of them, and the memory that they take."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.driving import ask
from tests.benchmarks.fanout import Announcer, announcing, subscribe
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.growth.lengths import Lengths
from tests.benchmarks.growth.loading import Cost, Pace, at_rest
from tests.benchmarks.listening import Listeners
from tests.benchmarks.targets import Target, bare_broadcast, our_server

SUBSCRIBERS = (10, 100, 1000, 10_000)
# Each listens to a building.
DEVICES = 25
_SETTLE_SECONDS = 2.0
_FEWEST_EVENTS = 5


@dataclass(frozen=True, slots=True)
class Crowds:
    """What was found.

    Attributes:
        without: MB of the process that has no subscribers yet, but has delivered events.
        by_size: MB of the process by the number of its subscribers.
        events: what an event costs that all of them get, by their number.
        bare: processor time of the bare broadcast of the same message, in µs for each of as many.
    """

    without: float
    by_size: dict[int, float]
    events: Lengths
    bare: dict[int, float]

    def kilobytes(self, size: int) -> float:
        """Return what each of so many subscribers takes."""
        return (self.by_size[size] - self.without) * 1000 / size


async def measured(fleet: Fleet, pace: Pace, sizes: tuple[int, ...]) -> Crowds:
    """Let more and more subscribe to one server, and announce one event after the other to them."""
    by_size: dict[int, float] = {}
    costs: dict[int, Cost] = {}
    message = b""
    with our_server(fleet) as target:
        await at_rest(fleet, target)
        async with announcing(fleet, DEVICES) as announcer:
            # Once, so that all is loaded that deliveries need.
            async with listening(target, 1) as listeners:
                await _event(announcer, listeners, 1)
            await asyncio.sleep(_SETTLE_SECONDS)
            without = megabytes(target)
            async with listening(target, 0) as listeners:
                for connected, size in zip((0, *sizes), sizes, strict=False):
                    await subscribe(listeners, target, size - connected, DEVICES)
                    await _event(announcer, listeners, size)
                    await asyncio.sleep(_SETTLE_SECONDS)
                    by_size[size] = megabytes(target)
                    costs[size] = await _cost(fleet, target, announcer, listeners, size, pace)
                message = listeners.first
    return Crowds(without, by_size, Lengths("events", "subscriber", costs), await _bare(message, pace, sizes))


@asynccontextmanager
async def listening(target: Target, number: int) -> AsyncGenerator[Listeners]:
    """Let so many listen to the readings of the same devices."""
    listeners = Listeners()
    try:
        await subscribe(listeners, target, number, DEVICES)
        yield listeners
    finally:
        listeners.close()


def megabytes(target: Target) -> float:
    """Return the memory that is the process's alone."""
    return target.process.memory_full_info().uss / 1e6


async def _cost(  # noqa: PLR0917 - one argument for each side of it
    fleet: Fleet, target: Target, announcer: Announcer, listeners: Listeners, size: int, pace: Pace
) -> Cost:
    """Announce an event when all have the last one; as `loading.cost_of` does with requests."""
    rounds: list[tuple[float, float, float]] = []
    for _ in range(pace.rounds):
        cpu, database_cpu, latencies = target.cpu_seconds(), fleet.cpu_seconds(), list[float]()
        until = time.monotonic() + pace.seconds
        while time.monotonic() < until or len(latencies) < _FEWEST_EVENTS:
            latencies.append(await _event(announcer, listeners, size))
        each = 1000 / len(latencies)
        spent = ((target.cpu_seconds() - cpu) * each, (fleet.cpu_seconds() - database_cpu) * each)
        rounds.append((median(latencies) * 1000, *spent))
    _, cpu, database_cpu = min(rounds, key=lambda each: each[1] + each[2])
    return Cost(median(p50 for p50, _, _ in rounds), cpu, database_cpu)


async def _event(announcer: Announcer, listeners: Listeners, size: int) -> float:
    """Announce one event, and return the seconds from its commit until all have it."""
    before = len(listeners.arrivals)
    await announcer.publish(1)
    await listeners.until(before + size)
    return listeners.arrivals[-1] - announcer.commits[-1]


async def _bare(message: bytes, pace: Pace, sizes: tuple[int, ...]) -> dict[int, float]:
    """Return what the bare broadcast costs for each of its sockets: the machine, too, has more to do for many."""
    found: dict[int, float] = {}
    listeners = Listeners()
    with bare_broadcast() as target:
        for connected, size in zip((0, *sizes), sizes, strict=False):
            await listeners.connect(target.port, "/", size - connected)
            found[size] = min([await _bare_round(target, listeners, size, message, pace) for _ in range(pace.rounds)])
        listeners.close()
    return found


async def _bare_round(target: Target, listeners: Listeners, size: int, message: bytes, pace: Pace) -> float:
    cpu, until, events = target.cpu_seconds(), time.monotonic() + pace.seconds, 0
    while time.monotonic() < until or events < _FEWEST_EVENTS:
        before, events = len(listeners.arrivals), events + 1
        await ask(target.port, "/1", message)
        await listeners.until(before + size)
    return (target.cpu_seconds() - cpu) / (events * size) * 1e6


def table(found: Crowds) -> list[list[str]]:
    """Return a row for each number of subscribers."""
    head = ["subscribers", "MB of the process", "kB for each", "commit to last receipt, p50 ms"]
    rows = [[*head, "CPU ms an event", "PG CPU ms an event", "CPU µs for each", "bare broadcast, CPU µs for each"]]
    rows.append(["0", f"{found.without:.1f}", *[""] * 6])
    for size, held in found.by_size.items():
        cost = found.events.costs[size]
        times = [f"{each:.2f}" for each in (cost.p50, cost.cpu, cost.database_cpu)]
        each = [f"{cost.whole_cpu / size * 1000:.1f}", f"{found.bare[size]:.1f}"]
        rows.append([f"{size:,}", f"{held:.1f}", f"{found.kilobytes(size):.1f}", *times, *each])
    return rows
