"""The coarse past of the demo: readings of living heaters each hour or two, and lives of those that have failed."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.demo.fleet import SIMULATOR, DemoHeater
from app.demo.history import BATCH_SIZE
from app.progress import Progress
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

# A reading covers an hour at most: these cover half of a day, which is the least that stands for the whole.
INTERVAL_SECONDS = 7200
# How a heater is used can be told only of hours that are covered, and takes some weeks of them.
_RECENT = timedelta(days=35)
_RECENT_INTERVAL_SECONDS = 3600
_STEP_SECONDS = 600
# Heaters whose lives are in memory at once.
_TOGETHER = 100
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
    """Add coarse readings before the history of each heater, where they are missing; return how many were new.

    They come after the readings of the present, so nothing is found strange in them: readings of each hour or two are
    unlike those of each minute, with which the detector goes on.
    """
    settings = services.settings.simulator
    groups: dict[datetime, list[DemoHeater]] = {}
    for heater in heaters:
        groups.setdefault(heater.created_at.replace(minute=0, second=0, microsecond=0), []).append(heater)
    count = 0
    for seeded_at, group in groups.items():
        end = seeded_at - timedelta(days=settings.history_days)
        start = end - timedelta(days=settings.coarse_history_days)
        recent = max(start, end - _RECENT)
        for first, last, interval in ((start, recent, INTERVAL_SECONDS), (recent, end, _RECENT_INTERVAL_SECONDS)):
            missing = await _incomplete(services, group, first, last, interval)
            if missing:
                count += await _live(services, missing, first, last, lambda block: block, progress, interval)
    return count


async def _incomplete(
    services: Services, heaters: Sequence[DemoHeater], start: datetime, end: datetime, interval_seconds: int
) -> list[DemoHeater]:
    wanted = _COMPLETE * (end - start).total_seconds() / interval_seconds
    ids = [heater.device_id for heater in heaters]
    counts = await readings.count_by_devices(services.store, "WATER_HEATER", ids, TimeRange(start, end))
    return [heater for heater, count in zip(heaters, counts, strict=True) if count < wanted]


async def add_lives(services: Services, retired: Sequence[DemoRetired], progress: Progress) -> int:
    """Add the readings of heaters that are not retired yet, then retire them; return how many readings were new.

    As in the coarse past of the living, nothing is found strange in them. Otherwise anomalies would tell whom the
    detector has looked at, which of the living it did in their newest days only, and not who is worn.
    """
    left = [each for each in retired if not each.is_retired]
    parts = [left[start : start + _TOGETHER] for start in range(0, len(left), _TOGETHER)]
    return sum([await _add_lives(services, part, progress) for part in parts])


async def _add_lives(services: Services, left: Sequence[DemoRetired], progress: Progress) -> int:
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
    interval_seconds: int = INTERVAL_SECONDS,
) -> int:
    """Store coarse readings of heaters, the newest of each first; return how many were new."""
    specs, seed = [heater.spec for heater in heaters], services.settings.simulator.seed
    ids = [heater.device_id for heater in heaters]
    size = min(BATCH_SIZE, services.settings.ingest.max_batch_size)
    simulation = await asyncio.to_thread(FleetSimulation, specs, seed, start, longest_step_seconds=_STEP_SECONDS)
    advancing = simulation.advance(end, interval_seconds)
    blocks: list[ReadingBlock] = []
    while (block := await asyncio.to_thread(next, advancing, None)) is not None:
        blocks.append(cut(block))
        progress("past", (simulation.now - start) / (end - start) / 2)
    accepted, stored, total = 0, 0, max(sum(map(len, blocks)), 1)
    for batch in _batches(blocks, ids, size):
        accepted += (await services.ingest.record(batch)).accepted_count
        stored += len(batch)
        progress("past", 0.5 + min(stored / total, 1.0) / 2)
    return accepted


def _batches(blocks: Sequence[ReadingBlock], ids: Sequence[int], size: int) -> Iterator[ReadingBatch]:
    """Give the newest reading of each device, then all of them, which come late by then, in batches of such a size."""
    for part in (_newest(blocks), blocks):
        gathered: list[ReadingBatch] = []
        for batch in (batch for block in part for batch in block.batches(ids, size)):
            if sum(map(len, gathered)) + len(batch) > size:
                yield joined(gathered)
                gathered = []
            gathered.append(batch)
        if gathered:
            yield joined(gathered)


def _newest(blocks: Sequence[ReadingBlock]) -> list[ReadingBlock]:
    """Return the newest reading of each device."""
    seen = np.empty(0, np.int64)
    found: list[ReadingBlock] = []
    for block in reversed(blocks):
        # Rows are ordered by device, then by time: from behind, the newest of each comes first.
        those, place = np.unique(block.device_index[::-1], return_index=True)
        found.append(block.at(len(block) - 1 - place[~np.isin(those, seen)]))
        seen = np.union1d(seen, those)
    return found
