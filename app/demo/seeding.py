"""Make the demo fleet and its history, as far as they are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.demo.fleet import SIMULATOR, DemoHeater, demo_heaters, specifications
from app.demo.history import INTERVAL_SECONDS, History
from app.demo.past import DemoRetired, add_coarse_history, add_lives, demo_retired, retired_specifications
from app.demo.vending_fleet import DemoMachine, demo_machines, vending_specifications
from app.demo.vending_history import VendingHistory
from app.progress import Progress, silent
from models.devices.simulation import HeaterSpec, MaintenanceVisit, VendingSpec
from models.devices.vending_machine import VendingMachineType
from models.money import from_minor
from models.repositories import histories
from models.repositories.maintenance_records import RECORDS
from resolvers import maintenance, vending_machines, water_heaters
from resolvers.context import Scope, Services

# What a specification tells of a device; the rest is known to the simulation only.
_NAMEPLATE = (
    "name",
    "serial_number",
    "manufacturer",
    "model",
    "firmware_version",
    "location",
    "installed_at",
)
_OF_HEATERS = (
    *_NAMEPLATE,
    "heater_type",
    "mode",
    "target_temperature",
    "min_temperature",
    "max_temperature",
    "capacity_liters",
    "rated_power_watts",
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What seeding has added.

    Attributes:
        device_count: devices that were missing.
        reading_count: readings that were missing.
        sale_count: sales that were missing.
    """

    device_count: int
    reading_count: int
    sale_count: int


async def seed(services: Services, progress: Progress = silent) -> Seeded:
    """Make what is missing of the demo fleet: devices, their maintenance, and their history.

    Heaters have one reading a minute, and one an hour of the time before; vending machines have one in five minutes,
    and sell and are restocked meanwhile. Retired heaters have one reading an hour up to their failures.
    How large the fleet is and how far back its history goes is told by the section `simulator` of the settings. What
    exists is kept, so it may be called at any time; a call that was interrupted is completed by the next one.

    Raises:
        Unavailable: the database cannot be reached.
    """
    now, settings = services.clock(), services.settings.simulator
    specs, rows = await specifications(services.store, settings, now)
    vending_specs, vending_rows = await vending_specifications(services.store, settings, now)
    retired, retired_rows = await retired_specifications(services)
    known = {row["serial_number"] for row in (*rows, *vending_rows, *retired_rows)}
    wanted = (*specs, *vending_specs, *(each.spec for each in retired))
    missing = [spec for spec in wanted if spec.serial_number not in known]
    for number, spec in enumerate(missing):
        progress("devices", number / len(missing))
        await _create(services, spec)
    heaters = demo_heaters(*await specifications(services.store, settings, now))
    machines = demo_machines(*await vending_specifications(services.store, settings, now))
    dead = demo_retired(*await retired_specifications(services))
    await _add_maintenance(services, [*heaters, *machines, *dead])
    count, sale_count = await _add_trade(services, machines, progress)
    count += await add_lives(services, dead, progress)
    count += await _add_readings(services, heaters, progress)
    count += await add_coarse_history(services, heaters, progress)
    return Seeded(len(missing), count, sale_count)


async def _create(services: Services, spec: HeaterSpec | VendingSpec) -> None:
    scope = Scope(services, SIMULATOR)
    if isinstance(spec, HeaterSpec):
        await water_heaters.create(scope, {name: getattr(spec, name) for name in _OF_HEATERS})
        return
    given: dict[str, Any] = {name: getattr(spec, name) for name in _NAMEPLATE}
    given["machine_type"] = VendingMachineType(spec.machine_type)
    given["target_cabinet_temperature"] = spec.target_cabinet_temperature
    given["currency"], given["time_zone"] = spec.currency, spec.time_zone
    given["cash_capacity"] = (from_minor(spec.cash_capacity, spec.currency), spec.currency)
    await vending_machines.create(scope, given)


async def _add_maintenance(services: Services, devices: Sequence[DemoHeater | DemoMachine | DemoRetired]) -> None:
    scope = Scope(services, SIMULATOR)
    ids = [device.device_id for device in devices]
    counts = await histories.count_by_devices(services.store, RECORDS, ids)
    for device, count in zip(devices, counts, strict=True):
        # They are added in their order: what an interrupted call has stored comes first.
        for visit in device.spec.maintenance[count:]:
            await maintenance.record(scope, _record(device.device_id, visit))


def _record(device_id: int, visit: MaintenanceVisit) -> maintenance.NewRecord:
    return maintenance.NewRecord(
        device_id=device_id,
        kind=maintenance.MaintenanceKind(visit.kind),
        performed_at=visit.performed_at,
        performed_by=visit.performed_by,
        notes=visit.notes,
        cost=(from_minor(visit.cost_minor, visit.cost_currency), visit.cost_currency),
        parts=tuple(maintenance.Part(part.name, part.quantity, part.part_number) for part in visit.parts),
    )


async def _add_readings(services: Services, heaters: Sequence[DemoHeater], progress: Progress) -> int:
    """Add the readings of each heater since its last one, or of the whole history."""
    now = services.clock()
    beginning = now - timedelta(days=services.settings.simulator.history_days)
    latest = {heater.device_id: heater.latest_reading_at or beginning for heater in heaters}
    # Chance is a function of serial number and time, so parts of the fleet live as they would among all.
    without = [heater for heater in heaters if latest[heater.device_id] <= beginning]
    with_some = [heater for heater in heaters if latest[heater.device_id] > beginning]
    count = 0
    for part in (without, with_some):
        start = max(beginning, min((latest[heater.device_id] for heater in part), default=now))
        if (now - start).total_seconds() >= INTERVAL_SECONDS:
            count += await (await History.begun(services, part, start)).advance(now, INTERVAL_SECONDS, progress)
    return count


async def _add_trade(services: Services, machines: Sequence[DemoMachine], progress: Progress) -> tuple[int, int]:
    """Add readings and sales of each machine since its last reading, or of the whole history; return both counts."""
    now = services.clock()
    beginning = now - timedelta(days=services.settings.simulator.sales_history_days)
    parts: dict[datetime, list[DemoMachine]] = {}
    for machine in machines:
        # Each from its own last reading: its stock is that of then.
        parts.setdefault(max(machine.latest_reading_at or beginning, beginning), []).append(machine)
    reading_count = sale_count = 0
    for start, part in sorted(parts.items()):
        history = await VendingHistory.begun(services, part, min(start, now))
        reading_count += await history.advance(now, history.interval_seconds, progress)
        sale_count += history.sale_count
    return reading_count, sale_count
