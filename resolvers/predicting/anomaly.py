"""Whether a device is strange at present: what the streaming detector remembers of it, and its incidents of late.

Where a trained model is in production, what it finds in the newest hours joins that: channels that do not fit.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from models.anomalies import Verdict
from models.devices import DeviceKind
from models.learning.anomalies import THRESHOLD, Detector, severity_of
from models.learning.anomalies.present import Present, present
from models.learning.residuals import ResidualModel
from models.predicted import Absent, AbsentReason, Found
from models.predictions import PredictionKind
from models.repositories import anomalies, watching
from models.statements import Row
from models.types import from_micros, to_micros
from resolvers.predicting.doubts import staleness
from resolvers.predicting.methods import METHODS
from resolvers.predicting.residual_findings import METHOD as RESIDUALS
from resolvers.predicting.residual_findings import Compare, Compared, ResidualFindings
from resolvers.predicting.subjects import Compute, Outcomes, Subjects, same_for_all

if TYPE_CHECKING:
    from resolvers.context import Services

RECENT = timedelta(days=7)
_MOST_RECENT = 5
_METHOD = METHODS[PredictionKind.ANOMALY].name
# Readings after which half of the doubt that a short acquaintance leaves is gone.
_HALF_CERTAIN_READINGS = 500.0


class AnomalyPredictor:
    """Tells how strange the newest readings are, and gathers the evidence."""

    needs_histories = False

    def __init__(self) -> None:
        self._residuals = ResidualFindings()

    async def prepare(self, services: "Services", subjects: Subjects) -> Compute:
        """Load the detector's memory of the devices, their anomalies of the last days, and their newest hours."""
        loaded = subjects.models.get(PredictionKind.ANOMALY)
        if loaded is None:
            return same_for_all(subjects, subjects.lacking(PredictionKind.ANOMALY))
        states = await watching.states(services.store, subjects.ids)
        recent = await anomalies.recent(services.store, subjects.ids, subjects.now - RECENT)
        recent = {id_: [row for row in rows if counts(row)] for id_, rows in recent.items()}
        compare: Compare = dict[int, Compared]
        if isinstance(loaded.model, ResidualModel):
            compare = await self._residuals.prepare(services, subjects.kind, loaded.model, subjects.ids)
        return lambda: _judged(subjects, states, recent, compare())


def counts(row: Row) -> bool:
    """Say whether an anomaly is evidence: nobody has said that it was a false alarm."""
    return row["verdict"] != Verdict.FALSE_ALARM.value


def _judged(
    subjects: Subjects,
    states: Mapping[int, bytes],
    recent: Mapping[int, Sequence[Row]],
    channels: Mapping[int, Compared],
) -> Outcomes:
    detector = Detector([channel.name for channel in subjects.kind.watched])
    found = present(detector, [states.get(id_) for id_ in subjects.ids])
    return [
        _outcome(subjects, found, place, recent.get(id_, ())[:_MOST_RECENT], channels.get(id_))
        for place, id_ in enumerate(subjects.ids)
    ]


def _outcome(
    subjects: Subjects, found: Present, place: int, recent: Sequence[Row], channels: Compared | None
) -> Found | Absent:
    if not found.is_known[place]:
        return Absent(AbsentReason.NO_READINGS, "The detector has seen no reading of it.")
    if not found.is_warm[place]:
        return Absent(
            AbsentReason.TOO_LITTLE_HISTORY,
            "The detector is still learning what is usual: a day with 128 readings is needed, without interruption.",
        )
    going_on = next((row for row in recent if row["ended_at"] is None), None)
    score = float(found.score[place])
    if going_on is not None:
        score = max(score, float(going_on["score"]))
    is_compared = channels is not None and channels.score is not None
    if channels is not None and channels.score is not None:
        score = max(score, channels.score)
    newest = from_micros(int(found.newest_micros[place]))
    factor, stale = staleness(to_micros(newest) / 86.4e9, to_micros(subjects.now) / 86.4e9)
    readings = float(found.readings[place])
    loaded = subjects.models[PredictionKind.ANOMALY]
    unfit = () if loaded.problem is None else (f"{loaded.problem} The detector has answered alone.",)
    findings = () if channels is None else channels.findings
    return Found(
        method=RESIDUALS if is_compared else _METHOD,
        model_id=loaded.id,
        data_until=newest,
        confidence=factor * readings / (readings + _HALF_CERTAIN_READINGS),
        value=score,
        details={
            "is_anomalous": going_on is not None or any(finding["is_present"] for finding in findings),
            "going_on": None if going_on is None else going_on["id"],
            "findings": [
                *(_finding_of(row) for row in recent),
                *_present_findings(subjects.kind, found, place, going_on),
                *findings,
            ],
            "channels": _channels(subjects.kind, found, place, {} if channels is None else channels.channel_scores),
            "doubts": [*stale, *unfit, *(() if channels is None else channels.doubts)],
        },
        features=None if channels is None else channels.features,
        missing_share=None if channels is None else channels.missing_share,
    )


def _finding_of(row: Row) -> dict[str, Any]:
    return {
        "metric": row["metric"],
        "pattern": row["pattern"],
        "severity": row["severity"],
        "score": row["score"],
        "observed": row["observed"],
        "expected": row["expected"],
        "at": to_micros(row["peak_at"]),
        "is_present": row["ended_at"] is None,
        "anomaly_id": row["id"],
        "method": _METHOD,
        "began_at": to_micros(row["detected_at"]),
        "ended_at": None if row["ended_at"] is None else to_micros(row["ended_at"]),
    }


def _present_findings(kind: DeviceKind, found: Present, place: int, going_on: Row | None) -> list[dict[str, Any]]:
    """Return channels that are strange in the newest reading and that no incident of the present names."""
    told = set[str]() if going_on is None else {going_on["metric"]}
    rows: list[dict[str, Any]] = []
    for column, channel in enumerate(kind.watched):
        score = float(found.channel_scores[place, column])
        if score < THRESHOLD or channel.name in told:
            continue
        rows.append(
            {
                "metric": channel.name,
                "pattern": None,
                "severity": severity_of(score).value,
                "score": score,
                "observed": _known(found.observed[place, column]),
                "expected": _known(found.expected[place, column]),
                "at": int(found.newest_micros[place]),
                "is_present": True,
                "anomaly_id": None,
                "method": _METHOD,
                "began_at": None,
                "ended_at": None,
            }
        )
    return rows


def _channels(
    kind: DeviceKind, found: Present, place: int, residual_scores: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the score of each channel, alone or against the others, of which the factors are made."""
    return [
        {
            "name": channel.name,
            "score": max(float(found.channel_scores[place, column]), residual_scores.get(channel.name, 0.0)),
            "observed": _known(found.observed[place, column]),
        }
        for column, channel in enumerate(kind.watched)
    ]


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
