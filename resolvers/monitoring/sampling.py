"""A sample of the fleet is predicted once a window: what people look at is no fair picture of the devices."""

from models.devices import KINDS
from models.monitoring import EXTERNAL, MetricName
from models.predictions import PredictionKind
from models.repositories import fleet_histories, model_metrics, monitored_models
from resolvers.monitoring.rounds import Round
from resolvers.predicting.methods import is_untrained

# Whose predictions rest on nothing but counters are measured as people ask for them.
_SAMPLED = (PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR, PredictionKind.ANOMALY)


async def predict(watch: Round) -> int:
    """Predict a sample of each kind of device, if the newest window is yet to be measured; return how many devices.

    The same devices each time: what changes is then no matter of who was drawn.
    """
    count, most = 0, watch.settings.sample_devices
    if not most:
        return 0
    for device_kind, sampled in (await _due(watch)).items():
        ids = await fleet_histories.ids_of_kind(watch.store, device_kind)
        chosen = ids[:: max(-(-len(ids) // most), 1)]
        kinds = [kind for kind in _SAMPLED if kind in KINDS[device_kind].predicted and kind in sampled]
        await watch.services.predicting.find(watch.services, [(id_, kind) for id_ in chosen for kind in kinds])
        count += len(chosen)
    return count


async def _due(watch: Round) -> dict[str, set[PredictionKind]]:
    """Return the kinds of devices of which a model is yet to be measured, and what is predicted of them."""
    sampled: dict[str, set[PredictionKind]] = {}
    due: dict[str, set[PredictionKind]] = {}
    for model in await monitored_models.watched(watch.store):
        if model["method"] == EXTERNAL or is_untrained(model) or PredictionKind(model["kind"]) not in _SAMPLED:
            continue
        kind, volume = model["device_kind"], MetricName.VOLUME.value
        kinds = sampled.setdefault(kind, {PredictionKind.LIFESPAN, PredictionKind.MULTI_FACTOR})
        kinds.add(PredictionKind(model["kind"]))
        if kind not in due and not await model_metrics.is_measured(
            watch.store, model["id"], volume, watch.measured.end
        ):
            due[kind] = kinds
    return due
