"""The physics of cooled cabinets, many at once.

Two nodes: the air, which the sensor measures, and the goods, which keep the cold:

    C_a dA/dt = G (goods - A) + (U + U_door) (room - A) + inner heat - cooling
    C_g dg/dt = G (A - g)

with G between air and goods, U through the walls and U_door through an open door. Within a step the goods stand still
for the air, so the air follows the exact solution, and the goods take in what it gave them in the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.devices.simulation.hashing import BoolArray, FloatArray
from models.devices.simulation.vending_specs import MachineType, VendingSpec

# The thermostat keeps the air within so many kelvin of its target.
HYSTERESIS = 1.5
AIR_HEAT_CAPACITY = 60_000.0
AIR_TO_GOODS = 40.0
DOOR_LOSS = 40.0
INNER_HEAT = 30.0
ELECTRONICS_WATTS = 35.0
LIGHT_WATTS = 45.0

# The boiler of a coffee machine makes up for its loss and its drinks once they add up to this.
BOILER_WATTS = 2_200.0
BOILER_LOSS_WATTS = 55.0
BOILER_DEBT_JOULES = 90_000.0
JOULES_PER_DRINK = 54_000.0


@dataclass(frozen=True, slots=True)
class _Build:
    """Loss of the walls in W/K, heat capacity of the goods in J/K, cooling and what it draws in W."""

    wall_loss: float
    goods_heat_capacity: float
    cooling: float
    compressor: float


_BUILDS: dict[MachineType, _Build] = {
    "SNACK": _Build(5.0, 90_000.0, 420.0, 210.0),
    "COLD_DRINK": _Build(5.5, 380_000.0, 620.0, 330.0),
    "COFFEE": _Build(1.6, 60_000.0, 260.0, 130.0),
    "COMBO": _Build(5.5, 220_000.0, 560.0, 300.0),
}


@dataclass(frozen=True, slots=True)
class Cabinets:
    """What does not change, each (machines,), in the units of _Build."""

    target: FloatArray
    wall_loss: FloatArray
    goods_heat_capacity: FloatArray
    cooling: FloatArray
    compressor: FloatArray
    makes_coffee: BoolArray

    @classmethod
    def of(cls, specs: Sequence[VendingSpec]) -> "Cabinets":
        """Build the arrays from the specifications."""
        builds = [_BUILDS[spec.machine_type] for spec in specs]
        return cls(
            target=np.array([spec.target_cabinet_temperature for spec in specs], dtype=np.float64),
            wall_loss=np.array([build.wall_loss for build in builds]),
            goods_heat_capacity=np.array([build.goods_heat_capacity for build in builds]),
            cooling=np.array([build.cooling for build in builds]),
            compressor=np.array([build.compressor for build in builds]),
            makes_coffee=np.array([spec.machine_type == "COFFEE" for spec in specs], dtype=np.bool_),
        )


@dataclass(slots=True)
class CabinetState:
    """What moves, each (machines,).

    Attributes:
        air: °C.
        goods: °C.
        calling: whether the thermostat calls for cooling.
        debt: heat owed to the boiler, J.
        heating: whether the boiler heats.
    """

    air: FloatArray
    goods: FloatArray
    calling: BoolArray
    debt: FloatArray
    heating: BoolArray

    @classmethod
    def settled(cls, cabinets: Cabinets) -> "CabinetState":
        """Return cabinets at their target."""
        idle = np.zeros(len(cabinets.target), dtype=np.bool_)
        return cls(cabinets.target.copy(), cabinets.target.copy(), idle.copy(), np.zeros(len(idle)), idle.copy())


@dataclass(frozen=True, slots=True)
class CabinetConditions:
    """What acts on the cabinets, each (steps, machines) but `seconds`, the (steps,) lengths of the steps.

    Attributes:
        room: °C.
        door: whether it is open; the compressor rests meanwhile.
        faulty: whether the compressor does nothing.
        lit: whether the light is on.
        drinks: hot drinks that are made.
        loaded: share of the capacity that is loaded, at the temperature of the room.
    """

    seconds: FloatArray
    room: FloatArray
    door: BoolArray
    faulty: BoolArray
    lit: BoolArray
    drinks: FloatArray
    loaded: FloatArray


def run_cabinets(cabinets: Cabinets, state: CabinetState, given: CabinetConditions) -> tuple[FloatArray, FloatArray]:
    """Run through the steps and leave the state at their end.

    Returns:
        The air's temperature at the end of each step in °C, and the mean power of each step in W, (steps, machines).
    """
    seconds = given.seconds[:, None]
    leak = cabinets.wall_loss + DOOR_LOSS * given.door
    conductance = leak + AIR_TO_GOODS
    steps = conductance * seconds / AIR_HEAT_CAPACITY
    kept = np.exp(-steps)
    mean_kept = -np.expm1(-steps) / steps
    # The air's equilibrium apart from goods and cooling.
    driven = (leak * given.room + INNER_HEAT) / conductance
    to_goods = AIR_TO_GOODS / cabinets.goods_heat_capacity * seconds
    cooling = cabinets.cooling * ~given.faulty / conductance
    works = ~given.door
    goods_share = AIR_TO_GOODS / conductance
    air = np.empty_like(given.room)
    ran = np.empty(given.room.shape, dtype=np.bool_)
    for step in range(len(given.seconds)):
        ran[step] = state.calling & works[step]
        balance = driven[step] + goods_share[step] * state.goods - cooling[step] * ran[step]
        offset = state.air - balance
        state.air = balance + offset * kept[step]
        state.goods = state.goods + to_goods[step] * (balance + offset * mean_kept[step] - state.goods)
        state.goods += given.loaded[step] * (given.room[step] - state.goods)
        state.calling = np.where(
            state.calling, state.air > cabinets.target - HYSTERESIS, state.air > cabinets.target + HYSTERESIS
        )
        air[step] = state.air
    power = ELECTRONICS_WATTS + LIGHT_WATTS * given.lit + cabinets.compressor * (ran & ~given.faulty)
    return air, power + _boiler_power(cabinets, state, given)


def _boiler_power(cabinets: Cabinets, state: CabinetState, given: CabinetConditions) -> FloatArray:
    power = np.zeros_like(given.room)
    if not cabinets.makes_coffee.any():
        return power
    owed = (BOILER_LOSS_WATTS * given.seconds[:, None] + JOULES_PER_DRINK * given.drinks) * cabinets.makes_coffee
    for step, seconds in enumerate(given.seconds.tolist()):
        state.debt = state.debt + owed[step]
        state.heating = np.where(state.heating, state.debt > 0, state.debt > BOILER_DEBT_JOULES)
        paid = np.where(state.heating, np.minimum(state.debt, BOILER_WATTS * seconds), 0.0)
        state.debt = state.debt - paid
        power[step] = paid / seconds
    return power
