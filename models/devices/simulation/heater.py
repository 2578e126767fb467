"""The physics of storage water heaters, many at once.

One fully mixed node per tank:

    C dT/dt = heat + UA (room - T) + c m (inlet - T)

with C the tank's heat capacity, UA its standing loss, m the water drawn, c the heat of water. Within a step everything
but T is constant, so the step is the exact solution and no step is too long to be stable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.devices.simulation.controls import Controls
from models.devices.simulation.hashing import BoolArray, FloatArray
from models.devices.simulation.specs import HeaterSpec

JOULES_PER_LITER_KELVIN = 4186.0
JOULES_PER_KWH = 3.6e6
TAP_TEMPERATURE = 40.0
# The safety cut-out opens this far above the highest temperature that may be set.
CUT_OUT_MARGIN = 14.0
# A heat pump's coefficient of performance: at a lift of 25 K, what each further kelvin costs, and its bounds.
COP_AT_25_KELVIN = 3.4
COP_LOSS_PER_KELVIN = 0.035
COP_BOUNDS = (1.5, 3.8)
# Warming water in a closed tank raises its pressure; an open tap lets it out at once, the check valve in hours.
EXPANSION_BAR_PER_KELVIN = 0.045
EXPANSION_RELAX_SECONDS = 9_000.0
EXPANSION_DRAWN_SECONDS = 20.0
# In a longer step than this the thermostat would let the water get hotter by more than a kelvin.
LONGEST_WHOLE_STEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Tanks:
    """What does not change about the tanks, each (devices,)."""

    heat_capacity: FloatArray
    loss: FloatArray
    efficiency: FloatArray
    cut_out: FloatArray

    @classmethod
    def of(cls, specs: Sequence[HeaterSpec]) -> "Tanks":
        """Build the arrays from the specifications."""
        return cls(
            heat_capacity=np.array([spec.capacity_liters for spec in specs]) * JOULES_PER_LITER_KELVIN,
            loss=np.array([spec.standing_loss_watts_per_kelvin for spec in specs], dtype=np.float64),
            efficiency=np.array([spec.efficiency for spec in specs], dtype=np.float64),
            cut_out=np.array([spec.max_temperature for spec in specs]) + CUT_OUT_MARGIN,
        )


@dataclass(slots=True)
class TankState:
    """What moves, each (devices,).

    Attributes:
        temperature: of the water, °C.
        calling: whether the thermostat calls for heat.
        expansion: pressure above that of the supply, bar.
        energy: drawn since the beginning, kWh.
    """

    temperature: FloatArray
    calling: BoolArray
    expansion: FloatArray
    energy: FloatArray


@dataclass(frozen=True, slots=True)
class Conditions:
    """What acts on the tanks, each (steps, devices) but `seconds`, the (steps,) lengths of the steps.

    Attributes:
        tempered: flow at taps that mix cold water in, L/min at the tap.
        direct: flow that the tank alone supplies, L/min.
        leak: water that seeps away, L/min.
        inlet: temperature of the mains, °C.
        room: temperature of the air, °C.
        heat_transfer: share of the produced heat that reaches the water.
        power_factor: share of the rated power that is available.
        sensor_offset: what the thermostat reads above the true temperature, K.
        stuck: whether the thermostat cannot switch off.
    """

    seconds: FloatArray
    tempered: FloatArray
    direct: FloatArray
    leak: FloatArray
    inlet: FloatArray
    room: FloatArray
    heat_transfer: FloatArray
    power_factor: FloatArray
    sensor_offset: FloatArray
    stuck: BoolArray


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened, each (steps, devices): state at a step's end, flow (L/min) during it, power (W) of heating."""

    temperature: FloatArray
    flow: FloatArray
    power: FloatArray
    heating: BoolArray
    expansion: FloatArray
    energy: FloatArray

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> "Trace":
        """Make room for a trace of (steps, devices)."""
        return cls(
            np.empty(shape),
            np.empty(shape),
            np.empty(shape),
            np.empty(shape, np.bool_),
            np.empty(shape),
            np.empty(shape),
        )


def run(tanks: Tanks, state: TankState, controls: Controls, given: Conditions) -> Trace:
    """Advance the tanks through all steps of the conditions; `state` is moved on."""
    trace = Trace.empty(given.leak.shape)
    for step in range(len(given.seconds)):
        heating, power, share, heat = _fire(tanks, state, controls, given, step)
        flow = _hot_flow(state.temperature, given, step)
        before = state.temperature
        state.temperature = _mixed(tanks, before, heat, flow, given=given, step=step)
        state.expansion = _expansion(state, before, flow, given.seconds[step])
        state.energy = state.energy + power * share * (given.seconds[step] / JOULES_PER_KWH)
        trace.temperature[step] = state.temperature
        trace.flow[step] = flow
        trace.power[step] = power
        trace.heating[step] = heating
        trace.expansion[step] = state.expansion
        trace.energy[step] = state.energy
    return trace


def coefficient_of_performance(water: FloatArray, room: FloatArray) -> FloatArray:
    """Heat per electricity of a heat pump that takes its heat from the room; falls as the water gets hotter."""
    lift = water - room
    # np.clip costs three times as much on arrays as short as these.
    cop = COP_AT_25_KELVIN - COP_LOSS_PER_KELVIN * (lift - 25)
    return np.minimum(np.maximum(cop, COP_BOUNDS[0]), COP_BOUNDS[1])


def _fire(
    tanks: Tanks, state: TankState, controls: Controls, given: Conditions, step: int
) -> tuple[BoolArray, FloatArray, FloatArray | float, FloatArray]:
    """Let the thermostats decide; return whether each heats, its power in W, for which share of the step, and the heat.

    Heat is the mean of the step in W. Power is that of heating, also where it lasts for a part of a long step only: as
    a meter shows it that is read while the element is on.
    """
    sensed = state.temperature + given.sensor_offset[step]
    state.calling = (sensed < controls.heat_below) | (state.calling & (sensed < controls.set_point))
    heating = (state.calling | given.stuck[step]) & (state.temperature < tanks.cut_out)
    available = heating * given.power_factor[step]
    plain = available * (controls.direct_watts + controls.backup_watts * (sensed < controls.backup_below))
    pumped = available * controls.compressor_watts
    cop = coefficient_of_performance(state.temperature, given.room[step])
    heat = (plain * tanks.efficiency + pumped * cop) * given.heat_transfer[step]
    if given.seconds[step] <= LONGEST_WHOLE_STEP_SECONDS:
        return heating, plain + pumped, 1.0, heat
    share = _share_until_warm(tanks, controls.set_point - sensed, heat, given, step)
    state.calling = state.calling & (share >= 1)
    return heating, plain + pumped, share, heat * share


def _share_until_warm(tanks: Tanks, missing: FloatArray, heat: FloatArray, given: Conditions, step: int) -> FloatArray:
    """Return the share of a long step after which the thermostats switch off."""
    joules = np.maximum(heat * given.seconds[step], 1.0)
    share = np.minimum(np.maximum(missing * tanks.heat_capacity / joules, 0.0), 1.0)
    return np.where(given.stuck[step], 1.0, share)


def _hot_flow(temperature: FloatArray, given: Conditions, step: int) -> FloatArray:
    """Water that leaves the tank in L/min: a tap takes from it what makes the mixture warm enough, at most all."""
    inlet = given.inlet[step]
    share = (TAP_TEMPERATURE - inlet) / np.maximum(temperature - inlet, 0.1)
    return given.direct[step] + given.leak[step] + given.tempered[step] * np.minimum(np.maximum(share, 0.0), 1.0)


def _mixed(
    tanks: Tanks, temperature: FloatArray, heat: FloatArray, flow: FloatArray, *, given: Conditions, step: int
) -> FloatArray:
    """Temperature at the end of the step: the exact solution of the energy balance."""
    carried = flow * (JOULES_PER_LITER_KELVIN / 60)
    gain = heat + tanks.loss * (given.room[step] - temperature) + carried * (given.inlet[step] - temperature)
    exponent = np.maximum((tanks.loss + carried) * (given.seconds[step] / tanks.heat_capacity), 1e-12)
    return temperature + gain * (given.seconds[step] / tanks.heat_capacity) * (-np.expm1(-exponent) / exponent)


def _expansion(state: TankState, before: FloatArray, flow: FloatArray, seconds: float) -> FloatArray:
    warmed = np.maximum(state.temperature - before, 0)
    relax_seconds = np.where(flow > 0, EXPANSION_DRAWN_SECONDS, EXPANSION_RELAX_SECONDS)
    kept: FloatArray = np.exp(-seconds / relax_seconds)
    return (state.expansion + EXPANSION_BAR_PER_KELVIN * warmed) * kept
