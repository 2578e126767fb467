"""The training of the model that compares channels with each other, as a job of the process that trains."""

from dataclasses import asdict
from typing import Any

import numpy as np

from models.charts import FloatArray, IntArray
from models.devices import KINDS
from models.learning import residuals
from models.learning.anomalies import DETECTOR_VERSION
from models.learning.boosting import ArtefactError, Progress
from models.learning.drift import sketch_of
from models.learning.features import ChannelMismatch
from models.learning.residuals import Judged, Looks, ResidualModel, TrainedResiduals, joined, look_at
from models.learning.residuals.backtest import FALSE_ALARMS, Compared
from resolvers.predicting.fleet_hours import DAY_HOURS, FleetHours, overlaps
from resolvers.predicting.hour_steps import step_layout
from resolvers.predicting.residual_backtest import Replay, compared, replay

METHOD = "CROSS_CHANNEL_RESIDUALS"
MOST_LOOKS = 800
_TRAINED = 0.7
"""Share of the work that the training is; the rest is the backtest."""


def learn(
    fleet: FleetHours, *, trees: int, max_rows: int, threads: int, present: tuple[int, str] | None, progress: Progress
) -> dict[str, Any]:
    """Train, compare with the detector, and return as JSON values what the registry stores of it.

    Args:
        fleet: to learn from.
        trees: of each channel's model at most.
        max_rows: days of devices at most.
        threads: of LightGBM.
        present: id and artefact of the version in production; an empty artefact is that of the detector.
        progress: told the share that is done.

    Raises:
        NothingToLearn: there is too little to learn from.
    """
    layout = step_layout(KINDS[fleet.device_kind])
    looks, units, ends = _looks(fleet, min(max_rows, MOST_LOOKS))
    boosting = residuals.BOOSTING
    boosting = type(boosting)(**{**asdict(boosting), "trees": min(trees, boosting.trees), "threads": threads})
    trained = residuals.train(
        layout, looks, units, boosting=boosting, progress=lambda share: progress(_TRAINED * share)
    )
    days = replay(fleet)
    found, basis = compared(fleet, days, trained.judge_unseen)
    metrics: dict[str, Any] = {
        "devices": float(len(np.unique(units))),
        **{f"explained_{channel}": share for channel, share in trained.explained.items()},
        **({} if found is None else _found(found)),
    }
    if found is not None and present is not None:
        metrics["comparison"] = _comparison(fleet, days, found, present, threads)
    progress(1.0)
    return {
        "artefact": trained.model.to_text(),
        "method": METHOD,
        "feature_names": feature_names(trained.model),
        "parameters": {
            **asdict(boosting),
            "max_rows": max_rows,
            "detector_version": DETECTOR_VERSION,
            "basis": basis,
            "false_alarm_share": residuals.FALSE_ALARMS,
            "backtest_false_alarm_share": FALSE_ALARMS,
        },
        "metrics": metrics,
        "window": [float(ends.min() - DAY_HOURS) / DAY_HOURS, float(ends.max()) / DAY_HOURS],
        "sample_count": int(np.isfinite(trained.out_of_fold.greatest).sum()),
        "reference": _reference(trained, units, ends),
    }


def feature_names(model: ResidualModel) -> list[str]:
    """Return the names of what is kept of each look: of each channel the mean residual."""
    return [f"{channel}.residual" for channel in model.layout.channels if channel in model.trees]


def features_of(model: ResidualModel, judged: Judged) -> FloatArray:
    """Return (n, features) mean residuals of looks, on the devices' own scales; NaN where they are not known."""
    columns = [place for place, channel in enumerate(model.layout.channels) if channel in model.trees]
    chosen = judged.residuals[:, :, columns]
    known = np.isfinite(chosen)
    with np.errstate(invalid="ignore"):
        means: FloatArray = np.where(known, chosen, 0.0).sum(axis=1) / known.sum(axis=1)
    return means


def _looks(fleet: FleetHours, most: int) -> tuple[Looks, IntArray, IntArray]:
    """Return looks at the days of devices in good order, the devices' places, and the hours after the days."""
    layout = step_layout(KINDS[fleet.device_kind])
    reach = max(layout.pace.baseline, layout.pace.lead)
    days = max(fleet.steps.shape[1] - reach, 0) // DAY_HOURS
    units: IntArray = np.repeat(np.arange(len(fleet.device_ids)), days)
    ends: IntArray = fleet.end - DAY_HOURS * (np.arange(len(units), dtype=np.int64) % max(days, 1))
    has_some = np.array(
        [
            np.isfinite(fleet.steps[unit, end - DAY_HOURS - fleet.first : end - fleet.first]).any()
            for unit, end in zip(units.tolist(), ends.tolist(), strict=True)
        ],
        np.bool_,
    )
    kept = np.flatnonzero(has_some & ~overlaps(fleet.troubled, units, ends))
    kept = kept[:: max(-(-len(kept) // most), 1)]
    units, ends = units[kept], ends[kept]
    parts = [look_at(layout, fleet.steps[unit], fleet.first, ends[units == unit].tolist()) for unit in np.unique(units)]
    return joined(layout, parts), units, ends


def _found(found: Compared) -> dict[str, float]:
    return {
        "recall": found.together,
        "detector_recall": found.detector,
        "model_recall": found.model,
        "margin": found.margin,
        "faults": float(found.faults),
        "good_days": float(found.good_days),
    }


def _comparison(
    fleet: FleetHours, days: Replay, found: Compared, present: tuple[int, str], threads: int
) -> dict[str, Any] | None:
    """Return how the version in production does on the same days; None where it cannot be used any more."""
    present_id, artefact = present
    recall = found.detector
    if artefact:
        try:
            model = residuals.load(artefact, threads)
            residuals.check_same(model.layout, step_layout(KINDS[fleet.device_kind]))
        except (ArtefactError, ChannelMismatch):
            return None
        other, _ = compared(fleet, days, lambda looks, _units: model.judge(looks))
        if other is None:
            return None
        recall = other.together
    return {
        "present_id": present_id,
        "measure": "recall",
        "candidate": found.together,
        "present": recall,
        "rows": found.faults,
        "devices": found.devices,
    }


def _reference(trained: TrainedResiduals, units: IntArray, ends: IntArray) -> dict[str, Any]:
    """Return how residuals were distributed, by which it is noticed when channels go together differently.

    The predictions are left out: they are the detector's as well, of which the training knows nothing.
    """
    order = np.argsort(ends, kind="stable")
    rows = features_of(trained.model, trained.out_of_fold)[order]
    return {
        "rows": len(order),
        "units": len(np.unique(units)),
        "features": {
            name: sketch_of(rows[:, place]).to_json() for place, name in enumerate(feature_names(trained.model))
        },
    }
