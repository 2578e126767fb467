"""What the users ask of a heater: how warm the water was that they drew, and when nobody draws."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from models.learning.demand.localtime import FloatArray, IntArray
from models.learning.usage.calendar import Calendar, grouped
from models.learning.usage.hours import HOUR_SECONDS, HourlyUse
from models.learning.usage.windows import QuietWindow

# Water drawn below this is of little use: 40 °C is the useful temperature of showers in Regulation (EU) No 814/2013,
# Annex III; 2 K are lost on the way.
USEFUL_TEMPERATURE = 42.0
# The coldest part of the water drawn that does not count: rare coincidences of everybody drawing at once.
_COLDEST_SHARE = 0.01
_FEWEST_DEMAND_DAYS = 28

_DRAWN_LITERS = 2.0
_MOST_DRAWN_SHARE = 0.1
_FEWEST_WEEKS = 4.0
_FEWEST_QUIET_HOURS = 4


def coldest_drawn(use: HourlyUse, calendar: Calendar) -> tuple[FloatArray, IntArray]:
    """Return the (devices,) temperature above which 99 % of the water was drawn, in °C, and the days it was seen on.

    A draw counts with the lower of its hour's mean and the next one's, since a tank is coldest at the end of a draw.

    Args:
        use: hours with water and the tank's temperature.
        calendar: of the hours.

    Returns:
        NaN where fewer than 28 days are known (at least 18 hours of each), or nothing was drawn.
    """
    known = (use.liters_seconds > 0) & np.isfinite(use.temperature)
    days = (calendar.by_day(np.where(known, use.liters_seconds, 0.0)) >= 18 * HOUR_SECONDS).sum(axis=1)
    after = np.concatenate([use.temperature[:, 1:], use.temperature[:, -1:]], axis=1)
    temperature = np.where(known, np.fmin(use.temperature, after), np.inf)
    order = np.argsort(temperature, axis=1)
    # One index into all of them is several times as fast as one along an axis.
    place = order + np.arange(len(order))[:, None] * order.shape[1]
    drawn = np.cumsum(np.where(known, use.liters, 0.0).reshape(-1)[place], axis=1)
    total = drawn[:, -1]
    enough = np.argmax(drawn >= _COLDEST_SHARE * total[:, None], axis=1)
    coldest = temperature.reshape(-1)[np.take_along_axis(place, enough[:, None], axis=1)[:, 0]]
    return np.where((days >= _FEWEST_DEMAND_DAYS) & (total > 0), coldest, np.nan), days


def quiet_windows(use: HourlyUse, calendar: Calendar) -> list[tuple[QuietWindow, ...]]:
    """Return each device's windows of the week without draws, four hours or longer.

    A quiet hour was seen in at least four weeks, and 2 litres or more were drawn in at most a tenth of them.
    """
    covered = use.liters_seconds / HOUR_SECONDS
    seen = grouped(covered, calendar.cell, 168)
    drawn = grouped(covered * (use.liters >= _DRAWN_LITERS), calendar.cell, 168)
    quiet = (seen >= _FEWEST_WEEKS) & (drawn <= _MOST_DRAWN_SHARE * seen)
    return _windows(quiet)


def _windows(quiet: NDArray[np.bool_]) -> list[tuple[QuietWindow, ...]]:
    """Return the runs of (devices, 168) hours around the week, for each device."""
    place = np.arange(2 * 168)
    twice = np.concatenate([quiet, quiet], axis=1)
    next_break = np.minimum.accumulate(np.where(twice, len(place), place)[:, ::-1], axis=1)[:, ::-1]
    hours = (next_break - place)[:, :168]
    begins = quiet & ~np.roll(quiet, 1, axis=1) & (hours >= _FEWEST_QUIET_HOURS)
    always = cast("list[bool]", quiet.all(axis=1).tolist())
    found: list[list[QuietWindow]] = [[QuietWindow(0, 168)] if each else [] for each in always]
    devices, starts = (each.tolist() for each in np.nonzero(begins))
    for device, start in zip(devices, starts, strict=True):
        found[device].append(QuietWindow(start, int(hours[device, start])))
    return [tuple(runs) for runs in found]
