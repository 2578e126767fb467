"""Workers that run in exactly one of several processes: in the one that holds their lease.

A process that dies leaves its lease behind, and another takes it over when it has expired. One that is stopped gives it
up at once. The lease is renewed while the work goes on; where that fails, the work is stopped a quarter of the lease
before anybody else may begin. A process that was frozen meanwhile notices it in its own transactions: those of the work
confirm the lease, and fail where another holds it. One that was frozen within such a transaction finds it undone.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from time import monotonic

from app.workers.supervisor import Beat, Worker
from models.errors import Conflict, IoTSphereError, Unavailable
from models.repositories import leases
from models.store import Store, Transaction
from resolvers.monitoring.rounds import Fence

logger = logging.getLogger("iotsphere.workers")

_RENEWALS = 4
_MARGIN_SHARE = 0.25
_MOST_LOOK_SECONDS = 1.0


def holder_name() -> str:
    """Return what a process calls itself, like no other."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


class LeaseLost(Conflict):
    """Another process has taken the work over."""


class Leased:
    """Runs a worker while this process holds the worker's lease, and waits for it otherwise.

    Args:
        store: holds the leases; all processes on it share the work.
        make: makes the worker from the fence that its transactions call first.
        seconds: how long a lease lasts: after so long the work of a process that died goes on elsewhere.

    Attributes:
        holder: what this process calls itself.
        is_held: the work is done here.
    """

    def __init__(self, store: Store, make: Callable[[Fence], Worker], seconds: float) -> None:
        self._store = store
        self._worker = make(self.confirm)
        self._seconds = seconds
        self.holder = holder_name()
        self.is_held = False
        self._safe_until = 0.0

    @property
    def name(self) -> str:
        """That of the worker."""
        return self._worker.name

    async def run(self, beat: Beat) -> None:
        """Wait for the lease, and work while it is held; waiting is well, too."""
        while True:
            if await self._hold():
                await self._work(beat)
            beat()
            await asyncio.sleep(min(self._seconds / _RENEWALS, _MOST_LOOK_SECONDS))

    async def confirm(self, transaction: Transaction) -> None:
        """Raise LeaseLost unless the lease is still held; nobody takes it over before the transaction ends."""
        # Frozen after this, it would keep the others from the lease.
        await leases.limit_idleness(transaction, self._seconds)
        if not await leases.confirm(transaction, self.name, self.holder):
            raise LeaseLost(f"The lease of the worker {self.name} is held by another process.")

    async def _work(self, beat: Beat) -> None:
        logger.info("worker %s works in this process", self.name)
        self.is_held = True
        work = asyncio.create_task(self._worker.run(beat), name=f"{self.name} itself")
        keep = asyncio.create_task(self._keep(), name=f"{self.name}'s lease")
        try:
            await asyncio.wait({work, keep}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.is_held = False
            for task in (work, keep):
                task.cancel()
            # The lease is given up when nothing of the work goes on any more.
            await asyncio.gather(work, keep, return_exceptions=True)
            await self._release()
        if not work.cancelled():
            work.result()
            raise LeaseLost("It ended although it should go on.")
        logger.warning("worker %s was stopped: its lease could not be renewed", self.name)

    async def _keep(self) -> None:
        """Renew the lease until that has failed for too long, or another process holds it."""
        while True:
            await asyncio.sleep(self._seconds / _RENEWALS)
            try:
                async with asyncio.timeout(max(self._safe_until - monotonic(), 0)):
                    if not await self._hold():
                        return
            except (Unavailable, TimeoutError):
                if monotonic() >= self._safe_until:
                    return

    async def _hold(self) -> bool:
        asked = monotonic()
        async with self._store.transaction() as transaction:
            is_held = await leases.hold(transaction, self.name, self.holder, self._seconds)
        if is_held:
            self._safe_until = asked + self._seconds * (1 - _MARGIN_SHARE)
        return is_held

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(self._seconds), self._store.transaction() as transaction:
                await leases.release(transaction, self.name, self.holder)
        except (IoTSphereError, TimeoutError):
            # It expires by itself.
            logger.info("the lease of worker %s was left to expire", self.name)
