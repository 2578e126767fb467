"""Raw readings are summed up into hours: what ingestion asked for, once the hours have ended."""

import asyncio
from datetime import datetime

from models.devices import KINDS, DeviceKind
from models.reading_hours import HOUR, summed
from models.repositories import asked_hours
from models.store import Store

# A transaction takes so many hours that about this many readings are read for them: some 0.2 s.
_READINGS_AT_ONCE = 30_000
_FEWEST_HOURS, _FIRST_HOURS, _MOST_HOURS = 20, 200, 4000
_DEVICES_AT_ONCE = 5
_PATIENCE_SECONDS = 0.1


async def sum_up(store: Store, ended_by: datetime, *, patient: bool = False) -> int:
    """Sum up all hours that were asked for and had ended by an instant; return how many they were.

    It may be called by several processes at any time: one of them works, in short transactions.

    Args:
        store: a migrated database.
        ended_by: hours that end later are left alone.
        patient: wait where another process is at it, so that everything is done at the return; without it, leave it
            to that one.

    Raises:
        Unavailable: the database cannot be reached; what was not summed is still asked for.
    """
    count = 0
    for kind in KINDS.values():
        size = _FIRST_HOURS
        while True:
            done, read = await _sum_some(store, kind, ended_by, size)
            if done is None:
                if not patient:
                    return count
                await asyncio.sleep(_PATIENCE_SECONDS)
                continue
            if not done:
                break
            count += done
            size = min(max(size * _READINGS_AT_ONCE // max(read, 1), _FEWEST_HOURS), _MOST_HOURS)
    return count


async def ask_for_unknown(store: Store) -> None:
    """Ask for the hours of all readings that were stored before there were hours."""
    for kind in KINDS.values():
        found = 1
        while found:
            async with store.transaction() as transaction:
                is_mine = await asked_hours.is_mine(transaction)
                found = is_mine and await asked_hours.ask_for_unknown(transaction, kind.name, _DEVICES_AT_ONCE)


async def _sum_some(store: Store, kind: DeviceKind, ended_by: datetime, most: int) -> tuple[int | None, int]:
    """Sum up some hours; return how many and from how many readings, None if another process is at it."""
    begun_until = ended_by - HOUR
    if not await asked_hours.asked(store, kind.name, begun_until, 1):
        return 0, 0
    async with store.transaction() as transaction:
        if not await asked_hours.is_mine(transaction):
            return None, 0
        asked = await asked_hours.asked(transaction, kind.name, begun_until, most)
        if not asked:
            return 0, 0
        hours = [(id_, at) for id_, at, _ in asked]
        readings = await asked_hours.raw(transaction, kind.name, hours)
        rows = await asyncio.to_thread(summed, readings, hours, kind.hourly, kind.hour_sums)
        await asked_hours.put(transaction, kind.name, asked, rows)
    return len(asked), len(readings.micros)
