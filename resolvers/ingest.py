"""Readings on their way in: checked, then stored and scored with those of concurrent callers in one transaction.

While one transaction commits, the batches that arrive meanwhile gather and form the next one: no timer, no added delay
for a lone caller, and one sync of the log for many callers under load. Where many readings have gathered, others
are begun beside the first. Each caller gets its own verdicts, after the commit: what is acknowledged is
durable.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import numpy as np

from models import clock
from models.alerts import AlertKind
from models.errors import BadUserInput, IoTSphereError, LimitExceeded
from models.reading_hours import hours_to_sum
from models.readings import NEVER, IngestReport, IntArray, PackedReadings, ReadingBatch
from models.repositories import asked_hours, device_changes, partitions, readings, watching
from models.repositories.events import NewEvent
from models.repositories.watching import Watched
from models.severity import Severity
from models.statements import Row
from models.store import Store, Transaction
from models.types import to_micros
from resolvers.alerting import Alerting, Observation
from resolvers.arrivals import Arrivals
from resolvers.detection import CLOSED, AnomalyChange, Detection
from settings.types import Settings

logger = logging.getLogger("iotsphere.ingest")

READINGS_RECORDED = "readings_recorded"
# Further groups keep the processor busy while the first waits for the database, and the other way round. A small one
# costs nearly as much as a large one, so it is begun only when there is enough for it. In a large one each further
# reading costs the same, so what is left is better taken by another.
_MOST_GROUPS = 3
_WORTH_A_GROUP = 200
_LARGE_GROUP = 1000


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A caller's batch, and where its report goes."""

    batch: ReadingBatch
    done: asyncio.Future[IngestReport]


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of the locked devices of a group.

    Attributes:
        devices: their rows by id, of those that exist.
        ids: (d,) their ids, in order.
        newest: (d,) microseconds of their newest readings before, NEVER where there are none.
        watched: what is remembered of each.
    """

    devices: Mapping[int, Row]
    ids: IntArray
    newest: IntArray
    watched: Mapping[int, Watched]

    def floors(self, device_ids: IntArray) -> IntArray:
        """Return the newest instants of the devices of some readings."""
        return self.newest[np.searchsorted(self.ids, device_ids)]


class Ingest:
    """The way in for readings; one for each process."""

    def __init__(self, store: Store, settings: Settings, alerting: Alerting, now: clock.Clock = clock.now) -> None:
        self._store = store
        self._settings = settings.ingest
        self._silence = timedelta(seconds=settings.devices.offline_after_seconds)
        self._alerting = alerting
        self._now = now
        self._detection = Detection()
        # SQLite has one writer.
        self._most_groups = min(_MOST_GROUPS, store.settings.pool_size) if store.dialect == "postgresql" else 1
        most = self._settings.max_commit_size
        self._most_of_a_group = most if self._most_groups == 1 else min(most, _LARGE_GROUP)
        self._waiting: list[_Waiting] = []
        self._waiting_readings = 0
        self._committing: set[asyncio.Task[None]] = set()
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
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_readings += len(batch)
        if self._may_begin(len(self._committing)):
            self._committing.add(asyncio.create_task(self._commit_groups()))
        return await waiting.done

    async def close(self) -> None:
        """Wait until everything that was handed in is committed or refused."""
        while self._committing:
            await asyncio.wait(self._committing)

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

    def _may_begin(self, under_way: int) -> bool:
        """Return whether a group may be begun beside those that are under way."""
        if not under_way:
            return bool(self._waiting)
        return under_way < self._most_groups and self._waiting_readings >= _WORTH_A_GROUP

    async def _commit_groups(self) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            while self._may_begin(len(self._committing) - 1):
                await self._commit_group(self._next_group())
        finally:
            # At once: whoever comes next must not take it for one that will go on.
            self._committing.discard(task)

    def _next_group(self) -> list[_Waiting]:
        size, count = 0, 0
        for waiting in self._waiting:
            if count and size + len(waiting.batch) > self._most_of_a_group:
                break
            size += len(waiting.batch)
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_readings -= size
        return group

    async def _commit_group(self, group: Sequence[_Waiting]) -> None:
        try:
            await self._store_group(group)
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
            await self._store_group([waiting])
        except Exception as error:  # noqa: BLE001 - handed to the caller
            _fail(waiting, error)

    async def _store_group(self, group: Sequence[_Waiting]) -> None:
        """Store batches in one transaction and answer them; each that has nothing to store is answered before."""
        parts = [_Part(those) for those in _by_kind(group)]
        now = self._now()
        for part in parts:
            part.arrivals.check(self._settings, now)
            part.answer(part.arrivals.refused())
        parts = [part for part in parts if len(part.arrivals.good)]
        if not parts:
            return
        await self._ensure_partitions([part.arrivals for part in parts])
        async with self._store.transaction() as transaction:
            known = await _known(transaction, [part.arrivals for part in parts])
            reports = [await self._store_part(transaction, part.arrivals, known) for part in parts]
        for part, of_each in zip(parts, reports, strict=True):
            part.answer(dict(enumerate(of_each)))

    async def _store_part(self, transaction: Transaction, arrivals: Arrivals, known: _Known) -> list[IngestReport]:
        arrivals.reject_unknown(known.devices)
        good = arrivals.good
        floors = known.floors(good.device_ids)
        is_new = await readings.add(transaction, good, floors)
        changes: list[AnomalyChange] = []
        if is_new.any():
            stored, floors = (good, floors) if is_new.all() else (good.at(is_new), floors[is_new])
            await self._ask_for_hours(transaction, stored, floors)
            is_newer = stored.micros > floors
            changes = await self._look_at(
                transaction, stored if is_newer.all() else stored.at(is_newer), known.devices, known.watched
            )
            await self._announce(transaction, stored)
        return arrivals.reports(is_new, changes)

    async def _look_at(
        self,
        transaction: Transaction,
        fresh: PackedReadings,
        devices: Mapping[int, Row],
        remembered: Mapping[int, Watched],
    ) -> list[AnomalyChange]:
        """Look for anomalies and for reasons of alerts in readings that are the newest of their devices."""
        if not len(fresh):
            return []
        changes = await self._detection.score(transaction, fresh, remembered, self._now())
        if changes:
            await self._alerting.observe(transaction, list(map(_observation, changes)))
        changed = {change.anomaly["device_id"] for change in changes}
        await self._alerting.readings(
            transaction,
            fresh,
            devices,
            # An anomaly that was told just now may have left a condition.
            has_conditions={id_ for id_, watched in remembered.items() if watched.has_conditions or id_ in changed},
            has_rules={id_ for id_, watched in remembered.items() if watched.has_rules},
        )
        return changes

    async def _ask_for_hours(self, transaction: Transaction, stored: PackedReadings, floors: IntArray) -> None:
        """Ask for the hours to be summed that readings begin, or belong to where they come late."""
        hours = hours_to_sum(stored.device_ids, stored.micros, floors, self._now())
        if hours:
            await asked_hours.ask(transaction, hours)

    async def _announce(self, transaction: Transaction, stored: PackedReadings) -> None:
        """Tell of stored readings, which are sorted by device, then by time."""
        ids, micros = stored.device_ids, stored.micros
        is_newest = np.append(ids[1:] != ids[:-1], True)
        newest = (ids[is_newest].tolist(), micros[is_newest].tolist())
        await device_changes.mark_read(transaction, *newest, online_since=self._now() - self._silence)
        order = np.argsort(micros, kind="stable")
        payload = {"kind": stored.kind, "device_ids": ids[order], "recorded_at": micros[order]}
        transaction.emit(NewEvent(READINGS_RECORDED, payload))

    async def _ensure_partitions(self, parts: Sequence[Arrivals]) -> None:
        # Before the readings' transaction, not in it: making a partition locks the whole table until the commit.
        if self._store.dialect != "postgresql":
            return
        months = {(part.kind, month) for part in parts for month in part.months()}
        unknown = months - self._known_partitions
        if unknown:
            async with self._store.transaction() as transaction:
                for kind in {kind for kind, _ in unknown}:
                    await partitions.ensure(transaction, [kind], [month for each, month in unknown if each == kind])
            self._known_partitions |= unknown


class _Part:
    """The callers of a group whose readings are of one kind."""

    def __init__(self, waiting: Sequence[_Waiting]) -> None:
        self._waiting = waiting
        self.arrivals = Arrivals([each.batch for each in waiting])

    def answer(self, reports: Mapping[int, IngestReport]) -> None:
        """Give callers, by place, their reports; one that has left gets none."""
        for place, report in reports.items():
            done = self._waiting[place].done
            if not done.done():
                done.set_result(report)


def _by_kind(group: Sequence[_Waiting]) -> list[list[_Waiting]]:
    by_kind: dict[str, list[_Waiting]] = {}
    for waiting in group:
        by_kind.setdefault(waiting.batch.kind, []).append(waiting)
    return [by_kind[kind] for kind in sorted(by_kind)]


async def _known(transaction: Transaction, parts: Sequence[Arrivals]) -> _Known:
    """Lock the devices of a group, and return what is known of them."""
    devices = await device_changes.lock(transaction, sorted({id_ for part in parts for id_ in part.device_ids()}))
    newest = [
        NEVER if row["latest_reading_at"] is None else to_micros(row["latest_reading_at"]) for row in devices.values()
    ]
    watched = await watching.watched(transaction, list(devices))
    return _Known(devices, np.array(list(devices), np.int64), np.array(newest, np.int64), watched)


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


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
