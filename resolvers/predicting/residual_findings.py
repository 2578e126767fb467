"""What the trained model finds in the newest hours of devices: channels that do not fit the others.

What was found of an hour is kept for a few minutes, as the hours are: it changes when another hour has ended.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from models.charts import FloatArray
from models.devices import DeviceKind
from models.learning.anomalies import THRESHOLD, severity_of
from models.learning.residuals import Judged, Looks, ResidualModel, StepLayout, joined, look_at
from models.predicted import PredictionMethod
from models.reading_hours import HOUR, HOUR_MICROS, HourRows
from models.types import from_micros, to_micros
from resolvers.predicting.hour_steps import baseline_columns_of, columns_of, step_layout, steps_of
from resolvers.predicting.residual_training import features_of

if TYPE_CHECKING:
    from resolvers.context import Services

METHOD = PredictionMethod.CROSS_CHANNEL_RESIDUALS.value
_KEPT_SECONDS = 300.0
# Each takes about a kilobyte.
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What the comparison of its channels says of one device.

    Attributes:
        score: of its newest hour, alarming from 0.5; None where nothing could be compared.
        channel_scores: the same by channel, of those that could be compared.
        findings: of the newest day, as the details of a prediction have them.
        features: mean residual of the day, of each channel; None where unknown.
        doubts: sentences about channels that were left out.
    """

    score: float | None
    channel_scores: Mapping[str, float]
    findings: Sequence[Mapping[str, Any]]
    features: Sequence[float | None]
    doubts: Sequence[str]

    @property
    def missing_share(self) -> float:
        """The share of the features that is not known."""
        return sum(value is None for value in self.features) / max(len(self.features), 1)


Compare = Callable[[], Mapping[int, Compared]]
_Kept = OrderedDict[tuple[int, int], tuple[float, Compared]]


class ResidualFindings:
    """Compares channels; what it found a moment ago it knows."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[ResidualModel, _Kept] = WeakKeyDictionary()
        # Computed in threads, each for devices of its own.
        self._lock = threading.Lock()

    async def prepare(
        self, services: "Services", kind: DeviceKind, model: ResidualModel, ids: Sequence[int]
    ) -> Compare:
        """Load the newest hours of devices, in two statements at most; return what compares their channels.

        Args:
            services: of the process.
            kind: of the devices.
            model: in production.
            ids: of the devices.
        """
        end = to_micros(services.clock()) // HOUR_MICROS
        known = self._known(model, ids, end)
        missing = [id_ for id_ in ids if id_ not in known]
        if not missing:
            return lambda: known
        looks = await _looks(services, kind, missing, end)

        def compare() -> Mapping[int, Compared]:
            new = dict(zip(missing, compared(kind, model, looks()), strict=True))
            self._keep(model, new, end)
            return {**known, **new}

        return compare

    def _known(self, model: ResidualModel, ids: Sequence[int], end: int) -> dict[int, Compared]:
        oldest = time.monotonic() - _KEPT_SECONDS
        with self._lock:
            kept = self._kept.get(model, OrderedDict())
            return {id_: each[1] for id_ in ids if (each := kept.get((id_, end))) and each[0] >= oldest}

    def _keep(self, model: ResidualModel, new: Mapping[int, Compared], end: int) -> None:
        now = time.monotonic()
        with self._lock:
            kept = self._kept.setdefault(model, OrderedDict())
            for id_, each in new.items():
                kept[id_, end] = now, each
                kept.move_to_end((id_, end))
            while len(kept) > _MOST_KEPT:
                kept.popitem(last=False)


async def _looks(services: "Services", kind: DeviceKind, ids: Sequence[int], end: int) -> Callable[[], Looks]:
    """Return what makes looks at the newest day of devices; their baselines are read without what they do not need."""
    layout = step_layout(kind)
    pace = layout.pace
    reach, recent = pace.judged + max(pace.baseline, pace.lead), pace.judged + pace.lead
    until = from_micros(end * HOUR_MICROS)
    # The same instants within an hour, so that what was read is used again.
    hours = partial(services.hours.hours, services.store, kind.name, ids)
    baseline = await hours((until - reach * HOUR, until), baseline_columns_of(kind))
    newest = await hours((until - recent * HOUR, until), columns_of(kind))
    return lambda: looks_of(kind, baseline, newest, ids, end)


def looks_of(kind: DeviceKind, baseline: HourRows, newest: HourRows, ids: Sequence[int], end: int) -> Looks:
    """Return looks at the day of each device that ends with an hour."""
    layout = step_layout(kind)
    pace = layout.pace
    reach, recent = pace.judged + max(pace.baseline, pace.lead), pace.judged + pace.lead
    steps = steps_of(kind, baseline, ids, end - reach, reach)
    steps[:, reach - recent :] = steps_of(kind, newest, ids, end - recent, recent)
    return joined(layout, [look_at(layout, each, end - reach, [end]) for each in steps])


def compared(kind: DeviceKind, model: ResidualModel, looks: Looks) -> list[Compared]:
    """Return what a model finds in looks at devices."""
    judged = model.judge(looks)
    features = features_of(model, judged)
    starts: list[int] = looks.start.tolist()
    return [_of_device(kind, model, judged, place, start, features[place]) for place, start in enumerate(starts)]


def _of_device(  # noqa: PLR0917 - one device of all that were judged
    kind: DeviceKind, model: ResidualModel, judged: Judged, place: int, start: int, features: FloatArray
) -> Compared:
    scores: dict[str, float] = {}
    findings: list[dict[str, Any]] = []
    for column, channel in enumerate(model.layout.channels):
        extents = judged.extents[place, :, column]
        known = np.flatnonzero(np.isfinite(extents))
        if not len(known):
            continue
        newest = float(extents[known[-1]])
        scores[channel] = newest / (1 + newest)
        if extents[known].max() >= 1:
            findings.append(_finding(model.layout, judged, (place, column), start, is_present=newest >= 1))
    findings.sort(key=lambda finding: -finding["score"])
    return Compared(
        score=max(scores.values(), default=None),
        channel_scores=scores,
        findings=findings,
        features=[value if np.isfinite(value) else None for value in features.tolist()],
        doubts=_doubts(kind, model, judged, place, is_compared=bool(scores)),
    )


def _finding(
    layout: StepLayout, judged: Judged, where: tuple[int, int], start: int, *, is_present: bool
) -> dict[str, Any]:
    """Return the strangest run of a channel, and the hours over which there were strange ones."""
    place, column = where
    extents = np.nan_to_num(judged.extents[place, :, column], nan=-1.0)
    windows = judged.windows[place, :, column]
    strange = np.flatnonzero(extents >= 1)
    strangest = int(extents.argmax())
    run = slice(strangest - int(windows[strangest]) + 1, strangest + 1)
    level, scale = float(judged.seen.level[place, column]), float(judged.seen.scale[place, column])
    observed = level + scale * float(judged.seen.targets[place, run, column].mean())
    score = float(extents[strangest] / (1 + extents[strangest]))
    return {
        "metric": layout.channels[column],
        "pattern": None,
        "severity": severity_of(max(score, THRESHOLD)).value,
        "score": score,
        "observed": observed,
        "expected": observed - scale * float(judged.residuals[place, run, column].mean()),
        "at": (start + strangest) * HOUR_MICROS,
        "is_present": is_present,
        "anomaly_id": None,
        "method": METHOD,
        "began_at": (start + int((strange - windows[strange]).min()) + 1) * HOUR_MICROS,
        "ended_at": (start + int(strange.max()) + 1) * HOUR_MICROS,
    }


def _doubts(kind: DeviceKind, model: ResidualModel, judged: Judged, place: int, *, is_compared: bool) -> list[str]:
    changed = [
        f"The {kind.by_name[channel].name.replace('_', ' ')} seems to have changed its unit lately; it is not compared "
        "with the other channels."
        for column, channel in enumerate(model.layout.channels)
        if judged.seen.changed[place, column]
    ]
    if is_compared or changed:
        return changed
    fewest = model.layout.pace.fewest
    told = (
        "Its channels were not compared with each other: that takes two that vary, in an hour of the last day and "
        f"{fewest} hours of the four weeks before, with four readings or more each."
    )
    return [told]
