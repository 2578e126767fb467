"""The surroundings of the heaters: water from the mains and the air of the room, with the season of the north."""

import numpy as np

from models.devices.simulation.hashing import FloatArray, normal
from models.devices.simulation.wear import SECONDS_PER_YEAR

MEAN_INLET_TEMPERATURE = 11.5
INLET_SEASON_AMPLITUDE = 5.5
INLET_WEATHER_DEVIATION = 0.5
ROOM_SEASON_AMPLITUDE = 2.0
# The ground follows the air by some weeks: its coldest day is in the middle of February.
_COLDEST_DAY = 45

_WEATHER_PURPOSE = 101


def season(seconds: FloatArray) -> FloatArray:
    """Return -1 at the coldest time of the year and 1 at the warmest, for (n,) seconds since 1970."""
    return -np.cos(2 * np.pi * (seconds - _COLDEST_DAY * 86_400) / SECONDS_PER_YEAR)


def inlet_temperature(seconds: FloatArray, seed: int) -> FloatArray:
    """Return the temperature of the mains in °C at (n,) seconds since 1970, the same for the whole town."""
    day, fraction = np.divmod(seconds / 86_400, 1)
    today, tomorrow = (normal(seed, _WEATHER_PURPOSE, day + ahead) for ahead in (0, 1))
    weather = today + (tomorrow - today) * fraction
    return MEAN_INLET_TEMPERATURE + INLET_SEASON_AMPLITUDE * season(seconds) + INLET_WEATHER_DEVIATION * weather


def room_temperature(seconds: FloatArray, yearly_mean: FloatArray) -> FloatArray:
    """Return the air around each heater in °C, (n, devices), from its (devices,) yearly mean."""
    return yearly_mean + ROOM_SEASON_AMPLITUDE * season(seconds)[:, None]
