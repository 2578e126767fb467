"""Where vending machines stand: when people buy there, and how they pay.

The shapes and shares are our own inventions, chosen to look like a week at such a place.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from models.devices.simulation.hashing import FloatArray

HOURS_PER_WEEK = 168
PAYMENT_METHODS = ("CASH", "CARD", "CONTACTLESS", "MOBILE")


class Site(Enum):
    """The kinds of places."""

    OFFICE = "OFFICE"
    STATION = "STATION"
    SCHOOL = "SCHOOL"
    GYM = "GYM"
    MALL = "MALL"


@dataclass(frozen=True, slots=True)
class Peak:
    """A time of the day at which people buy: local hour, spread in hours, height."""

    hour: float
    spread: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProfile:
    """How a place is visited.

    Attributes:
        opens: first local hour at which somebody is there.
        closes: local hour from which nobody is there.
        base: what is bought at any open hour, on the scale of the peaks' heights.
        workday: peaks from Monday to Friday.
        weekend: peaks of Saturday and Sunday.
        saturday: what a Saturday sells relative to a working day.
        sunday: the same of a Sunday.
        daily_units: least and most units that a machine there sells on the average day.
        payment_shares: shares of PAYMENT_METHODS.
        room_temperature: yearly mean around the machine, °C.
    """

    opens: int
    closes: int
    base: float
    workday: tuple[Peak, ...]
    weekend: tuple[Peak, ...]
    saturday: float
    sunday: float
    daily_units: tuple[float, float]
    payment_shares: tuple[float, float, float, float]
    room_temperature: float

    def hour_of_week_shares(self) -> FloatArray:
        """Return the (168,) shares of the local hours of a week in its sales, from Monday 0:00; they sum to 1."""
        workday, weekend = self._day(self.workday), self._day(self.weekend)
        week = np.concatenate([np.tile(workday, 5), self.saturday * weekend, self.sunday * weekend])
        return week / week.sum()

    def _day(self, peaks: tuple[Peak, ...]) -> FloatArray:
        hour = np.arange(24) + 0.5
        level = self.base + sum(peak.height * np.exp(-0.5 * ((hour - peak.hour) / peak.spread) ** 2) for peak in peaks)
        level = np.where((hour > self.opens) & (hour < self.closes), level, 0.0)
        return level / level.sum()


SITES: dict[Site, SiteProfile] = {
    Site.OFFICE: SiteProfile(
        opens=6,
        closes=20,
        base=0.08,
        workday=(Peak(9.6, 1.0, 1.0), Peak(12.8, 1.0, 1.1), Peak(15.4, 1.1, 1.1)),
        weekend=(Peak(12.5, 2.5, 1.0),),
        saturday=0.07,
        sunday=0.03,
        daily_units=(28, 55),
        payment_shares=(0.16, 0.24, 0.44, 0.16),
        room_temperature=21.5,
    ),
    Site.STATION: SiteProfile(
        opens=4,
        closes=24,
        base=0.22,
        workday=(Peak(7.6, 1.1, 1.3), Peak(13.0, 2.4, 0.6), Peak(17.5, 1.5, 1.2)),
        weekend=(Peak(11.5, 2.6, 0.8), Peak(17.5, 2.4, 0.8)),
        saturday=0.8,
        sunday=0.65,
        daily_units=(45, 75),
        payment_shares=(0.3, 0.2, 0.36, 0.14),
        room_temperature=17.0,
    ),
    Site.SCHOOL: SiteProfile(
        opens=7,
        closes=17,
        base=0.06,
        workday=(Peak(9.6, 0.5, 1.4), Peak(11.5, 0.5, 1.0), Peak(13.3, 0.7, 1.3)),
        weekend=(),
        saturday=0.0,
        sunday=0.0,
        daily_units=(28, 50),
        payment_shares=(0.46, 0.14, 0.26, 0.14),
        room_temperature=20.5,
    ),
    Site.GYM: SiteProfile(
        opens=6,
        closes=23,
        base=0.12,
        workday=(Peak(7.4, 1.1, 0.7), Peak(12.4, 1.0, 0.4), Peak(18.9, 1.6, 1.4)),
        weekend=(Peak(11.0, 1.8, 1.1), Peak(17.0, 2.0, 0.6)),
        saturday=0.85,
        sunday=0.75,
        daily_units=(22, 42),
        payment_shares=(0.1, 0.2, 0.46, 0.24),
        room_temperature=20.0,
    ),
    Site.MALL: SiteProfile(
        opens=9,
        closes=21,
        base=0.15,
        workday=(Peak(12.8, 1.7, 0.8), Peak(16.8, 2.1, 1.2)),
        weekend=(Peak(12.5, 2.0, 0.8), Peak(16.0, 2.2, 1.2)),
        saturday=1.55,
        sunday=0.35,
        daily_units=(38, 62),
        payment_shares=(0.34, 0.22, 0.32, 0.12),
        room_temperature=22.0,
    ),
}
