"""A channel that goes on in another unit is left out of training as it is left out of predictions: by one rule."""

import numpy as np

from models.devices import WATER_HEATER
from models.learning.lifespan import LifespanModel
from models.predictions import PredictionKind
from models.repositories import predictions
from models.store import Store
from resolvers.context import Scope
from resolvers.predicting import training
from resolvers.predicting.data import load_fleet
from resolvers.predicting.fleet import FleetHistories
from resolvers.predicting.jobs import packed, unpacked
from tests.factories import add_heater, settings
from tests.graph import graph_over
from tests.lives import add_days, add_worn_fleet, learn, midnight
from tests.versions import TRAINER

LIFE = PredictionKind.LIFESPAN
# The ratio compares the energy with what the water needed.
LEFT_OUT = {"pressure", "daily_energy", "energy_ratio"}


async def fleet_with_a_change(store: Store) -> int:
    """Store heaters, one of which tells its energy in MJ and its pressure in psi from some day on; return its id."""
    await add_worn_fleet(store, 3)
    id_ = await add_heater(store, installed_at=midnight(60))
    kwh, bar = (lambda day: 9.0 if day < 40 else 32.4), (lambda day: 3.0 if day < 30 else 43.5)
    await add_days(store, id_, 60, kwh=kwh, pressure_mean=bar)
    return id_


async def test_training_leaves_out_what_serving_leaves_out(store: Store):
    """What a training gets of a device gives, at its end, the very features that a prediction of it was made from."""
    changed = await fleet_with_a_change(store)
    await learn(store, LIFE)
    services = graph_over(store, settings(predictions={"reuse_seconds": 0})).services
    row = (await services.predicting.find(services, [(changed, LIFE)]))[changed, LIFE]
    assert isinstance(row, dict)
    served = (await predictions.features_of(store, [row["id"]]))[row["id"]]

    run = await training.request(Scope(services, TRAINER), LIFE, WATER_HEATER.name)
    _, fleet = unpacked(packed(*await training.prepare(services, run)))
    assert isinstance(fleet, FleetHistories)
    place = fleet.device_ids.index(changed)
    model = (await services.models.productions(store, WATER_HEATER.name))[LIFE].model
    assert isinstance(model, LifespanModel)
    for history in (fleet.lives()[place].history, fleet.cases()[place].history):
        (learnt,) = model.features.present([history], np.array([history.times[-1]]))
        names = np.array([name.rpartition(".")[0] != "age" for name in model.feature_names])
        np.testing.assert_array_equal(learnt[names], np.array(served, np.float64)[names])


async def test_only_the_channels_in_doubt_are_left_out(store: Store):
    """All of their days, and what is made of them, are unknown to whoever learns; the other channels are there."""
    changed = await fleet_with_a_change(store)
    fleet = await load_fleet(store, WATER_HEATER.name)
    found = [(id_, change) for id_, each in zip(fleet.device_ids, fleet.unit_changes, strict=True) for change in each]
    assert [(id_, fleet.layout.channels[change.column]) for id_, change in found] == [
        (changed, "pressure"),
        (changed, "daily_energy"),
    ]
    for id_, life, days in zip(fleet.device_ids, fleet.lives(), fleet.days, strict=True):
        assert days == len(life.history.times)
        for column, name in enumerate(fleet.layout.channels):
            is_known = np.isfinite(life.history.values[:, column]).any()
            assert is_known != (id_ == changed and name in LEFT_OUT), (id_, name)
