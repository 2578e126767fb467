"""What is finished is deleted when it is old enough."""

import asyncio
import logging
from datetime import datetime, timedelta
from time import monotonic

from app.workers.removing import Counted
from app.workers.supervisor import Beat
from models.clock import Clock, now
from models.repositories import retention
from models.repositories.retention import STEP_ROWS, Finished, Place
from models.store import Store
from resolvers.monitoring.rounds import Fence
from settings.types import Settings

logger = logging.getLogger("iotsphere.workers")


class Forgetting:
    """Deletes what is finished for as long as the settings say, in short transactions with a pause after each.

    Args:
        store: where.
        settings: how long things are kept, and what is needed of them meanwhile.
        fence: called first in each transaction.
        counted: told of what was deleted.
        clock: tells the present instant.
        step_rows: the most rows that one transaction looks at.
    """

    name = "retention"

    def __init__(  # noqa: PLR0917 - the parts that it is made of
        self,
        store: Store,
        settings: Settings,
        fence: Fence,
        counted: Counted,
        clock: Clock = now,
        step_rows: int = STEP_ROWS,
    ) -> None:
        self._store = store
        self._interval_seconds = settings.retention.check_seconds
        self._kept_days = kept_days(settings)
        self._fence = fence
        self._counted = counted
        self._clock = clock
        self._step_rows = step_rows

    async def run(self, beat: Beat) -> None:
        """Look for what is old at each interval."""
        while True:
            await self.check(beat)
            beat()
            await asyncio.sleep(self._interval_seconds)

    async def check(self, beat: Beat = lambda: None) -> dict[Finished, int]:
        """Delete what is old, and return how many of each were, where there were any."""
        deleted: dict[Finished, int] = {}
        for what, days in self._kept_days.items():
            count = await self._forget(what, self._clock() - timedelta(days=days), beat)
            if count:
                deleted[what] = count
        if deleted:
            told = ", ".join(f"{count} {what.value}" for what, count in deleted.items())
            logger.info("what was finished for long was deleted: %s", told)
        return deleted

    async def _forget(self, what: Finished, before: datetime, beat: Beat) -> int:
        total, place = 0, Place()
        while place is not None:
            began = monotonic()
            async with self._store.transaction() as transaction:
                await self._fence(transaction)
                count, place = await retention.forget(transaction, what, before, place, self._step_rows)
            self._counted(what.value, count)
            total += count
            beat()
            await asyncio.sleep(monotonic() - began)
        return total


def kept_days(settings: Settings) -> dict[Finished, float]:
    """Return how many days things are kept when they are finished; what is kept for ever is absent.

    Whatever is set, all is kept for as long as the watch over models looks back on it.
    """
    retained, watch = settings.retention, settings.monitoring
    windows = 2 * max(watch.window_hours, watch.drift_window_hours * watch.drift_windows_of) / 24
    reused = settings.predictions.reuse_seconds / 86_400
    days = {
        Finished.ALERTS: retained.alerts_days,
        Finished.MODEL_ALERTS: retained.model_alerts_days,
        Finished.ANOMALIES: retained.anomalies_days,
        Finished.JUDGED_ANOMALIES: retained.judged_anomalies_days,
        Finished.PREDICTIONS: retained.predictions_days,
        Finished.MODEL_METRICS: retained.model_metrics_days,
        Finished.MODEL_DRIFT: watch.drift_retention_days,
    }
    judged = watch.outcome_days + settings.anomaly_health.lead_days
    needed = {
        Finished.ANOMALIES: judged,
        Finished.JUDGED_ANOMALIES: judged,
        Finished.PREDICTIONS: max(settings.predictions.horizon_days + watch.outcome_days, windows, reused),
        Finished.MODEL_METRICS: windows,
        Finished.MODEL_DRIFT: windows,
    }
    return {what: max(each, needed.get(what, 0.0)) for what, each in days.items() if each}
