"""The conditions of devices or models while they are moved on: what is to be stored, and what becomes of alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from models.alerting import About, Act, Condition, Finding, Moved, Step, Timing, advance, elapse
from models.alerts import AlertKind, AlertOwner, ConditionPhase
from models.devices.status import DeviceStatus
from models.severity import Severity
from models.statements import Row
from resolvers.alerting.rules import Rule

Key = tuple[int, AlertKind]

_DEVICES_ONLY = {AlertOwner.DEVICE: ("anomaly_id",), AlertOwner.MODEL: ()}


@dataclass(slots=True)
class Courses:
    """Conditions of locked owners, moved on by what is found of them.

    Attributes:
        conditions: those that are not at rest, by the owner's id and the kind of alert.
        owner: what they are of.
        changed: keys of conditions that are no longer as they were stored.
        steps: what becomes of the alert of each key, in order.
    """

    conditions: dict[Key, Condition]
    owner: AlertOwner = AlertOwner.MODEL
    changed: set[Key] = field(default_factory=set[Key])
    steps: dict[Key, list[Step]] = field(default_factory=dict[Key, list[Step]])

    def move(self, owner_id: int, kind: AlertKind, finding: Finding, timing: Timing) -> None:
        """Move a condition on by what was found of it."""
        key = (owner_id, kind)
        self._take(key, advance(kind, self.conditions.get(key), finding, timing))

    def end(self, owner_id: int, now: datetime) -> None:
        """End all conditions of an owner at once."""
        for key, condition in list(self.conditions.items()):
            if key[0] == owner_id:
                is_told = condition.phase is not ConditionPhase.PENDING
                self._take(key, (None, (Step(Act.RESOLVE, now, condition),) if is_told else ()))

    def stored(self) -> list[dict[str, Any]]:
        """Return the rows of the conditions that have changed and are not at rest."""
        keys = [key for key in sorted(self.changed, key=_order) if key in self.conditions]
        return [{self.owner.column: key[0], **_row(key, self.conditions[key])} for key in keys]

    def at_rest(self) -> list[tuple[int, str]]:
        """Return the keys of the conditions that have come to rest."""
        return [(key[0], key[1].value) for key in sorted(self.changed, key=_order) if key not in self.conditions]

    def about(self, key: Key) -> dict[str, Any]:
        """Return the columns by which a new alert says what it is of."""
        return {"device_id": None, "device_kind": None, "model_id": None, self.owner.column: key[0]}

    def _take(self, key: Key, moved: Moved) -> None:
        after, steps = moved
        if after != self.conditions.get(key):
            self.changed.add(key)
        if after is None:
            self.conditions.pop(key, None)
        else:
            self.conditions[key] = after
        if steps:
            self.steps.setdefault(key, []).extend(steps)


@dataclass(slots=True, kw_only=True)
class DeviceCourses(Courses):
    """Conditions of locked devices, moved on by findings and by time.

    In MAINTENANCE nothing begins and nothing gets worse; what is gone is over as usual. Of RETIRED devices nothing is
    found any more.

    Attributes:
        devices: rows with kind and status, by id.
    """

    devices: Mapping[int, Row]
    owner: AlertOwner = AlertOwner.DEVICE

    def find(self, device_id: int, kind: AlertKind, finding: Finding, rule: Rule) -> None:
        """Move a condition on by what was found of it; what a rule has switched off is never there."""
        key = (device_id, kind)
        before = self.conditions.get(key)
        if finding.severity is None and before is None:
            return
        if not rule.is_enabled or self._has(device_id, DeviceStatus.RETIRED):
            finding = replace(finding, severity=None)
        elif self._has(device_id, DeviceStatus.MAINTENANCE):
            finding = _no_worse(finding, before)
        self._take(key, advance(kind, before, finding, rule.timing))

    def elapse(self, device_id: int, kind: AlertKind, now: datetime, rule: Rule) -> None:
        """Move a lasting condition on by time."""
        key = (device_id, kind)
        before = self.conditions[key]
        if before.phase is ConditionPhase.PENDING and self._has(device_id, DeviceStatus.MAINTENANCE):
            self._take(key, (None, ()))
        else:
            self._take(key, elapse(before, now, rule.timing))

    def drop(self, device_id: int, kind: AlertKind) -> None:
        """Forget a condition, whatever phase it is in."""
        if self.conditions.pop((device_id, kind), None) is not None:
            self.changed.add((device_id, kind))

    def about(self, key: Key) -> dict[str, Any]:
        """Return the columns by which a new alert says what it is of."""
        # Spelt out: dataclasses with slots are made anew, and a plain super() would mean the one before.
        return Courses.about(self, key) | {"device_kind": self.devices[key[0]]["kind"]}

    def _has(self, device_id: int, status: DeviceStatus) -> bool:
        return self.devices[device_id]["status"] == status.value


def read_conditions(rows: Sequence[Row], owner: AlertOwner = AlertOwner.DEVICE) -> dict[Key, Condition]:
    """Return the conditions that rows tell of, by the owner's id and the kind of alert."""
    told = ("message", "metric", "value", "threshold", *_DEVICES_ONLY[owner])
    return {
        (row[owner.column], AlertKind(row["kind"])): Condition(
            ConditionPhase(row["phase"]),
            row["since"],
            Severity(row["severity"]),
            About(**{name: row[name] for name in told}),
        )
        for row in rows
    }


def about_columns(about: About) -> dict[str, Any]:
    """Return what an alert says as the columns of alerts."""
    return {
        "message": about.message,
        "metric": about.metric,
        "value": about.value,
        "threshold": about.threshold,
        "anomaly_id": about.anomaly_id,
        "impact": about.impact,
    }


def _no_worse(finding: Finding, before: Condition | None) -> Finding:
    if finding.severity is None or before is None or before.phase is ConditionPhase.PENDING:
        return replace(finding, severity=None)
    return replace(finding, severity=min(finding.severity, before.severity, key=lambda each: each.rank))


def _row(key: Key, condition: Condition) -> dict[str, Any]:
    return {
        "kind": key[1].value,
        "phase": condition.phase.value,
        "since": condition.since,
        "severity": condition.severity.value,
        **about_columns(condition.about),
    }


def _order(key: Key) -> tuple[int, str]:
    return key[0], key[1].value
