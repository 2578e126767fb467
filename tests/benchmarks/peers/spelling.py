"""The lab's database with words of our enums, in which our own tables stand beside the lab's.

The lab's texts for the kind and status of a device, the severity of an anomaly and the kind of a prediction are free;
ours are enums. So that our server can answer with its own fields, all servers are asked of a copy of the lab's database
in which these words are replaced. Everything else in it is the lab's: rows, numbers, times, indexes, places in files.

    device.kind                pump, valve, boiler, meter, sensor          WATER_HEATER
    device.status              online, offline, maintenance                ONLINE, OFFLINE, MAINTENANCE
    anomaly.severity           low, medium, high, critical                 LOW, MEDIUM, HIGH, CRITICAL
    prediction.kind            failure, temperature, power, maintenance    LIFESPAN
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.benchmarks.peers.lab import Lab

SCHEMA = "iotsphere"
_PATIENCE_SECONDS = 30
_COUNTS = """SELECT (SELECT count(*) FROM public.device) AS devices, (SELECT count(*) FROM public.reading) AS readings,
  (SELECT count(*) FROM public.prediction) AS predictions, (SELECT count(*) FROM public.anomaly) AS anomalies"""
_WORDS = {
    "device": (
        "UPDATE public.device SET kind = 'WATER_HEATER', status = upper(status) "
        "WHERE (kind, status) IS DISTINCT FROM ('WATER_HEATER', upper(status))"
    ),
    "anomaly": "UPDATE public.anomaly SET severity = upper(severity) WHERE severity <> upper(severity)",
    "prediction": "UPDATE public.prediction SET kind = 'LIFESPAN' WHERE kind <> 'LIFESPAN'",
}

Counts = dict[str, int]


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Any]:
    """Connect to a database for the length of a block."""
    connection: Any = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def counts(connection: Any) -> Counts:
    """Return how many devices, readings, predictions and anomalies the lab's tables hold."""
    return dict(await connection.fetchrow(_COUNTS))


async def copy(lab: Lab) -> str:
    """Make the copy, unless it is there with as many rows as the lab has; return the name of its database."""
    name = f"{lab.source}_iotsphere"
    if not await _is_there(lab, name):
        print(f"Copying the database {lab.source} to {name} …", flush=True)
        await _copy(lab, name)
    async with connected(lab.url_of(name)) as connection:
        for table, statement in _WORDS.items():
            if await connection.execute(statement) != "UPDATE 0":
                # As the lab leaves its tables: without dead rows, in the order of their ids.
                await connection.execute(f"VACUUM (FULL, ANALYZE, FREEZE) public.{table}")
        # Our tables come first, and the names of theirs are none of ours: each server finds its own.
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        await connection.execute(f"ALTER DATABASE {name} SET search_path = {SCHEMA}, public")
    return name


async def _is_there(lab: Lab, name: str) -> bool:
    try:
        async with connected(lab.url_of(name)) as connection:
            copied = await counts(connection)
    except (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError):
        return False
    async with connected(lab.url) as connection:
        return copied == await counts(connection)


async def _copy(lab: Lab, name: str) -> None:
    async with connected(lab.url_of("postgres")) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {name}")
        for _ in range(_PATIENCE_SECONDS):
            try:
                await admin.execute(f"CREATE DATABASE {name} TEMPLATE {lab.source}")
            except asyncpg.ObjectInUseError:
                await asyncio.sleep(1)
            else:
                return
    raise SystemExit(
        f"The database {lab.source} cannot be copied while others are connected to it: stop the lab's servers."
    )
