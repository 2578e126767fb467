"""The same requests while the history behind what they show gets longer: 2, 5 and 20 million readings."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

import asyncpg

from tests.benchmarks import ingestion
from tests.benchmarks.catalogue import documents
from tests.benchmarks.documents import DAYS
from tests.benchmarks.driving import drive
from tests.benchmarks.fleet import Fleet, add_months, opened, settle
from tests.benchmarks.growth.loading import Cost, Pace, at_rest, cost_of
from tests.benchmarks.targets import Target, our_server

MARK = 1.2
_BYTES_A_READING = 300  # with its index and its part of the write-ahead log
_BATCH = 100
_LONGEST_RECALL_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Amount:
    """What requests cost with so many readings.

    Attributes:
        readings: of all devices together.
        costs: by the name of the request.
    """

    readings: int
    costs: dict[str, Cost]


def check_room(readings: int) -> None:
    """Stop if the disk has no room for so many readings."""
    free, needed = shutil.disk_usage(tempfile.gettempdir()).free, readings * _BYTES_A_READING
    if free < needed:
        raise SystemExit(
            f"{tempfile.gettempdir()} has {free / 1e9:.1f} GB free, and {readings:,} readings need about "
            f"{needed / 1e9:.1f} GB: free some, or set TMPDIR to another disk."
        )


async def extended(fleet: Fleet, held: int, wanted: int) -> Fleet:
    """Make a history of `held` times `DAYS` one of `wanted` times, by what came before it, as dense as it is."""
    connection: Any = await asyncpg.connect(fleet.dsn)
    try:
        async with opened(fleet.url) as store:
            await add_months(store, fleet.end - wanted * timedelta(days=DAYS), fleet.end)
        for place in range(held, wanted):
            earlier = place * timedelta(days=DAYS)
            await connection.execute(_COPY, fleet.end - timedelta(days=DAYS), earlier, timeout=600)
        await settle(connection)
    finally:
        await connection.close()
    return replace(fleet, readings=fleet.readings // held * wanted)


async def measured(fleet: Fleet, pace: Pace) -> Amount:
    """Ask for every document, and send batches of readings, over a server that has just been started."""
    with our_server(fleet) as target:
        await at_rest(fleet, target)
        await _recall(fleet, target)
        asked = {each.name: each.bodies(fleet.devices) for each in documents(fleet.end)}
        costs = {name: await cost_of(fleet, target, bodies, pace) for name, bodies in asked.items()}
        costs[f"{_BATCH} readings sent"] = await cost_of(fleet, target, _batches(fleet), pace)
    await _forget(fleet)
    return Amount(fleet.readings, costs)


async def _recall(fleet: Fleet, target: Target) -> None:
    """Ask once of every device, so that what is asked for is in PostgreSQL's memory again after the filling."""
    for each in documents(fleet.end):
        bodies = islice(each.bodies(fleet.devices), fleet.devices if each.asks_device else 1)
        await drive(
            target.port, "/graphql", bodies, connections=4, seconds=_LONGEST_RECALL_SECONDS, expected=b'{"data"'
        )


def _batches(fleet: Fleet) -> Iterator[bytes]:
    readings = ingestion.Readings(fleet)
    while True:
        yield ingestion.body(readings.batch(_BATCH))


async def _forget(fleet: Fleet) -> None:
    """Take back what was sent, so that the history ends where it did."""
    connection: Any = await asyncpg.connect(fleet.dsn)
    try:
        await connection.execute("DELETE FROM water_heater_readings WHERE recorded_at > $1", fleet.end)
        await connection.execute(_AS_BEFORE)
        await settle(connection)
    finally:
        await connection.close()


def worst(amounts: list[Amount]) -> tuple[str, float]:
    """Return which request's processor time grew most from the least to the greatest amount, and how many times."""
    first, last = amounts[0], amounts[-1]
    growths = {name: last.costs[name].whole_cpu / cost.whole_cpu for name, cost in first.costs.items()}
    name = max(growths, key=lambda each: growths[each])
    return name, growths[name]


def table(amounts: list[Amount]) -> list[list[str]]:
    """Return a row for each request: its latency and its processor times by amounts."""
    heads = [f"{each.readings / 1e6:.1f} M: {what}" for each in amounts for what in ("p50 ms", "CPU ms", "PG CPU ms")]
    rows = [["request", *heads, "CPU, last to first"]]
    for name, first in amounts[0].costs.items():
        cells = [
            f"{number:.2f}"
            for each in amounts
            for number in (each.costs[name].p50, each.costs[name].cpu, each.costs[name].database_cpu)
        ]
        rows.append([name, *cells, f"**{amounts[-1].costs[name].whole_cpu / first.whole_cpu:.2f}**"])
    return rows


# The newest days once more, so many days earlier: quicker to make than new ones, and as good here.
_COPY = """INSERT INTO water_heater_readings
SELECT device_id, recorded_at - $2::interval, temperature, inlet_temperature, pressure, flow_rate, power, energy,
  heating
FROM water_heater_readings WHERE recorded_at > $1::timestamptz"""
_AS_BEFORE = """UPDATE devices SET latest_reading_at = newest.at, last_seen_at = newest.at
FROM (SELECT d.id, (SELECT max(recorded_at) FROM water_heater_readings WHERE device_id = d.id) AS at
  FROM devices d WHERE kind = 'WATER_HEATER') newest
WHERE newest.id = devices.id"""
