"""Alerting: what is found of devices moves their conditions on, and these raise, escalate and resolve alerts.

Every method that writes works within a transaction that its caller has opened: a reading and the alert that it raises
are stored together or not at all. Conditions of a device are moved under the lock of the device, which is what makes
two processes take turns.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from models import clock
from models.alerting import LASTING
from models.alerts import AlertKind, ConditionPhase
from models.devices import KINDS
from models.devices.status import DeviceStatus
from models.readings import PackedReadings
from models.repositories import alert_conditions, alert_rules, device_changes, devices, products
from models.repositories.base import Reads
from models.severity import Severity
from models.statements import Row
from models.store import Transaction
from models.types import from_micros
from resolvers.alerting import writing
from resolvers.alerting.courses import DeviceCourses, read_conditions
from resolvers.alerting.observations import Observation, of_maintenance, of_silence, of_stock
from resolvers.alerting.rules import Rule, default_rules, effective_rule, inherited_rule
from resolvers.alerting.thresholds import beyond_defaults, findings
from settings.types import Settings

Rules = Mapping[AlertKind, Rule]


class Alerting:
    """The way from what is found of devices to alerts; one for each process."""

    def __init__(self, settings: Settings, now: clock.Clock = clock.now) -> None:
        self._now = now
        self._silence = timedelta(seconds=settings.devices.offline_after_seconds)
        self._least_anomaly = Severity(settings.alerts.anomaly_min_severity)
        self._defaults = {kind.name: default_rules(settings, kind) for kind in KINDS.values()}

    async def readings(
        self,
        transaction: Transaction,
        readings: PackedReadings,
        before: Mapping[int, Row],
        *,
        has_conditions: Collection[int],
        has_rules: Collection[int],
    ) -> None:
        """Compare readings that were stored just now with the thresholds of their devices.

        As long as nothing is beyond a threshold this takes no statement, or one where thresholds depend on the device.

        Args:
            transaction: holds the locks of the devices.
            readings: of one kind, each device and time once, each newer than all that its device had before.
            before: by device id, status as it was before these readings.
            has_conditions: ids of devices with a condition that is not at rest; others among them do no harm.
            has_rules: ids of devices with rules of their own.
        """
        present = np.unique(readings.device_ids).tolist()
        details = await self._details(transaction, readings, present)
        beyond = beyond_defaults(readings, self._defaults[readings.kind], details)
        known, ruled = (sorted(set(ids).intersection(present)) for ids in (has_conditions, has_rules))
        concerned = sorted({*known, *ruled, *readings.device_ids[beyond].tolist()})
        if not concerned:
            return
        stored = await alert_conditions.by_devices(transaction, known) if known else {}
        own = await alert_rules.by_devices(transaction, ruled) if ruled else {}
        courses = DeviceCourses(devices=before, conditions=read_conditions(list(stored.values())))
        for device_id, those in _by_device(readings, concerned):
            rules = self._rules_of(readings.kind, device_id, details.get(device_id, {}), own)
            for found in findings(those, rules):
                courses.find(device_id, found.alert.kind, found.finding, rules[found.alert.kind])
            if device_id in known:
                self._heard(courses, before[device_id], from_micros(int(those.micros[-1])), rules)
        await writing.store(transaction, courses, self._now())

    async def observe(self, transaction: Transaction, observations: Sequence[Observation]) -> None:
        """Move conditions on by what was found otherwise; of one condition in the order of time.

        Anomalies that are less severe than `alerts.anomaly_min_severity` count as gone. Devices that are no longer
        there are passed over.
        """
        ids = sorted({each.device_id for each in observations})
        if not ids:
            return
        there = await device_changes.lock(transaction, ids)
        rules = await self.rules(transaction, there)
        stored = await alert_conditions.by_devices(transaction, list(there))
        courses = DeviceCourses(devices=there, conditions=read_conditions(list(stored.values())))
        for each in observations:
            if each.device_id in there and each.kind in rules[each.device_id]:
                finding = (
                    each if self._counts(each) else Observation(each.device_id, each.kind, each.at, None)
                ).finding
                courses.find(each.device_id, each.kind, finding, rules[each.device_id][each.kind])
        await writing.store(transaction, courses, self._now())

    async def stock(
        self, transaction: Transaction, device_ids: Sequence[int], at: Mapping[int, datetime] | None = None
    ) -> None:
        """Look at the slots of locked machines, as they are since an instant of each; now where none is given."""
        now, since = self._now(), at or {}
        pairs = zip(device_ids, await products.by_devices(transaction, device_ids), strict=True)
        await self.observe(transaction, [of_stock(id_, rows, since.get(id_, now)) for id_, rows in pairs])

    async def silence(self, transaction: Transaction, device_ids: Sequence[int]) -> None:
        """Look at the status of devices."""
        now = self._now()
        there = await device_changes.lock(transaction, device_ids)
        await self.observe(transaction, [of_silence(row, now) for row in there.values()])

    async def maintenance(self, transaction: Transaction, device_ids: Sequence[int], *, begins: bool = True) -> None:
        """Look at when devices were maintained last.

        Args:
            transaction: in which alerts are raised and resolved.
            device_ids: which devices.
            begins: alerts may be raised; otherwise they are only resolved. Somebody who tells of old work does not want
                to hear that there should be newer.
        """
        now = self._now()
        there = await device_changes.lock(transaction, device_ids)
        rules = await self.rules(transaction, there)
        last = await alert_conditions.last_maintained(transaction, list(there))
        found = [of_maintenance(id_, at, rules[id_][AlertKind.MAINTENANCE_DUE], now) for id_, at in last.items()]
        await self.observe(transaction, [each for each in found if begins or each.severity is None])

    async def switched_off(self, transaction: Transaction, device: Row, kind: AlertKind) -> None:
        """Forget a condition that a rule of its device no longer wants; the alert is its caller's to resolve."""
        stored = await alert_conditions.by_devices(transaction, [device["id"]])
        courses = DeviceCourses(devices={device["id"]: device}, conditions=read_conditions(list(stored.values())))
        courses.drop(device["id"], kind)
        await writing.store(transaction, courses, self._now())

    async def retired(self, transaction: Transaction, device: Row) -> None:
        """Resolve all alerts of a locked device that is RETIRED."""
        stored = await alert_conditions.by_devices(transaction, [device["id"]])
        courses, now = (
            DeviceCourses(devices={device["id"]: device}, conditions=read_conditions(list(stored.values()))),
            self._now(),
        )
        courses.end(device["id"], now)
        await writing.store(transaction, courses, now)

    async def due(self, db: Reads, after: int, limit: int) -> list[int]:
        """Return devices behind an id with a condition that time alone may move on now."""
        now = self._now()
        latest: dict[tuple[AlertKind, ConditionPhase], datetime] = {}
        for kind in LASTING:
            rules = [defaults[kind] for defaults in self._defaults.values() if kind in defaults]
            if rules:
                latest[kind, ConditionPhase.PENDING] = now - min(rule.timing.hold for rule in rules)
                latest[kind, ConditionPhase.RECOVERING] = now - min(rule.timing.recover for rule in rules)
        return await alert_conditions.due(db, latest, after, limit)

    async def elapse(self, transaction: Transaction, device_ids: Sequence[int]) -> None:
        """Move the lasting conditions of devices on by time."""
        there = await device_changes.lock(transaction, device_ids)
        rules = await self.rules(transaction, there)
        stored = await alert_conditions.by_devices(transaction, list(there))
        courses = DeviceCourses(devices=there, conditions=read_conditions(list(stored.values())))
        now = self._now()
        for device_id, kind in list(courses.conditions):
            if kind in LASTING and kind in rules[device_id]:
                courses.elapse(device_id, kind, now, rules[device_id][kind])
        await writing.store(transaction, courses, now)

    async def unmaintained(self, db: Reads, kind: str, after: int, limit: int) -> list[int]:
        """Return devices of a kind behind an id whose maintenance `maintenance` has to look at."""
        days = self._defaults[kind][AlertKind.MAINTENANCE_DUE].high
        since = self._now() - timedelta(days=days or 0)
        return await alert_conditions.unmaintained(db, kind, since, after, limit)

    async def rules(self, db: Reads, there: Mapping[int, Row]) -> dict[int, dict[AlertKind, Rule]]:
        """Return the rules in force of devices, given by id with their kind."""
        own = await alert_rules.by_devices(db, list(there))
        details = await self.details(db, there)
        return {id_: self._rules_of(row["kind"], id_, details.get(id_, {}), own) for id_, row in there.items()}

    async def details(self, db: Reads, there: Mapping[int, Row]) -> dict[int, Row]:
        """Return the columns that thresholds of devices depend on, of those devices of which they do."""
        columns = {name: KINDS[name].alert_details for name in {row["kind"] for row in there.values()}}
        ids = [id_ for id_, row in there.items() if columns[row["kind"]]]
        if not ids:
            return {}
        rows = await devices.by_ids(db, ids, frozenset[str]().union(*columns.values()))
        return {row["id"]: row for row in rows if row is not None}

    def inherited(self, kind: str, details: Mapping[str, float | None]) -> dict[AlertKind, Rule]:
        """Return what a device of a kind inherits from the settings."""
        alerts = {alert.kind: alert for alert in KINDS[kind].threshold_alerts}
        return {each: inherited_rule(rule, alerts.get(each), details) for each, rule in self._defaults[kind].items()}

    async def _details(self, transaction: Transaction, readings: PackedReadings, ids: Sequence[int]) -> dict[int, Row]:
        kind = KINDS[readings.kind]
        if not any(alert.details for alert in kind.threshold_alerts if alert.channel in readings.names):
            return {}
        rows = await devices.by_ids(transaction, ids, kind.alert_details)
        return {row["id"]: row for row in rows if row is not None}

    def _rules_of(
        self, kind: str, device_id: int, details: Mapping[str, float | None], own: Mapping[tuple[int, str], Row]
    ) -> dict[AlertKind, Rule]:
        inherited = self.inherited(kind, details) if details or KINDS[kind].alert_details else self._defaults[kind]
        return {each: effective_rule(rule, own.get((device_id, each.value))) for each, rule in inherited.items()}

    def _heard(self, courses: DeviceCourses, device: Row, at: datetime, rules: Rules) -> None:
        now = self._now()
        if device["status"] == DeviceStatus.OFFLINE.value and at >= now - self._silence:
            gone = Observation(device["id"], AlertKind.OFFLINE, now, None).finding
            courses.find(device["id"], AlertKind.OFFLINE, gone, rules[AlertKind.OFFLINE])

    def _counts(self, observation: Observation) -> bool:
        if observation.kind is not AlertKind.ANOMALY or observation.severity is None:
            return True
        return observation.severity.rank >= self._least_anomaly.rank


def _by_device(readings: PackedReadings, ids: Sequence[int]) -> Iterator[tuple[int, PackedReadings]]:
    """Yield the readings of each of these devices in order of time, the devices in the order of their ids."""
    order = np.lexsort((readings.micros, readings.device_ids))
    starts, ends = (np.searchsorted(readings.device_ids, ids, side, sorter=order) for side in ("left", "right"))
    for device_id, start, end in zip(ids, starts.tolist(), ends.tolist(), strict=True):
        yield device_id, readings.at(order[start:end])
