"""Which vending machines of the database are the demo fleet, and what the simulation knows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.devices.simulation import VendingSpec, generate_vending_fleet
from models.repositories import devices
from models.statements import Row
from models.store import Store
from settings.types import SimulatorSettings

_COLUMNS = frozenset({"serial_number", "created_at", "latest_reading_at", "machine_type", "currency"})


@dataclass(frozen=True, slots=True)
class DemoMachine:
    """A device of the database and its specification."""

    device_id: int
    spec: VendingSpec
    latest_reading_at: datetime | None


async def vending_specifications(
    store: Store, settings: SimulatorSettings, now: datetime
) -> tuple[list[VendingSpec], list[Row]]:
    """Return the specifications of all vending machines of the demo fleet, and those of its devices that exist.

    The machines are made as of the instant at which the first of them was: later calls make the same ones.
    """
    count, seed = settings.vending_machine_count, settings.seed
    serial_numbers = [spec.serial_number for spec in generate_vending_fleet(count, seed, now)]
    found = await devices.by_serial_numbers(store, serial_numbers, _COLUMNS)
    rows = [row for row in found if row is not None]
    seeded_at = min((row["created_at"] for row in rows), default=now)
    return generate_vending_fleet(count, seed, seeded_at), rows


def demo_machines(specs: Sequence[VendingSpec], rows: Sequence[Row]) -> list[DemoMachine]:
    """Return the devices that belong to the demo fleet.

    A device that merely has a serial number like one of the fleet's is left alone: its type and its currency tell.
    """
    by_serial_number = {spec.serial_number: spec for spec in specs}
    machines: list[DemoMachine] = []
    for row in rows:
        spec = by_serial_number[row["serial_number"]]
        if (row["machine_type"], row["currency"]) == (spec.machine_type, spec.currency):
            machines.append(DemoMachine(row["id"], spec, row["latest_reading_at"]))
    return machines
