"""Readings against thresholds: first a whole batch at once, then what stands out, reading by reading."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from models.alerting import About, Finding
from models.alerts import AlertKind, ThresholdAlert
from models.devices import KINDS, Channel
from models.readings import BoolArray, FloatArray, IntArray, PackedReadings
from models.severity import Severity
from models.statements import Row
from models.types import from_micros
from resolvers.alerting.rules import Rule

Details = Mapping[int, Row]


def beyond_defaults(readings: PackedReadings, rules: Mapping[AlertKind, Rule], details: Details) -> BoolArray:
    """Say of each reading whether it lies beyond a threshold of the settings.

    Args:
        readings: (n,) of one kind.
        rules: of the settings for this kind.
        details: by device the columns that thresholds depend on.

    Returns:
        (n,) bool.
    """
    beyond = np.zeros(len(readings), dtype=np.bool_)
    for alert in KINDS[readings.kind].threshold_alerts:
        values, high = readings.column(alert.channel), rules[alert.kind].high
        if values is None or high is None:
            continue
        limits: FloatArray | float = high
        if alert.details:
            limits = _limits(alert, high, readings.device_ids, details)
        # A comparison with NaN, a missing value or threshold, is false.
        beyond |= values >= limits if alert.is_above else values <= limits
    return beyond


@dataclass(frozen=True, slots=True)
class Found:
    """What a reading says of a condition."""

    alert: ThresholdAlert
    finding: Finding


def findings(readings: PackedReadings, rules: Mapping[AlertKind, Rule]) -> Iterator[Found]:
    """Yield what readings of one device say, each alert's findings in order of time.

    A reading without the channel says nothing. Of an alert that no reading is beyond, all findings are that it is gone.

    Args:
        readings: of one device, in order of time.
        rules: in force for the device.
    """
    kind = KINDS[readings.kind]
    instants = [from_micros(at) for at in readings.micros.tolist()]
    for alert in kind.threshold_alerts:
        column, rule = readings.column(alert.channel), rules[alert.kind]
        if column is None or rule.high is None:
            continue
        for at, value in zip(instants, column.tolist(), strict=True):
            if not math.isnan(value):
                yield Found(alert, _finding(alert, kind.by_name[alert.channel], rule, at, value))


def _finding(alert: ThresholdAlert, channel: Channel, rule: Rule, at: datetime, value: float) -> Finding:
    for severity, threshold in ((Severity.CRITICAL, rule.critical), (Severity.HIGH, rule.high)):
        if threshold is not None and (value >= threshold if alert.is_above else value <= threshold):
            return Finding(at, severity, _about(alert, channel, severity, value, threshold))
    return Finding(at, None)


def _about(alert: ThresholdAlert, channel: Channel, severity: Severity, value: float, threshold: float) -> About:
    side = "more" if alert.is_above else "less"
    message = (
        f"{channel.meaning} is {_spelt(value, channel)}; {_spelt(threshold, channel)} or {side} is {severity.value}."
    )
    return About(message=message, metric=channel.name, value=value, threshold=threshold)


def _spelt(value: float, channel: Channel) -> str:
    number = f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {channel.unit}" if channel.unit else number


def _limits(alert: ThresholdAlert, high: float, device_ids: IntArray, details: Details) -> FloatArray:
    by_device = {device_id: _limit(alert, high, row) for device_id, row in details.items()}
    return np.array([by_device.get(device_id, np.nan) for device_id in device_ids.tolist()], dtype=np.float64)


def _limit(alert: ThresholdAlert, high: float, row: Row) -> float:
    if alert.counted_from is not None:
        base = row[alert.counted_from]
        high = np.nan if base is None else base + high
    limit = None if alert.limited_by is None else row[alert.limited_by]
    return high if limit is None else min(high, limit)
