"""Readings on their way in: checked, then stored and scored with those of concurrent callers in one transaction.

While one transaction commits, the batches that arrive meanwhile gather and form the next one: no timer, no added delay
for a lone caller, and one sync of the log for many callers under load. Each caller gets its own verdicts, after the
commit: what is acknowledged is durable.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from models import clock
from models.alerts import AlertKind
from models.devices import KINDS
from models.errors import BadUserInput, IoTSphereError, LimitExceeded
from models.reading_hours import hours_to_sum
from models.readings import IngestReport, ReadingBatch, Rejection, joined
from models.repositories import asked_hours, device_changes, partitions, readings, watching
from models.repositories.events import NewEvent
from models.repositories.watching import Watched
from models.severity import Severity
from models.statements import Row
from models.store import Store, Transaction
from models.types import from_micros, to_micros
from resolvers.alerting import Alerting, Observation
from resolvers.detection import CLOSED, AnomalyChange, Detection, fresh
from resolvers.reading_checks import check, device_problem
from settings.types import Settings

logger = logging.getLogger("iotsphere.ingest")

READINGS_RECORDED = "readings_recorded"

Key = tuple[int, datetime]


@dataclass(slots=True)
class _Waiting:
    """What passed the checks of a caller's batch, and where its report goes.

    Attributes:
        rows: the rows that passed.
        places: the place of each of them in the caller's batch.
        rejected: the verdicts on the others.
    """

    rows: ReadingBatch
    places: Sequence[int]
    rejected: list[Rejection]
    done: asyncio.Future[IngestReport]


class Ingest:
    """The way in for readings; one for each process."""

    def __init__(self, store: Store, settings: Settings, alerting: Alerting, now: clock.Clock = clock.now) -> None:
        self._store = store
        self._settings = settings.ingest
        self._silence = timedelta(seconds=settings.devices.offline_after_seconds)
        self._alerting = alerting
        self._now = now
        self._detection = Detection()
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self._known_partitions: set[tuple[str, partitions.Month]] = set()

    async def record(self, batch: ReadingBatch) -> IngestReport:
        """Store what can be stored of a batch and return the verdict on every row.

        Raises:
            BadUserInput: the batch is empty.
            LimitExceeded: it is larger than a batch may be.
            Unavailable: the database cannot be reached; nothing is known to be stored, and sending the same batch
                again is safe.
        """
        self._check_size(len(batch))
        checked = check(batch, self._settings, self._now())
        if not checked.good:
            return IngestReport(0, 0, checked.rejected)
        done: asyncio.Future[IngestReport] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(batch.at(checked.good), checked.good, checked.rejected, done)
        self._waiting.append(waiting)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        return await waiting.done

    async def close(self) -> None:
        """Wait until everything that was handed in is committed or refused."""
        if self._committing is not None:
            await self._committing

    def _check_size(self, size: int) -> None:
        if size == 0:
            raise BadUserInput("The batch has no readings.", input_path=("input", "readings"))
        if size > self._settings.max_batch_size:
            raise LimitExceeded(
                f"A batch may have {self._settings.max_batch_size} readings (ingest.max_batch_size), not {size}; "
                "send several.",
                input_path=("input", "readings"),
                limit="max_batch_size",
                allowed=self._settings.max_batch_size,
            )

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                await self._commit_group(self._next_group())
        finally:
            self._committing = None

    def _next_group(self) -> list[_Waiting]:
        size, count = 0, 0
        for waiting in self._waiting:
            size += len(waiting.rows)
            if count and size > self._settings.max_commit_size:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _commit_group(self, group: list[_Waiting]) -> None:
        try:
            _answer(group, await self._store_group(group))
        except IoTSphereError as error:
            for waiting in group:
                _fail(waiting, error)
        except Exception:
            logger.exception("a group of %d batches cannot be stored; each is tried by itself", len(group))
            # A partition that was known may have been dropped.
            self._known_partitions.clear()
            for waiting in group:
                await self._commit_alone(waiting)

    async def _commit_alone(self, waiting: _Waiting) -> None:
        """Store one batch of a group that failed unexpectedly, so that a bad one fails alone."""
        try:
            _answer([waiting], await self._store_group([waiting]))
        except Exception as error:  # noqa: BLE001 - handed to the caller
            _fail(waiting, error)

    async def _store_group(self, group: list[_Waiting]) -> list[IngestReport]:
        await self._ensure_partitions(group)
        async with self._store.transaction() as transaction:
            ids = {device_id for waiting in group for device_id in set(waiting.rows.device_ids)}
            devices = await device_changes.lock(transaction, list(ids))
            newest = {device_id: row["latest_reading_at"] for device_id, row in devices.items()}
            for waiting in group:
                _reject_unknown(waiting, devices)
            new: dict[str, Collection[Key]] = {}
            changes: list[AnomalyChange] = []
            remembered = await watching.watched(transaction, list(devices))
            for batch in _merged(group):
                stored = new[batch.kind] = await readings.add(transaction, batch, newest)
                await self._ask_for_hours(transaction, stored, newest)
                changes += await self._look_at(transaction, fresh(batch, stored, newest), devices, remembered)
                await self._announce(transaction, batch.kind, _ordered(batch, stored))
        return _reports(group, new, changes)

    async def _look_at(
        self,
        transaction: Transaction,
        batch: ReadingBatch,
        devices: Mapping[int, Row],
        remembered: Mapping[int, Watched],
    ) -> list[AnomalyChange]:
        """Look for anomalies and for reasons of alerts in readings that are the newest of their devices."""
        if not len(batch):
            return []
        changes = await self._detection.score(transaction, batch, remembered, self._now())
        if changes:
            await self._alerting.observe(transaction, list(map(_observation, changes)))
        changed = {change.anomaly["device_id"] for change in changes}
        await self._alerting.readings(
            transaction,
            batch,
            devices,
            # An anomaly that was told just now may have left a condition.
            has_conditions={id_ for id_, watched in remembered.items() if watched.has_conditions or id_ in changed},
            has_rules={id_ for id_, watched in remembered.items() if watched.has_rules},
        )
        return changes

    async def _ask_for_hours(
        self, transaction: Transaction, stored: Collection[Key], newest: Mapping[int, datetime | None]
    ) -> None:
        """Ask for the hours to be summed that readings begin, or belong to where they come late."""
        hours = hours_to_sum(stored, newest, self._now())
        if hours:
            await asked_hours.ask(transaction, hours)

    async def _announce(self, transaction: Transaction, kind: str, keys: tuple[list[int], list[int]]) -> None:
        device_ids, micros = keys
        if not device_ids:
            return
        # The last one of each device is its newest.
        seen = {device_id: from_micros(at) for device_id, at in dict(zip(device_ids, micros, strict=True)).items()}
        await device_changes.mark_seen(transaction, seen, online_since=self._now() - self._silence)
        payload = {"kind": kind, "device_ids": device_ids, "recorded_at": micros}
        transaction.emit(NewEvent(READINGS_RECORDED, payload))

    async def _ensure_partitions(self, group: list[_Waiting]) -> None:
        # Before the readings' transaction, not in it: making a partition locks the whole table until the commit.
        if self._store.dialect != "postgresql":
            return
        # The batches as they came: only their months are wanted, and joining them would copy every reading.
        batches = [waiting.rows for waiting in group if len(waiting.rows)]
        months = {(batch.kind, month) for batch in batches for month in _months(batch.recorded_at)}
        unknown = months - self._known_partitions
        if unknown:
            async with self._store.transaction() as transaction:
                for kind in {kind for kind, _ in unknown}:
                    await partitions.ensure(transaction, [kind], [month for each, month in unknown if each == kind])
            self._known_partitions |= unknown


def _ordered(batch: ReadingBatch, stored: Collection[Key]) -> tuple[list[int], list[int]]:
    """Return device and microseconds of each stored reading, in the order of time."""
    if len(stored) == len(batch):
        ids, micros = np.array(batch.device_ids, np.int64), batch.micros
    else:
        ids = np.fromiter((device_id for device_id, _ in stored), np.int64, len(stored))
        micros = np.fromiter((to_micros(at) for _, at in stored), np.int64, len(stored))
    order = np.argsort(micros, kind="stable")
    return ids[order].tolist(), micros[order].tolist()


def _observation(change: AnomalyChange) -> Observation:
    anomaly = change.anomaly
    is_over = change.change == CLOSED
    return Observation(
        device_id=anomaly["device_id"],
        kind=AlertKind.ANOMALY,
        at=change.recorded_at,
        severity=None if is_over else Severity(anomaly["severity"]),
        message=anomaly["explanation"],
        metric=anomaly["metric"],
        value=anomaly["observed"],
        anomaly_id=anomaly["id"],
    )


def _answer(group: Sequence[_Waiting], reports: Sequence[IngestReport]) -> None:
    for waiting, report in zip(group, reports, strict=True):
        if not waiting.done.done():
            waiting.done.set_result(report)


def _months(instants: Sequence[datetime]) -> set[partitions.Month]:
    first, last = partitions.month_of(min(instants)), partitions.month_of(max(instants))
    return {first} if first == last else {partitions.month_of(instant) for instant in instants}


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)


def _reject_unknown(waiting: _Waiting, devices: Mapping[int, Row]) -> None:
    kind = KINDS[waiting.rows.kind]
    wrong = {id_: device_problem(devices.get(id_), kind) for id_ in set(waiting.rows.device_ids)}
    wrong = {id_: why for id_, why in wrong.items() if why is not None}
    if not wrong:
        return
    good: list[int] = []
    for row, (place, device_id) in enumerate(zip(waiting.places, waiting.rows.device_ids, strict=True)):
        why = wrong.get(device_id)
        if why is None:
            good.append(row)
        else:
            waiting.rejected.append(Rejection(place, *why))
    waiting.rejected.sort(key=lambda rejection: rejection.index)
    waiting.places = [waiting.places[row] for row in good]
    waiting.rows = waiting.rows.at(good)


def _merged(group: Sequence[_Waiting]) -> list[ReadingBatch]:
    """Return the rows of all batches as one batch for each kind."""
    by_kind: dict[str, list[ReadingBatch]] = {}
    for waiting in group:
        if len(waiting.rows):
            by_kind.setdefault(waiting.rows.kind, []).append(waiting.rows)
    return [joined(by_kind[kind]) for kind in sorted(by_kind)]


def _reports(
    group: Sequence[_Waiting], new: Mapping[str, Collection[Key]], changes: Sequence[AnomalyChange]
) -> list[IngestReport]:
    """Count each caller's rows; a key that several rows of the group have counts as accepted for the first of them."""
    if sum(map(len, new.values())) == sum(len(waiting.rows) for waiting in group):
        reports = [IngestReport(len(waiting.rows), 0, waiting.rejected) for waiting in group]
    else:
        unclaimed = {kind: set(keys) for kind, keys in new.items()}
        reports = [_report(waiting, unclaimed.get(waiting.rows.kind, set())) for waiting in group]
    found = {
        (change.anomaly["device_id"], change.recorded_at): change.anomaly
        for change in changes
        if change.change != CLOSED
    }
    if not found:
        return reports
    return [
        replace(report, anomalies=_found_in(waiting.rows, found))
        for waiting, report in zip(group, reports, strict=True)
    ]


def _found_in(rows: ReadingBatch, found: Mapping[Key, Row]) -> list[Row]:
    by_id: dict[int, Row] = {}
    for key in zip(rows.device_ids, rows.recorded_at, strict=True):
        anomaly = found.get(key)
        if anomaly is not None:
            by_id[anomaly["id"]] = anomaly
    return list(by_id.values())


def _report(waiting: _Waiting, unclaimed: set[Key]) -> IngestReport:
    accepted = 0
    for key in zip(waiting.rows.device_ids, waiting.rows.recorded_at, strict=True):
        if key in unclaimed:
            unclaimed.remove(key)
            accepted += 1
    return IngestReport(accepted, len(waiting.rows) - accepted, waiting.rejected)
