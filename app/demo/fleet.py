"""Which devices of the database are the demo fleet, and what the simulation knows of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.devices.simulation import HeaterSpec, generate_fleet
from models.devices.water_heater import MODES, WaterHeaterMode
from models.principal import Principal, Role
from models.repositories import devices
from models.statements import Row
from models.store import Store
from settings.types import SimulatorSettings

SIMULATOR = Principal("simulator", Role.OPERATOR)

_COLUMNS = frozenset(
    {
        "serial_number",
        "created_at",
        "latest_reading_at",
        "target_temperature",
        "mode",
        "heater_type",
    }
)


@dataclass(frozen=True, slots=True)
class DemoHeater:
    """A device of the database and its specification, with the controls that it has now."""

    device_id: int
    spec: HeaterSpec
    latest_reading_at: datetime | None
    created_at: datetime


async def specifications(
    store: Store, settings: SimulatorSettings, now: datetime
) -> tuple[list[HeaterSpec], list[Row]]:
    """Return the specifications of the whole demo fleet, and those of its devices that exist.

    The fleet is made as of the instant at which its first device was: later calls make the same one.
    """
    serial_numbers = [spec.serial_number for spec in generate_fleet(settings.device_count, settings.seed, now)]
    found = await devices.by_serial_numbers(store, serial_numbers, _COLUMNS)
    rows = [row for row in found if row is not None]
    seeded_at = min((row["created_at"] for row in rows), default=now)
    return generate_fleet(settings.device_count, settings.seed, seeded_at), rows


def demo_heaters(specs: Sequence[HeaterSpec], rows: Sequence[Row]) -> list[DemoHeater]:
    """Return the devices that belong to the demo fleet.

    A device that merely has a serial number like one of the fleet's is left alone: its type of heater tells.
    """
    by_serial_number = {spec.serial_number: spec for spec in specs}
    heaters: list[DemoHeater] = []
    for row in rows:
        spec = by_serial_number[row["serial_number"]]
        if row["heater_type"] == spec.heater_type.value:
            mine = replace(spec, target_temperature=row["target_temperature"], mode=known_mode(spec, row["mode"]))
            heaters.append(DemoHeater(row["id"], mine, row["latest_reading_at"], row["created_at"]))
    return heaters


def known_mode(spec: HeaterSpec, name: str) -> WaterHeaterMode:
    """Return a mode that the database holds; the specification's own if its type of heater has none of that name."""
    mode = WaterHeaterMode(name)
    return mode if mode in MODES[spec.heater_type] else spec.mode
