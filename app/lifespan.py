"""What a server runs on, from start to stop."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from app.database import effective, opened
from app.progress import Progress, silent
from app.telemetry import MeasuredIngest, Telemetry
from app.workers import (
    AlertWatching,
    Forgetting,
    Leased,
    Monitoring,
    Partitioning,
    Removing,
    SilenceWatching,
    Simulating,
    Summing,
    Supervisor,
    Training,
    Worker,
)
from models.clock import Clock, now
from models.store import Store
from resolvers.alerting import Alerting
from resolvers.context import Services
from resolvers.monitoring.rounds import Fence
from settings.types import Settings


class Runtime:
    """The parts of one application; made before anything is opened, so that the application can be wired.

    Args:
        settings: of one environment.
        clock: tells the present instant.

    Attributes:
        services: what operations work with.
        telemetry: what is counted.
        supervisor: runs the background workers.
    """

    def __init__(self, settings: Settings, clock: Clock = now) -> None:
        settings = effective(settings)
        store = Store(settings.database, settings.events)
        self.telemetry = Telemetry()
        alerting = Alerting(settings, clock)
        ingest = MeasuredIngest(store, settings, alerting, self.telemetry, clock)
        self.services = Services(settings, store, ingest, alerting, clock)
        workers = _workers(self.services, self.telemetry)
        self.supervisor = Supervisor(workers, on_failure=self.telemetry.worker_failed)
        for worker in workers:
            if isinstance(worker, Leased):
                self.telemetry.watch_lease(worker.name, lambda worker=worker: worker.is_held)
        self.telemetry.watch_log(lambda: store.log.newest.id)

    @asynccontextmanager
    async def running(self, progress: Progress = silent, *, seeds_demo: bool = False) -> AsyncGenerator[None]:
        """Run everything while this context is open.

        At its end the parts stop in reverse: workers first, then what is being stored is waited for, then the event log
        and the database are closed.

        Args:
            progress: told how far seeding is.
            seeds_demo: make the demo fleet first; mock data is always seeded.

        Raises:
            MigrationsPending: the database lacks the tables of this version.
            Unavailable: it cannot be reached.
        """
        services = self.services
        async with opened(services.store):
            if seeds_demo or services.settings.data.source == "mock":
                # Of no use to other servers, whose start it would make longer.
                from app.demo import seed  # noqa: PLC0415

                await seed(services, progress)
            async with services.store.log.tailing():
                try:
                    async with self.supervisor.running():
                        yield
                finally:
                    await services.ingest.close()


def _workers(services: Services, telemetry: Telemetry) -> list[Worker]:
    workers: list[Worker] = [
        SilenceWatching(services.store, services.alerting, services.settings.devices, services.clock),
        AlertWatching(services.store, services.alerting, services.settings.alerts),
        Summing(services.store, services.clock),
        Training(services),
        _leased(services, lambda fence: Monitoring(services, fence)),
        _leased(services, lambda fence: Removing(services.store, fence, telemetry.removed)),
        _leased(
            services,
            lambda fence: Forgetting(services.store, services.settings, fence, telemetry.removed, services.clock),
        ),
    ]
    if services.store.dialect == "postgresql":
        workers.append(Partitioning(services.store))
    if services.settings.simulator.enabled:
        # One fleet, however many servers there are. Ingestion refuses what comes twice, so it needs no fence.
        workers.append(_leased(services, lambda _fence: Simulating(services)))
    return workers


def _leased(services: Services, make: Callable[[Fence], Worker]) -> Worker:
    return Leased(services.store, make, services.settings.monitoring.lease_seconds)
