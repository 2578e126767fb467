"""Predictions of devices: those that are fresh are used again, the others are made, stored and shared.

Whoever asks at the same time for the same prediction shares one computation. All kinds that one turn of the loop asks
for are made together: what they have in common is loaded once, and they are stored in one transaction.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from models.devices import KINDS
from models.predicted import Absent, AbsentReason, Found
from models.predictions import PredictionKind
from models.repositories import anomalies, device_failures, devices, predictions
from models.statements import Row
from resolvers.predicting.anomaly import AnomalyPredictor, counts
from resolvers.predicting.data import load_histories
from resolvers.predicting.lifespan import LifespanPredictor
from resolvers.predicting.registry import LoadedModel
from resolvers.predicting.risk import RiskPredictor
from resolvers.predicting.subjects import Compute, Looked, Outcomes, Predictor, Subjects
from resolvers.predicting.usage import UsagePredictor

if TYPE_CHECKING:
    from resolvers.context import Services

Key = tuple[int, PredictionKind]
Answer = Row | Absent | None
"""A stored prediction; why there is none; None for a device that does not exist."""

_PREDICTORS: Mapping[PredictionKind, Predictor] = {
    PredictionKind.LIFESPAN: LifespanPredictor(),
    PredictionKind.ANOMALY: AnomalyPredictor(),
    PredictionKind.USAGE_PATTERNS: UsagePredictor(),
    PredictionKind.MULTI_FACTOR: RiskPredictor(),
}
# How many devices are looked at together: bounds the memory that their histories take.
_MOST_DEVICES = 200


class Predicting:
    """Predictions that are being made in this process."""

    def __init__(self) -> None:
        self._running: dict[Key, asyncio.Future[Mapping[Key, Answer] | None]] = {}

    async def find(self, services: "Services", keys: Sequence[Key]) -> dict[Key, Answer]:
        """Return the present prediction of each device and kind.

        Args:
            services: of the process.
            keys: any number.

        Raises:
            Unavailable: the database cannot be reached, or not be written to.
        """
        answers: dict[Key, Answer] = {}
        missing = list(dict.fromkeys(keys))
        while missing:
            shared = {key: self._running[key] for key in missing if key in self._running}
            mine = [key for key in missing if key not in shared]
            if mine:
                answers |= await self._lead(services, mine)
            for future in dict.fromkeys(shared.values()):
                answers |= await asyncio.shield(future) or {}
            # Whoever computed them may have been cancelled, or have failed in its own way.
            missing = [key for key in missing if key not in answers]
        return {key: answers[key] for key in keys}

    async def _lead(self, services: "Services", keys: Sequence[Key]) -> Mapping[Key, Answer]:
        """Make predictions, and let others that ask for them meanwhile share them."""
        future: asyncio.Future[Mapping[Key, Answer] | None] = asyncio.get_running_loop().create_future()
        self._running |= dict.fromkeys(keys, future)
        try:
            found = await _found(services, keys)
        except BaseException:
            # Also where its client has left: those that wait try it themselves.
            future.set_result(None)
            raise
        else:
            future.set_result(found)
            return found
        finally:
            for key in keys:
                del self._running[key]


async def _found(services: "Services", keys: Sequence[Key]) -> dict[Key, Answer]:
    ids = list(dict.fromkeys(device_id for device_id, _ in keys))
    answers: dict[Key, Answer] = {}
    for start in range(0, len(ids), _MOST_DEVICES):
        part = ids[start : start + _MOST_DEVICES]
        among = set(part)
        answers |= await _found_together(services, part, [key for key in keys if key[0] in among])
    return answers


async def _found_together(services: "Services", ids: Sequence[int], keys: Sequence[Key]) -> dict[Key, Answer]:
    at = services.clock()
    age = timedelta(seconds=services.settings.predictions.reuse_seconds)
    found, retired, stored = await asyncio.gather(
        devices.by_ids(services.store, ids),
        device_failures.ends_of_life(services.store, ids),
        predictions.newest(services.store, ids, at - age),
    )
    rows = {row["id"]: row for row in found if row is not None}
    answers: dict[Key, Answer] = {}
    asked: dict[str, dict[PredictionKind, list[Row]]] = {}
    for device_id, kind in keys:
        row = rows.get(device_id)
        absent = None if row is None else _not_predicted(row, kind, retired.get(device_id))
        if row is None or absent is not None:
            answers[device_id, kind] = absent
        else:
            asked.setdefault(row["kind"], {}).setdefault(kind, []).append(row)
    kinds = (_OneKind(services, device_kind, at, stored).answers(wanted) for device_kind, wanted in asked.items())
    for more in await asyncio.gather(*kinds):
        answers |= more
    return answers


def _not_predicted(row: Row, kind: PredictionKind, retired_at: datetime | None) -> Absent | None:
    label = KINDS[row["kind"]].label
    if kind not in KINDS[row["kind"]].predicted:
        return Absent(AbsentReason.NOT_OFFERED, f"{kind.value} is not predicted of a {label}.")
    if retired_at is not None:
        return Absent(AbsentReason.RETIRED, f"The {label} was given up at {retired_at.isoformat()}.")
    return None


class _OneKind:
    """Answers for devices of one kind."""

    def __init__(
        self, services: "Services", device_kind: str, at: datetime, stored: Mapping[tuple[int, str], Row]
    ) -> None:
        self._services = services
        self._kind = KINDS[device_kind]
        self._now = at
        self._in_store = stored

    async def answers(self, wanted: Mapping[PredictionKind, Sequence[Row]]) -> dict[Key, Answer]:
        models, going_on = await asyncio.gather(
            self._services.models.productions(self._services.store, self._kind.name), self._going_on(wanted)
        )
        answers: dict[Key, Answer] = dict(self._fresh(wanted, models, going_on))
        stale = {kind: [row for row in rows if (row["id"], kind) not in answers] for kind, rows in wanted.items()}
        stale = {kind: rows for kind, rows in stale.items() if rows}
        if stale:
            answers |= await self._made(stale, models)
        return answers

    async def _going_on(self, wanted: Mapping[PredictionKind, Sequence[Row]]) -> Mapping[int, Row]:
        """Return the incidents that go on at devices whose stored prediction of ANOMALY depends on that."""
        rows = wanted.get(PredictionKind.ANOMALY, ())
        ids = [row["id"] for row in rows if (row["id"], PredictionKind.ANOMALY.value) in self._in_store]
        return await anomalies.going_on(self._services.store, ids) if ids else {}

    def _fresh(
        self,
        wanted: Mapping[PredictionKind, Sequence[Row]],
        models: Mapping[PredictionKind, LoadedModel],
        going_on: Mapping[int, Row],
    ) -> dict[Key, Row]:
        """Return stored predictions that the present models would make again."""
        fresh: dict[Key, Row] = {}
        for kind, rows in wanted.items():
            model = _used(kind, models)
            for device in rows:
                row = self._in_store.get((device["id"], kind.value))
                if row is None or model is None or row["model_id"] != model.id:
                    continue
                if kind is PredictionKind.ANOMALY and not _still_holds(row, going_on.get(device["id"])):
                    continue
                fresh[device["id"], kind] = row
        return fresh

    async def _made(
        self, wanted: Mapping[PredictionKind, Sequence[Row]], models: Mapping[PredictionKind, LoadedModel]
    ) -> dict[Key, Answer]:
        """Make predictions: everything is loaded at the same time, then all of it is computed in one thread.

        A second thread would only wait for the interpreter, and keep the event loop from it.
        """
        groups = [
            {kind: rows for kind, rows in wanted.items() if _PREDICTORS[kind].needs_histories is needs}
            for needs in (True, False)
        ]
        prepared = await asyncio.gather(*(self._prepared(group, models) for group in groups if group))
        computations = {kind: compute for group in prepared for kind, compute in group.items()}
        timed = await asyncio.to_thread(lambda: {kind: _timed(compute) for kind, compute in computations.items()})
        found = {
            (row["id"], kind): outcome
            for kind, (outcomes, _) in timed.items()
            for row, outcome in zip(wanted[kind], outcomes, strict=True)
        }
        return await self._stored(found, {kind: duration for kind, (_, duration) in timed.items()})

    async def _prepared(
        self, wanted: Mapping[PredictionKind, Sequence[Row]], models: Mapping[PredictionKind, LoadedModel]
    ) -> dict[PredictionKind, Compute]:
        """Load what kinds of predictions need, and return what computes each."""
        histories = None
        if any(_PREDICTORS[kind].needs_histories for kind in wanted):
            devices = {row["id"]: row for rows in wanted.values() for row in rows}
            histories = await load_histories(
                self._services.store,
                self._kind,
                list(devices),
                until=self._now,
                load_days=self._services.hours.days,
                devices=list(devices.values()),
            )
        examined: dict[int, Looked] = {}
        prepared = await asyncio.gather(
            *(
                _PREDICTORS[kind].prepare(
                    self._services, Subjects(self._kind, rows, self._now, models, histories, examined)
                )
                for kind, rows in wanted.items()
            )
        )
        return dict(zip(wanted, prepared, strict=True))

    async def _stored(
        self, found: Mapping[Key, Found | Absent], durations: Mapping[PredictionKind, float]
    ) -> dict[Key, Answer]:
        new = {key: outcome for key, outcome in found.items() if isinstance(outcome, Found)}
        answers: dict[Key, Answer] = {
            key: outcome if isinstance(outcome, Absent) else None for key, outcome in found.items()
        }
        if not new:
            return answers
        rows = [self._row(key, outcome, durations[key[1]]) for key, outcome in new.items()]
        features = {
            (device_id, kind.value): outcome.features
            for (device_id, kind), outcome in new.items()
            if outcome.features is not None
        }
        async with self._services.store.transaction() as transaction:
            stored = await predictions.add(transaction, rows, features)
        return answers | {(device_id, PredictionKind(kind)): row for (device_id, kind), row in stored.items()}

    def _row(self, key: Key, found: Found, duration_ms: float) -> dict[str, Any]:
        device_id, kind = key
        return {
            "device_id": device_id,
            "device_kind": self._kind.name,
            "kind": kind.value,
            "model_id": found.model_id,
            "method": found.method,
            "predicted_at": self._now,
            "data_until": found.data_until,
            "confidence": found.confidence,
            "value": found.value,
            "lower": found.lower,
            "upper": found.upper,
            "details": orjson.dumps(found.details).decode(),
            "missing_share": found.missing_share,
            "duration_ms": duration_ms,
        }


def _timed(compute: Compute) -> tuple[Outcomes, float]:
    """Return what a computation gives, and how many milliseconds it took."""
    start = time.perf_counter()
    outcomes = compute()
    return outcomes, (time.perf_counter() - start) * 1000


def _used(kind: PredictionKind, models: Mapping[PredictionKind, LoadedModel]) -> LoadedModel | None:
    """Return the model that makes a prediction: without one of risk, that of remaining life tells the risk by age."""
    if kind is PredictionKind.MULTI_FACTOR and kind not in models:
        return models.get(PredictionKind.LIFESPAN)
    return models.get(kind)


def _still_holds(row: Row, going_on: Row | None) -> bool:
    """Say whether the incident of a prediction is the one that goes on now."""
    present = going_on["id"] if going_on is not None and counts(going_on) else None
    return orjson.loads(row["details"])["going_on"] == present
