"""Queries: each document against the bare endpoint, in turns."""

import re
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import orjson

from models.store import Store
from schema.engine import Prepared, Request
from settings.loader import load
from tests.benchmarks.documents import Document
from tests.benchmarks.driving import Window, ask, drive
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.targets import ROOT, Target, our_environment
from tests.graph import graph_over

_CONNECTIONS = 8
_TRAILING_ZEROS = re.compile(rb"(:\d\d\.\d*?)0+(?=[+Z])")
_WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """A target under the load of one document, all rounds together.

    Attributes:
        rates: requests per second, by round.
        p50: median latency, and
        p99: latency that one request in a hundred exceeds, in milliseconds.
        cpu: of the server's process for one request, and
        database_cpu: of PostgreSQL's processes, in milliseconds.
    """

    rates: list[float]
    p50: float
    p99: float
    cpu: float
    database_cpu: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A document's result.

    Attributes:
        statements: SQL statements that our server runs for it.
        kilobytes: of the answer.
    """

    document: Document
    statements: int
    kilobytes: float
    ours: Measured
    bare: Measured

    @property
    def ratios(self) -> list[float]:
        """Our rate over that of the bare endpoint, by round."""
        return [ours / bare for ours, bare in zip(self.ours.rates, self.bare.rates, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)


class _Rounds:
    """Collects the rounds of one target."""

    def __init__(self, fleet: Fleet, target: Target, path: str, document: Document) -> None:
        self._fleet = fleet
        self._target = target
        self._path = path
        self._document = document
        self._windows: list[Window] = []
        self._cpu = 0.0
        self._database_cpu = 0.0

    async def run(self, seconds: float) -> None:
        cpu, database_cpu = self._target.cpu_seconds(), self._fleet.cpu_seconds()
        self._windows.append(await self._drive(seconds))
        self._cpu += self._target.cpu_seconds() - cpu
        self._database_cpu += self._fleet.cpu_seconds() - database_cpu

    async def warm_up(self) -> None:
        await self._drive(_WARM_UP_SECONDS)

    def measured(self) -> Measured:
        latencies = np.concatenate([np.array(window.latencies) for window in self._windows]) * 1000
        p50, p99 = np.percentile(latencies, (50, 99)).tolist()
        each = 1000 / len(latencies)
        rates = [window.rate for window in self._windows]
        return Measured(rates, p50, p99, self._cpu * each, self._database_cpu * each)

    async def _drive(self, seconds: float) -> Window:
        bodies = self._document.bodies(self._fleet.devices)
        return await drive(
            self._target.port, self._path, bodies, connections=_CONNECTIONS, seconds=seconds, expected=b'{"data"'
        )


async def compare(
    fleet: Fleet, ours: Target, bare: Target, document: Document, *, rounds: int, seconds: float
) -> Comparison:
    """Check that both targets answer the same, then load them in turns: ours, bare, ours, bare."""
    size = await _check_same(fleet, ours, bare, document)
    sides = [_Rounds(fleet, ours, "/graphql", document), _Rounds(fleet, bare, f"/{document.name}", document)]
    for side in sides:
        await side.warm_up()
    for _ in range(rounds):
        for side in sides:
            await side.run(seconds)
    statements = await _statements(fleet, document)
    return Comparison(document, statements, size / 1000, sides[0].measured(), sides[1].measured())


async def _check_same(fleet: Fleet, ours: Target, bare: Target, document: Document) -> int:
    for device_id in (1, fleet.devices // 2, fleet.devices):
        body = document.body(device_id)
        mine = await ask(ours.port, "/graphql", body)
        theirs = await ask(bare.port, f"/{document.name}", body)
        if _plain(mine) != _plain(theirs):
            raise SystemExit(f"'{document.name}' is answered differently:\n{mine[:600]!r}\n{theirs[:600]!r}")
    return len(mine)


def _plain(body: bytes) -> Any:
    """Return an answer as values; PostgreSQL leaves the zeros at the end of fractions of seconds out."""
    return orjson.loads(_TRAILING_ZEROS.sub(rb"\1", body))


async def _statements(fleet: Fleet, document: Document) -> int:
    """Count the statements of one request on the same database, in this process."""
    settings = load(root=ROOT, environ=our_environment(fleet))
    store = Store(settings.database, settings.events)
    await store.open()
    try:
        graph = graph_over(store, settings)
        request = orjson.loads(document.body(1))
        prepared = graph.engine.prepare(Request(request["query"], request["variables"]))
        assert isinstance(prepared, Prepared)
        texts: list[str] = []
        store.on_statement = texts.append
        await graph.engine.execute(prepared, request["variables"], graph.scope())
        return len(texts)
    finally:
        await store.close()
