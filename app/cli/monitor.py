"""`iotsphere monitor`: one round of the watch over models, by hand."""

import orjson
from rich.markup import escape

from app.cli.console import load_settings, output, run, services_of
from app.workers.leased import holder_name
from models.errors import Conflict
from models.monitoring import HealthStatus
from models.repositories import histories, leases
from models.repositories.prediction_models import MODELS
from models.statements import Row
from models.store import Transaction
from resolvers.context import Services
from resolvers.monitoring.service import evaluate
from resolvers.predicting import methods
from settings.types import Settings

_WORK = "monitoring"


def monitor() -> None:
    """Evaluate all models once, and say how they are.

    Outcomes are matched, metrics taken, drift is looked for, and alerts are raised or resolved. A server does so by
    itself; while one does, this is refused.

    For example:

        iotsphere monitor
    """
    for model, health in run(_round(load_settings())):
        score = "" if health["score"] is None else f", score {health['score']:.2f}"
        output.print(escape(f"Version {model['version']} of the model '{model['name']}': {health['status']}{score}"))
        for reason in orjson.loads(health["reasons"]):
            if reason["status"] != HealthStatus.HEALTHY.value:
                output.print(escape(f"  {reason['status']} {reason['metric']}: {reason['message']}"))


async def _round(settings: Settings) -> list[tuple[Row, Row]]:
    async with services_of(settings) as services:
        holder = holder_name()
        await methods.register_all(services.store, services.clock())
        await _take(services, holder)

        async def fence(transaction: Transaction) -> None:
            if not await leases.confirm(transaction, _WORK, holder):
                raise Conflict("A server has begun to evaluate the models meanwhile.")

        try:
            rows = await evaluate(services, fence=fence)
        finally:
            async with services.store.transaction() as transaction:
                await leases.release(transaction, _WORK, holder)
        models = await histories.by_ids(services.store, MODELS, [row["model_id"] for row in rows])
        return [(model, row) for model, row in zip(models, rows, strict=True) if model is not None]


async def _take(services: Services, holder: str) -> None:
    # As long as a whole round may take: nobody renews it.
    seconds = services.settings.monitoring.lease_seconds * 100
    async with services.store.transaction() as transaction:
        if not await leases.hold(transaction, _WORK, holder, seconds):
            raise Conflict("A server evaluates the models already; ask it, or stop it first.")
