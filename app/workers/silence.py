"""Devices that fell silent become OFFLINE."""

import asyncio
import logging
from datetime import timedelta

from app.workers.supervisor import Beat
from models.clock import Clock, now
from models.repositories import device_changes
from models.store import Store
from resolvers.alerting import Alerting
from settings.types import DeviceSettings

logger = logging.getLogger("iotsphere.workers")

_BATCH_SIZE = 500


class SilenceWatching:
    """Sets devices OFFLINE that have sent nothing for `devices.offline_after_seconds`, and tells alerting."""

    name = "status"

    def __init__(self, store: Store, alerting: Alerting, settings: DeviceSettings, clock: Clock = now) -> None:
        self._store = store
        self._alerting = alerting
        self._silence = timedelta(seconds=settings.offline_after_seconds)
        self._interval_seconds = settings.status_check_seconds
        self._clock = clock

    async def run(self, beat: Beat) -> None:
        """Look for silent devices at each interval."""
        while True:
            await self.check()
            beat()
            await asyncio.sleep(self._interval_seconds)

    async def check(self) -> list[int]:
        """Set silent devices OFFLINE and return their ids."""
        silent: list[int] = []
        after, more = 0, True
        # In short transactions: a site that loses its line takes all its devices along.
        while more:
            since = self._clock() - self._silence
            async with self._store.transaction() as transaction:
                some = await device_changes.mark_silent(transaction, silent_since=since, limit=_BATCH_SIZE, after=after)
                await self._alerting.silence(transaction, some)
            silent += some
            after, more = max(some, default=after), len(some) == _BATCH_SIZE
        if silent:
            logger.info("%d devices fell silent and are OFFLINE", len(silent))
        return silent
