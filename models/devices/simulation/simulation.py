"""A fleet of water heaters in time: the truth of each instant, and the readings made of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from models.devices.simulation.blocks import ReadingBlock
from models.devices.simulation.climate import inlet_temperature, room_temperature
from models.devices.simulation.controls import Controls
from models.devices.simulation.draws import SECONDS_PER_DAY, Draws, Habits, joined, mean_flow
from models.devices.simulation.hashing import FloatArray, IntArray, hashed, normal, text_key
from models.devices.simulation.heater import Conditions, Tanks, TankState, Trace, run
from models.devices.simulation.incidents import Incident, IncidentKind, incidents_of_day, marked
from models.devices.simulation.pace import LONGEST_STEP_SECONDS, MICROS_PER_DAY, Pace
from models.devices.simulation.sensors import observe
from models.devices.simulation.specs import HeaterSpec
from models.devices.simulation.surroundings import Surroundings, inlet_offset, scaled_up
from models.devices.simulation.wear import WearEffects, wear_effects
from models.devices.water_heater import WaterHeaterMode
from models.types import from_micros, to_micros

WARM_UP = timedelta(hours=12)

DRAW_BAR_PER_LITER_PER_MINUTE = 0.04
LEAK_BAR_PER_LITER_PER_MINUTE = 5.0
_INLET_PURPOSE = 500
_INLET_DEVIATION = 0.6


class FleetSimulation:
    """Water heaters that go on from `now`.

    All chance is a function of seed, serial number and time, so the same specifications, seed and start give the same
    readings however the time is cut into calls of `advance`, as long as the interval and the controls are the same.
    The heaters are run for half a day before the start, so a simulation that starts where another one ended goes on
    much as that would have.

    Habits follow the hours of UTC.

    Args:
        specs: the heaters.
        seed: of all chance.
        start: an aware instant.
        longest_step_seconds: a step of several minutes is good for hourly readings, and so much faster.
        surroundings: how they change, in any order; the usual ones before the first.
    """

    def __init__(
        self,
        specs: Sequence[HeaterSpec],
        seed: int,
        start: datetime,
        *,
        longest_step_seconds: int = LONGEST_STEP_SECONDS,
        surroundings: Sequence[Surroundings] = (),
    ) -> None:
        self._longest_step_seconds = longest_step_seconds
        self._specs = list(specs)
        self._seed = seed
        self._keys = hashed(seed, [text_key(spec.serial_number) for spec in specs])
        self._tanks = Tanks.of(specs)
        self._controls = Controls.of(specs)
        self._habits = Habits([spec.household for spec in specs], self._keys)
        self._surroundings = sorted(surroundings, key=lambda change: change.since)
        self._causes = [scaled_up(spec.causes, self._surroundings) for spec in specs]
        self._ambient = np.array([spec.ambient_temperature for spec in specs], dtype=np.float64)
        self._mains = np.array([spec.mains_pressure_bar for spec in specs], dtype=np.float64)
        self._inlet_offset = _INLET_DEVIATION * normal(self._keys, _INLET_PURPOSE)
        self._draws_by_day: dict[int, Draws] = {}
        self._incidents_by_day: dict[int, list[Incident]] = {}
        self._staged: list[Incident] = []
        self._state = self._filled_tanks()
        self._metered = np.zeros(len(specs))
        self._warm_up(to_micros(start))

    @property
    def now(self) -> datetime:
        """The instant up to which the heaters have run."""
        return from_micros(self._now)

    def advance(self, until: datetime, interval_seconds: float) -> Iterator[ReadingBlock]:
        """Run the heaters, block by block as the result is consumed.

        Each device is read at the multiples of the interval, counted from 1970, after `now` and up to `until`. Flow is
        the mean since the instant before, as a meter that counts pulses gives it; energy is that since the device's
        reading before; the rest is as it is at the instant.

        Args:
            until: an aware instant; nothing happens if none of the multiples has been reached.
            interval_seconds: time between two readings of a device.

        Yields:
            Blocks of a day at most; a block may be empty where every device is silent.

        Raises:
            ValueError: the interval is shorter than a microsecond.
        """
        pace = Pace.of(interval_seconds, len(self._specs), self._longest_step_seconds)
        while len(instants := pace.instants(self._now, to_micros(until))):
            yield self._block(instants, pace)

    def set_controls(self, device_index: int, target_temperature: float, mode: WaterHeaterMode) -> None:
        """Run one heater otherwise from `now` on; if that moves its set point, it heats at once where it is colder.

        The controls that it has already change nothing, so they may be handed in again at any time.

        Raises:
            ValueError: this type of heater has no such mode.
        """
        before = self._controls.set_point[device_index]
        self._controls.change(device_index, self._specs[device_index], target_temperature, mode)
        wanted = self._controls.set_point[device_index]
        if wanted != before:
            self._state.calling[device_index] = self._state.temperature[device_index] < wanted

    def stage(self, incident: Incident) -> None:
        """Let something happen that chance has not brought; those that ended a day ago are forgotten."""
        horizon = self.now - timedelta(days=1)
        self._staged = [each for each in self._staged if each.ended_at > horizon] + [incident]

    def incidents(self, since: datetime, until: datetime) -> list[Incident]:
        """Return the true incidents that are going on at some time from `since` to `until`, by their start."""
        days = range(to_micros(since) // MICROS_PER_DAY - 1, to_micros(until) // MICROS_PER_DAY + 1)
        found = [incident for day in days for incident in incidents_of_day(self._keys, day)] + self._staged
        within = [incident for incident in found if incident.started_at < until and incident.ended_at > since]
        return sorted(within, key=lambda incident: (incident.started_at, incident.device_index))

    def _filled_tanks(self) -> TankState:
        count = len(self._specs)
        return TankState(
            temperature=np.maximum(self._controls.set_point - 1, self._ambient),
            calling=np.zeros(count, dtype=np.bool_),
            expansion=np.zeros(count),
            energy=np.zeros(count),
        )

    def _warm_up(self, start: int) -> None:
        step = LONGEST_STEP_SECONDS * 1_000_000
        begin = (start - WARM_UP // timedelta(microseconds=1)) // step * step
        self._run(np.append(np.arange(begin, start, step), start))
        self._state.energy[:] = 0
        self._now = start

    def _block(self, instants: IntArray, pace: Pace) -> ReadingBlock:
        before, parts = np.array([self._now]), pace.parts
        trace, truth = self._run(pace.edges(self._now, instants))
        self._now = int(instants[-1])
        shape = (len(instants), parts, len(self._specs))
        at_instants = {name: value[parts - 1 :: parts] for name, value in truth.items()}
        at_instants["flow_rate"] = truth["flow_rate"].reshape(shape).mean(axis=1)
        silent = (
            marked(self._incidents(before, instants), IncidentKind.SILENCE, instants / 1e6, len(self._specs), 1) > 0
        )
        seen = observe(at_instants, silent, self._keys, instants, self._metered)
        # Transposed, the rows come out by device, then by time: the order of the key under which they are stored.
        sent = seen.sent.T
        device, place = np.nonzero(sent)
        channels = {name: value.T[sent] for name, value in seen.channels.items()}
        return ReadingBlock(device, instants[place], channels, trace.heating[parts - 1 :: parts].T[sent])

    def _run(self, edges: IntArray) -> tuple[Trace, dict[str, FloatArray]]:
        """Run the heaters from edge to edge (microseconds); return what happened and the true value of each channel."""
        ends = edges[1:] / 1e6
        wear = wear_effects(self._causes, ends)
        incidents = self._incidents(edges[:1], edges[-1:])
        given = self._conditions(edges, wear, incidents)
        trace = run(self._tanks, self._state, self._controls, given)
        spikes = marked(incidents, IncidentKind.PRESSURE_SPIKE, ends, len(self._specs))
        pressure = (
            self._mains
            + trace.expansion
            + spikes
            - DRAW_BAR_PER_LITER_PER_MINUTE * trace.flow
            - LEAK_BAR_PER_LITER_PER_MINUTE * given.leak
        )
        truth = {
            "temperature": trace.temperature,
            "inlet_temperature": given.inlet,
            "pressure": pressure,
            "flow_rate": trace.flow,
            "power": trace.power,
            "energy": trace.energy,
        }
        return trace, truth

    def _conditions(self, edges: IntArray, wear: WearEffects, incidents: list[Incident]) -> Conditions:
        count = len(self._specs)
        bounds, ends = edges / 1e6, edges[1:] / 1e6
        draws = self._draws(bounds)
        failed = marked(incidents, IncidentKind.ELEMENT_FAILURE, ends, count, 1)
        return Conditions(
            seconds=np.diff(edges) / 1e6,
            tempered=mean_flow(draws.tempered(True), bounds, count) * self._controls.presence,
            direct=mean_flow(draws.tempered(False), bounds, count) * self._controls.presence,
            leak=wear.leak_liters_per_minute,
            inlet=self._inlet(ends),
            room=room_temperature(ends, self._ambient),
            heat_transfer=wear.heat_transfer,
            power_factor=wear.power_factor * (1 - failed),
            sensor_offset=wear.sensor_offset,
            stuck=marked(incidents, IncidentKind.STUCK_THERMOSTAT, ends, count, 1) > 0,
        )

    def _inlet(self, ends: FloatArray) -> FloatArray:
        town = inlet_temperature(ends, self._seed) + inlet_offset(self._surroundings, ends)
        return town[:, None] + self._inlet_offset

    def _draws(self, bounds: FloatArray) -> Draws:
        """Draws that flow within the bounds; one that began yesterday may still flow today."""
        days = range(int(bounds[0] // SECONDS_PER_DAY) - 1, int(bounds[-1] // SECONDS_PER_DAY) + 1)
        self._draws_by_day = {day: self._draws_by_day.get(day) or self._habits.draws_of_day(day) for day in days}
        return joined([draws.between(bounds[0], bounds[-1]) for draws in self._draws_by_day.values()])

    def _incidents(self, since: IntArray, until: IntArray) -> list[Incident]:
        """Incidents of the days that the instants touch, and of the day before, whose last may still be going on."""
        days = range(int(since[0]) // MICROS_PER_DAY - 1, int(until[-1]) // MICROS_PER_DAY + 1)
        kept = self._incidents_by_day
        self._incidents_by_day = {day: kept[day] if day in kept else incidents_of_day(self._keys, day) for day in days}
        return [incident for found in self._incidents_by_day.values() for incident in found] + self._staged
