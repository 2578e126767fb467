"""Alerts move on with the time, and what only time brings about is found."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from app.workers.supervisor import Beat
from models.devices import KINDS
from models.repositories import alert_conditions
from models.store import Store, Transaction
from resolvers.alerting import Alerting
from settings.alert_types import AlertSettings

# How many devices are looked at in one transaction: ingestion waits for their locks meanwhile.
BATCH_SIZE = 500
# A search costs much the same for many devices as for few.
_BATCHES_OF_A_SEARCH = 20

Search = Callable[[int, int], Awaitable[list[int]]]
Look = Callable[[Transaction, Sequence[int]], Awaitable[None]]


class AlertWatching:
    """Raises and resolves alerts whose time has come, and searches the fleet for what no transaction tells of.

    Several processes may do so at once: whoever has the lock of a device looks at it, the others pass it over.
    """

    name = "alerts"

    def __init__(self, store: Store, alerting: Alerting, settings: AlertSettings, batch_size: int = BATCH_SIZE) -> None:
        self._store = store
        self._alerting = alerting
        self._settings = settings
        self._batch_size = batch_size

    async def run(self, beat: Beat) -> None:
        """Check at each interval, and sweep at each longer one."""
        swept_at = None
        while True:
            if swept_at is None or monotonic() - swept_at >= self._settings.sweep_seconds:
                await self.sweep()
                swept_at = monotonic()
            await self.check()
            beat()
            await asyncio.sleep(self._settings.check_seconds)

    async def check(self) -> int:
        """Move on what time alone moves; return how many devices were looked at."""
        alerting, store = self._alerting, self._store
        return await self._each(lambda after, limit: alerting.due(store, after, limit), alerting.elapse)

    async def sweep(self) -> int:
        """Find what only time, or nobody, has told of; return how many devices were looked at."""
        alerting, store = self._alerting, self._store
        count = await self._each(lambda after, limit: alert_conditions.silent(store, after, limit), alerting.silence)
        count += await self._each(lambda after, limit: alert_conditions.low(store, after, limit), alerting.stock)
        for kind in KINDS:
            count += await self._each(self._unmaintained(kind), alerting.maintenance)
        return count

    def _unmaintained(self, kind: str) -> Search:
        return lambda after, limit: self._alerting.unmaintained(self._store, kind, after, limit)

    async def _each(self, search: Search, look: Look) -> int:
        """Look at all devices that a search finds, some in each transaction."""
        most = self._batch_size * _BATCHES_OF_A_SEARCH
        after, count = 0, 0
        while ids := await search(after, most):
            after = ids[-1]
            for start in range(0, len(ids), self._batch_size):
                async with self._store.transaction() as transaction:
                    free = await alert_conditions.lock_free(transaction, ids[start : start + self._batch_size])
                    await look(transaction, free)
                count += len(free)
            if len(ids) < most:
                break
        return count
