"""What is known about a water heater, and the physics that its savings rest on.

Constants and where they are from:

- Heat of water 4186 J per litre and kelvin: specific heat 4.186 kJ/(kg K) at 1 kg/L. Tables of the CRC Handbook of
  Chemistry and Physics; at 60 °C a litre holds 1.6 % less.
- Water of 10 °C comes in, where nothing measures it: the cold water of the load profiles in Regulation (EU)
  No 814/2013, Annex III.
- A room of 20 °C, and 45 K above it the water, are the conditions under which standing loss is measured (EN 12897).
- Standing loss S of a tank of V litres is at most 16.66 + 8.33 V^0.4 watts: Regulation (EU) No 814/2013, Annex II,
  point 2.1, the limit for storage tanks sold since 26 September 2017.
- Storage of 50 °C at least, 60 °C above 400 litres: DVGW W 551, which limits the growth of Legionella.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.learning.demand.localtime import FloatArray

JOULES_PER_LITER_KELVIN = 4186.0
JOULES_PER_KWH = 3.6e6
ASSUMED_INLET_TEMPERATURE = 10.0
ASSUMED_ROOM_TEMPERATURE = 20.0
# Standard deviation of rooms in which heaters stand from the assumed one; enters every interval of a loss.
ROOM_DEVIATION = 3.0
_STANDING_LOSS_LIFT = 45.0
_SMALL_TANK_LITERS = 400.0


class HeatSource(StrEnum):
    """How a heater makes heat; named as in the catalogue of devices."""

    RESISTIVE = "RESISTIVE"
    HEAT_PUMP = "HEAT_PUMP"
    HYBRID = "HYBRID"
    GAS = "GAS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heater:
    """A water heater; temperatures in °C.

    Attributes:
        source: how it makes heat.
        capacity_liters: volume of the tank.
        rated_power_watts: the most that it draws.
        target_temperature: what its thermostat is set to.
        min_temperature: the lowest that it may be set to.
        max_temperature: the highest that it may be set to.
        efficiency: heat into the water per energy drawn, if the maker tells; a resistive one is taken to be 1.
    """

    source: HeatSource
    capacity_liters: float
    rated_power_watts: float
    target_temperature: float
    min_temperature: float
    max_temperature: float
    efficiency: float | None = None

    @property
    def heat_capacity(self) -> float:
        """J/K of the water in the tank."""
        return self.capacity_liters * JOULES_PER_LITER_KELVIN

    @property
    def known_efficiency(self) -> float | None:
        """Heat into the water per energy drawn, where it needs no measuring."""
        if self.efficiency is not None:
            return self.efficiency
        return 1.0 if self.source is HeatSource.RESISTIVE else None

    @property
    def coldest_hygienic(self) -> float:
        """Temperature below which the store should not be kept, °C (DVGW W 551)."""
        return 50.0 if self.capacity_liters <= _SMALL_TANK_LITERS else 60.0


def reference_loss(capacity_liters: FloatArray) -> FloatArray:
    """Return W/K that tanks of (n,) litres may lose when new.

    Source: Regulation (EU) No 814/2013, Annex II, point 2.1, over the 45 K at which standing loss is measured.
    """
    return (16.66 + 8.33 * np.power(capacity_liters, 0.4)) / _STANDING_LOSS_LIFT
