"""The detector of one kind of device: its readings in, scores and incidents out."""

import zlib
from collections.abc import Sequence

import numpy as np

from models.learning.anomalies.incidents import Incidents
from models.learning.anomalies.learning import accumulate, end_blocks
from models.learning.anomalies.nonconformity import (
    EVIDENCES,
    FLOORS,
    JOINT_FLOOR,
    follow,
    nonconformities,
)
from models.learning.anomalies.pieces import Piece, pieces
from models.learning.anomalies.season import Season, begin_hours, learn_hours, season_of
from models.learning.anomalies.states import NEVER, States, cold_type, hot_type, new_hot, read_hot
from models.learning.anomalies.steps import Evidence, IncidentStep, Scored
from models.learning.anomalies.tuning import MICROS_PER_HOUR, BoolArray, FloatArray, IntArray, Packed, Tuning

DETECTOR_VERSION = "1"
"""States of another version are started anew."""
MOST_CHANNELS = 64


class Detector:
    """Scores the readings of devices that have the same channels; holds no state of its own.

    Args:
        channels: names of the channels, the columns of the values that are scored.
        tuning: how it learns.

    Raises:
        ValueError: there is no channel, or more than 64.
    """

    def __init__(self, channels: Sequence[str], tuning: Tuning | None = None) -> None:
        if not 1 <= len(channels) <= MOST_CHANNELS:
            raise ValueError(f"a detector watches 1 to {MOST_CHANNELS} channels; {len(channels)} were given")
        self.channels = tuple(channels)
        self.tuning = tuning or Tuning()
        count = len(self.channels)
        self._hot_type = hot_type(count, len(EVIDENCES))
        self._cold_type = cold_type(count)
        self._tag = zlib.crc32(repr((DETECTOR_VERSION, self.channels, self.tuning)).encode())
        self._floors = np.append(np.repeat(FLOORS, count), JOINT_FLOOR)

    def load(self, hot: Sequence[bytes | None], cold: Sequence[bytes | None] | None = None) -> States:
        """Return the states of some devices.

        Args:
            hot: of each device what `States.dump_hot` gave; None, or that of another version, for a new device.
            cold: of each device what `States.dump_cold` gave; what is missing can be given later.
        """
        profiles = np.zeros(len(hot), self._cold_type)
        profiles["tag"] = self._tag
        states = States(read_hot(hot, self._hot_type, self._tag), profiles)
        if cold is not None:
            states.give_cold(np.arange(len(hot)), cold)
        return states

    def needs_cold(self, states: States, device: IntArray, at_micros: IntArray) -> IntArray:
        """Return the indices of the devices whose profile `score` will read for these readings."""
        hot = states.hot
        is_known = hot["newest"][device] != NEVER
        is_newer = at_micros > hot["newest"][device]
        return np.unique(device[is_known & is_newer & (at_micros // MICROS_PER_HOUR != hot["hour"][device])])

    def score(self, states: States, device: IntArray, at_micros: IntArray, values: FloatArray) -> Scored:
        """Score readings and learn from them.

        The same readings in one call or in many give the same scores and incidents. Readings that are not newer than
        those before them are ignored.

        Args:
            states: the devices', changed in place; the profiles of those in `needs_cold` have been given.
            device: (n,) index in `states`, in any order.
            at_micros: (n,) microseconds since 1970.
            values: (n, channels) in the channels' units, NaN where missing.

        Raises:
            ValueError: the values have another number of channels.
        """
        if values.ndim != 2 or values.shape[1] != len(self.channels):
            raise ValueError(f"the values must have {len(self.channels)} columns; their shape is {values.shape}")
        score = np.full(len(device), np.nan)
        is_open = np.zeros(len(device), np.bool_)
        steps: list[IncidentStep] = []
        with np.errstate(invalid="ignore", divide="ignore"):
            for piece in pieces(states.hot, self.tuning.block_readings, device, at_micros, values):
                found, incidents = self._score_piece(states, piece)
                present = piece.present
                score[piece.rows[present]] = found[present]
                is_open[piece.rows[present]] = incidents.is_open[present]
                steps += incidents.steps
        return Scored(score, is_open, sorted(steps, key=lambda step: step.row))

    def _score_piece(self, states: States, piece: Piece) -> tuple[FloatArray, Incidents]:
        tuning, work = self.tuning, states.hot[piece.devices]
        work["first"] = np.where(work["newest"] == NEVER, piece.at[0], work["first"])
        work["block_began"] = np.where(work["phase"] == 0, piece.at[0], work["block_began"])
        begins = piece.hour[-1] != work["hour"]
        profile = states.cold[piece.devices] if begins.any() else states.cold[:0]
        if begins.any():
            begin_hours(piece, work, profile, tuning.season_days)
        season = season_of(piece, work, profile)
        traces = follow(piece, work, tuning.fast_weight)
        found = nonconformities(piece, work, traces, season)
        limits = np.maximum(work["limit"], self._floors)
        ratios = self._ratios(found, limits, season)
        alarming = self._alarming(work)
        # Divided after the greatest is found, which comes to the same: only what stands out is looked at as a whole.
        greatest = ratios.max(axis=2) / alarming
        score = np.where(work["is_warm"], greatest / (greatest + 1), 0.0)
        incidents = Incidents(piece, work, traces, season, channels=self.channels, tuning=tuning)
        incidents.track(score, ratios, alarming)
        is_learnt = piece.present & ~incidents.is_open & ~incidents.is_alarming
        accumulate(piece, work, traces, self._remembered(found, limits, is_learnt, incidents), is_learnt)
        learn_hours(piece, work, profile, is_learnt, tuning.season_days)
        if begins.any():
            states.cold[piece.devices] = profile
            states.mark_cold(piece.devices[begins])
        self._end(piece, work, incidents)
        states.hot[piece.devices] = work
        return score, incidents

    def _ratios(self, found: FloatArray, limits: FloatArray, season: Season) -> FloatArray:
        """Return (length, d, kinds * channels + 1) nonconformities over limits, 0 for what is not to be trusted."""
        ratios = found / limits
        channels = len(self.channels)
        place = EVIDENCES.index(Evidence.SEASON) * channels
        ratios[:, :, place : place + channels] *= season.is_trusted
        return ratios

    def _alarming(self, work: Packed) -> FloatArray:
        """Return (d,) how many limits are alarming."""
        blocks = np.maximum(work["weight"].max(axis=1) / self.tuning.block_readings, 1 / self.tuning.block_readings)
        return self.tuning.margin * (1 + self.tuning.caution / np.sqrt(blocks))

    def _remembered(
        self, found: FloatArray, limits: FloatArray, is_learnt: BoolArray, incidents: Incidents
    ) -> FloatArray:
        """Return the nonconformities that limits are to learn from.

        Of those that alarm it is only learnt that they happen: once for an incident and for each rise of it.
        """
        if is_learnt.all():
            return found
        part = self.tuning.habituation
        is_noted = incidents.is_told | (incidents.is_alarming & ~incidents.is_open)
        remembered = np.where(is_learnt[:, :, None], found, 0.0)
        step, column = np.nonzero(is_noted & ~is_learnt)
        if len(step):
            strange, limit = found[step, column], limits[column]
            remembered[step, column] = np.minimum(strange, np.maximum(limit, strange) ** part * limit ** (1 - part))
        return remembered

    def _end(self, piece: Piece, work: Packed, incidents: Incidents) -> None:
        """Move on to what comes after the piece."""
        work["newest"], work["hour"] = piece.at[-1], piece.hour[-1]
        work["phase"] += piece.counts.astype(np.int32)
        is_ended: BoolArray = work["phase"] >= self.tuning.block_readings
        adopted = incidents.adopt(is_ended)
        end_blocks(work, is_ended, piece.at[-1], self.tuning)
        for column in adopted:
            work[column] = self._begun_anew(work[column : column + 1])

    def _begun_anew(self, row: Packed) -> Packed:
        """Return the state of a device that has a new normal: only its profile of the day stays."""
        fresh = new_hot(self._hot_type, 1, self._tag)
        for name in ("newest", "hour", "season", "days", "origin", "hour_sums", "previous"):
            fresh[name] = row[name]
        fresh["first"] = row["newest"]
        return fresh[0]
