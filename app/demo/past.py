"""The coarse past of the demo: hourly readings of living heaters, and the lives of those that have failed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.demo.fleet import SIMULATOR, DemoHeater
from app.demo.history import BATCH_SIZE, Progress
from models.devices.simulation import FleetSimulation, HeaterSpec, ReadingBlock, RetiredHeater, generate_retired
from models.devices.status import DeviceStatus
from models.failures import PREVENTIVE_REPLACEMENT
from models.readings import ReadingBatch, joined
from models.repositories import devices, readings
from models.repositories.readings import TimeRange
from models.statements import Row
from models.types import to_micros
from resolvers import failures
from resolvers.context import Scope, Services

INTERVAL_SECONDS = 3600
_STEP_SECONDS = 600
# Sensors miss some readings; a heater with fewer than these was not completed.
_COMPLETE = 0.9

_COLUMNS = frozenset({"serial_number", "created_at", "status", "heater_type"})


@dataclass(frozen=True, slots=True)
class DemoRetired:
    """A device of the database whose life is over, or will be once its past is complete."""

    device_id: int
    retired: RetiredHeater
    is_retired: bool

    @property
    def spec(self) -> HeaterSpec:
        """What it was."""
        return self.retired.spec


async def retired_specifications(services: Services) -> tuple[list[RetiredHeater], list[Row]]:
    """Return all retired heaters of the demo, and those of its devices that exist.

    They are made as of the instant at which the first of them was: later calls make the same ones.
    """
    now, settings = services.clock(), services.settings.simulator
    serial_numbers = [each.spec.serial_number for each in generate_retired(settings.retired_count, settings.seed, now)]
    found = await devices.by_serial_numbers(services.store, serial_numbers, _COLUMNS)
    rows = [row for row in found if row is not None]
    seeded_at = min((row["created_at"] for row in rows), default=now)
    return generate_retired(settings.retired_count, settings.seed, seeded_at), rows


def demo_retired(retired: Sequence[RetiredHeater], rows: Sequence[Row]) -> list[DemoRetired]:
    """Return the devices that are retired heaters of the demo; others under such numbers are left alone."""
    by_serial_number = {each.spec.serial_number: each for each in retired}
    found: list[DemoRetired] = []
    for row in rows:
        each = by_serial_number[row["serial_number"]]
        if row["heater_type"] == each.spec.heater_type.value:
            found.append(DemoRetired(row["id"], each, row["status"] == DeviceStatus.RETIRED.value))
    return found


async def add_coarse_history(services: Services, heaters: Sequence[DemoHeater], progress: Progress) -> int:
    """Add hourly readings before the history of each heater, where they are missing; return how many were new.

    They come after the readings of the present, so nothing is found strange in them: hourly readings are unlike those
    of each minute, with which the detector goes on.
    """
    settings = services.settings.simulator
    groups: dict[datetime, list[DemoHeater]] = {}
    for heater in heaters:
        groups.setdefault(heater.created_at.replace(minute=0, second=0, microsecond=0), []).append(heater)
    count = 0
    for seeded_at, group in groups.items():
        end = seeded_at - timedelta(days=settings.history_days)
        start = end - timedelta(days=settings.coarse_history_days)
        missing = await _incomplete(services, group, start, end)
        if missing:
            count += await _live(services, missing, start, end, lambda block: block, progress)
    return count


async def _incomplete(
    services: Services, heaters: Sequence[DemoHeater], start: datetime, end: datetime
) -> list[DemoHeater]:
    wanted = _COMPLETE * (end - start).total_seconds() / INTERVAL_SECONDS
    ids = [heater.device_id for heater in heaters]
    counts = await readings.count_by_devices(services.store, "WATER_HEATER", ids, TimeRange(start, end))
    return [heater for heater, count in zip(heaters, counts, strict=True) if count < wanted]


async def add_lives(services: Services, retired: Sequence[DemoRetired], progress: Progress) -> int:
    """Add the readings of heaters that are not retired yet, then retire them; return how many readings were new."""
    left = [each for each in retired if not each.is_retired]
    if not left:
        return 0
    since = np.array([to_micros(each.retired.watched_since) for each in left])
    until = np.array([to_micros(each.retired.ended_at) for each in left])
    start, end = min(each.retired.watched_since for each in left), max(each.retired.ended_at for each in left)
    count = await _live(services, left, start, end, lambda block: block.within(since, until), progress)
    scope = Scope(services, SIMULATOR)
    for each in left:
        await failures.record(scope, _failure(each))
    return count


def _failure(dead: DemoRetired) -> failures.NewFailure:
    return failures.NewFailure(
        device_id=dead.device_id,
        failed_at=dead.retired.ended_at,
        cause=dead.retired.cause.value if dead.retired.cause else PREVENTIVE_REPLACEMENT,
        description=dead.retired.story,
        ends_life=True,
    )


async def _live(  # noqa: PLR0917 - who, when, and which part of it
    services: Services,
    heaters: Sequence[DemoHeater | DemoRetired],
    start: datetime,
    end: datetime,
    cut: Callable[[ReadingBlock], ReadingBlock],
    progress: Progress,
) -> int:
    """Store hourly readings of heaters; return how many were new."""
    specs, seed = [heater.spec for heater in heaters], services.settings.simulator.seed
    ids = [heater.device_id for heater in heaters]
    size = min(BATCH_SIZE, services.settings.ingest.max_batch_size)
    simulation = await asyncio.to_thread(FleetSimulation, specs, seed, start, longest_step_seconds=_STEP_SECONDS)
    blocks = simulation.advance(end, INTERVAL_SECONDS)
    gathered: list[ReadingBatch] = []
    accepted = 0
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        for batch in cut(block).batches(ids, size):
            if sum(map(len, gathered)) + len(batch) > size:
                accepted += (await services.ingest.record(joined(gathered))).accepted_count
                gathered = []
            gathered.append(batch)
        progress("past", (simulation.now - start) / (end - start))
    if gathered:
        accepted += (await services.ingest.record(joined(gathered))).accepted_count
    return accepted
