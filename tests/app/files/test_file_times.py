"""Ways of writing times, and finding out which one a file uses."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.files import FileProblem

START = datetime(2022, 12, 7, tzinfo=UTC)


def csv_of(times):
    """Return a file of times, one watt each."""
    return "recorded_at;power\n" + "".join(f"{text};1\n" for text in times)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-12-07T01:00:00+01:00", START),
        ("2022-12-07T00:00Z", START),
        ("2022-12-07 00:00:00.250+0000", START + timedelta(milliseconds=250)),
        ("2022-12-07T00:00:00.123456789Z", START + timedelta(microseconds=123456)),
        ("20221207T000000Z", START),
        (" 2022-12-07 00:00:00 UTC", START),
        ("2022-12-07 00:00:00 GMT", START),
        ("1670371200", START),
        ("1670371200.5", START + timedelta(milliseconds=500)),
        ("1670371200250", START + timedelta(milliseconds=250)),
        ("1670371200000250", START + timedelta(microseconds=250)),
        ("1670371200000250999", START + timedelta(microseconds=250)),
        ("1670123112000", datetime(2022, 12, 4, 3, 5, 12, tzinfo=UTC)),
    ],
)
def test_times_with_zone_are_recognised(write, read, text, expected):
    """ISO 8601 and numbers since 1970, of any fineness, need no option."""
    outcome = read(write(csv_of([text, text])))
    assert outcome.recorded_at == [expected, expected]
    assert all(at.tzinfo is UTC for at in outcome.recorded_at)


def test_numbers_since_1970_may_be_numbers_in_json(write, read):
    """Whole numbers and fractions are taken as they are, exactly."""
    for values in ([1670371200, 1670371200.25], [1670371200000, 1670371200250], [1670371200000000000] * 2):
        rows = [{"recorded_at": value, "power": 1} for value in values]
        outcome = read(write(json.dumps(rows), "a.json"))
        assert outcome.recorded_at[0] == START
        assert (outcome.recorded_at[1] - START).microseconds in (0, 250_000)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["2022-12-07T00:00", "2022-12-07T00:01"], "ISO 8601"),
        (["2022-12-07", "2022-12-07 00:01:00"], "ISO 8601"),
        (["20221207", "202212070001"], "digits"),
        (["20221207000000", "20221207000100"], "digits"),
        (["2022/12/7 0:00", "2022/12/7 0:01"], "year/month/day"),
        (["7.12.2022 00:00", "7.12.2022 00:01:00"], "day/month/year"),
        (["7/12/22 0:00", "7/12/22 0:01", "13/12/22 0:01"], "day/month/year"),
        (["12/7/2022 12:00 AM", "12/7/2022 12:01:00 am", "12/31/2022 12:01:00 p.m."], "month/day/year"),
        (["12/7/2022, 12:00:00 AM", "12/7/2022, 12:01:00 AM", "12/31/2022, 1:01:00 PM"], "month/day/year"),
        (["12-07-2022 00:00:00", "12-07-2022 00:01:00.000", "12-31-2022 00:00:00"], "month/day/year"),
    ],
)
def test_times_without_zone_are_recognised(write, read, texts, words):
    """Dates in many orders are read in the zone that is given."""
    outcome = read(write(csv_of(texts)), timezone="UTC")
    assert outcome.recorded_at[:2] == [START, START + timedelta(minutes="01" in texts[1].split("12", 1)[1])]
    assert words in outcome.description[1]
    assert outcome.rejected == []


def test_times_without_zone_are_taken_as_utc(write, read):
    """The description says so, and how to tell another zone."""
    outcome = read(write(csv_of(["2022-12-07 00:00"])))
    assert outcome.recorded_at == [START]
    assert outcome.description[1].endswith("without a zone and taken as UTC (--timezone tells another)")


def test_times_of_which_some_have_a_zone_need_one(write, read):
    """What the others mean is not guessed: the message shows one and tells the option."""
    with pytest.raises(FileProblem) as caught:
        read(write(csv_of(["2022-12-07T00:00:00Z", "2022-12-07T00:01:00"])))
    assert caught.value.message == (
        "Some times of column 'recorded_at' have no time zone (like '2022-12-07T00:01:00' at line 3); "
        "give it, as --timezone Europe/Berlin or --timezone UTC."
    )


def test_a_late_time_without_zone_is_rejected(write, read):
    """A row that lacks the zone that others have is not guessed."""
    times = [f"{START + timedelta(seconds=step):%Y-%m-%dT%H:%M:%SZ}" for step in range(2000)]
    outcome = read(write(csv_of([*times, "2022-12-08T00:00:00"])))
    assert outcome.codes == {2002: "NO_TIME_ZONE"}


@pytest.mark.parametrize("text", ["", "NA", "soon", "2022-13-07T00:00Z", "2022-12-07T25:00Z", "0001-01-01T00:00+14:00"])
def test_what_is_no_time_is_rejected(write, read, text):
    """A row without a time, or with an impossible one, costs itself only."""
    outcome = read(write(csv_of(["2022-12-07T00:00Z", text, "2022-12-07T00:01Z"])))
    assert outcome.lines == [2, 4]
    assert outcome.codes == {3: "NO_TIME" if text in {"", "NA"} else "NOT_A_TIME"}


def days(count, step, order, start=START):
    """Return times of so many days, written with slashes."""
    return [f"{start + step * index:{order} %H:%M}" for index in range(int(timedelta(days=count) / step))]


DAY_FIRST, MONTH_FIRST = "%d/%m/%Y", "%m/%d/%Y"


@pytest.mark.parametrize("order", [DAY_FIRST, MONTH_FIRST])
def test_a_number_over_12_tells_the_day(write, read, order):
    """One date that fits one order only decides for all."""
    outcome = read(
        write(csv_of(["07/07/2022 00:00", f"{datetime(2022, 7, 13, tzinfo=UTC):{order} 00:00}"])), timezone="UTC"
    )
    assert outcome.recorded_at == [datetime(2022, 7, 7, tzinfo=UTC), datetime(2022, 7, 13, tzinfo=UTC)]


@pytest.mark.parametrize("order", [DAY_FIRST, MONTH_FIRST])
@pytest.mark.parametrize("reverse", [False, True])
def test_equal_steps_tell_the_day(write, read, order, reverse):
    """Where no number is over 12, the reading in which day follows day is right, though the first day fits both."""
    times = days(3, timedelta(minutes=1), order)
    outcome = read(write(csv_of(times[::-1] if reverse else times)), timezone="UTC")
    assert min(outcome.recorded_at) == START
    assert max(outcome.recorded_at) == START + timedelta(days=3, minutes=-1)


@pytest.mark.parametrize("order", [DAY_FIRST, MONTH_FIRST])
def test_irregular_times_tell_the_day_by_leaps(write, read, order):
    """Steps that differ all the time still do not leap from month to month."""
    moments = [START + timedelta(minutes=17 * index + index * index % 13) for index in range(300)]
    outcome = read(write(csv_of([f"{moment:{order} %H:%M}" for moment in moments])), timezone="UTC")
    assert outcome.recorded_at == moments


@pytest.mark.parametrize("order", [DAY_FIRST, MONTH_FIRST])
def test_gaps_and_bad_rows_do_not_hide_the_order(write, read, order):
    """A file with missing, repeated and broken rows is read all the same."""
    times = days(4, timedelta(minutes=10), order)
    del times[50:60]
    times[20:20] = ["soon", "", times[19]]
    outcome = read(write(csv_of(times)), timezone="UTC")
    assert max(outcome.recorded_at) == START + timedelta(days=4, minutes=-10)
    assert outcome.codes == {22: "NOT_A_TIME", 23: "NO_TIME"}


@pytest.mark.parametrize("order", [DAY_FIRST, MONTH_FIRST])
def test_the_order_is_told_per_device(write, read, order):
    """Rows of several devices one after the other make no order together, but each of them does."""
    times = days(2, timedelta(minutes=30), order)
    lines = [f"{serial};{text};1" for serial in "ABC" for text in times]
    text = "\n".join(["serial_number;recorded_at;power", *lines])
    outcome = read(write(text), serial=None, timezone="UTC")
    assert max(outcome.recorded_at) == START + timedelta(days=2, minutes=-30)


@pytest.mark.parametrize(
    "times",
    [
        ["07/12/2022 00:00"],
        days(1, timedelta(minutes=1), DAY_FIRST),
        ["01/02/2022 00:00", "03/04/2022 00:00", "09/05/2022 00:00"],
    ],
)
def test_what_stays_ambiguous_is_asked_for(write, read, times):
    """A single day, or days without pattern, may be two things; nothing is guessed."""
    with pytest.raises(FileProblem, match=r"may have the day or the month first.*give --time-format") as caught:
        read(write(csv_of(times)), timezone="UTC")
    assert "at line 2" in caught.value.message
    assert len(read(write(csv_of(times)), timezone="UTC", time_format="%d/%m/%Y %H:%M").recorded_at) == len(times)


def test_both_orders_in_one_file_are_refused(write, read):
    """Two dates that contradict each other are shown with their lines."""
    with pytest.raises(FileProblem, match=r"day first .*at line 2.* month first .*at line 3"):
        read(write(csv_of(["13/12/2022 00:00", "12/13/2022 00:00"])), timezone="UTC")


@pytest.mark.parametrize("texts", [["soon", "later"], ["1", "2"], ["7 Dec 2022 00:00"], ["44902.5"]])
def test_what_is_not_recognised_is_asked_for(write, read, texts):
    """Row numbers, words and rare formats are not guessed."""
    with pytest.raises(FileProblem, match="is not recognised; give it with --time-format"):
        read(write(csv_of(texts)), timezone="UTC")


def test_a_column_without_times_is_refused(write, read):
    """A column that is empty throughout is the wrong one."""
    with pytest.raises(FileProblem, match="has no times in the first 2 rows; map another"):
        read(write(csv_of(["", "NA"])))


@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        ("%d %b %Y %H:%M", "7 Dec 2022 00:00"),
        ("%d.%m.%Y %H:%M:%S", "07.12.2022   00:00:00"),
        ("%m/%d/%Y %I:%M %p", "12/07/2022 12:00 AM"),
        ("%H:%M %d/%m/%Y", "00:00 07/12/2022"),
        ("%d.%m.%YT%H:%M", "07.12.2022T00:00"),
        ("%d%m%Y", "07122022"),
        ("%Y-%m-%d %H:%M %z", "2022-12-07 01:00 +0100"),
        ("%Y-%m-%d %H:%M%z", "2022-12-07 01:00+01:00"),
        ("iso", "2022-12-07"),
        ("epoch-s", "1670371200"),
        ("epoch-ms", "1670371200000"),
    ],
)
def test_the_format_of_times_may_be_given(write, read, time_format, text):
    """Formats of strptime and the names of known styles are taken."""
    outcome = read(write(csv_of([text, "x"])), time_format=time_format, timezone="UTC")
    assert outcome.recorded_at == [START]
    assert outcome.codes == {3: "NOT_A_TIME"}


def test_small_numbers_are_times_when_said_so(write, read):
    """A format that is given is not doubted: seconds since 1970 may be few."""
    assert read(write(csv_of(["0", "60"])), time_format="epoch-s").recorded_at[1] == datetime(
        1970, 1, 1, 0, 1, tzinfo=UTC
    )


@pytest.mark.parametrize("time_format", ["%H:%M", "day first", "%Q %Y", "%Y %", "%Y %Y"])
def test_formats_that_are_none_are_refused(write, read, time_format):
    """The message says what a format is."""
    with pytest.raises(FileProblem, match=r"--time-format .* give iso, epoch-s, .* or a format of strptime"):
        read(write(csv_of(["2022-12-07T00:00Z"])), time_format=time_format)


def test_a_format_that_fits_no_time_is_refused(write, read):
    """A wrong format is noticed before every row is rejected for it."""
    with pytest.raises(FileProblem, match="is of the given form, %d/%m/%Y; correct --time-format"):
        read(write(csv_of(["2022-12-07T00:00Z"])), time_format="%d/%m/%Y")
