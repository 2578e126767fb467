"""New versions: asked for where an alert stands that a training can help with, promoted where they are not worse."""

import logging
from datetime import timedelta

from models.errors import Conflict
from models.monitoring import EXTERNAL
from models.predictions import PredictionKind
from models.repositories import monitored_models, training_runs
from models.statements import Row
from resolvers.context import Scope
from resolvers.monitoring.rounds import Round
from resolvers.predicting import training
from resolvers.predicting.first_models import SERVER
from resolvers.predicting.promotion import promote

logger = logging.getLogger("iotsphere.models")

_REASON = "Trained by the server because of an alert of the version before, and not worse than that."


async def request(watch: Round, model: Row) -> Row | None:
    """Ask for a training of a version in production of which an alert stands; None where there is none to ask for."""
    kind = PredictionKind(model["kind"])
    if not watch.settings.trains_when_drifting or model["method"] == EXTERNAL or kind not in training.TRAINED_KINDS:
        return None
    if not watch.settings.promotes_better and await monitored_models.newest_candidate(watch.store, model, SERVER.name):
        # One waits for people to look at it.
        return None
    before = await training_runs.newest(watch.store, model["kind"], model["device_kind"])
    pause = timedelta(hours=watch.settings.training_pause_hours)
    if before is not None and (before["finished_at"] is None or watch.at - before["requested_at"] < pause):
        return None
    try:
        run = await training.request(Scope(watch.services, SERVER), kind, model["device_kind"])
    except Conflict:
        # Somebody was quicker.
        return None
    logger.info("a new version of the model '%s' is asked for: an alert of it stands", model["name"])
    return run


async def promote_better(watch: Round, model: Row) -> Row | None:
    """Promote the newest version that the server has asked for since, if it is not worse; None if there is none."""
    if not watch.settings.promotes_better or model["method"] == EXTERNAL:
        return None
    candidate = await monitored_models.newest_candidate(watch.store, model, SERVER.name)
    if candidate is None:
        return None
    try:
        promoted = await promote(Scope(watch.services, SERVER), candidate["id"], force=False, reason=_REASON)
    except Conflict as conflict:
        # It stays a candidate: people may look at it.
        logger.info("%s", conflict.message)
        return None
    logger.info("version %d of the model '%s' was promoted", candidate["version"], model["name"])
    return promoted.model
