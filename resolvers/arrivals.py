"""What arrives together: readings of one kind from several callers, checked and counted as one, answered one by one."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate

import numpy as np

from models.devices import KINDS
from models.readings import BoolArray, IngestReport, IntArray, PackedReadings, ReadingBatch, Rejection, packed
from models.repositories.partitions import Month, month_of
from models.statements import Row
from models.types import from_micros, to_micros
from resolvers.detection import CLOSED, AnomalyChange
from resolvers.reading_checks import check, device_problem
from settings.types import IngestSettings


class Arrivals:
    """The readings of some callers, as columns of all of them.

    Args:
        batches: of the callers, all of one kind.

    Attributes:
        kind: of the devices.
        good: what is not rejected, by device, then by time; of the same device and time in the order of arrival.
    """

    def __init__(self, batches: Sequence[ReadingBatch]) -> None:
        every = packed(batches)
        self.kind = every.kind
        # Of each caller the first row, and behind them the end.
        self._starts = list(accumulate(map(len, batches), initial=0))
        self._rejected: list[Rejection] = []
        self._rows: IntArray = np.lexsort((every.micros, every.device_ids))
        self._every = every
        self.good: PackedReadings = every.at(self._rows)

    def check(self, settings: IngestSettings, now: datetime) -> None:
        """Reject the readings that cannot be stored whatever is known of their devices."""
        self._reject(check(self._every, settings, now))

    def reject_unknown(self, devices: Mapping[int, Row]) -> None:
        """Reject the readings of devices that do not exist or are of another kind."""
        kind = KINDS[self.kind]
        if {row["kind"] for row in devices.values()} == {self.kind} and devices.keys() >= set(self.device_ids()):
            return
        wrong = {id_: device_problem(devices.get(id_), kind) for id_ in self.device_ids()}
        wrong = {id_: why for id_, why in wrong.items() if why is not None}
        if wrong:
            rows = self._rows[np.isin(self.good.device_ids, list(wrong))].tolist()
            ids = self._every.device_ids[rows].tolist()
            self._reject([Rejection(row, *wrong[id_]) for row, id_ in zip(rows, ids, strict=True)])

    def device_ids(self) -> list[int]:
        """Return the devices of what is good, in the order of their ids."""
        ids = self.good.device_ids
        is_first = np.ones(len(ids), np.bool_)
        np.not_equal(ids[1:], ids[:-1], out=is_first[1:])
        return ids[is_first].tolist()

    def months(self) -> set[Month]:
        """Return the months of what is good."""
        if not len(self.good):
            return set()
        micros = self.good.micros
        first, last = (month_of(from_micros(int(at))) for at in (micros.min(), micros.max()))
        return {first} if first == last else {month_of(from_micros(at)) for at in micros.tolist()}

    def refused(self) -> dict[int, IngestReport]:
        """Return the reports of the callers of whose readings none is good, by place."""
        if not self._rejected:
            return {}
        good = self._counted(np.ones(len(self.good), np.bool_))
        rejected = self._rejected_of_each()
        return {place: IngestReport(0, 0, rejected.get(place, ())) for place, count in enumerate(good) if not count}

    def reports(self, is_new: BoolArray, changes: Sequence[AnomalyChange]) -> list[IngestReport]:
        """Return the reports of the callers; a key that several rows have counts as accepted for the first of them.

        Args:
            is_new: (good,) what was stored now.
            changes: of anomalies, in the order in which they happened.
        """
        accepted = self._counted(is_new)
        good = self._counted(np.ones(len(is_new), np.bool_)) if self._rejected or not is_new.all() else accepted
        rejected = self._rejected_of_each()
        reports = [
            IngestReport(count, those - count, rejected.get(place, ()))
            for place, (count, those) in enumerate(zip(accepted, good, strict=True))
        ]
        for place, anomalies in self._anomalies_of_each(changes).items():
            reports[place] = replace(reports[place], anomalies=anomalies)
        return reports

    def _reject(self, rejections: Sequence[Rejection]) -> None:
        if rejections:
            self._rejected += rejections
            self._rows = self._rows[~np.isin(self._rows, [rejection.index for rejection in rejections])]
            self.good = self._every.at(self._rows)

    def _counted(self, mask: BoolArray) -> list[int]:
        """Return how many good rows of a mask each caller has."""
        rows = np.sort(self._rows[mask])
        return np.diff(np.searchsorted(rows, self._starts)).tolist()

    def _owner(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1

    def _rejected_of_each(self) -> dict[int, list[Rejection]]:
        found: dict[int, list[Rejection]] = {}
        for rejection in sorted(self._rejected, key=lambda each: each.index):
            owner = self._owner(rejection.index)
            found.setdefault(owner, []).append(replace(rejection, index=rejection.index - self._starts[owner]))
        return found

    def _anomalies_of_each(self, changes: Sequence[AnomalyChange]) -> dict[int, list[Row]]:
        """Return what the readings of each caller opened or raised, in the order of the readings."""
        shown = {
            (change.anomaly["device_id"], to_micros(change.recorded_at)): change.anomaly
            for change in changes
            if change.change != CLOSED
        }
        found: list[tuple[int, Row]] = []
        for (device_id, micros), anomaly in shown.items():
            is_its = (self.good.device_ids == device_id) & (self.good.micros == micros)
            found += [(row, anomaly) for row in self._rows[is_its].tolist()]
        by_caller: dict[int, dict[int, Row]] = {}
        for row, anomaly in sorted(found, key=lambda each: each[0]):
            by_caller.setdefault(self._owner(row), {})[anomaly["id"]] = anomaly
        return {place: list(anomalies.values()) for place, anomalies in by_caller.items()}
