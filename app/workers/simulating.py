"""The demo fleet is kept alive."""

import asyncio
import logging
from typing import TYPE_CHECKING

from app.workers.supervisor import Beat
from resolvers.context import Services

if TYPE_CHECKING:
    from app.demo import LiveFleet

logger = logging.getLogger("iotsphere.simulator")

_WAIT_FOR_FLEET_SECONDS = 30


class Simulating:
    """Sends the readings of the demo fleet through the same ingestion that clients use.

    Attributes:
        stored_count: readings that it has stored so far.
    """

    name = "simulator"

    def __init__(self, services: Services) -> None:
        self._services = services
        self.stored_count = 0

    async def run(self, beat: Beat) -> None:
        """Catch up with the time since the last reading, then go on with the clock."""
        fleet = await self._found(beat)
        count = await fleet.catch_up()
        self.stored_count += count
        logger.info("%d demo devices are alive; %d readings filled the gap since their last ones", len(fleet), count)
        beat()
        while True:
            await asyncio.sleep(fleet.seconds_to_next())
            self.stored_count += await fleet.step()
            beat()

    async def _found(self, beat: Beat) -> "LiveFleet":
        # Of no use to servers without a demo fleet, whose start it would make longer.
        from app.demo import open_fleet  # noqa: PLC0415

        fleet = await open_fleet(self._services)
        if fleet is None:
            logger.info("there is no demo fleet to keep alive; 'iotsphere demo' makes one")
        while fleet is None:
            beat()
            await asyncio.sleep(_WAIT_FOR_FLEET_SECONDS)
            fleet = await open_fleet(self._services)
        return fleet
