"""A served town of water heaters whose days a test lets pass: readings, predictions, rounds of the watch."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from app.asgi import create_app
from app.demo.fleet import demo_heaters, specifications
from app.demo.history import History
from models.devices.simulation import FleetSimulation, Surroundings
from resolvers.context import Services
from resolvers.monitoring.service import evaluate
from resolvers.summing import sum_up
from tests import factories
from tests.app.running import SetClock
from tests.dashboards import ask
from tests.serving import serving

LIVING, RETIRED = 32, 12
# Half an hour after midnight the hours of the day before can be summed up.
BEGIN = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)

_HOUR_SECONDS = 3600
_STEP_SECONDS = 600
_PREDICT = """query Predict {
  waterHeaters(first: 100) { nodes { predictions { lifespan { remainingDays model { version } } } } }
}"""


@dataclass
class Town:
    """A server, and the simulated heaters whose readings it gets.

    Attributes:
        url: of the server.
        client: of it.
        services: of its process.
        clock: that it goes by.
        history: of the living heaters.
    """

    url: str
    client: httpx.AsyncClient
    services: Services
    clock: SetClock
    history: History

    async def live(self, days: int) -> None:
        """Let days pass in which nobody asks anything."""
        self.clock.forward(days=days)
        await self.history.advance(self.clock(), _HOUR_SECONDS)
        await sum_up(self.services.store, self.clock(), patient=True)

    async def day(self) -> list[int]:
        """Let a day pass, ask for predictions of all heaters, watch the models; return the versions that predicted."""
        await self.live(1)
        nodes = (await ask(self.client, _PREDICT))["waterHeaters"]["nodes"]
        found = [node["predictions"]["lifespan"] for node in nodes]
        await evaluate(self.services)
        return [each["model"]["version"] for each in found if each is not None]


@asynccontextmanager
async def served(database_url: str, surroundings: Sequence[Surroundings]) -> AsyncGenerator[Town]:
    """Serve the demo's heaters and their past over a migrated database; from BEGIN on the test moves the clock."""
    clock = SetClock(BEGIN)
    settings = factories.settings(
        database={"url": database_url},
        ingest={"max_batch_size": 10_000, "max_commit_size": 20_000},
        simulator={
            "device_count": LIVING,
            "retired_count": RETIRED,
            "history_days": 0,
            "coarse_history_days": 40,
        },
        predictions={"training_trees": 20, "training_max_rows": 1500},
        # A window of a day, for a week to have several; the rounds are done by the test.
        monitoring={"check_seconds": 86_400, "drifted_warning_share": 0.04},
        # The error that is estimated from the certainty alone is uncertain by a half in a fleet as small as this.
        lifespan_health={"mae_warning_ratio": 2},
    )
    app: Any = create_app(settings, seeds_demo=True, clock=clock)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        services = app.state.parts.runtime.services
        await sum_up(services.store, clock(), patient=True)
        heaters = demo_heaters(*await specifications(services.store, settings.simulator, clock()))
        simulation = FleetSimulation(
            [heater.spec for heater in heaters],
            settings.simulator.seed,
            BEGIN,
            longest_step_seconds=_STEP_SECONDS,
            surroundings=surroundings,
        )
        yield Town(url, client, services, clock, History(services, heaters, simulation))
