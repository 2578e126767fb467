"""Local times where clocks change."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.files import FileProblem

BERLIN = ZoneInfo("Europe/Berlin")
# Clocks went back at 01:00 UTC on 2022-10-30, and forward at 01:00 UTC on 2022-03-27.
AUTUMN = datetime(2022, 10, 30, tzinfo=UTC)
SPRING = datetime(2022, 3, 27, tzinfo=UTC)


def walls(instants):
    """Return a file of the local times that clocks in Berlin showed, with the power as a running number."""
    lines = [f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M:%S},{number}" for number, at in enumerate(instants)]
    return "\n".join(["recorded_at,power", *lines])


@pytest.mark.parametrize("seconds", [20, 60, 900, 3600])
@pytest.mark.parametrize("batch_size", [7, 1000])
@pytest.mark.parametrize("direction", [1, -1])
def test_hours_that_occur_twice_are_told_apart_by_their_order(write, read, seconds, batch_size, direction):
    """Rising and falling files come out as they were written, whatever the step and wherever a batch ends."""
    start = AUTUMN - timedelta(hours=3)
    instants = [start + timedelta(seconds=seconds) * step for step in range(8 * 3600 // seconds)][::direction]
    outcome = read(write(walls(instants)), timezone="Europe/Berlin", batch_size=batch_size)
    assert outcome.recorded_at == instants


def test_a_file_that_begins_in_such_an_hour_is_read_from_its_end(write, read):
    """The rows after it tell which hour it was, and that it was both."""
    for first in (AUTUMN, AUTUMN + timedelta(minutes=20), AUTUMN + timedelta(minutes=70)):
        instants = [first + timedelta(minutes=10) * step for step in range(30)]
        assert read(write(walls(instants)), timezone="Europe/Berlin").recorded_at == instants


def test_gaps_and_repeated_rows_in_such_an_hour_keep_their_place(write, read):
    """Missing rows on both sides and a row that is there twice do not shift the others."""
    steps = [step for step in range(240) if step % 7 and not 70 <= step < 75 and not 130 <= step < 140]
    instants = [AUTUMN - timedelta(hours=1) + timedelta(minutes=step) for step in sorted([*steps, 81, 81, 150])]
    assert read(write(walls(instants)), timezone="Europe/Berlin").recorded_at == instants


def test_devices_are_followed_one_by_one(write, read):
    """The order that tells is that of each device, whether rows alternate or stand in blocks."""
    instants = [AUTUMN - timedelta(hours=1) + timedelta(minutes=15) * step for step in range(24)]
    alternating = [(serial, at) for at in instants for serial in "AB"]
    blocks = [(serial, at) for serial in "AB" for at in instants]
    for rows in (alternating, blocks):
        lines = [f"{serial},{at.astimezone(BERLIN):%Y-%m-%d %H:%M},1" for serial, at in rows]
        path = write("\n".join(["serial_number,recorded_at,power", *lines]))
        outcome = read(path, serial=None, timezone="Europe/Berlin", batch_size=5 if rows is alternating else 1000)
        assert list(zip(outcome.serials, outcome.recorded_at, strict=True)) == rows


def test_rows_without_order_are_rejected_in_such_an_hour(write, read):
    """Where rows stand in no order, nothing tells the hour, and it is not guessed."""
    instants = [AUTUMN - timedelta(hours=3) + timedelta(minutes=5) * step for step in range(96)]
    random.Random(1).shuffle(instants)
    outcome = read(write(walls(instants)), timezone="Europe/Berlin")
    assert set(outcome.codes.values()) == {"AMBIGUOUS_TIME"}
    assert len(outcome.rejected) == 24
    assert "occurs twice in Europe/Berlin" in outcome.rejected[0].message


def test_an_hour_alone_is_rejected(write, read):
    """A file of nothing but such an hour may be either."""
    outcome = read(write("recorded_at,power\n2022-10-30 02:00,1\n2022-10-30 02:10,1\n"), timezone="Europe/Berlin")
    assert outcome.codes == {2: "AMBIGUOUS_TIME", 3: "AMBIGUOUS_TIME"}


def test_hours_that_never_occur_are_rejected(write, read):
    """Clocks that go forward skip an hour; a time in it is a mistake that is named."""
    times = ["01:59", "02:00", "02:59", "03:00"]
    text = "recorded_at,power\n" + "".join(f"2022-03-27 {time},1\n" for time in times)
    outcome = read(write(text), timezone="Europe/Berlin")
    assert outcome.recorded_at == [SPRING + timedelta(minutes=59), SPRING + timedelta(hours=1)]
    assert outcome.codes == {3: "NONEXISTENT_TIME", 4: "NONEXISTENT_TIME"}
    assert outcome.rejected[0].message == ("2022-03-27 02:00:00 does not exist in Europe/Berlin, whose clocks skip it")


def test_a_zone_in_the_file_wins_over_the_given_one(write, read):
    """The given zone is for times that have none, also on the day of the change."""
    for day in ("2022-10-30", "2022-12-07"):
        text = f"recorded_at,power\n{day}T02:30+02:00,1\n{day}T02:30+01:00,2\n{day}T12:00,3\n"
        outcome = read(write(text), timezone="Europe/Berlin")
        midnight = datetime.fromisoformat(f"{day}T00:00Z")
        assert [at - midnight for at in outcome.recorded_at] == [
            timedelta(minutes=30),
            timedelta(minutes=90),
            timedelta(hours=11),
        ]


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Asia/Kathmandu"])
def test_every_zone_is_read_back_as_it_was_written(write, read, zone):
    """Half-hour changes, changes at midnight and odd offsets come out right through two years."""
    start = datetime(2017, 1, 1, tzinfo=UTC)
    instants = [start + timedelta(minutes=30) * step for step in range(2 * 366 * 48)]
    lines = [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M},1" for at in instants]
    outcome = read(write("\n".join(["recorded_at,power", *lines])), timezone=zone)
    assert outcome.recorded_at == instants


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("", "give an IANA name"),
        ("../../etc/passwd", "There is no time zone"),
        ("Europe", "There is no time zone 'Europe'"),
        ("+01:00", "give an IANA name"),
    ],
)
def test_zones_that_are_none_are_refused(write, read, name, words):
    """The message suggests what may have been meant."""
    with pytest.raises(FileProblem) as caught:
        read(write("recorded_at,power\n2022-12-07 00:00,1\n"), timezone=name)
    assert words in caught.value.message


def test_times_at_the_ends_of_the_calendar_are_rejected(write, read):
    """Years that no instant in UTC has are no reason to stop."""
    text = "recorded_at,power\n0001-01-01 00:00,1\n9999-12-31 23:59,1\n2022-12-07 00:00,1\n"
    outcome = read(write(text), timezone="Pacific/Pago_Pago")
    assert outcome.codes == {2: "NOT_A_TIME", 3: "NOT_A_TIME"}
    assert outcome.lines == [4]
