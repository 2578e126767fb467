"""From the batches of a file to stored readings."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from app.files import FileBatch, FileReport, ReadingFile
from models.devices import WATER_HEATER
from models.devices.water_heater import HeaterType, WaterHeaterMode
from models.principal import Principal, Role
from models.readings import ReadingBatch
from models.repositories import devices
from resolvers import water_heaters
from resolvers.context import Scope, Services

COMMAND_LINE = Principal("command line", Role.OPERATOR)

# What a heater is taken to be of which only the serial number is known: the same as the API's defaults.
_UNKNOWN_HEATER: dict[str, Any] = {
    "heater_type": HeaterType.RESISTIVE,
    "mode": WaterHeaterMode.ECO,
    "target_temperature": 55.0,
    "min_temperature": 30.0,
    "max_temperature": 75.0,
    "capacity_liters": 150.0,
    "rated_power_watts": 2000.0,
}

BytesRead = Callable[[int], None]


class FileIngestion:
    """Stores the readings of files of water heaters.

    Args:
        creates: register devices that do not exist, where their readings would be rejected otherwise.
    """

    def __init__(self, services: Services, *, creates: bool) -> None:
        self._services = services
        self._creates = creates
        self._ids: dict[str, int] = {}
        self.created: list[str] = []

    async def store(self, file: ReadingFile, report: FileReport, bytes_read: BytesRead) -> None:
        """Store what can be stored of an open file; the report has everything up to a failure, too.

        Raises:
            FileProblem: the file breaks off; the rows before that place are stored.
            Unavailable: the database cannot be reached; running the command again goes on.
        """
        # The next rows are read in a thread while the last ones are stored.
        batch = await asyncio.to_thread(next, file, None)
        while batch is not None:
            following = asyncio.create_task(asyncio.to_thread(next, file, None))
            try:
                await self._store(batch, report)
            finally:
                await asyncio.wait([following])
            bytes_read(batch.bytes_read)
            batch = await following

    async def _store(self, batch: FileBatch, report: FileReport) -> None:
        await self._find(batch.serial_numbers)
        known = batch.of_devices(self._ids)
        if not len(known):
            report.add(known)
            return
        device_ids = [self._ids[serial_number] for serial_number in known.serial_numbers]
        readings = ReadingBatch(WATER_HEATER.name, device_ids, known.recorded_at, known.channels)
        report.add(known, await self._services.ingest.record(readings))

    async def _find(self, serial_numbers: Iterable[str]) -> None:
        fresh = sorted(set(serial_numbers) - self._ids.keys())
        rows = await devices.by_serial_numbers(self._services.store, fresh, frozenset({"serial_number"}))
        for serial_number, row in zip(fresh, rows, strict=True):
            if row is not None and row["kind"] == WATER_HEATER.name:
                self._ids[serial_number] = row["id"]
            elif row is None and self._creates:
                given = {"name": serial_number, "serial_number": serial_number, **_UNKNOWN_HEATER}
                self._ids[serial_number] = (await water_heaters.create(Scope(self._services, COMMAND_LINE), given))[
                    "id"
                ]
                self.created.append(serial_number)
