"""What the detector and a trained model say of the last days of some devices: as they were, and with faults in them.

Both are given the same readings: the detector as they came, from the first day on; the model as the hours that are made
of them, by trees that saw no day of the device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.charts import FloatArray, IntArray
from models.devices import KINDS
from models.learning.anomalies import THRESHOLD, Detector, Scored, States
from models.learning.residuals import Judged, Looks, joined, look_at
from models.learning.residuals.backtest import FEWEST_DEVICES, FEWEST_FAULTS, Compared, compare
from models.learning.residuals.faults import Readings, with_fault
from models.reading_hours import HOUR_MICROS, MARGIN, RawReadings, summed
from models.types import from_micros, to_micros
from resolvers.predicting.fleet_hours import DAY_HOURS, JUDGED_DAYS, REPLAYED_DAYS, FleetHours, overlaps
from resolvers.predicting.hour_steps import step_layout, steps_of

FLEET, INJECTED = "FLEET", "INJECTED"
_DAY_MICROS = DAY_HOURS * HOUR_MICROS
_MARGIN_MICROS = to_micros(from_micros(0) + MARGIN)
# An incident wants so many alarming readings.
_CONFIRMING = 3

Judge = Callable[[Looks, IntArray], Judged]
"""What a model makes of looks at devices, whose places in the fleet are told."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """n days of devices.

    Attributes:
        looks: at each.
        units: (n,) place of the device in the fleet.
        ends: (n,) number of the hour after the day.
        detector: (n,) what the detector says: the score of its incidents; without one, less than what alarms.
        is_injected: (n,) whether a fault was put into it.
    """

    looks: Looks
    units: IntArray
    ends: IntArray
    detector: FloatArray
    is_injected: NDArray[np.bool_]


def replay(fleet: FleetHours) -> Replay:
    """Let the last days of the fleet go by once more, and the newest of them also with faults."""
    running = _Running(fleet)
    for day in range(REPLAYED_DAYS):
        running.go_on(fleet.end - (REPLAYED_DAYS - 1 - day) * DAY_HOURS)
    layout = step_layout(running.kind)
    return Replay(
        looks=joined(layout, running.looks),
        units=np.array(running.units, np.int64),
        ends=np.array(running.ends, np.int64),
        detector=np.array(running.answers, np.float64),
        is_injected=np.array(running.is_injected, np.bool_),
    )


def compared(fleet: FleetHours, days: Replay, judge: Judge) -> tuple[Compared | None, str]:
    """Compare a model with the detector.

    What the fleet has itself seen decides where that is enough; otherwise faults that were put in are counted as well.

    Args:
        fleet: that was replayed.
        days: of it.
        judge: the model.

    Returns:
        What came of it, None where there are too few days; and FLEET or INJECTED.
    """
    is_case = overlaps(fleet.cases, days.units, days.ends) & ~days.is_injected
    is_good = ~overlaps(fleet.troubled, days.units, days.ends)
    answers = judge(days.looks, days.units).greatest
    own = is_case.sum() >= FEWEST_FAULTS and len(np.unique(days.units[is_case])) >= FEWEST_DEVICES
    injected = days.is_injected & is_good
    counted = np.flatnonzero(is_case | (is_good & ~days.is_injected) | (injected & (not own)))
    faulty = (is_case | injected)[counted]
    found = compare(days.detector[counted], answers[counted], faulty, days.units[counted])
    return found, FLEET if own else INJECTED


class _Running:
    """Devices whose readings go by day by day."""

    def __init__(self, fleet: FleetHours) -> None:
        self.kind = KINDS[fleet.device_kind]
        self._fleet = fleet
        self._raw = fleet.replayed
        self._ids = np.unique(self._raw.device_ids)
        self._columns = [self.kind.by_name[channel.name] for channel in self.kind.watched]
        self._layout = step_layout(self.kind)
        self._detector = Detector([channel.name for channel in self._columns])
        self._states = self._detector.load([None] * len(self._ids))
        self.looks: list[Looks] = []
        self.units: list[int] = []
        self.ends: list[int] = []
        self.answers: list[float] = []
        self.is_injected: list[bool] = []

    def go_on(self, end: int) -> None:
        """Let a day go by, which ends with an hour, after having looked at it with faults."""
        if not len(self._ids):
            return
        is_judged = end > self._fleet.end - JUDGED_DAYS * DAY_HOURS
        ready = np.flatnonzero(self._states.hot["is_warm"] & is_judged)
        if len(ready):
            kept = States(self._states.hot.copy(), self._states.cold.copy())
            faulty = self._with_faults(end, ready)
            self._note(end, faulty, self._scored(kept, faulty, end), is_injected=True)
        answers = self._scored(self._states, self._raw, end)
        self._note(end, _of(self._raw, self._ids[ready]), answers, is_injected=False)

    def _with_faults(self, end: int, ready: IntArray) -> RawReadings:
        """Return the readings of devices up to the end of a day, with a fault in that day."""
        names = [channel.name for channel in self._columns]
        parts: list[RawReadings] = []
        for id_ in self._ids[ready].tolist():
            own = _of(self._raw, [id_], before=end * HOUR_MICROS)
            readings = Readings(own.micros, np.column_stack([own.channels[name] for name in names]))
            found = with_fault(readings, end * HOUR_MICROS, len(self.looks) + len(parts))
            if found is not None:
                changed = dict(zip(names, found[1].T, strict=True))
                parts.append(RawReadings(own.device_ids, own.micros, {**own.channels, **changed}))
        return _joined(parts, self._raw)

    def _scored(self, states: States, raw: RawReadings, end: int) -> dict[int, float]:
        """Return by device id what the detector says of a day."""
        last = end * HOUR_MICROS
        rows = np.flatnonzero((raw.micros >= last - _DAY_MICROS) & (raw.micros < last))
        owners = np.searchsorted(self._ids, raw.device_ids[rows])
        values = np.column_stack([raw.channels[channel.name][rows] for channel in self._columns])
        scored = self._detector.score(states, owners, raw.micros[rows], values)
        return {int(self._ids[place]): _answer(scored, owners == place) for place in np.unique(owners).tolist()}

    def _note(self, end: int, raw: RawReadings, answers: dict[int, float], *, is_injected: bool) -> None:
        """Keep what was said of the devices of these readings, with a look at their hours."""
        ids = [id_ for id_ in np.unique(raw.device_ids).tolist() if id_ in answers]
        first, hours = self._fleet.first, self._hours(raw, ids, end) if is_injected else None
        for place, id_ in enumerate(ids):
            unit = self._fleet.device_ids.index(id_)
            steps = self._fleet.steps[unit, : end - first]
            if hours is not None:
                steps = np.concatenate([steps[:-DAY_HOURS], hours[place]])
            self.looks.append(look_at(self._layout, steps, first, [end]))
            self.units.append(unit)
            self.ends.append(end)
            self.answers.append(answers[id_])
            self.is_injected.append(is_injected)

    def _hours(self, raw: RawReadings, ids: Sequence[int], end: int) -> FloatArray:
        first = end - DAY_HOURS
        wanted = [(id_, hour * HOUR_MICROS) for id_ in ids for hour in range(first, end)]
        near = raw.micros >= first * HOUR_MICROS - _MARGIN_MICROS
        rows = summed(_rows(raw, np.flatnonzero(near)), wanted, self.kind.hourly, self.kind.hour_sums)
        return steps_of(self.kind, rows, ids, first, DAY_HOURS)


def _answer(scored: Scored, mine: NDArray[np.bool_]) -> float:
    """Return the highest score of an incident; without one that of the third strangest reading, below what alarms."""
    scores = np.nan_to_num(scored.score[mine])
    is_open = scored.is_open[mine]
    if is_open.any():
        return float(scores[is_open].max())
    ordered = np.sort(scores)
    return min(float(ordered[-min(_CONFIRMING, len(ordered))]), THRESHOLD - 1e-9)


def _of(raw: RawReadings, ids: Sequence[int] | IntArray, before: int | None = None) -> RawReadings:
    mine = np.isin(raw.device_ids, ids)
    return _rows(raw, np.flatnonzero(mine if before is None else mine & (raw.micros < before)))


def _rows(raw: RawReadings, rows: IntArray) -> RawReadings:
    channels = {name: values[rows] for name, values in raw.channels.items()}
    return RawReadings(raw.device_ids[rows], raw.micros[rows], channels)


def _joined(parts: Sequence[RawReadings], like: RawReadings) -> RawReadings:
    parts = [_rows(like, np.empty(0, np.int64)), *parts]
    return RawReadings(
        np.concatenate([part.device_ids for part in parts]),
        np.concatenate([part.micros for part in parts]),
        {name: np.concatenate([part.channels[name] for part in parts]) for name in like.channels},
    )
