"""Rules of single devices: where one alerts otherwise than the settings of its kind have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.alerts import AlertChangeKind, AlertKind, ThresholdAlert
from models.devices import KINDS
from models.errors import BadUserInput
from models.repositories import alert_rules, alerts
from models.repositories.alert_rules import OWN
from models.repositories.alerts import deduplication_key, resolution
from models.statements import Row
from models.store import Transaction
from resolvers import checks, devices
from resolvers.alerting.rules import Rule, effective_rule
from resolvers.alerting.writing import announce
from resolvers.context import Scope
from resolvers.loaders import Columns

_LONGEST_SECONDS = 31_536_000
_LONGEST_DAYS = 36_525
_FIELDS = {
    "high_threshold": "highThreshold",
    "critical_threshold": "criticalThreshold",
    "hold_seconds": "holdSeconds",
    "recover_seconds": "recoverSeconds",
}
_SWITCHED_OFF = "The rule was switched off."


@dataclass(frozen=True, slots=True)
class _Thresholds:
    """What the thresholds of an alert may be.

    Attributes:
        names: of the thresholds that it has.
        channel: name of the channel whose values are compared, None if there is none.
        unit: of the thresholds.
        is_above: values from the threshold up are bad; None without thresholds.
    """

    names: tuple[str, ...] = ()
    channel: str | None = None
    unit: str = ""
    lowest: float = 0
    highest: float = 0
    is_above: bool | None = None


async def by_devices(scope: Scope, device_ids: Sequence[int], _columns: Columns) -> list[list[Row]]:
    """Return the rules in force of each device, one for each kind of alert that it can raise."""
    rows = await devices.by_ids(scope, device_ids, frozenset({"kind"}))
    there = {row["id"]: row for row in rows if row is not None}
    own = await alert_rules.by_devices(scope.store, list(there))
    details = await scope.services.alerting.details(scope.store, there)
    found = {id_: _rules(scope, row, details.get(id_, {}), own) for id_, row in there.items()}
    return [found.get(device_id, []) for device_id in device_ids]


async def put(scope: Scope, device_id: int, kind: str, given: Mapping[str, Any]) -> Row:
    """Let a device alert otherwise, and return the rule then in force.

    An alert that stands is resolved where its rule is switched off; other changes count from the next finding on.

    Args:
        scope: of the operation.
        device_id: which device.
        kind: of the alert.
        given: any of is_enabled, high_threshold, critical_threshold, hold_seconds and recover_seconds. What is left out
            stays as it is, what is None is inherited from the settings.

    Raises: NotFound; BadUserInput for a kind of alert or a threshold that the device does not have, a value that cannot
        be, or thresholds in the wrong order.
    """
    async with scope.store.transaction() as transaction:
        device = await devices.locked(transaction, device_id, None)
        possible = _thresholds_of(device["kind"], kind)
        before = (await alert_rules.by_devices(transaction, [device_id])).get((device_id, kind))
        values: dict[str, Any] = {name: None if before is None else before[name] for name in OWN}
        values |= _checked(given, possible)
        inherited = await _inherited(transaction, scope, device, kind)
        _check_order(effective_rule(inherited, values), possible, given)
        if all(value is None for value in values.values()):
            await alert_rules.remove(transaction, device_id, kind)
        else:
            about = {"updated_at": scope.services.clock(), "updated_by": scope.principal.name}
            await alert_rules.put(transaction, {"device_id": device_id, "kind": kind, **values, **about})
        if values["is_enabled"] is False:
            await _switch_off(transaction, scope, device, AlertKind(kind))
    return await _read(scope, device_id, kind)


async def reset(scope: Scope, device_id: int, kind: str) -> Row:
    """Let a device alert as the settings have it, and return the rule then in force; raises as `put` does."""
    return await put(scope, device_id, kind, dict.fromkeys(OWN))


def _thresholds_of(device_kind: str, kind: str) -> _Thresholds:
    described = KINDS[device_kind]
    if kind not in {each.value for each in described.alert_kinds}:
        able = ", ".join(each.value for each in described.alert_kinds)
        raise BadUserInput(
            f"A {described.label} has no alerts of kind {kind}; it has {able}.", input_path=("input", "kind")
        )
    if kind == AlertKind.MAINTENANCE_DUE.value:
        return _Thresholds(("high_threshold",), None, "d", 1, _LONGEST_DAYS, is_above=True)
    alert = next((each for each in described.threshold_alerts if each.kind.value == kind), None)
    return _Thresholds() if alert is None else _of_channel(device_kind, alert)


def _of_channel(device_kind: str, alert: ThresholdAlert) -> _Thresholds:
    channel = KINDS[device_kind].by_name[alert.channel]
    names = ("high_threshold", "critical_threshold")
    return _Thresholds(names, channel.name, channel.unit, channel.minimum, channel.maximum, alert.is_above)


def _checked(given: Mapping[str, Any], possible: _Thresholds) -> dict[str, Any]:
    for name in ("high_threshold", "critical_threshold"):
        if given.get(name) is None:
            continue
        if name not in possible.names:
            raise BadUserInput(
                f"This kind of alert has no '{_FIELDS[name]}'; leave it out.", input_path=("input", _FIELDS[name])
            )
        checks.number(given[name], _FIELDS[name], possible.unit, lowest=possible.lowest, highest=possible.highest)
    for name in ("hold_seconds", "recover_seconds"):
        if given.get(name) is not None:
            checks.number(given[name], _FIELDS[name], "s", lowest=0, highest=_LONGEST_SECONDS)
    return {name: given[name] for name in OWN if name in given}


def _check_order(rule: Rule, possible: _Thresholds, given: Mapping[str, Any]) -> None:
    if rule.high is None or rule.critical is None:
        return
    if rule.critical < rule.high if possible.is_above else rule.critical > rule.high:
        side = "less than" if possible.is_above else "more than"
        name = "critical_threshold" if given.get("critical_threshold") is not None else "high_threshold"
        raise BadUserInput(
            f"The critical threshold, {rule.critical:g} {possible.unit}, must not be {side} the high one, which is "
            f"{rule.high:g} {possible.unit}; what is not given here is inherited.",
            input_path=("input", _FIELDS[name]),
        )


async def _switch_off(transaction: Transaction, scope: Scope, device: Row, kind: AlertKind) -> None:
    now = scope.services.clock()
    await scope.services.alerting.switched_off(transaction, device, kind)
    over = resolution(now, now, scope.principal.name, _SWITCHED_OFF)
    resolved = await alerts.resolve_many(
        transaction, [{"deduplication_key": deduplication_key(device["id"], kind)} | over]
    )
    await announce(transaction, [(AlertChangeKind.RESOLVED, row) for row in resolved])


async def _inherited(transaction: Transaction, scope: Scope, device: Row, kind: str) -> Rule:
    alerting = scope.services.alerting
    details = await alerting.details(transaction, {device["id"]: device})
    return alerting.inherited(device["kind"], details.get(device["id"], {}))[AlertKind(kind)]


async def _read(scope: Scope, device_id: int, kind: str) -> Row:
    (rules,) = await by_devices(scope, [device_id], None)
    return next(rule for rule in rules if rule["kind"] == kind)


def _rules(
    scope: Scope, device: Row, details: Mapping[str, float | None], own: Mapping[tuple[int, str], Row]
) -> list[Row]:
    inherited = scope.services.alerting.inherited(device["kind"], details)
    return [
        _row(device, kind, inherited[kind], own.get((device["id"], kind.value)))
        for kind in KINDS[device["kind"]].alert_kinds
    ]


def _row(device: Row, kind: AlertKind, inherited: Rule, own: Row | None) -> dict[str, Any]:
    possible, rule = _thresholds_of(device["kind"], kind.value), effective_rule(inherited, own)
    return {
        "device_id": device["id"],
        "kind": kind.value,
        "metric": possible.channel,
        "unit": possible.unit,
        "is_above": possible.is_above,
        "is_enabled": rule.is_enabled,
        "high_threshold": _real(rule.high),
        "critical_threshold": _real(rule.critical),
        "hold_seconds": _real(rule.hold_seconds),
        "recover_seconds": _real(rule.recover_seconds),
        "own": {name: None if own is None else own[name] for name in OWN},
        "updated_at": None if own is None else own["updated_at"],
        "updated_by": None if own is None else own["updated_by"],
    }


def _real(value: float | None) -> float | None:
    # Settings may hold whole numbers.
    return None if value is None else float(value)
