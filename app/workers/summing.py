"""Readings are summed up by the hour."""

import asyncio
import logging

from app.workers.supervisor import Beat
from models.clock import Clock, now
from models.reading_hours import SUMMED_AFTER
from models.store import Store
from resolvers.summing import ask_for_unknown, sum_up

logger = logging.getLogger("iotsphere.workers")

_INTERVAL_SECONDS = 15
_WORTH_TELLING = 1000


class Summing:
    """Sums up hours of readings some minutes after their end, and those of which readings arrived later."""

    name = "hours"

    def __init__(self, store: Store, clock: Clock = now) -> None:
        self._store = store
        self._clock = clock

    async def run(self, beat: Beat) -> None:
        """Look for hours that are due at each interval."""
        await ask_for_unknown(self._store)
        while True:
            await self.check()
            beat()
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def check(self) -> int:
        """Sum up the hours that are due and return how many they were."""
        count = await sum_up(self._store, self._clock() - SUMMED_AFTER)
        if count >= _WORTH_TELLING:
            logger.info("%d hours of readings were summed up", count)
        return count
