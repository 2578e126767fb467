"""Hourly sums of what heaters drew: from readings, or as they come from a database."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.learning.demand.localtime import FloatArray, IntArray

HOUR_SECONDS = 3600.0
_JOULES_PER_KWH = 3.6e6
# A reading that comes later than this many usual intervals after the one before says nothing about the time between.
_GAP_INTERVALS = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class HourlyUse:
    """Hours of several devices, all arrays (devices, hours) of consecutive hours of UTC.

    Attributes:
        first_hour: hours from 1970-01-01 00:00 UTC to the first one.
        liters: hot water drawn in the time that is covered; anything where none is, as without a flow meter.
        liters_seconds: seconds of the hour that `liters` covers, 0 to 3600.
        kwh: energy drawn in the time that is covered.
        kwh_seconds: seconds of the hour that `kwh` covers.
        temperature: mean of the tank in °C, NaN where unknown.
        inlet_temperature: mean of the cold water in °C, NaN where unknown.
    """

    first_hour: int
    liters: FloatArray
    liters_seconds: FloatArray
    kwh: FloatArray
    kwh_seconds: FloatArray
    temperature: FloatArray
    inlet_temperature: FloatArray

    @classmethod
    def of(
        cls,
        first_hour: int,
        shape: tuple[int, int],
        *,
        liters: FloatArray | None = None,
        liters_seconds: FloatArray | None = None,
        kwh: FloatArray | None = None,
        kwh_seconds: FloatArray | None = None,
        temperature: FloatArray | None = None,
        inlet_temperature: FloatArray | None = None,
    ) -> "HourlyUse":
        """Make the hours from what is known; sums that are NaN, negative or infinite count as not covered.

        Args:
            first_hour: hours since 1970 UTC.
            shape: (devices, hours).
            liters: None where nothing meters water.
            liters_seconds: None for whole hours wherever `liters` is known.
            kwh: None where nothing meters energy.
            kwh_seconds: None for whole hours wherever `kwh` is known.
            temperature: °C, NaN or None where unknown.
            inlet_temperature: °C, NaN or None where unknown.

        Raises:
            ValueError: an array has another shape.
        """
        drawn, drawn_seconds = _sums(shape, liters, liters_seconds)
        used, used_seconds = _sums(shape, kwh, kwh_seconds)
        return cls(
            first_hour,
            drawn,
            drawn_seconds,
            used,
            used_seconds,
            _finite(_shaped(shape, temperature, np.nan)),
            _finite(_shaped(shape, inlet_temperature, np.nan)),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of devices and of hours."""
        return self.liters.shape[0], self.liters.shape[1]

    def between(self, first: int, last: int) -> "HourlyUse":
        """Return the hours from place `first` up to, but without, place `last`."""
        cut = slice(first, last)
        return HourlyUse(
            self.first_hour + first,
            self.liters[:, cut],
            self.liters_seconds[:, cut],
            self.kwh[:, cut],
            self.kwh_seconds[:, cut],
            self.temperature[:, cut],
            self.inlet_temperature[:, cut],
        )

    def of_devices(self, rows: Sequence[int]) -> "HourlyUse":
        """Return the hours of the devices in these rows, in their order."""
        if list(rows) == list(range(len(self.liters))):
            return self
        parts = (self.liters, self.liters_seconds, self.kwh, self.kwh_seconds, self.temperature, self.inlet_temperature)
        return HourlyUse(self.first_hour, *(part[list(rows)] for part in parts))


@dataclass(frozen=True, slots=True, eq=False)
class DeviceReadings:
    """Readings of one device, each (n,) with NaN where a reading lacks the channel; None for a channel it never has.

    Attributes:
        instants: microseconds since 1970 UTC, in any order; of two readings of one instant the later in the array
            counts.
        flow_rate: L/min, the mean since the reading before.
        power: W; taken to have held since the reading before.
        energy: kWh since the reading before; counts instead of power where it is known.
        temperature: of the tank in °C.
        inlet_temperature: °C.
    """

    instants: IntArray
    flow_rate: FloatArray | None = None
    power: FloatArray | None = None
    energy: FloatArray | None = None
    temperature: FloatArray | None = None
    inlet_temperature: FloatArray | None = None


def hourly_use(devices: Sequence[DeviceReadings]) -> HourlyUse:
    """Sum readings by hour.

    A reading covers the time since the one before it with the same channel. Where that is more than 2.5 times the
    device's usual interval, the time between is a gap, and the reading covers one usual interval only; the first one
    covers nothing. An interval that lies in two hours is divided between them.

    Args:
        devices: one for each row; all share the hours from the first reading of any to the last of any.
    """
    filled = [device.instants for device in devices if len(device.instants)]
    if not filled:
        return HourlyUse.of(0, (len(devices), 0))
    micros = 3_600_000_000
    first = int(min(instants.min() for instants in filled) // micros)
    last = int(-(-max(instants.max() for instants in filled) // micros))
    shape = (len(devices), max(last - first, 1))
    result = HourlyUse.of(first, shape)
    for row, device in enumerate(devices):
        _fill(result, row, device)
    return result


def _fill(result: HourlyUse, row: int, device: DeviceReadings) -> None:
    # The last of equal instants stays: the array is searched from its end.
    instants, place = np.unique(device.instants[::-1], return_index=True)
    order = len(device.instants) - 1 - place
    seconds = instants / 1e6 - result.first_hour * HOUR_SECONDS

    def channel(values: FloatArray | None) -> FloatArray:
        return np.full(len(order), np.nan) if values is None else values[order]

    rate = channel(device.flow_rate) / 60
    result.liters[row], result.liters_seconds[row] = _summed(seconds, rate, result.shape[1])
    metered = _metered_watts(seconds, channel(device.energy))
    watts = np.where(np.isfinite(metered), metered, channel(device.power))
    joules, covered = _summed(seconds, watts, result.shape[1])
    result.kwh[row], result.kwh_seconds[row] = joules / _JOULES_PER_KWH, covered
    result.temperature[row] = _means(seconds, channel(device.temperature), result.shape[1])
    result.inlet_temperature[row] = _means(seconds, channel(device.inlet_temperature), result.shape[1])


def _metered_watts(seconds: FloatArray, kwh: FloatArray) -> FloatArray:
    """Return (n,) mean power since the energy before; NaN after a gap, whose energy belongs to no known hour."""
    watts = np.full(len(kwh), np.nan)
    known = np.flatnonzero(np.isfinite(kwh))
    steps = np.diff(seconds[known])
    if len(steps):
        # Only where the first interval begins counts, not how much was used before.
        watts[known[0]] = 0.0
        near = steps <= _GAP_INTERVALS * np.median(steps)
        watts[known[1:][near]] = kwh[known[1:][near]] * _JOULES_PER_KWH / steps[near]
    return watts


def _summed(seconds: FloatArray, rates: FloatArray, hours: int) -> tuple[FloatArray, FloatArray]:
    """Return (hours,) integrals of rates per second, and the seconds that they cover."""
    known = np.isfinite(rates) & (rates >= 0)
    ends, rate = seconds[known], rates[known]
    if len(ends) < 2:
        return np.zeros(hours), np.zeros(hours)
    steps = np.diff(ends)
    usual = float(np.median(steps))
    covers = np.where(steps <= _GAP_INTERVALS * usual, steps, usual)
    bounds = np.stack([ends[1:] - covers, ends[1:]], axis=1).ravel()
    edges = np.arange(hours + 1) * HOUR_SECONDS

    def within(amounts: FloatArray) -> FloatArray:
        after = np.cumsum(amounts)
        return np.diff(np.interp(edges, bounds, np.stack([after - amounts, after], axis=1).ravel()))

    return within(covers * rate[1:]), within(covers)


def _means(seconds: FloatArray, values: FloatArray, hours: int) -> FloatArray:
    known = np.isfinite(values)
    hour = np.minimum((seconds[known] // HOUR_SECONDS).astype(np.int64), hours - 1)
    count = np.bincount(hour, minlength=hours)
    total = np.bincount(hour, values[known], hours)
    return np.divide(total, count, out=np.full(hours, np.nan), where=count > 0)


def _sums(
    shape: tuple[int, int], amounts: FloatArray | None, seconds: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    amount = _shaped(shape, amounts, np.nan)
    known = np.isfinite(amount) & (amount >= 0)
    covered = np.nan_to_num(_shaped(shape, seconds, HOUR_SECONDS), nan=0.0)
    return np.where(known, amount, 0.0), np.where(known, np.clip(covered, 0.0, HOUR_SECONDS), 0.0)


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)


def _shaped(shape: tuple[int, int], values: FloatArray | None, default: float) -> FloatArray:
    if values is None:
        return np.full(shape, default)
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"the hours of {shape[0]} devices are {shape}, but an array is {array.shape}")
    return array
