"""What the sensors of a vending machine make of the truth: noise, rounding, and now and then nothing at all."""

from dataclasses import dataclass

import numpy as np

from models.devices.simulation.hashing import BoolArray, FloatArray, IntArray, KeyArray, normal, uniform
from models.devices.simulation.sensors import MISSED_CHANNEL_CHANCE, MISSED_READING_CHANCE, Sensor
from models.devices.vending_machine import VENDING_MACHINE

VENDING_SENSORS: dict[str, Sensor] = {
    "cabinet_temperature": Sensor(0.06, 0.0, 1),
    "power": Sensor(0.0, 0.01, 0),
    "cash_level": Sensor(0.0, 0.0, 0),
}
_NOISE_PURPOSE = 900
_LOSS_PURPOSE = 950


@dataclass(frozen=True, slots=True)
class VendingObservation:
    """What was sent, each (instants, machines): whether at all, and by channel; NaN where the channel is missing."""

    sent: BoolArray
    channels: dict[str, FloatArray]


def observe_vending(truth: dict[str, FloatArray], keys: KeyArray, micros: IntArray) -> VendingObservation:
    """Turn the truth, (instants, machines) by channel, into readings at (instants,) microseconds since 1970."""
    loss = uniform(keys, micros[:, None], _LOSS_PURPOSE)
    lost_channel = np.floor((loss - MISSED_READING_CHANCE) / MISSED_CHANNEL_CHANCE)
    channels: dict[str, FloatArray] = {}
    for number, (name, sensor) in enumerate(VENDING_SENSORS.items()):
        deviation = sensor.noise + sensor.relative_noise * truth[name]
        noisy = truth[name] + deviation * normal(keys, micros[:, None], _NOISE_PURPOSE + number)
        shown = VENDING_MACHINE.by_name[name]
        channels[name] = np.clip(np.round(noisy, sensor.decimals), shown.minimum, shown.maximum)
        channels[name][lost_channel == number] = np.nan
    return VendingObservation(loss >= MISSED_READING_CHANCE, channels)
