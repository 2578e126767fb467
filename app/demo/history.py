"""Simulated time becomes stored readings."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from app.demo.fleet import DemoHeater, known_mode
from app.progress import Progress, silent
from models.devices.simulation import FleetSimulation, Incident
from models.repositories import devices
from resolvers.context import Services

INTERVAL_SECONDS = 60
BATCH_SIZE = 10_000

_CONTROLS = frozenset({"target_temperature", "mode"})


class History:
    """Heaters whose simulated readings are stored through the ingestion that clients use.

    Args:
        heaters: at least one.
        simulation: of these heaters, in their order.

    Attributes:
        interval_seconds: between the readings of a history.
    """

    interval_seconds = INTERVAL_SECONDS

    def __init__(self, services: Services, heaters: Sequence[DemoHeater], simulation: FleetSimulation) -> None:
        self._services = services
        self._heaters = heaters
        self._simulation = simulation

    @classmethod
    async def begun(cls, services: Services, heaters: Sequence[DemoHeater], start: datetime) -> Self:
        """Return the history of heaters from an instant on."""
        specs, seed = [heater.spec for heater in heaters], services.settings.simulator.seed
        return cls(services, heaters, await asyncio.to_thread(FleetSimulation, specs, seed, start))

    def __len__(self) -> int:
        return len(self._heaters)

    @property
    def now(self) -> datetime:
        """The instant up to which the heaters have run."""
        return self._simulation.now

    async def obey(self) -> None:
        """Take over the controls that the database holds."""
        ids = [heater.device_id for heater in self._heaters]
        for index, row in enumerate(await devices.by_ids(self._services.store, ids, _CONTROLS)):
            if row is not None:
                mode = known_mode(self._heaters[index].spec, row["mode"])
                self._simulation.set_controls(index, row["target_temperature"], mode)

    def stage(self, incident: Incident) -> None:
        """Let something happen to a heater."""
        self._simulation.stage(incident)

    async def advance(self, until: datetime, interval_seconds: float, progress: Progress = silent) -> int:
        """Go on to an instant, one reading of each heater per interval; return how many readings were new.

        The next block is simulated in a thread while the last one is stored.

        Raises:
            Unavailable: the database cannot be reached; begin anew from what it holds.
        """
        ids = [heater.device_id for heater in self._heaters]
        size = min(BATCH_SIZE, self._services.settings.ingest.max_batch_size)
        start, accepted = self._simulation.now, 0
        blocks = self._simulation.advance(until, interval_seconds)
        block = await asyncio.to_thread(next, blocks, None)
        while block is not None:
            reached = self._simulation.now
            following = asyncio.create_task(asyncio.to_thread(next, blocks, None))
            try:
                for batch in block.batches(ids, size):
                    accepted += (await self._services.ingest.record(batch)).accepted_count
            finally:
                block = await following
            progress("readings", (reached - start) / (until - start))
        return accepted
