"""The hours that the comparison of channels learns from: which are left out, and what is said if few remain."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from models.devices import KINDS
from models.learning import residuals
from models.learning.boosting import NothingToLearn
from models.predictions import PredictionKind
from models.reading_hours import HOUR
from models.repositories import reading_hours
from models.store import Store
from resolvers.context import Scope, Services
from resolvers.predicting import training
from resolvers.predicting.fleet_hours import load_fleet_hours
from resolvers.predicting.hour_steps import baseline_columns_of, columns_of, step_layout
from resolvers.predicting.jobs import learn, packed, unpacked
from resolvers.predicting.residual_findings import looks_of
from tests.app.running import SetClock, services_over
from tests.coupled import CHANNELS, PER_HOUR, add_coupled, coupled
from tests.factories import MIDDAY, add_heater
from tests.lifetimes import add_failure
from tests.versions import TRAINER

HEATERS = "WATER_HEATER"
NOW = MIDDAY.replace(hour=0)
TOO_LITTLE = r"Too little history to learn how channels go together: 0 days of 0 devices"
BAR_TO_MEGAPASCAL = 0.1


@pytest.fixture
def services(store: Store) -> Services:
    """Services whose time stands still."""
    return services_over(store, SetClock(NOW), ingest={"max_batch_size": 1000})


async def learnt(services: Services) -> dict[str, Any]:
    """Return what a training of the fleet gives, through the bytes that a process would be sent."""
    run = await training.begin(Scope(services, TRAINER), PredictionKind.ANOMALY, HEATERS)
    return learn(*unpacked(packed(*await training.prepare(services, run))), lambda _share: None)


@pytest.mark.parametrize("readings", [0, 1, PER_HOUR, 5 * PER_HOUR, 30 * PER_HOUR])
async def test_devices_with_hardly_any_hours(services: Services, readings: int):
    """None, one reading, a whole hour, a few, and more than a day of them: one sentence says what is needed."""
    values = coupled(3, 2)[:, -readings:] if readings else coupled(3, 2)[:, :0]
    await add_coupled(services, values, NOW)
    with pytest.raises(NothingToLearn, match=TOO_LITTLE):
        await learnt(services)


async def test_a_fleet_without_a_device_in_good_order(services: Services):
    """Devices that have failed again and again leave no day to learn from, and neither do devices of no hour."""
    for id_ in await add_coupled(services, coupled(2, 4), NOW):
        await add_failure(services.store, id_, NOW - HOUR)
    await add_heater(services.store)
    with pytest.raises(NothingToLearn, match=TOO_LITTLE):
        await learnt(services)


async def with_a_change(services: Services) -> list[int]:
    """Store heaters, the second of which tells its pressure in MPa for the last six of twelve days."""
    values = coupled(3, 12)
    values[1, values.shape[1] // 2 :, CHANNELS.index("pressure")] *= BAR_TO_MEGAPASCAL
    return await add_coupled(services, values, NOW)


async def test_a_channel_in_another_unit_is_not_learnt_from(services: Services):
    """All hours of it are left out, of that device; its other channels, and the other devices, are there."""
    await with_a_change(services)
    loaded = await load_fleet_hours(services.store, HEATERS, NOW, 60)
    layout = step_layout(KINDS[HEATERS])
    known = np.array(np.isfinite(loaded.steps).any(axis=1))
    for device, row in enumerate(known.tolist()):
        for name, is_known in zip(layout.inputs, row, strict=True):
            channel = name.partition(".")[0]
            if channel in CHANNELS:
                assert is_known == ((device, channel) != (1, "pressure")), (device, name)


async def test_the_first_days_in_another_unit_are_no_fault_to_learn(services: Services):
    """A look at the second day after the change cannot tell it yet; by what came later, the training can."""
    await with_a_change(services)
    layout = step_layout(KINDS[HEATERS])
    loaded = await load_fleet_hours(services.store, HEATERS, NOW, 60)
    seen = residuals.see(layout, residuals.look_at(layout, loaded.steps[1], loaded.first, [loaded.end - 4 * 24]))
    pressure = layout.channels.index("pressure")
    assert not np.isfinite(seen.targets[:, :, pressure]).any()
    assert np.isfinite(seen.targets[:, :, layout.channels.index("power")]).all()


async def test_training_leaves_out_what_serving_leaves_out(services: Services):
    """The newest look of the changed device is the same to both."""
    ids = await with_a_change(services)
    kind, store = KINDS[HEATERS], services.store
    layout = step_layout(kind)
    loaded = await load_fleet_hours(store, HEATERS, NOW, 60)
    baseline, newest = [
        await reading_hours.load(store, HEATERS, ids, NOW - timedelta(hours=hours), NOW, columns)
        for hours, columns in ((696, baseline_columns_of(kind)), (72, columns_of(kind)))
    ]
    served = residuals.see(layout, looks_of(kind, baseline, newest, ids, loaded.end))
    looks = [residuals.look_at(layout, steps, loaded.first, [loaded.end]) for steps in loaded.steps]
    seen = residuals.see(layout, residuals.joined(layout, looks))
    assert served.changed[1, layout.channels.index("pressure")]
    for name in ("features", "targets", "level", "scale"):
        assert np.array_equal(getattr(served, name), getattr(seen, name), equal_nan=True), name
