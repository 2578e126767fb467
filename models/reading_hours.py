"""Hours of readings: which hours readings belong to, and what becomes of the readings of an hour.

A reading tells of the time since the one before it. So the sums of an hour (litres, energy) are made of all readings
whose time reaches into it, the first of the next hour among them; its statistics are those of the readings within it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from models.charts import FloatArray, IntArray
from models.types import to_micros

HOUR = timedelta(hours=1)
HOUR_MICROS = 3_600_000_000
# A reading of an hour that ended longer ago than this asks for the hour to be summed anew.
LATE_AFTER = timedelta(minutes=2)
# An hour is summed so long after its end. The difference is for transactions that were under way.
SUMMED_AFTER = timedelta(minutes=5)
# What is read beside an hour: the readings between which its first and its last interval lie.
MARGIN = timedelta(minutes=90)

_GAP_INTERVALS = 2.5
_NEIGHBOURS = np.arange(-2, 3)
_LONGEST_COVER_SECONDS = 3600.0
_JOULES_PER_KWH = 3.6e6
# Of one device: 1,900 years from 1970 on.
_MOST_HOURS = 1 << 24

Hours = list[tuple[int, int]]
"""Device ids and microseconds since 1970 of the starts of hours."""


@dataclass(frozen=True, slots=True)
class HourSum:
    """An integral over the time of an hour.

    Attributes:
        name: its column in the table of hours.
        channel: whose values are taken to have held since the reading before.
        per_second: what a value of 1 adds in a second.
        seconds: column that says how many seconds of the hour the sum covers, if there is one.
        metered_by: channel with kWh since the reading before, which counts instead where it is known.
    """

    name: str
    channel: str
    per_second: float
    seconds: str | None = None
    metered_by: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RawReadings:
    """Readings of several devices as columns of n rows, sorted by device, then by time.

    Attributes:
        device_ids: (n,) whose.
        micros: (n,) microseconds since 1970.
        channels: by channel name (n,) values, NaN where a reading lacks the channel.
    """

    device_ids: IntArray
    micros: IntArray
    channels: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class HourRows:
    """Hours of several devices as columns of n rows, sorted by device, then by hour.

    Attributes:
        device_ids: (n,) whose.
        micros: (n,) start of the hour, microseconds since 1970.
        values: by column of the table (n,) values, NaN where an hour has none.
    """

    device_ids: IntArray
    micros: IntArray
    values: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.device_ids)

    def at(self, places: IntArray) -> "HourRows":
        """Return the rows at these places, in their order."""
        values = {name: column[places] for name, column in self.values.items()}
        return HourRows(self.device_ids[places], self.micros[places], values)


def hours_to_sum(ids: IntArray, micros: IntArray, floors: IntArray, now: datetime) -> Hours:
    """Return the hours that must be summed, or summed anew, because of readings that were stored.

    A device's first reading in an hour asks for that hour, and those that follow in it ask for nothing; readings of
    hours that ended longer than `LATE_AFTER` ago ask for these always.

    Args:
        ids: (n,) device of each new reading.
        micros: (n,) its instant, microseconds since 1970.
        floors: (n,) the newest instant that its device had before; one before all others where it had none.
        now: the server's time.

    Returns:
        Distinct hours, sorted by device, then by time; none in most batches of readings that arrive as they are made.
    """
    floors = np.maximum(floors, 0)
    border = to_micros(now - LATE_AFTER) // HOUR_MICROS
    hours = micros // HOUR_MICROS
    goes_on = (hours >= border) & (micros > floors) & (hours == floors // HOUR_MICROS)
    if goes_on.all():
        return []
    return _asked_for(ids, micros, floors, border * HOUR_MICROS)


def _asked_for(ids: IntArray, micros: IntArray, floors: IntArray, border: int) -> Hours:
    order = np.lexsort((micros, ids))
    ids, micros, floors = ids[order], micros[order], floors[order]
    in_order = micros > floors
    previous = np.where(in_order, floors, 0)
    goes_on = np.flatnonzero((ids[1:] == ids[:-1]) & in_order[1:]) + 1
    previous[goes_on] = np.maximum(previous[goes_on], micros[goes_on - 1])
    own, before = _hour(micros), _hour(previous)
    # What the device told before reached as far as an hour back; a reading between two others changes the later one.
    first = _hour(np.where(in_order & (previous > 0), np.maximum(previous, micros - HOUR_MICROS), micros))
    first = np.where(in_order, first, _hour(micros - HOUR_MICROS))
    last = np.where(in_order, own, _hour(micros + HOUR_MICROS))
    wanted = [
        (ids, own, (own < border) | (own > before) | ~in_order),
        (ids, first, (first < border) | (in_order & (first > before))),
        (ids, last, last < border),
    ]
    keys = np.unique(np.concatenate([(each[0] * _MOST_HOURS + each[1] // HOUR_MICROS)[each[2]] for each in wanted]))
    return list(zip((keys // _MOST_HOURS).tolist(), (keys % _MOST_HOURS * HOUR_MICROS).tolist(), strict=True))


def _hour(micros: IntArray) -> IntArray:
    return micros // HOUR_MICROS * HOUR_MICROS


def summed(readings: RawReadings, hours: Hours, channels: Sequence[str], sums: Sequence[HourSum]) -> HourRows:
    """Sum readings by hour.

    A reading covers the time since the one before it that has the same channel. Where that is more than 2.5 times as
    long as the intervals around it (the median of five), the time between is a gap, and the reading covers one such
    interval only; it never covers more than an hour, and the first one covers nothing. An interval that lies in two
    hours is divided between them.

    Args:
        readings: those within the hours and within `MARGIN` of them.
        hours: sorted and distinct.
        channels: of which statistics are wanted.
        sums: which integrals are wanted.

    Returns:
        Those of the hours that have a reading or are covered by one, with the columns `reading_count`, the statistics
        `<channel>_mean`, `_minimum`, `_maximum` and `_deviation` (population standard deviation), and the sums.
    """
    wanted = np.array(hours, dtype=np.int64).reshape(-1, 2)
    places = _Places(wanted, readings)
    values: dict[str, FloatArray] = {"reading_count": places.counts}
    for channel in channels:
        values |= places.statistics(channel, readings.channels[channel])
    for each in sums:
        amount, seconds = places.integral(readings, each)
        values[each.name] = np.where(seconds > 0, amount, np.nan)
        if each.seconds is not None:
            values[each.seconds] = seconds
    covered = [values[each.name] for each in sums]
    kept = np.flatnonzero((places.counts > 0) | np.any(np.isfinite(covered or [places.counts * np.nan]), axis=0))
    return HourRows(wanted[:, 0], wanted[:, 1], values).at(kept)


class _Places:
    """Where readings belong among the wanted hours.

    Attributes:
        counts: (hours,) readings within each hour.
    """

    def __init__(self, wanted: IntArray, readings: RawReadings) -> None:
        self._ids = np.unique(wanted[:, 0])
        self._keys = self._key(wanted[:, 0], wanted[:, 1])
        place = self._find(readings.device_ids, _hour(readings.micros))
        self._inside = np.flatnonzero(place >= 0)
        self._place = place[self._inside]
        self.counts = np.bincount(self._place, minlength=len(wanted)).astype(np.float64)

    def statistics(self, channel: str, values: FloatArray) -> dict[str, FloatArray]:
        """Return the statistics of a channel, (hours,) each."""
        own = values[self._inside]
        known = np.isfinite(own)
        own, place, size = own[known], self._place[known], len(self._keys)
        names = [f"{channel}_{name}" for name in ("mean", "minimum", "maximum", "deviation")]
        if not len(own):
            return {name: np.full(size, np.nan) for name in names}
        count = np.bincount(place, minlength=size)
        some = count > 0

        def over_count(total: Any) -> FloatArray:
            return np.divide(total, count, out=np.full(size, np.nan), where=some)

        mean = over_count(np.bincount(place, own, size))
        deviation = np.sqrt(over_count(np.bincount(place, (own - mean[place]) ** 2, size)))
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        least, greatest = np.full(size, np.nan), np.full(size, np.nan)
        least[some], greatest[some] = np.minimum.reduceat(own, starts), np.maximum.reduceat(own, starts)
        return dict(zip(names, (mean, least, greatest, deviation), strict=True))

    def integral(self, readings: RawReadings, wanted: HourSum) -> tuple[FloatArray, FloatArray]:
        """Return the sum over each hour, and the seconds that it covers, (hours,) each."""
        rates = readings.channels[wanted.channel] * wanted.per_second
        if wanted.metered_by is not None:
            metered = _metered_watts(readings, readings.channels[wanted.metered_by]) * wanted.per_second
            rates = np.where(np.isfinite(metered), metered, rates)
        known = np.flatnonzero(np.isfinite(rates) & (rates >= 0))
        ids, ends = readings.device_ids[known], readings.micros[known]
        steps, usual = _steps(ids, ends)
        covers = np.where(steps <= _GAP_INTERVALS * usual, steps, usual)
        covers = np.where(np.isnan(steps), 0.0, np.minimum(covers, _LONGEST_COVER_SECONDS))
        # An interval that ends with the hour belongs to it.
        hour = _hour(ends - 1)
        within = np.minimum(covers, (ends - hour) / 1e6)
        amount, seconds = np.zeros(len(self._keys)), np.zeros(len(self._keys))
        for start, lasts in ((hour, within), (hour - HOUR_MICROS, covers - within)):
            place = self._find(ids, start)
            inside = place >= 0
            amount += np.bincount(place[inside], (lasts * rates[known])[inside], len(amount))
            seconds += np.bincount(place[inside], lasts[inside], len(seconds))
        return amount, seconds

    def _key(self, ids: IntArray, hours: IntArray) -> IntArray:
        return np.searchsorted(self._ids, ids) * _MOST_HOURS + hours // HOUR_MICROS

    def _find(self, ids: IntArray, hours: IntArray) -> IntArray:
        """Return the place of each hour among those wanted, -1 where it is not."""
        keys = self._key(ids, hours)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[place] == keys, place, -1)


def _steps(ids: IntArray, ends: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the seconds since the device's row before, NaN for its first, and the median of the five steps around."""
    count = len(ids)
    steps = np.full(count, np.nan)
    if count < 2:
        return steps, steps
    first_of_device = np.diff(ids, prepend=ids[0] - 1) != 0
    steps[1:] = np.diff(ends) / 1e6
    steps[first_of_device] = np.nan
    starts = np.flatnonzero(first_of_device)
    sizes = np.diff(starts, append=count)
    first, last = np.repeat(starts + 1, sizes)[:, None], np.repeat(starts + sizes - 1, sizes)[:, None]
    # At the ends of a device's rows the neighbours are mirrored: a gap there must not be its own measure.
    places = np.arange(count)[:, None] + _NEIGHBOURS
    places = np.where(places > last, 2 * last - places, places)
    places = np.where(places < first, 2 * first - places, places)
    around = np.sort(steps[np.clip(places, np.minimum(first, last), last)], axis=1)
    return steps, around[:, len(_NEIGHBOURS) // 2]


def _metered_watts(readings: RawReadings, kwh: FloatArray) -> FloatArray:
    """Return (n,) mean power since the energy before; NaN after a gap, whose energy belongs to no known hour."""
    watts = np.full(len(kwh), np.nan)
    known = np.flatnonzero(np.isfinite(kwh))
    steps, usual = _steps(readings.device_ids[known], readings.micros[known])
    near = steps <= _GAP_INTERVALS * usual
    watts[known[near]] = kwh[known[near]] * _JOULES_PER_KWH / steps[near]
    return watts
