"""One round of the watch: its instant, its windows, and the transactions in which it writes."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from models.store import Store, Transaction
from models.types import EPOCH
from resolvers.context import Services
from settings.prediction_types import MonitoringSettings

Fence: TypeAlias = Callable[[Transaction], Awaitable[None]]
"""Called first in each transaction; raises where another process has taken the work over."""


async def unfenced(_transaction: Transaction) -> None:
    """Let anybody write: for rounds by hand."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, its end not within it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Round:
    """One round.

    Attributes:
        services: of the process.
        at: its instant.
        fence: of the worker that does it.
    """

    services: Services
    at: datetime
    fence: Fence = unfenced

    @property
    def settings(self) -> MonitoringSettings:
        """Those of the watch."""
        return self.services.settings.monitoring

    @property
    def store(self) -> Store:
        """The database."""
        return self.services.store

    @property
    def measured(self) -> Window:
        """The newest window of which metrics can be taken."""
        return completed(self.at, self.settings.window_hours)

    @property
    def compared(self) -> Window:
        """The newest window that can be compared with trainings."""
        return completed(self.at, self.settings.drift_window_hours)

    @property
    def judged(self) -> Window:
        """The span of which outcomes make up the errors of the newest window."""
        end = self.measured.end
        return Window(end - timedelta(days=self.settings.outcome_days), end)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a transaction of this round."""
        async with self.store.transaction() as transaction:
            await self.fence(transaction)
            yield transaction


def completed(at: datetime, hours: float) -> Window:
    """Return the newest window of so many hours that is over; windows follow one another since 1970, UTC."""
    length = timedelta(hours=hours)
    end = EPOCH + (at - EPOCH) // length * length
    return Window(end - length, end)
