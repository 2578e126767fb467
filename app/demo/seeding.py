"""Make the demo fleet and its history, as far as they are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.demo.fleet import DemoHeater, demo_heaters, specifications
from app.demo.history import INTERVAL_SECONDS, History, Progress, silent
from models.devices.simulation import HeaterSpec, MaintenanceVisit
from models.money import from_minor
from models.principal import Principal, Role
from resolvers import maintenance, water_heaters
from resolvers.context import Scope, Services

SIMULATOR = Principal("simulator", Role.OPERATOR)

# What a specification tells of a device; the rest is known to the simulation only.
_NAMEPLATE = (
    "name",
    "serial_number",
    "manufacturer",
    "model",
    "firmware_version",
    "location",
    "installed_at",
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
        device_count: heaters that were missing.
        reading_count: readings that were missing.
    """

    device_count: int
    reading_count: int


async def seed(services: Services, progress: Progress = silent) -> Seeded:
    """Make what is missing of the demo fleet: heaters, their maintenance, and a history of one reading a minute.

    How large the fleet is and how far back its history goes is told by the section `simulator` of the settings. What
    exists is kept, so it may be called at any time; a call that was interrupted is completed by the next one.

    Raises:
        Unavailable: the database cannot be reached.
    """
    now, settings = services.clock(), services.settings.simulator
    specs, rows = await specifications(services.store, settings, now)
    known = {row["serial_number"] for row in rows}
    missing = [spec for spec in specs if spec.serial_number not in known]
    for number, spec in enumerate(missing):
        progress("heaters", number / len(missing))
        await _create(services, spec)
    heaters = demo_heaters(*await specifications(services.store, settings, now))
    await _add_maintenance(services, heaters)
    return Seeded(len(missing), await _add_readings(services, heaters, progress))


async def _create(services: Services, spec: HeaterSpec) -> None:
    given: dict[str, Any] = {name: getattr(spec, name) for name in _NAMEPLATE}
    await water_heaters.create(Scope(services, SIMULATOR), given)


async def _add_maintenance(services: Services, heaters: Sequence[DemoHeater]) -> None:
    scope = Scope(services, SIMULATOR)
    counts = await maintenance.count(scope, [heater.device_id for heater in heaters], None)
    for heater, count in zip(heaters, counts, strict=True):
        # They are added in their order: what an interrupted call has stored comes first.
        for visit in heater.spec.maintenance[count:]:
            await maintenance.record(scope, _record(heater.device_id, visit))


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
