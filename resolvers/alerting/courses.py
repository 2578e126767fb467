"""The conditions of some devices while they are moved on: what is to be stored, and what becomes of the alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from models.alerting import About, Act, Condition, Finding, Moved, Step, advance, elapse
from models.alerts import AlertKind, ConditionPhase
from models.devices.status import DeviceStatus
from models.severity import Severity
from models.statements import Row
from resolvers.alerting.rules import Rule

Key = tuple[int, AlertKind]


@dataclass(slots=True)
class Courses:
    """Conditions of locked devices, moved on by findings and by time.

    In MAINTENANCE nothing begins and nothing gets worse; what is gone is over as usual. Of RETIRED devices nothing is
    found any more.

    Attributes:
        devices: rows with kind and status, by id.
        conditions: those that are not at rest.
        changed: keys of conditions that are no longer as they were stored.
        steps: what becomes of the alert of each key, in order.
    """

    devices: Mapping[int, Row]
    conditions: dict[Key, Condition]
    changed: set[Key] = field(default_factory=set[Key])
    steps: dict[Key, list[Step]] = field(default_factory=dict[Key, list[Step]])

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

    def end(self, device_id: int, now: datetime) -> None:
        """End all conditions of a device at once."""
        for key, condition in list(self.conditions.items()):
            if key[0] == device_id:
                is_told = condition.phase is not ConditionPhase.PENDING
                self._take(key, (None, (Step(Act.RESOLVE, now, condition),) if is_told else ()))

    def stored(self) -> list[dict[str, Any]]:
        """Return the rows of the conditions that have changed and are not at rest."""
        return [_row(key, self.conditions[key]) for key in sorted(self.changed, key=_order) if key in self.conditions]

    def at_rest(self) -> list[tuple[int, str]]:
        """Return the keys of the conditions that have come to rest."""
        return [(key[0], key[1].value) for key in sorted(self.changed, key=_order) if key not in self.conditions]

    def _has(self, device_id: int, status: DeviceStatus) -> bool:
        return self.devices[device_id]["status"] == status.value

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


def read_conditions(rows: Sequence[Row]) -> dict[Key, Condition]:
    """Return the conditions that rows tell of, by device and kind."""
    return {
        (row["device_id"], AlertKind(row["kind"])): Condition(
            ConditionPhase(row["phase"]),
            row["since"],
            Severity(row["severity"]),
            About(**{name: row[name] for name in ("message", "metric", "value", "threshold", "anomaly_id")}),
        )
        for row in rows
    }


def about_columns(about: About) -> dict[str, Any]:
    """Return what an alert says as the columns of conditions and alerts."""
    return {
        "message": about.message,
        "metric": about.metric,
        "value": about.value,
        "threshold": about.threshold,
        "anomaly_id": about.anomaly_id,
    }


def _no_worse(finding: Finding, before: Condition | None) -> Finding:
    if finding.severity is None or before is None or before.phase is ConditionPhase.PENDING:
        return replace(finding, severity=None)
    return replace(finding, severity=min(finding.severity, before.severity, key=lambda each: each.rank))


def _row(key: Key, condition: Condition) -> dict[str, Any]:
    return {
        "device_id": key[0],
        "kind": key[1].value,
        "phase": condition.phase.value,
        "since": condition.since,
        "severity": condition.severity.value,
        **about_columns(condition.about),
    }


def _order(key: Key) -> tuple[int, str]:
    return key[0], key[1].value
