"""Incidents of one device: they open, rise and close, reading by reading."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.learning.anomalies.nonconformity import EVIDENCES, Traces
from models.learning.anomalies.pieces import Piece
from models.learning.anomalies.refractory import faded, strangeness_of
from models.learning.anomalies.season import Season
from models.learning.anomalies.steps import Evidence, IncidentStep, StepKind, severity_of
from models.learning.anomalies.tuning import MICROS_PER_HOUR, THRESHOLD, BoolArray, FloatArray, Packed, Tuning

_LONG_AGO = 1 << 30


class Incidents:
    """What happens to the incidents of a piece's devices; `steps` gathers it, `is_open` says where one goes on."""

    def __init__(
        self,
        piece: Piece,
        work: Packed,
        traces: Traces,
        season: Season,
        *,
        channels: Sequence[str],
        tuning: Tuning,
    ) -> None:
        self._piece = piece
        self._work = work
        self._traces = traces
        self._season = season
        self._channels = channels
        self._tuning = tuning
        self.is_open: BoolArray = np.zeros(piece.present.shape, np.bool_)
        self.is_alarming: BoolArray = self.is_open
        self.is_told: BoolArray = np.zeros(piece.present.shape, np.bool_)
        self.steps: list[IncidentStep] = []

    def track(self, score: FloatArray, ratios: FloatArray, alarming: FloatArray) -> None:
        """Go through the readings of devices that are alarming or have been.

        Args:
            score: (length, d) of each reading.
            ratios: (length, d, kinds * channels + 1) how strange, in limits.
            alarming: (d,) how many limits are alarming.
        """
        work, tuning = self._work, self._tuning
        self.is_alarming = (score >= THRESHOLD) & self._piece.present
        is_pending = (work["alarms"] > 0) & (work["calm"] < tuning.calm_readings)
        concerned = self.is_alarming.any(axis=0) | work["is_open"] | is_pending
        for column in np.flatnonzero(concerned).tolist():
            self._track_device(column, score[:, column], ratios[:, column] / alarming[column])
        quiet = ~concerned
        counts = self._piece.counts[quiet].astype(np.int32)
        for name in ("calm", "since_told"):
            work[name][quiet] = np.minimum(work[name][quiet] + counts, _LONG_AGO)

    def adopt(self, is_ended: BoolArray) -> list[int]:
        """Close incidents that have become the new normal at the end of a block; return their columns."""
        work, tuning = self._work, self._tuning
        is_old = is_ended & work["is_open"] & (work["alarming_readings"] >= tuning.adopt_readings)
        adopted: list[int] = []
        for column in np.flatnonzero(is_old).tolist():
            state: Any = work[column]
            step = int(self._piece.counts[column]) - 1
            if int(self._piece.at[step, column]) - int(state["began"]) >= tuning.adopt_hours * MICROS_PER_HOUR:
                self._tell(StepKind.CLOSED, step, column, state, is_adopted=True)
                state["is_open"] = False
                adopted.append(column)
        return adopted

    def _track_device(self, column: int, score: FloatArray, strangeness: FloatArray) -> None:
        state: Any = self._work[column]
        is_open, calm, alarms = bool(state["is_open"]), int(state["calm"]), int(state["alarms"])
        since = int(state["since_told"])
        alarming, scores = self.is_alarming[:, column].tolist(), score.tolist()
        for step in range(int(self._piece.counts[column])):
            since = min(since + 1, _LONG_AGO)
            if alarming[step]:
                calm, alarms = 0, alarms + 1
                if is_open or self._is_worth_telling(state, scores[step], alarms, since):
                    self._alarm(step, column, state, scores[step], strangeness[step])
                    is_open = True
            else:
                calm = min(calm + 1, _LONG_AGO)
                if calm >= self._tuning.calm_readings:
                    alarms = 0
                    if is_open:
                        self._tell(StepKind.CLOSED, step, column, state)
                        state["is_open"] = is_open = False
                        since = 0
            if is_open:
                state["alarming_readings"] += 1
            self.is_open[step, column] = is_open
        state["calm"], state["alarms"], state["since_told"] = calm, alarms, since

    def _is_worth_telling(self, state: Any, score: float, alarms: int, since: int) -> bool:
        """Return whether an alarming reading opens an incident: it is confirmed, and no echo of the one before."""
        tuning = self._tuning
        if alarms < tuning.confirming_readings and score < tuning.sure_score:
            return False
        return strangeness_of(score) > faded(float(state["peak"]), since, tuning)

    def _alarm(self, step: int, column: int, state: Any, score: float, strangeness: FloatArray) -> None:
        kind = None
        at = int(self._piece.at[step, column])
        if not state["is_open"]:
            kind = StepKind.OPENED
            state["is_open"], state["began"], state["alarming_readings"] = True, at, 0
            state["peak"], state["channels"] = 0.0, 0
        state["ended"] = at
        count = len(self._channels)
        involved = (strangeness[:-1].reshape(-1, count) >= 1).any(axis=0)
        bits = int(state["channels"])
        for channel in np.flatnonzero(involved).tolist():
            bits |= 1 << channel
        if score > float(state["peak"]):
            if kind is None and severity_of(score) is not severity_of(float(state["peak"])):
                kind = StepKind.RAISED
            bits |= 1 << self._peak(step, column, state, score, strangeness)
        state["channels"] = bits
        if kind is not None:
            self.is_told[step, column] = True
            self._tell(kind, step, column, state)

    def _peak(self, step: int, column: int, state: Any, score: float, strangeness: FloatArray) -> int:
        """Note the strangest reading so far; return its main channel."""
        count = len(self._channels)
        kind, channel = divmod(int(strangeness.argmax()), count)
        mean, deviation = state["mean"], np.sqrt(state["variance"])
        fast = self._traces.fast[step, column]
        if kind == len(EVIDENCES):
            with np.errstate(invalid="ignore", divide="ignore"):
                channel = int(np.nanargmax(np.where(deviation > 0, np.abs(fast - mean) / deviation, 0.0)))
            evidence = Evidence.JOINT
        else:
            evidence = EVIDENCES[kind]
        value, expected = float(self._piece.values[step, column, channel]), float(mean[channel])
        if evidence in (Evidence.SHIFT, Evidence.JOINT):
            value = float(fast[channel])
        elif evidence is Evidence.JUMP:
            expected = float(self._traces.before[step, column, channel])
        elif evidence is Evidence.NOISE:
            value = float(self._traces.fast_change[step, column, channel])
            expected = float(state["change"][channel])
        elif evidence is Evidence.SEASON:
            expected = float(self._season.usual[min(step, len(self._season.usual) - 1), column, channel])
        state["peak"], state["peaked"] = score, int(self._piece.at[step, column])
        state["evidence"], state["channel"] = kind, channel
        state["observed"], state["expected"], state["spread"] = value, expected, float(deviation[channel])
        return channel

    def _tell(self, kind: StepKind, step: int, column: int, state: Any, *, is_adopted: bool = False) -> None:
        bits, evidence = int(state["channels"]), int(state["evidence"])
        self.steps.append(
            IncidentStep(
                row=int(self._piece.rows[step, column]),
                device=int(self._piece.devices[column]),
                kind=kind,
                began_at_micros=int(state["began"]),
                ended_at_micros=int(state["ended"]),
                peak_at_micros=int(state["peaked"]),
                is_adopted=is_adopted,
                channel=self._channels[int(state["channel"])],
                channels=tuple(name for place, name in enumerate(self._channels) if bits >> place & 1),
                evidence=EVIDENCES[evidence] if evidence < len(EVIDENCES) else Evidence.JOINT,
                score=float(state["peak"]),
                severity=severity_of(float(state["peak"])),
                observed=float(state["observed"]),
                expected=float(state["expected"]),
                spread=float(state["spread"]),
            )
        )
