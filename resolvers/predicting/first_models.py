"""The first versions of models: asked for by the server itself, as soon as there is something to learn from."""

from datetime import datetime, timedelta

from models.devices import KINDS
from models.errors import Conflict
from models.predictions import PredictionKind, TrainingState
from models.principal import Principal, Role
from models.repositories import asked_hours, fleet_histories, prediction_models, training_runs
from models.statements import Row
from models.store import Store
from resolvers.context import Scope, Services
from resolvers.predicting import fleet_hours, training
from resolvers.predicting.methods import METHODS

SERVER = Principal("server", Role.OPERATOR)
# Hours that end now are summed in minutes; older ones that wait are a fleet's past which is being read in.
_SUMMED_WITHIN = timedelta(hours=3)
_TRIED_AGAIN_AFTER = timedelta(hours=1)
_TRIED_AGAIN_LATE = timedelta(days=1)
_FEWEST_DEVICES = 2


async def request(services: Services) -> None:
    """Ask for the trainings of models that have no version yet, where there are devices and failures to learn from."""
    for device_kind, described in KINDS.items():
        ids = await prediction_models.in_production(services.store, device_kind)
        missing = [
            kind
            for kind in training.TRAINED_KINDS
            if kind in described.predicted and (kind.value not in ids or kind in METHODS)
        ]
        if missing and await _is_ready(services.store, device_kind, services.clock()):
            for kind in missing:
                await _request(services, kind, device_kind)


async def _is_ready(store: Store, device_kind: str, at: datetime) -> bool:
    if await asked_hours.asked(store, device_kind, at - _SUMMED_WITHIN, 1):
        return False
    return await fleet_histories.count_devices(store, device_kind) >= _FEWEST_DEVICES


def _is_to_be_tried_again(kind: PredictionKind, before: Row, at: datetime) -> bool:
    if kind not in METHODS:
        return at - before["requested_at"] >= _TRIED_AGAIN_AFTER
    # Devices are predicted without it as well; and whether it is better than the method is known after the first.
    return before["state"] != TrainingState.SUCCEEDED.value and at - before["requested_at"] >= _TRIED_AGAIN_LATE


async def _request(services: Services, kind: PredictionKind, device_kind: str) -> None:
    least = services.settings.predictions.min_failures
    if (
        kind is PredictionKind.MULTI_FACTOR
        and await fleet_histories.count_failures(services.store, device_kind) < least
    ):
        return
    before = await training_runs.newest(services.store, kind.value, device_kind)
    if before is not None and not _is_to_be_tried_again(kind, before, services.clock()):
        return
    if kind is PredictionKind.ANOMALY and not await fleet_hours.is_enough(
        services.store, device_kind, services.clock()
    ):
        return
    try:
        await training.request(Scope(services, SERVER), kind, device_kind)
    except Conflict:
        # Another process was quicker.
        return
