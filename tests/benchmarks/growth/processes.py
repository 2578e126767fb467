"""One server process and two, each with its own port, on one PostgreSQL."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from tests.benchmarks import ingestion
from tests.benchmarks.documents import FLEET, HISTORY, POINT
from tests.benchmarks.driving import Window, drive
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.growth.loading import Pace, at_rest
from tests.benchmarks.targets import Target, our_server

_CONNECTIONS = 8
_BATCH = 100
_WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """What so many processes did under one kind of load.

    Attributes:
        rate: requests per second, all together, the median of some rounds.
        cpu: processor time of the servers for one request, in milliseconds, in the round in which both took least, and
        database_cpu: that of PostgreSQL.
    """

    rate: float
    cpu: float
    database_cpu: float


Shares = dict[str, dict[int, Share]]
"""By the name of the load and the number of processes."""


async def measured(fleet: Fleet, pace: Pace) -> Shares:
    """Load one process, then two, by as many connections together."""
    readings = ingestion.Readings(fleet)
    loads: dict[str, Callable[[], Iterator[bytes]]] = {
        each.name: lambda each=each: each.bodies(fleet.devices) for each in (POINT, FLEET, HISTORY)
    }
    loads[f"{_BATCH} readings sent"] = lambda: (ingestion.body(readings.batch(_BATCH)) for _ in iter(int, 1))
    found: Shares = {name: {} for name in loads}
    for number in (1, 2):
        with ExitStack() as stack:
            targets = [stack.enter_context(our_server(fleet)) for _ in range(number)]
            await at_rest(fleet, *targets)
            for name, bodies in loads.items():
                found[name][number] = await _share(fleet, targets, bodies, pace)
    return found


async def _share(fleet: Fleet, targets: Sequence[Target], bodies: Callable[[], Iterator[bytes]], pace: Pace) -> Share:
    await _together(targets, bodies, _WARM_UP_SECONDS)
    rounds: list[tuple[float, float, float]] = []
    for _ in range(pace.rounds):
        cpu, database_cpu = _cpu(targets), fleet.cpu_seconds()
        windows = await _together(targets, bodies, pace.seconds)
        each = 1000 / sum(len(window.latencies) for window in windows)
        rate = sum(window.rate for window in windows)
        rounds.append((rate, (_cpu(targets) - cpu) * each, (fleet.cpu_seconds() - database_cpu) * each))
    _, cpu, database_cpu = min(rounds, key=lambda each: each[1] + each[2])
    return Share(median(rate for rate, _, _ in rounds), cpu, database_cpu)


async def _together(targets: Sequence[Target], bodies: Callable[[], Iterator[bytes]], seconds: float) -> list[Window]:
    shared, connections = bodies(), _CONNECTIONS // len(targets)
    drives = (
        drive(each.port, "/graphql", shared, connections=connections, seconds=seconds, expected=b'{"data"')
        for each in targets
    )
    return await asyncio.gather(*drives)


def _cpu(targets: Sequence[Target]) -> float:
    return sum(each.cpu_seconds() for each in targets)


def table(found: Shares) -> list[list[str]]:
    """Return a row for each load."""
    heads = [
        f"{number} process{'es' * (number > 1)}: {what}"
        for number in (1, 2)
        for what in ("req/s", "CPU ms", "PG CPU ms")
    ]
    rows = [["request", *heads, "req/s, 2 to 1"]]
    for name, shares in found.items():
        cells = [
            cell
            for number in (1, 2)
            for cell in (
                f"{shares[number].rate:,.0f}",
                f"{shares[number].cpu:.2f}",
                f"{shares[number].database_cpu:.2f}",
            )
        ]
        rows.append([name, *cells, f"**{shares[2].rate / shares[1].rate:.2f}**"])
    return rows
