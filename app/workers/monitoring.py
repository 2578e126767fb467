"""Models are watched: in one process of several, round after round."""

import asyncio

from app.workers.supervisor import Beat
from resolvers.context import Services
from resolvers.monitoring.rounds import Fence
from resolvers.monitoring.service import evaluate


class Monitoring:
    """Evaluates models at each interval: their outcomes, metrics, drift, health, alerts and new versions."""

    name = "monitoring"

    def __init__(self, services: Services, fence: Fence) -> None:
        self._services = services
        self._fence = fence

    async def run(self, beat: Beat) -> None:
        """Evaluate all models, again and again."""
        while True:
            await evaluate(self._services, fence=self._fence)
            beat()
            await asyncio.sleep(self._services.settings.monitoring.check_seconds)
