"""Calendar buckets in a time zone: hours, days, weeks and months, as the people beside a machine count them."""

from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from itertools import pairwise
from zoneinfo import ZoneInfo

_HOUR = timedelta(hours=1)


class CalendarUnit(Enum):
    """How long a bucket is."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


def buckets(
    start: datetime, end: datetime, unit: CalendarUnit, zone: ZoneInfo, most: int
) -> list[tuple[datetime, datetime]] | None:
    """Return the calendar buckets that touch [start, end), each as its first instant and that of the next, in UTC.

    A day on which clocks change has 23 or 25 hours; an hour that clocks repeat is two buckets, one that they skip none.

    Args:
        start: aware, earlier than `end`.
        end: aware.
        unit: length of a bucket; weeks begin on Monday.
        zone: whose calendar.
        most: with more buckets than this the result is None.
    """
    edges = [_floor(start, unit, zone)]
    while edges[-1] < end:
        if len(edges) > most:
            return None
        edges.append(_next(edges[-1], unit, zone))
    return list(pairwise(edges))


def _floor(instant: datetime, unit: CalendarUnit, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    if unit is CalendarUnit.HOUR:
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return instant.astimezone(UTC) - past
    return _midnight(_first_day(local.date(), unit), zone)


def _next(edge: datetime, unit: CalendarUnit, zone: ZoneInfo) -> datetime:
    if unit is CalendarUnit.HOUR:
        # Where clocks change by half an hour, the hour after the change is a short one.
        return max(_floor(edge + _HOUR, unit, zone), edge + _HOUR / 2)
    days = {CalendarUnit.DAY: 1, CalendarUnit.WEEK: 7, CalendarUnit.MONTH: 31}[unit]
    return _midnight(_first_day(edge.astimezone(zone).date() + timedelta(days=days), unit), zone)


def _first_day(day: date, unit: CalendarUnit) -> date:
    if unit is CalendarUnit.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit is CalendarUnit.MONTH else day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Where clocks skip midnight this is the first instant after it, where they repeat it the first of the two.
    return datetime.combine(day, time(), zone).astimezone(UTC)
