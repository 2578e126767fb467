"""Ingestion: batches of readings over HTTP against raw COPY of such rows into the same table, in turns."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median
from typing import Any

import asyncpg
import orjson

from tests.benchmarks.documents import global_id
from tests.benchmarks.driving import drive
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.targets import Target

_TEXT = """mutation Record($input: RecordWaterHeaterReadingsInput!) {
  recordWaterHeaterReadings(input: $input) { acceptedCount duplicateCount rejected { index code message } }
}"""
_COLUMNS = (
    *("device_id", "recorded_at", "temperature", "inlet_temperature", "pressure"),
    *("flow_rate", "power", "energy", "heating"),
)
# What a gateway sends that collects for a while: some readings of each of its devices.
_READINGS_OF_A_DEVICE = 10
_LONGEST_SECONDS = 20.0
# All of them together stay within what the clock of a device may be ahead.
_BETWEEN_READINGS = timedelta(microseconds=100)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """One way to send readings.

    Attributes:
        size: readings of a batch.
        connections: at once.
        batches: of one round, for our server; COPY gets four times as many.
    """

    size: int
    connections: int
    batches: int


LOADS = (Load(1, 16, 2000), Load(1, 100, 6000), Load(100, 4, 400), Load(1000, 4, 60))


@dataclass(frozen=True, slots=True)
class Rates:
    """What a load came to: readings per second, by round."""

    load: Load
    ours: list[float]
    copy: list[float]
    cpu: float
    database_cpu: float

    @property
    def ratios(self) -> list[float]:
        """Our rate over that of COPY, by round."""
        return [ours / copy for ours, copy in zip(self.ours, self.copy, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)


class Readings:
    """Makes batches of readings that nobody has sent before, from now on: late ones would be another load."""

    def __init__(self, fleet: Fleet) -> None:
        self._devices = fleet.devices
        self._begin = datetime.now(UTC)
        self._ticks = count(1)
        self._next_device = 0

    def batch(self, size: int) -> list[Row]:
        """Return the rows of one batch."""
        each = min(size, _READINGS_OF_A_DEVICE)
        rows: list[Row] = []
        for _ in range(size // each):
            self._next_device = self._next_device % self._devices + 1
            rows += [self._row(self._next_device, next(self._ticks)) for _ in range(each)]
        return rows

    def _row(self, device_id: int, tick: int) -> Row:
        at = self._begin + tick * _BETWEEN_READINGS
        swing = tick % 100 / 10
        return (device_id, at, 50.25 + swing, 12.5, 3.125, swing, 1234.5 + swing, 0.0125, tick % 2 == 0)


async def compare(fleet: Fleet, ours: Target, load: Load, readings: Readings, *, rounds: int) -> Rates:
    """Load our server and COPY in turns."""
    mine: list[float] = []
    copied: list[float] = []
    cpu = database_cpu = 0.0
    await _send(ours, load, readings, max(load.batches // 10, load.connections))
    for _ in range(rounds):
        before, database_before = ours.cpu_seconds(), fleet.cpu_seconds()
        mine.append(await _send(ours, load, readings, load.batches))
        cpu += ours.cpu_seconds() - before
        database_cpu += fleet.cpu_seconds() - database_before
        copied.append(await _copy(fleet, load, readings, load.batches * 4))
    each = 1000 / (rounds * load.batches)
    return Rates(load, mine, copied, cpu * each, database_cpu * each)


async def _send(target: Target, load: Load, readings: Readings, batches: int) -> float:
    bodies = [body(readings.batch(load.size)) for _ in range(batches)]
    expected = b'{"data":{"recordWaterHeaterReadings":{"acceptedCount":%d,"duplicateCount":0,"rejected":[]}' % load.size
    window = await drive(
        target.port,
        "/graphql",
        iter(bodies),
        connections=load.connections,
        seconds=_LONGEST_SECONDS,
        expected=expected,
    )
    return window.rate * load.size


def body(rows: list[Row]) -> bytes:
    """Return the body of the request that sends rows."""
    inputs = [
        {
            "deviceId": global_id(device_id),
            "recordedAt": at,
            "temperature": temperature,
            "inletTemperature": inlet,
            "pressure": pressure,
            "flowRate": flow,
            "power": power,
            "energy": energy,
            "heating": heating,
        }
        for device_id, at, temperature, inlet, pressure, flow, power, energy, heating in rows
    ]
    return orjson.dumps({"query": _TEXT, "variables": {"input": {"readings": inputs}}})


async def _copy(fleet: Fleet, load: Load, readings: Readings, batches: int) -> float:
    waiting = iter([readings.batch(load.size) for _ in range(batches)])
    connections = [await asyncpg.connect(fleet.dsn) for _ in range(load.connections)]
    for connection in connections:
        # The first use of a table reads the catalogue.
        await _copy_batch(connection, readings.batch(load.size))
    started = time.perf_counter()
    await asyncio.gather(*(_copy_all(connection, waiting) for connection in connections))
    seconds = time.perf_counter() - started
    for connection in connections:
        await connection.close()
    return batches * load.size / seconds


async def _copy_all(connection: Any, waiting: Iterator[list[Row]]) -> None:
    for rows in waiting:
        await _copy_batch(connection, rows)


async def _copy_batch(connection: Any, rows: list[Row]) -> None:
    await connection.copy_records_to_table("water_heater_readings", records=rows, columns=_COLUMNS)
