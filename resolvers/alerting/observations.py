"""What is found of devices otherwise than by their readings: empty slots, silence, maintenance that is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.alerting import About, Finding
from models.alerts import AlertKind
from models.devices.status import DeviceStatus
from models.severity import Severity
from models.statements import Row
from resolvers.alerting.rules import Rule

# A message names the slots of a machine; beyond these it says how many there are.
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found of a condition of a device at an instant.

    Attributes:
        severity: how bad it is; None if it is gone, and the rest then says nothing.
        metric: name of the channel, None where it is about none.
        value: of the channel, in its unit.
        threshold: that the value lies beyond.
        anomaly_id: the anomaly that it is about.
    """

    device_id: int
    kind: AlertKind
    at: datetime
    severity: Severity | None
    message: str = ""
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    anomaly_id: int | None = None

    @property
    def finding(self) -> Finding:
        """What moves the condition on."""
        if self.severity is None:
            return Finding(self.at, None)
        about = About(
            message=self.message,
            metric=self.metric,
            value=self.value,
            threshold=self.threshold,
            anomaly_id=self.anomaly_id,
        )
        return Finding(self.at, self.severity, about)


def of_stock(device_id: int, products: Sequence[Row], now: datetime) -> Observation:
    """Return what the products in the slots of a machine say."""
    sold_out = [row for row in products if row["quantity"] == 0]
    low = [row for row in products if 0 < row["quantity"] <= row["low_stock_threshold"]]
    if not sold_out and not low:
        return Observation(device_id, AlertKind.LOW_STOCK, now, None)
    parts = (("Sold out", sold_out), ("Low", low))
    message = " ".join(f"{what}: {_named(rows)}." for what, rows in parts if rows)
    severity = Severity.CRITICAL if sold_out else Severity.HIGH
    return Observation(device_id, AlertKind.LOW_STOCK, now, severity, message)


def of_silence(device: Row, now: datetime) -> Observation:
    """Return what the status of a device says; a device that was never heard of has yet to begin."""
    if device["status"] != DeviceStatus.OFFLINE.value or device["last_seen_at"] is None:
        return Observation(device["id"], AlertKind.OFFLINE, now, None)
    message = f"Nothing has been heard of it since {device['last_seen_at']:%Y-%m-%d %H:%M:%S} UTC."
    return Observation(device["id"], AlertKind.OFFLINE, now, Severity.HIGH, message)


def of_maintenance(device_id: int, maintained_at: datetime, rule: Rule, now: datetime) -> Observation:
    """Return what the time since the last maintenance says."""
    if rule.high is None or now - maintained_at < timedelta(days=rule.high):
        return Observation(device_id, AlertKind.MAINTENANCE_DUE, now, None)
    message = f"Maintenance is due: the last was on {maintained_at:%Y-%m-%d}, and {rule.high:g} days are allowed."
    return Observation(device_id, AlertKind.MAINTENANCE_DUE, now, Severity.MEDIUM, message, threshold=rule.high)


def _named(products: Sequence[Row]) -> str:
    names = ", ".join(f"{row['slot']} {row['name']}" for row in products[:_MOST_NAMED])
    more = len(products) - _MOST_NAMED
    return f"{names} and {more} more" if more > 0 else names
