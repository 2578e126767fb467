"""Models are trained when somebody asks for it, and once by themselves where there is none yet."""

import asyncio
import logging

from app.training import TrainingFailed, carry_out
from app.workers.supervisor import Beat
from resolvers.context import Services
from resolvers.predicting import first_models, methods, training
from resolvers.predicting.training import TrainingEnded

logger = logging.getLogger("iotsphere.training")


class Training:
    """Does the trainings that were asked for, one at a time in this process; others may do others meanwhile."""

    name = "training"

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, beat: Beat) -> None:
        """Look for trainings at each interval."""
        settings = self._services.settings.predictions
        await methods.register_all(self._services.store, self._services.clock())
        while True:
            await training.abandon(self._services)
            if settings.trains_first_models:
                await first_models.request(self._services)
            while await self.train_next(beat):
                beat()
            beat()
            await asyncio.sleep(settings.training_check_seconds)

    async def train_next(self, beat: Beat = lambda: None) -> bool:
        """Do the training that has waited longest; False if none waits."""
        run = await training.take(self._services)
        if run is None:
            return False
        try:
            version = await carry_out(self._services, run, lambda _share: beat())
        except (TrainingFailed, TrainingEnded) as error:
            logger.warning("the training run %d of %s failed: %s", run["id"], run["kind"], error.message)
        else:
            told = "version %d of the model '%s' was trained and is %s"
            logger.info(told, version["version"], version["name"], version["stage"])
        return True
