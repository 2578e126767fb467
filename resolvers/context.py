"""What an operation works with: the services of the process, and a scope of its own."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from strawberry.dataloader import DataLoader

from models.clock import Clock, now
from models.errors import LimitExceeded
from models.principal import Principal, Right
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.ingest import Ingest
from resolvers.kept_outlooks import KeptOutlooks
from resolvers.loaders import Batch
from resolvers.predicting.explaining import Explaining
from resolvers.predicting.hours import Hours
from resolvers.predicting.registry import Models
from resolvers.predicting.service import Predicting
from settings.types import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What all operations of a process share."""

    settings: Settings
    store: Store
    ingest: Ingest
    alerting: Alerting
    clock: Clock = now
    models: Models = field(default_factory=Models)
    hours: Hours = field(init=False)
    predicting: Predicting = field(default_factory=Predicting)
    explaining: Explaining = field(default_factory=Explaining)
    outlooks: KeptOutlooks = field(default_factory=KeptOutlooks)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hours", Hours(self.settings.predictions.kept_devices))


@dataclass(slots=True)
class Scope:
    """One operation: who calls, its loaders, and how many rows it may still ask for.

    Attributes:
        services: of the process.
        principal: who calls.
        performed: what mutations returned or raised that are done but not answered yet, by response key.
    """

    services: Services
    principal: Principal
    performed: dict[str, Any] = field(default_factory=dict[str, Any])
    _loaders: dict[Batch, DataLoader[Any, Any]] = field(default_factory=dict[Batch, DataLoader[Any, Any]])
    _rows_asked: int = 0

    @property
    def store(self) -> Store:
        """The database."""
        return self.services.store

    def load(self, batch: Batch, key: Hashable) -> Any:
        """Return an awaitable of the batch's result for one key; calls of one turn of the loop share a statement."""
        loader = self._loaders.get(batch)
        if loader is None:

            async def load_fn(keys: list[Any]) -> list[Any]:
                return list(await batch(self, keys))

            loader = self._loaders[batch] = DataLoader[Any, Any](load_fn=load_fn)
        # One field that fails cancels those beside it, and with them what they wait for: others may wait for the same.
        return asyncio.shield(loader.load(key))

    def ask(self, rows: int) -> None:
        """Count rows that a list may return; raises LimitExceeded beyond the operation's budget."""
        self._rows_asked += rows
        allowed = self.services.settings.graphql.max_rows
        if self._rows_asked > allowed:
            raise LimitExceeded(
                f"The lists of this operation may ask for {allowed} rows together (graphql.max_rows), "
                f"not {self._rows_asked}; ask for smaller pages.",
                limit="max_rows",
                allowed=allowed,
            )

    def require(self, right: Right) -> None:
        """Raise Forbidden if the caller lacks a right."""
        self.principal.require(right)

    def renew(self) -> None:
        """Forget what was loaded and counted, to answer the operation once more from the start."""
        self.forget()
        self._rows_asked = 0

    def forget(self) -> None:
        """Forget what was loaded, to see what has changed since."""
        self._loaders.clear()
