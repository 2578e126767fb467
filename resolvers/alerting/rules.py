"""The rules in force: what the settings have for a kind of device, and what a single device has otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from models.alerting import Timing
from models.alerts import AlertKind, ThresholdAlert
from models.devices import DeviceKind
from models.statements import Row
from settings.types import Settings


@dataclass(frozen=True, slots=True)
class Rule:
    """When a device alerts about something.

    Attributes:
        high: the threshold from which an alert is HIGH, in the unit of its channel; in days for maintenance that is
            due. None where there is no threshold, or the device has nothing that it could be counted from.
        critical: the threshold from which it is CRITICAL.
    """

    is_enabled: bool
    high: float | None
    critical: float | None
    hold_seconds: float
    recover_seconds: float

    @property
    def timing(self) -> Timing:
        """How long it must hold, and be gone."""
        return Timing(timedelta(seconds=self.hold_seconds), timedelta(seconds=self.recover_seconds))


def default_rules(settings: Settings, kind: DeviceKind) -> dict[AlertKind, Rule]:
    """Return the rules of the settings for a kind of device, whose section is named after it."""
    section = getattr(settings, f"{kind.name.lower()}_alerts")
    rules: dict[AlertKind, Rule] = {}
    for alert in kind.threshold_alerts:
        prefix, unit = alert.setting_prefix, alert.setting_unit
        high, critical = (float(getattr(section, f"{prefix}_{level}_{unit}")) for level in ("high", "critical"))
        rules[alert.kind] = Rule(True, high, critical, *_timing(section, prefix))
    if kind.has_stock:
        rules[AlertKind.LOW_STOCK] = Rule(True, None, None, *_timing(section, "low_stock"))
    common = settings.alerts
    rules[AlertKind.OFFLINE] = Rule(True, None, None, *_timing(common, "offline"))
    rules[AlertKind.ANOMALY] = Rule(True, None, None, *_timing(common, "anomaly"))
    # Days decide; seconds more or less do not.
    rules[AlertKind.MAINTENANCE_DUE] = Rule(True, section.maintenance_interval_days, None, 0, 0)
    return rules


def inherited_rule(rule: Rule, alert: ThresholdAlert | None, details: Mapping[str, float | None]) -> Rule:
    """Return a rule of the settings as it is for a device, by the columns of its detail table."""
    if alert is None or not alert.details or rule.high is None or rule.critical is None:
        return rule
    high, critical = rule.high, rule.critical
    if alert.counted_from is not None:
        base = details.get(alert.counted_from)
        if base is None:
            return replace(rule, high=None, critical=None)
        high, critical = base + high, base + critical
    limit = None if alert.limited_by is None else details.get(alert.limited_by)
    if limit is not None:
        high, critical = min(high, limit), min(critical, limit)
    return replace(rule, high=high, critical=critical)


def effective_rule(inherited: Rule, own: Row | None) -> Rule:
    """Return the rule in force: a device's own words, and where it has none what it inherits."""
    if own is None:
        return inherited
    given = {
        "is_enabled": own["is_enabled"],
        "high": own["high_threshold"],
        "critical": own["critical_threshold"],
        "hold_seconds": own["hold_seconds"],
        "recover_seconds": own["recover_seconds"],
    }
    return replace(inherited, **{name: value for name, value in given.items() if value is not None})


def _timing(section: object, prefix: str) -> tuple[float, float]:
    return getattr(section, f"{prefix}_hold_seconds"), getattr(section, f"{prefix}_recover_seconds")
