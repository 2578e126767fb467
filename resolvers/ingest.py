"""Readings on their way in: checked, then stored with those of concurrent callers in one transaction.

While one transaction commits, the batches that arrive meanwhile gather and form the next one: no timer, no added delay
for a lone caller, and one sync of the log for many callers under load. Each caller gets its own verdicts, after the
commit: what is acknowledged is durable.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import clock
from models.devices import KINDS
from models.errors import BadUserInput, IoTSphereError, LimitExceeded
from models.readings import IngestReport, ReadingBatch, Rejection
from models.repositories import device_changes, partitions, readings
from models.repositories.events import NewEvent
from models.statements import Row
from models.store import Store, Transaction
from models.types import to_micros
from resolvers.reading_checks import check, device_problem
from settings.types import DeviceSettings, IngestSettings

logger = logging.getLogger("iotsphere.ingest")

READINGS_RECORDED = "readings_recorded"

Key = tuple[int, datetime]


@dataclass(slots=True)
class _Waiting:
    """A caller's batch with the rows that passed the checks, and where its report goes."""

    batch: ReadingBatch
    good: Sequence[int]
    rejected: list[Rejection]
    done: asyncio.Future[IngestReport]


class Ingest:
    """The way in for readings; one for each process."""

    def __init__(
        self, store: Store, settings: IngestSettings, devices: DeviceSettings, now: clock.Clock = clock.now
    ) -> None:
        self._store = store
        self._settings = settings
        self._silence = timedelta(seconds=devices.offline_after_seconds)
        self._now = now
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
        waiting = _Waiting(batch, checked.good, checked.rejected, asyncio.get_running_loop().create_future())
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
            size += len(waiting.good)
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
            ids = {waiting.batch.device_ids[index] for waiting in group for index in waiting.good}
            devices = await device_changes.lock(transaction, list(ids))
            for waiting in group:
                _reject_unknown(waiting, devices)
            new: set[tuple[str, Key]] = set()
            for batch in _merged(group):
                stored = await readings.add(transaction, batch)
                new.update((batch.kind, key) for key in stored)
                await self._announce(transaction, batch, stored)
        return [_report(waiting, new) for waiting in group]

    async def _announce(self, transaction: Transaction, batch: ReadingBatch, stored: set[Key]) -> None:
        if not stored:
            return
        newest: dict[int, datetime] = {}
        for device_id, at in stored:
            known = newest.get(device_id)
            if known is None or at > known:
                newest[device_id] = at
        await device_changes.mark_seen(transaction, newest, online_since=self._now() - self._silence)
        keys = sorted(stored, key=lambda key: (key[1], key[0]))
        payload = {
            "kind": batch.kind,
            "device_ids": [device_id for device_id, _ in keys],
            "recorded_at": [to_micros(at) for _, at in keys],
        }
        transaction.emit(NewEvent(READINGS_RECORDED, payload))

    async def _ensure_partitions(self, group: list[_Waiting]) -> None:
        # Before the readings' transaction, not in it: making a partition locks the whole table until the commit.
        if self._store.dialect != "postgresql":
            return
        months = {
            (waiting.batch.kind, partitions.month_of(waiting.batch.recorded_at[index]))
            for waiting in group
            for index in waiting.good
        }
        unknown = months - self._known_partitions
        if unknown:
            async with self._store.transaction() as transaction:
                for kind in {kind for kind, _ in unknown}:
                    await partitions.ensure(transaction, [kind], [month for each, month in unknown if each == kind])
            self._known_partitions |= unknown


def _answer(group: Sequence[_Waiting], reports: Sequence[IngestReport]) -> None:
    for waiting, report in zip(group, reports, strict=True):
        if not waiting.done.done():
            waiting.done.set_result(report)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)


def _reject_unknown(waiting: _Waiting, devices: Mapping[int, Row]) -> None:
    batch, kind = waiting.batch, KINDS[waiting.batch.kind]
    good: list[int] = []
    for index in waiting.good:
        problem = device_problem(devices.get(batch.device_ids[index]), kind)
        if problem is None:
            good.append(index)
        else:
            waiting.rejected.append(Rejection(index, *problem))
    if len(good) < len(waiting.good):
        waiting.good = good
        waiting.rejected.sort(key=lambda rejection: rejection.index)


def _merged(group: Sequence[_Waiting]) -> list[ReadingBatch]:
    """Return the good rows of all batches as one batch for each kind."""
    merged: list[ReadingBatch] = []
    for kind in sorted({waiting.batch.kind for waiting in group}):
        mine = [waiting for waiting in group if waiting.batch.kind == kind and waiting.good]
        names = [name for name in KINDS[kind].by_name if any(name in waiting.batch.channels for waiting in mine)]
        batch = ReadingBatch(
            kind,
            [waiting.batch.device_ids[index] for waiting in mine for index in waiting.good],
            [waiting.batch.recorded_at[index] for waiting in mine for index in waiting.good],
            {name: _column(mine, name) for name in names},
        )
        if len(batch):
            merged.append(batch)
    return merged


def _column(group: Sequence[_Waiting], name: str) -> list[float | bool | None]:
    column: list[float | bool | None] = []
    for waiting in group:
        values = waiting.batch.channels.get(name)
        column.extend([None] * len(waiting.good) if values is None else [values[index] for index in waiting.good])
    return column


def _report(waiting: _Waiting, new: set[tuple[str, Key]]) -> IngestReport:
    """Count a caller's rows; a key that several rows of the group have counts as accepted for the first of them."""
    batch, accepted = waiting.batch, 0
    for index in waiting.good:
        key = (batch.kind, (batch.device_ids[index], batch.recorded_at[index]))
        if key in new:
            new.remove(key)
            accepted += 1
    return IngestReport(accepted, len(waiting.good) - accepted, waiting.rejected)
