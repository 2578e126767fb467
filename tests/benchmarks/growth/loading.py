"""One kind of request under load: how long it takes, and what it costs in processor time."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np

from tests.benchmarks.driving import drive
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.targets import Target

_WARM_UP_SECONDS = 0.5
# A server that has just started finds devices that fell silent, and raises alerts.
_IDLE_SHARE = 0.1
_LONGEST_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request costs, in milliseconds.

    Attributes:
        p50: median latency, the median of some rounds.
        cpu: processor time of our server, in the round in which both together took least: whatever else runs on the
            machine can only add to it.
        database_cpu: that of PostgreSQL, in the same round.
    """

    p50: float
    cpu: float
    database_cpu: float

    @property
    def whole_cpu(self) -> float:
        """Processor time of both."""
        return self.cpu + self.database_cpu


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure.

    Attributes:
        rounds: how many.
        seconds: of each.
    """

    rounds: int
    seconds: float


async def at_rest(fleet: Fleet, *targets: Target) -> None:
    """Wait until servers have done what they do after their start."""
    for _ in range(_LONGEST_SECONDS):
        before = sum(each.cpu_seconds() for each in targets) + fleet.cpu_seconds()
        await asyncio.sleep(1)
        if sum(each.cpu_seconds() for each in targets) + fleet.cpu_seconds() - before < _IDLE_SHARE:
            return


async def cost_of(fleet: Fleet, target: Target, bodies: Iterator[bytes], pace: Pace) -> Cost:
    """Ask over one connection, which asks again when the answer is there, so that nothing waits in a queue."""
    await _once(fleet, target, bodies, _WARM_UP_SECONDS)
    rounds = [await _once(fleet, target, bodies, pace.seconds) for _ in range(pace.rounds)]
    _, cpu, database_cpu = min(rounds, key=lambda each: each[1] + each[2])
    return Cost(median(p50 for p50, _, _ in rounds), cpu, database_cpu)


async def _once(fleet: Fleet, target: Target, bodies: Iterator[bytes], seconds: float) -> tuple[float, float, float]:
    cpu, database_cpu = target.cpu_seconds(), fleet.cpu_seconds()
    window = await drive(target.port, "/graphql", bodies, connections=1, seconds=seconds, expected=b'{"data"')
    each = 1000 / len(window.latencies)
    p50 = float(np.median(window.latencies)) * 1000
    return p50, (target.cpu_seconds() - cpu) * each, (fleet.cpu_seconds() - database_cpu) * each
