"""Anomalies in readings: each stored reading is scored in the transaction that stores it.

The detector (models/learning/anomalies) is pure; here its memory of each device is read and written, and the steps of
its incidents become anomalies: opened, followed while they last, closed. The devices are locked, so of several server
processes one at a time moves a device on, and a crash leaves readings and memory as they were.
"""

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
import orjson

from models.anomalies import AnomalyState
from models.devices import KINDS, DeviceKind
from models.learning.anomalies import DETECTOR_VERSION, Detector, IncidentStep, Scored, States, StepKind
from models.learning.anomalies.states import NEVER
from models.readings import PackedReadings
from models.repositories import anomalies, watching
from models.repositories.watching import Watched
from models.store import Transaction
from models.types import from_micros
from resolvers.anomaly_words import explanation

# A call that takes longer than a few milliseconds must not hold the event loop.
_MOST_ON_LOOP = 1000

OPENED = "OPENED"
ESCALATED = "ESCALATED"
CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class AnomalyChange:
    """A step of an incident as it was stored.

    Attributes:
        change: OPENED, ESCALATED or CLOSED.
        anomaly: all columns, as they were after the step.
        recorded_at: time of the reading at which it happened.
    """

    change: str
    anomaly: dict[str, Any]
    recorded_at: datetime


class Detection:
    """The detectors of all kinds of devices."""

    def __init__(self) -> None:
        self._detectors = {
            kind.name: Detector([channel.name for channel in kind.watched]) for kind in KINDS.values() if kind.watched
        }

    async def score(
        self, transaction: Transaction, readings: PackedReadings, watched: Mapping[int, Watched], now: datetime
    ) -> list[AnomalyChange]:
        """Score readings and store what follows from them.

        Args:
            transaction: has stored the readings, under the locks of their devices.
            readings: of one kind, each newer than all that its device had before; in any order.
            watched: what is remembered of these devices.
            now: the server's time.

        Returns:
            What became of anomalies, in the order in which it happened.
        """
        detector = self._detectors.get(readings.kind)
        if detector is None or not len(readings):
            return []
        kind = KINDS[readings.kind]
        columns = _Columns.of(readings, detector.channels)
        states = detector.load([watched[id_].state for id_ in columns.ids])
        await self._close_forgotten(transaction, columns, states, watched, now)
        known_profiles = await _give_profiles(transaction, detector, states, columns)
        scored = await _scored(detector, states, columns)
        await _save(transaction, states, columns, watched, known_profiles)
        steps = [
            _Step(kind, columns.ids[step.device], from_micros(int(columns.micros[step.row])), step)
            for step in scored.steps
        ]
        return await _store(transaction, steps, now) if steps else []

    async def _close_forgotten(
        self,
        transaction: Transaction,
        columns: "_Columns",
        states: States,
        watched: Mapping[int, Watched],
        now: datetime,
    ) -> None:
        """Close what an older version of the detector left open: its successor begins anew and knows nothing of it."""
        begun_anew = [
            id_
            for id_, newest in zip(columns.ids, states.hot["newest"].tolist(), strict=True)
            if newest == NEVER and watched[id_].state is not None
        ]
        if begun_anew:
            await close(transaction, begun_anew, now)


async def close(transaction: Transaction, device_ids: Sequence[int], at: datetime) -> None:
    """Close the anomalies of locked devices that are going on, as ended at an instant."""
    rows = [dict(row) for row in (await anomalies.going_on(transaction, device_ids)).values()]
    for row in rows:
        _close(row, at)
        if row["state"] == AnomalyState.CLOSED.value:
            transaction.emit(anomalies.changed(CLOSED, row))
    await anomalies.follow(transaction, rows)


@dataclass(frozen=True, slots=True)
class _Columns:
    """A batch as the detector takes it, sorted by device, then by time.

    Attributes:
        ids: (devices,) the devices.
        device: (n,) index into `ids`.
        micros: (n,) microseconds since 1970.
        values: (n, channels) NaN where a reading lacks a channel.
    """

    ids: list[int]
    device: Any
    micros: Any
    values: Any

    @classmethod
    def of(cls, readings: PackedReadings, names: Sequence[str]) -> "_Columns":
        order = np.lexsort((readings.micros, readings.device_ids))
        ids = readings.device_ids[order]
        is_first = np.append(True, ids[1:] != ids[:-1])
        values = np.full((len(readings), len(names)), np.nan)
        for place, name in enumerate(names):
            column = readings.column(name)
            if column is not None:
                values[:, place] = column[order]
        return cls(ids[is_first].tolist(), np.cumsum(is_first) - 1, readings.micros[order], values)


async def _give_profiles(
    transaction: Transaction, detector: Detector, states: States, columns: _Columns
) -> Collection[int]:
    """Load the profiles that the detector will look at; return the devices that have one."""
    needed = detector.needs_cold(states, columns.device, columns.micros)
    if not len(needed):
        return ()
    ids = [columns.ids[index] for index in cast("list[int]", needed.tolist())]
    found = await watching.profiles(transaction, ids)
    states.give_cold(needed, [found.get(id_) for id_ in ids])
    return found


async def _scored(detector: Detector, states: States, columns: _Columns) -> Scored:
    if len(columns.micros) <= _MOST_ON_LOOP:
        return detector.score(states, columns.device, columns.micros, columns.values)
    return await asyncio.to_thread(detector.score, states, columns.device, columns.micros, columns.values)


async def _save(
    transaction: Transaction,
    states: States,
    columns: _Columns,
    watched: Mapping[int, Watched],
    known_profiles: Collection[int],
) -> None:
    known = {id_ for id_ in columns.ids if watched[id_].state is not None}
    blobs = states.dump_hot(np.arange(len(columns.ids)))
    await watching.save_states(transaction, dict(zip(columns.ids, blobs, strict=True)), known)
    changed = states.changed_cold
    if len(changed):
        ids = [columns.ids[index] for index in cast("list[int]", changed.tolist())]
        await watching.save_profiles(
            transaction, dict(zip(ids, states.dump_cold(changed), strict=True)), known_profiles
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of an incident, and of which device."""

    kind: DeviceKind
    device_id: int
    recorded_at: datetime
    incident: IncidentStep


async def _store(transaction: Transaction, steps: Sequence[_Step], now: datetime) -> list[AnomalyChange]:
    rows = {
        id_: dict(row)
        for id_, row in (await anomalies.going_on(transaction, list({step.device_id for step in steps}))).items()
    }
    followed: dict[int, dict[str, Any]] = {}
    added: list[dict[str, Any]] = []
    changes: list[AnomalyChange] = []
    owners: list[dict[str, Any]] = []
    for step in steps:
        if step.incident.kind is StepKind.OPENED:
            row = rows[step.device_id] = _opened(step, now)
            added.append(row)
        else:
            row = rows.get(step.device_id)
            if row is None:
                continue
            _follow(row, step)
            if "id" in row:
                followed[row["id"]] = row
        if row["state"] != AnomalyState.RESOLVED.value:
            changes.append(AnomalyChange(_CHANGES[step.incident.kind], dict(row), step.recorded_at))
            owners.append(row)
    await anomalies.follow(transaction, list(followed.values()))
    await anomalies.add(transaction, added)
    for change, owner in zip(changes, owners, strict=True):
        change.anomaly["id"] = owner["id"]
        transaction.emit(anomalies.changed(change.change, change.anomaly))
    return changes


_CHANGES = {StepKind.OPENED: OPENED, StepKind.RAISED: ESCALATED, StepKind.CLOSED: CLOSED}


def _opened(step: _Step, now: datetime) -> dict[str, Any]:
    return {
        "device_id": step.device_id,
        "device_kind": step.kind.name,
        "state": AnomalyState.OPEN.value,
        "detector_version": DETECTOR_VERSION,
        "detected_at": step.recorded_at,
        "ended_at": None,
        "created_at": now,
        **dict.fromkeys(("resolved_at", "resolved_by", "verdict", "comment")),
        **_peak(step),
    }


def _follow(row: dict[str, Any], step: _Step) -> None:
    row |= _peak(step)
    if step.incident.kind is StepKind.CLOSED:
        _close(row, from_micros(step.incident.ended_at_micros))


def _close(row: dict[str, Any], at: datetime) -> None:
    row["ended_at"] = at
    if row["state"] == AnomalyState.OPEN.value:
        row["state"] = AnomalyState.CLOSED.value


def _peak(step: _Step) -> dict[str, Any]:
    incident = step.incident
    return {
        "metric": incident.channel,
        "metrics": orjson.dumps(incident.channels).decode(),
        "pattern": incident.evidence.value,
        "score": incident.score,
        "severity": incident.severity.value,
        "observed": _known(incident.observed),
        "expected": _known(incident.expected),
        "explanation": explanation(step.kind, incident),
        "peak_at": from_micros(incident.peak_at_micros),
    }


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
