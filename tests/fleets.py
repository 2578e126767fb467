"""Small fleets for tests of the graph, with known readings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.clock import now
from schema import ids
from tests.factories import add_heater, add_readings
from tests.graph import Graph


def heater_id(row_id: int) -> str:
    """Return the global id of a water heater."""
    return ids.encode("WaterHeater", row_id)


def this_minute() -> datetime:
    """Return the present, without seconds."""
    return now().replace(second=0, microsecond=0)


def minutes_before(newest: datetime, count: int) -> list[datetime]:
    """Return one instant for each minute up to the newest, oldest first."""
    return [newest - timedelta(minutes=back) for back in reversed(range(count))]


async def add_fleet(graph: Graph, size: int, *, readings: int = 0, newest: datetime | None = None) -> list[int]:
    """Store heaters named Heater 000, 001, … and return their ids.

    Args:
        graph: whose database it is.
        size: how many heaters.
        readings: how many each has, one a minute; heater h has temperature 40 + h % 10 + i / 100 °C and power 100 i W
            in its i-th one.
        newest: time of the newest reading; this minute if not given.
    """
    store = graph.services.store
    instants = minutes_before(newest or this_minute(), readings)
    added = [
        await add_heater(
            store, name=f"Heater {number:03}", serial_number=f"S-{number:03}", location=f"Room {number % 3}"
        )
        for number in range(size)
    ]
    if readings:
        await add_readings(
            store,
            [id_ for id_ in added for _ in instants],
            instants * size,
            temperature=[40 + number % 10 + i / 100 for number in range(size) for i in range(readings)],
            power=[100.0 * i for _ in range(size) for i in range(readings)],
        )
    return added


async def register(graph: Graph, serial_number: str = "WH-1", **values: Any) -> str:
    """Register a water heater through the graph and return its global id."""
    body = await graph.data(
        "mutation ($input: CreateWaterHeaterInput!) { createWaterHeater(input: $input) { waterHeater { id } } }",
        input={"name": "Boiler", "serialNumber": serial_number, **values},
    )
    return body["createWaterHeater"]["waterHeater"]["id"]


async def record(graph: Graph, device: str, instants: Sequence[datetime], **channels: Sequence[Any]) -> Any:
    """Send readings through the graph and return the payload."""
    rows = [
        {"deviceId": device, "recordedAt": at.isoformat(), **{name: values[i] for name, values in channels.items()}}
        for i, at in enumerate(instants)
    ]
    body = await graph.data(RECORD, input={"readings": rows})
    return body["recordWaterHeaterReadings"]


RECORD = """
mutation ($input: RecordWaterHeaterReadingsInput!) {
  recordWaterHeaterReadings(input: $input) { acceptedCount duplicateCount rejected { index code message } }
}
"""
