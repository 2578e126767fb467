"""When households draw hot water.

Each fixture has its own rhythm of the day, given by three peaks (morning, midday, evening) and a share at any hour,
apart for working days and weekends, and its own durations and flows. All are distributions of our own whose parameters
were chosen so that daily volumes and the hours of the day resemble what has been measured in homes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.devices.simulation.hashing import BoolArray, FloatArray, IntArray, KeyArray, normal, uniform
from models.devices.simulation.specs import Household

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Hours at which a fixture is used: (share, hour, spread in hours) of three peaks; the rest is at any hour."""

    morning: tuple[float, float, float]
    midday: tuple[float, float, float]
    evening: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """A place where hot water is drawn.

    Attributes:
        per_household: uses a day whoever lives there.
        per_person: further uses a day of each person.
        slots: chances of a use in a day; more than are ever needed.
        minutes: median duration of a use, and the spread of its logarithm.
        liters_per_minute: median flow, and the spread of its logarithm.
        is_tempered: cold water is mixed in at the tap, so a hotter tank gives less of its own.
        fill_minutes: the times within a use at which water flows; one for a tap, several for a machine.
        workday: the rhythm from Monday to Friday.
        weekend: the rhythm of Saturday and Sunday.
    """

    per_household: float
    per_person: float
    slots: int
    minutes: tuple[float, float]
    liters_per_minute: tuple[float, float]
    is_tempered: bool
    fill_minutes: tuple[float, ...] = (0.0,)
    workday: Rhythm
    weekend: Rhythm


FIXTURES: tuple[Fixture, ...] = (
    Fixture(  # sinks
        per_household=14,
        per_person=12,
        slots=160,
        minutes=(0.30, 0.95),
        liters_per_minute=(2.7, 0.45),
        is_tempered=True,
        workday=Rhythm(morning=(0.30, 7.9, 1.5), midday=(0.26, 12.8, 2.5), evening=(0.38, 19.9, 2.2)),
        weekend=Rhythm(morning=(0.30, 9.2, 1.6), midday=(0.28, 12.8, 2.4), evening=(0.36, 19.0, 2.4)),
    ),
    Fixture(  # showers
        per_household=0.1,
        per_person=0.62,
        slots=16,
        minutes=(6.3, 0.45),
        liters_per_minute=(6.8, 0.22),
        is_tempered=True,
        workday=Rhythm(morning=(0.50, 7.6, 1.3), midday=(0.15, 12.5, 2.6), evening=(0.32, 20.0, 2.0)),
        weekend=Rhythm(morning=(0.55, 9.0, 1.6), midday=(0.16, 13.5, 2.8), evening=(0.27, 19.3, 2.0)),
    ),
    Fixture(  # baths
        per_household=0.0,
        per_person=0.05,
        slots=4,
        minutes=(5.0, 0.35),
        liters_per_minute=(12.5, 0.2),
        is_tempered=True,
        workday=Rhythm(morning=(0.15, 8.0, 1.0), midday=(0.10, 14.5, 1.5), evening=(0.75, 19.0, 1.8)),
        weekend=Rhythm(morning=(0.20, 9.5, 1.3), midday=(0.25, 15.0, 1.8), evening=(0.55, 18.8, 2.0)),
    ),
    Fixture(  # dishwashers
        per_household=0.3,
        per_person=0.08,
        slots=6,
        minutes=(1.4, 0.2),
        liters_per_minute=(3.0, 0.25),
        is_tempered=False,
        fill_minutes=(0.0, 14.0, 38.0),
        workday=Rhythm(morning=(0.12, 9.0, 1.2), midday=(0.25, 13.0, 1.8), evening=(0.53, 20.3, 1.7)),
        weekend=Rhythm(morning=(0.15, 10.5, 1.2), midday=(0.30, 13.0, 1.8), evening=(0.45, 20.0, 1.8)),
    ),
    Fixture(  # clothes washers
        per_household=0.15,
        per_person=0.16,
        slots=6,
        minutes=(2.3, 0.4),
        liters_per_minute=(6.2, 0.3),
        is_tempered=False,
        fill_minutes=(0.0, 24.0),
        workday=Rhythm(morning=(0.30, 8.8, 1.5), midday=(0.35, 12.3, 2.6), evening=(0.33, 19.0, 2.0)),
        weekend=Rhythm(morning=(0.38, 10.0, 1.6), midday=(0.38, 13.2, 2.4), evening=(0.22, 18.5, 2.2)),
    ),
)

WEEKEND_FACTOR = 1.1
_LONGEST_USE_MINUTES = 45.0
_DRAW_PURPOSE = 200


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of many devices, as columns of n rows in no particular order.

    Attributes:
        device_index: (n,) whose.
        started_at: (n,) seconds since 1970.
        seconds: (n,) duration.
        liters_per_minute: (n,) flow at the tap, constant for the duration.
        is_tempered: (n,) whether cold water is mixed in at the tap.
    """

    device_index: IntArray
    started_at: FloatArray
    seconds: FloatArray
    liters_per_minute: FloatArray
    is_tempered: BoolArray

    def between(self, start: float, end: float) -> "Draws":
        """Return those that flow at some time from `start` to `end`, seconds since 1970."""
        return self._where((self.started_at < end) & (self.started_at + self.seconds > start))

    def tempered(self, wanted: bool) -> "Draws":
        """Return those with, or those without, cold water mixed in."""
        return self._where(self.is_tempered == wanted)

    def _where(self, rows: BoolArray) -> "Draws":
        return Draws(
            self.device_index[rows],
            self.started_at[rows],
            self.seconds[rows],
            self.liters_per_minute[rows],
            self.is_tempered[rows],
        )


class Habits:
    """The households of a fleet, as arrays, and what they draw on a day."""

    def __init__(self, households: Sequence[Household], keys: KeyArray) -> None:
        def column(name: str) -> FloatArray:
            return np.array([getattr(household, name) for household in households], dtype=np.float64)

        self._keys = keys
        self._people = column("people")
        self._flow_factor = column("flow_factor")
        self._morning_shift = column("morning_shift_hours")
        self._evening_shift = column("evening_shift_hours")
        self._presence = column("daytime_presence")

    def draws_of_day(self, day: int) -> Draws:
        """Return what is drawn on a day, counted from 1970-01-01; a function of the households and the day alone."""
        is_weekend = (day + 3) % 7 >= 5
        drawn = [self._uses(number, fixture, day, is_weekend) for number, fixture in enumerate(FIXTURES)]
        return joined(drawn)

    def _uses(self, number: int, fixture: Fixture, day: int, is_weekend: bool) -> Draws:
        rate = (self._people > 0) * (fixture.per_household + fixture.per_person * self._people)
        rate = rate * (WEEKEND_FACTOR if is_weekend else 1.0)
        stream = _DRAW_PURPOSE + 10 * number
        slots = np.arange(fixture.slots)
        happens = uniform(self._keys[:, None], day, stream, slots) < (rate / fixture.slots)[:, None]
        device, slot = np.nonzero(happens)
        key = self._keys[device]
        hour = self._hours(device, slot, day, stream + 1, fixture.weekend if is_weekend else fixture.workday)
        minutes = fixture.minutes[0] * np.exp(fixture.minutes[1] * normal(key, day, stream + 4, slot))
        flow = fixture.liters_per_minute[0] * np.exp(fixture.liters_per_minute[1] * normal(key, day, stream + 5, slot))
        fills = len(fixture.fill_minutes)
        start = day * SECONDS_PER_DAY + 3600 * hour[:, None] + 60 * np.array(fixture.fill_minutes)
        return Draws(
            device_index=np.repeat(device, fills),
            started_at=start.ravel(),
            seconds=np.repeat(60 * np.minimum(minutes, _LONGEST_USE_MINUTES), fills),
            liters_per_minute=np.repeat(flow * self._flow_factor[device], fills),
            is_tempered=np.full(len(device) * fills, fixture.is_tempered),
        )

    def _hours(self, device: IntArray, slot: IntArray, day: int, stream: int, rhythm: Rhythm) -> FloatArray:
        """Hour of the day of each use: a peak is chosen by its share, then an hour around it."""
        key = self._keys[device]
        share, hour, spread = np.array([rhythm.morning, rhythm.midday, rhythm.evening]).T
        shares = np.tile(share, (len(device), 1))
        shares[:, 1] *= 0.4 + 1.2 * self._presence[device]
        any_hour = 1 - share.sum()
        bounds = np.cumsum(shares, axis=1)
        chosen = uniform(key, day, stream, slot) * (bounds[:, -1] + any_hour)
        peak = (chosen[:, None] >= bounds).sum(axis=1)
        none = np.zeros(len(device))
        shift = np.stack([self._morning_shift[device], none, self._evening_shift[device]])
        index = np.minimum(peak, 2)
        around = hour[index] + shift[index, np.arange(len(device))]
        around = around + spread[index] * normal(key, day, stream + 1, slot)
        return np.where(peak < 3, around, 24 * uniform(key, day, stream + 2, slot)) % 24


def joined(parts: Sequence[Draws]) -> Draws:
    """Return the draws of several parts as one."""
    return Draws(
        np.concatenate([part.device_index for part in parts]),
        np.concatenate([part.started_at for part in parts]),
        np.concatenate([part.seconds for part in parts]),
        np.concatenate([part.liters_per_minute for part in parts]),
        np.concatenate([part.is_tempered for part in parts]),
    )


def mean_flow(draws: Draws, edges: FloatArray, device_count: int) -> FloatArray:
    """Mean flow of each device in each interval; volumes are exact however short a draw is.

    A draw adds a ramp to the volume drawn so far that begins at its start, and takes one away that begins at its end.

    Args:
        draws: what is drawn.
        edges: (n + 1,) rising seconds since 1970, the bounds of n intervals.
        device_count: the number of devices.

    Returns:
        (n, devices) L/min.
    """
    origin = edges[0]
    grid = edges - origin
    begin = draws.started_at - origin
    turn = np.concatenate([begin, begin + draws.seconds])
    slope = np.concatenate([draws.liters_per_minute, -draws.liters_per_minute])
    device = np.concatenate([draws.device_index, draws.device_index])
    row = np.searchsorted(grid, turn)
    seen = row < len(grid)
    cell = (row * device_count + device)[seen]
    shape = (len(grid), device_count)
    slopes = np.bincount(cell, slope[seen], minlength=shape[0] * shape[1]).reshape(shape)
    offsets = np.bincount(cell, (slope * turn)[seen], minlength=shape[0] * shape[1]).reshape(shape)
    volume = np.cumsum(slopes, axis=0) * grid[:, None] - np.cumsum(offsets, axis=0)
    flow = np.diff(volume, axis=0) / np.diff(grid)[:, None]
    # What rounding leaves of a closed tap must not look like a trickle.
    return np.where(flow > 1e-6, flow, 0.0)
