"""The profile of the day: what is usual at each hour (UTC), read and learnt."""

from dataclasses import dataclass

import numpy as np

from models.learning.anomalies.pieces import Piece, summed
from models.learning.anomalies.tuning import HOURS, BoolArray, FloatArray, IntArray, Packed

# Days of an hour after which its mean is something to compare with, and after which it is known how far off is usual.
_SEASON_DAYS = 2
_TRUSTED_DAYS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """What is usual at the hour of each reading, (length, d, channels), or (1, d, channels) if the same for all.

    Attributes:
        usual: mean of the hour on earlier days, NaN where that is not known yet.
        is_trusted: whether it is known for long enough to alarm.
    """

    usual: FloatArray
    is_trusted: BoolArray


def begin_hours(piece: Piece, work: Packed, profile: Packed, season_days: int) -> None:
    """Where the first reading of a piece begins another hour, let the profile take in the hour before.

    Args:
        piece: the readings.
        work: the states of its devices.
        profile: (d,) their profiles of the day, changed in place.
        season_days: days after which the profile forgets.
    """
    begins = np.flatnonzero(piece.hour[0] != work["hour"])
    rows, own = work[begins], profile[begins]
    place = np.arange(len(begins))
    before, now = rows["hour"] % HOURS, piece.hour[0, begins] % HOURS
    _take_in(own, rows["origin"], (place, before), rows["hour_sums"], season_days)
    rows["hour_sums"] = 0.0
    rows["hour"] = piece.hour[0, begins]
    rows["season"], rows["days"] = own["mean"][place, now], own["days"][place, now]
    work[begins], profile[begins] = rows, own


def season_of(piece: Piece, work: Packed, profile: Packed) -> Season:
    """Return what is usual at the hour of each reading.

    Args:
        piece: the readings.
        work: the states of its devices, after `begin_hours`.
        profile: (d,) their profiles of the day; read only where the hour changes within the piece.
    """
    days, mean = work["days"][None], work["season"][None]
    turned = np.flatnonzero(piece.hour[-1] != work["hour"])
    if len(turned):
        days, mean = (np.repeat(part, len(piece.hour), axis=0) for part in (days, mean))
        hour = piece.hour[:, turned] % HOURS
        days[:, turned], mean[:, turned] = profile["days"][turned, hour], profile["mean"][turned, hour]
    return Season(np.where(days >= _SEASON_DAYS, mean, np.nan), days >= _TRUSTED_DAYS)


def learn_hours(piece: Piece, work: Packed, profile: Packed, is_learnt: BoolArray, season_days: int) -> None:
    """Add readings to the sums of their hours; where an hour ends within the piece, let the profile take it in.

    Args:
        piece: the readings.
        work: the states of its devices, after `begin_hours`.
        profile: (d,) their profiles of the day, changed in place where an hour ends.
        is_learnt: (length, d) whether the baseline learns from a reading.
        season_days: days after which the profile forgets.
    """
    taken = piece.is_known & is_learnt[:, :, None]
    off = np.where(taken, piece.values - work["origin"], 0.0)
    added: FloatArray = np.concatenate([taken.astype(np.float64), off], axis=2)
    is_turned = piece.hour[-1] != work["hour"]
    if not is_turned.any():
        work["hour_sums"] = summed(work["hour_sums"], added)
        return
    stay = np.flatnonzero(~is_turned)
    if len(stay):
        work["hour_sums"][stay] = summed(work["hour_sums"][stay], added[:, stay])
    turned = np.flatnonzero(is_turned)
    rows, own = work[turned], profile[turned]
    _turn(piece.hour[:, turned], rows, own, added[:, turned], season_days)
    work[turned], profile[turned] = rows, own


def _turn(hours: IntArray, rows: Packed, own: Packed, added: FloatArray, season_days: int) -> None:
    """Sum up the hours of devices whose hour changes within the piece, which has each hour of the day only once."""
    place, last = np.arange(len(rows)), hours[-1] % HOURS
    sums = np.zeros((len(rows), HOURS, added.shape[2]))
    sums[place, hours[0] % HOURS] = rows["hour_sums"]
    np.add.at(sums, (np.broadcast_to(place, hours.shape), hours % HOURS), added)
    rows["hour_sums"] = sums[place, last]
    sums[place, last] = 0.0
    ended = np.nonzero(sums[:, :, : added.shape[2] // 2].any(axis=2))
    _take_in(own, rows["origin"][ended[0]], ended, sums[ended], season_days)
    rows["season"], rows["days"] = own["mean"][place, last], own["days"][place, last]


def _take_in(own: Packed, origin: FloatArray, ended: tuple[IntArray, ...], sums: FloatArray, season_days: int) -> None:
    """Let profiles take in the sums of hours that have ended: counts, then deviations from the origin."""
    channels = sums.shape[1] // 2
    count, off = sums[:, :channels], sums[:, channels:]
    is_seen = count > 0
    days = np.minimum(own["days"][ended] + is_seen, season_days)
    mean = own["mean"][ended]
    seen = origin + off / np.maximum(count, 1)
    own["mean"][ended] = np.where(is_seen, mean + (seen - mean) / np.maximum(days, 1), mean)
    own["days"][ended] = days
