"""What belonged to removed devices is deleted."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from app.workers.supervisor import Beat
from models.repositories import device_removals
from models.repositories.device_removals import STEP_ROWS, Removal
from models.store import Store
from resolvers.monitoring.rounds import Fence

logger = logging.getLogger("iotsphere.workers")

_INTERVAL_SECONDS = 2
_MOST_DEVICES = 100

Counted = Callable[[str, int], None]
"""Told what was deleted, as a metric names it, and how many rows."""


class Removing:
    """Goes on with the removal of devices where a request has left something, in short transactions.

    Another process takes it up where this one ends. After each step it waits for as long as that took: at least half of
    the database's time is left to others.

    Args:
        store: where.
        fence: called first in each transaction.
        counted: told of each step.
        step_rows: the most rows of one transaction.
    """

    name = "removal"

    def __init__(self, store: Store, fence: Fence, counted: Counted, step_rows: int = STEP_ROWS) -> None:
        self._store = store
        self._fence = fence
        self._counted = counted
        self._step_rows = step_rows

    async def run(self, beat: Beat) -> None:
        """Look for removed devices at each interval."""
        while True:
            await self.check(beat)
            beat()
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def check(self, beat: Beat = lambda: None) -> int:
        """Delete all that is left of removed devices; return how many devices these were."""
        count = 0
        while ids := await device_removals.waiting(self._store, _MOST_DEVICES):
            for device_id in ids:
                removal = Removal(device_id)
                while not await self._step(removal):
                    beat()
                logger.info("the removal of device %d is done; %d rows were left of it", device_id, removal.count)
            count += len(ids)
        return count

    async def _step(self, removal: Removal) -> bool:
        began, before = monotonic(), removal.count
        async with self._store.transaction() as transaction:
            await self._fence(transaction)
            is_done = await removal.step(transaction, self._step_rows)
        self._counted("devices", removal.count - before)
        await asyncio.sleep(monotonic() - began)
        return is_done
