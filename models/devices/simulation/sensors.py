"""What the sensors make of the truth: noise, rounding, and now and then nothing at all."""

from dataclasses import dataclass

import numpy as np

from models.devices.simulation.hashing import BoolArray, FloatArray, IntArray, KeyArray, normal, uniform
from models.devices.water_heater import WATER_HEATER

MISSED_READING_CHANCE = 0.001
MISSED_CHANNEL_CHANCE = 0.0003
_ENERGY_DECIMALS = 4

_NOISE_PURPOSE = 400
_LOSS_PURPOSE = 450


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor: standard deviation of its noise in the channel's unit and relative to the value, and its decimals."""

    noise: float
    relative_noise: float
    decimals: int


SENSORS: dict[str, Sensor] = {
    "temperature": Sensor(0.08, 0.0, 1),
    "inlet_temperature": Sensor(0.08, 0.0, 1),
    "pressure": Sensor(0.012, 0.0, 2),
    "flow_rate": Sensor(0.0, 0.01, 2),
    "power": Sensor(0.0, 0.008, 0),
}


@dataclass(frozen=True, slots=True)
class Observation:
    """What was sent, each (instants, devices).

    Attributes:
        sent: whether a reading was sent at all.
        channels: by name; NaN where the reading lacks the channel, and for energy also where nothing was sent.
    """

    sent: BoolArray
    channels: dict[str, FloatArray]


def observe(
    truth: dict[str, FloatArray], silent: BoolArray, keys: KeyArray, micros: IntArray, metered: FloatArray
) -> Observation:
    """Turn the truth into readings.

    Args:
        truth: (instants, devices) by channel, in its unit; "energy" is the meter, kWh since the beginning.
        silent: (instants, devices) where an outage keeps a device from sending.
        keys: (devices,) keys of the devices.
        micros: (instants,) microseconds since 1970.
        metered: (devices,) the meter as it was last sent; moved on to what is sent now.

    Returns:
        The readings; values lie within the plausible range of their channel.
    """
    loss = uniform(keys, micros[:, None], _LOSS_PURPOSE)
    sent = ~silent & (loss >= MISSED_READING_CHANCE)
    channels = {name: _sensed(name, value, keys, micros) for name, value in truth.items() if name in SENSORS}
    lost_channel = np.floor((loss - MISSED_READING_CHANCE) / MISSED_CHANNEL_CHANCE)
    for number, value in enumerate(channels.values()):
        value[lost_channel == number] = np.nan
    has_energy = sent & (lost_channel != len(channels))
    channels["energy"] = _energy_since_last(truth["energy"], has_energy, metered)
    return Observation(sent, channels)


def _sensed(name: str, value: FloatArray, keys: KeyArray, micros: IntArray) -> FloatArray:
    sensor, channel = SENSORS[name], WATER_HEATER.by_name[name]
    number = _NOISE_PURPOSE + list(SENSORS).index(name)
    deviation = sensor.noise + sensor.relative_noise * value
    noisy = value + deviation * normal(keys, micros[:, None], number)
    return np.clip(np.round(noisy, sensor.decimals), channel.minimum, channel.maximum)


def _energy_since_last(meter: FloatArray, sent: BoolArray, metered: FloatArray) -> FloatArray:
    """Energy since the meter was last sent, so that nothing is lost where a reading is: the sums stay right.

    The meter is rounded, not the difference: rounding errors do not add up.
    """
    shown = np.round(meter, _ENERGY_DECIMALS)
    known = np.maximum.accumulate(np.concatenate([metered[None], np.where(sent, shown, -np.inf)]), axis=0)
    metered[:] = known[-1]
    return np.where(sent, np.round(shown - known[:-1], _ENERGY_DECIMALS), np.nan)
