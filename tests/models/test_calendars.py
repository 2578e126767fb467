"""Calendar buckets: where clocks change, weeks begin, and zones are not whole hours from UTC."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from models.calendars import CalendarUnit, buckets

BERLIN = ZoneInfo("Europe/Berlin")


def _local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc]


def test_days_on_which_clocks_change_have_23_and_25_hours():
    """A day is from midnight to midnight, however long that takes."""
    for day, month, hours in ((31, 3, 23), (27, 10, 25), (1, 7, 24)):
        start = _local("Europe/Berlin", 2024, month, day)
        ((begin, end),) = buckets(start, start + timedelta(hours=1), CalendarUnit.DAY, BERLIN, 10) or []
        assert (begin, end - begin) == (start, timedelta(hours=hours))


def test_an_hour_that_clocks_repeat_is_two_buckets():
    """The hours of the longest day are 25, those of the shortest 23, each an hour long."""
    for day, month, hours in ((27, 10, 25), (31, 3, 23)):
        start = _local("Europe/Berlin", 2024, month, day)
        end = _local("Europe/Berlin", 2024, month, day, 23, 59)
        found = buckets(start, end, CalendarUnit.HOUR, BERLIN, 100) or []
        assert len(found) == hours
        assert {after - before for before, after in found} == {timedelta(hours=1)}


def test_hours_are_full_hours_of_the_zone():
    """In a zone of a half hour they begin at the half of UTC's."""
    start = datetime(2024, 7, 1, 10, 10, tzinfo=UTC)
    ((begin, _),) = buckets(start, start + timedelta(minutes=5), CalendarUnit.HOUR, ZoneInfo("Asia/Kolkata"), 5) or []
    assert begin == datetime(2024, 7, 1, 9, 30, tzinfo=UTC)


def test_weeks_begin_on_monday_and_months_on_the_first():
    """The first bucket begins before the span where the calendar says so."""
    start = datetime(2024, 2, 29, 12, tzinfo=UTC)
    end = datetime(2024, 3, 5, tzinfo=UTC)
    weeks = buckets(start, end, CalendarUnit.WEEK, ZoneInfo("UTC"), 5) or []
    assert [begin.day for begin, _ in weeks] == [26, 4]
    months = buckets(start, end, CalendarUnit.MONTH, ZoneInfo("UTC"), 5) or []
    assert [(begin.month, begin.day) for begin, _ in months] == [(2, 1), (3, 1)]


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "Pacific/Apia"])
@pytest.mark.parametrize("unit", list(CalendarUnit))
def test_buckets_follow_one_another_without_gap(zone: str, unit: CalendarUnit):
    """Whatever clocks do (half hours, at midnight, a whole day left out), buckets grow and touch."""
    start = datetime(2011, 1, 1, tzinfo=UTC)
    found = buckets(start, datetime(2012, 3, 1, tzinfo=UTC), unit, ZoneInfo(zone), 20_000) or []
    assert found[0][0] <= start < found[0][1]
    assert all(begin < end for begin, end in found)
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_too_many_buckets_are_none():
    """The limit is inclusive, and a span of millennia is given up early."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    ten = start + timedelta(days=10)
    assert len(buckets(start, ten, CalendarUnit.DAY, ZoneInfo("UTC"), 10) or []) == 10
    assert buckets(start, ten, CalendarUnit.DAY, ZoneInfo("UTC"), 9) is None
    assert (
        buckets(datetime(1900, 1, 1, tzinfo=UTC), datetime(8999, 1, 1, tzinfo=UTC), CalendarUnit.HOUR, BERLIN, 1000)
        is None
    )
