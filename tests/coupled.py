"""Heaters whose channels go together: what is drawn is heated again, cools the tank, and lowers the pressure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from models.readings import ReadingBatch
from resolvers.context import Services
from resolvers.summing import sum_up
from tests.factories import add_heater

CHANNELS = ("temperature", "inlet_temperature", "pressure", "flow_rate", "power")
PER_HOUR = 4
_STEP = timedelta(minutes=60 // PER_HOUR)
_DAY_STEPS = 24 * PER_HOUR


def coupled(devices: int, days: int, seed: int = 1, per_hour: int = PER_HOUR) -> np.ndarray:
    """Return (devices, readings, channels) values; levels differ from device to device, the physics does not."""
    random = np.random.default_rng(seed)
    count, of_day = days * 24 * per_hour, 24 * per_hour
    hour = np.arange(count) % of_day / per_hour
    busy = 0.1 + 0.6 * ((hour >= 6) & (hour < 9)) + 0.5 * ((hour >= 18) & (hour < 22))
    flow = np.where(random.random((devices, count)) < busy, random.gamma(3, 1.0, (devices, count)), 0.0)
    drawn = flow + 0.5 * np.roll(flow, 1, axis=1)
    noise = random.normal(size=(5, devices, count))
    rated = random.uniform(1500, 4000, (devices, 1))
    power = np.clip(rated * drawn / 5 + 20 * noise[0], 0, rated)
    temperature = random.uniform(48, 62, (devices, 1)) - 0.8 * drawn + 0.2 * noise[1]
    pressure = random.uniform(2.5, 4, (devices, 1)) - 0.08 * flow + 0.02 * noise[2]
    inlet = random.uniform(9, 14, (devices, 1)) + 0.3 * noise[3]
    return np.stack([temperature, inlet, pressure, np.round(flow, 3), power], axis=2)


def without_heating(values: np.ndarray, last: int) -> np.ndarray:
    """Return (readings, channels) values whose last ones draw no power, though water is drawn."""
    changed = values.copy()
    changed[-last:, CHANNELS.index("power")] = 0.0
    return changed


async def add_coupled(services: Services, values: np.ndarray, end: datetime) -> list[int]:
    """Store heaters with such readings, the newest just before an instant, as they come, and sum their hours up."""
    ids = [await add_heater(services.store, created_at=end - timedelta(days=40)) for _ in values]
    for start in range(0, values.shape[1], _DAY_STEPS):
        await _add_day(services, ids, values, start, end)
    await sum_up(services.store, end, patient=True)
    return ids


async def _add_day(services: Services, ids: Sequence[int], values: np.ndarray, start: int, end: datetime) -> None:
    steps = range(start, min(start + _DAY_STEPS, values.shape[1]))
    instants = [end - (values.shape[1] - step) * _STEP for step in steps]
    rows = values[:, start : start + len(instants)]
    channels = {name: rows[:, :, place].reshape(-1).tolist() for place, name in enumerate(CHANNELS)}
    batch = ReadingBatch("WATER_HEATER", [id_ for id_ in ids for _ in instants], instants * len(ids), channels)
    await services.ingest.record(batch)
