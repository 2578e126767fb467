"""Batches of whole files, real ones too."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.files import FileOptions, FileProblem, read_batches
from models.devices import WATER_HEATER

REAL_WEEK = Path(__file__).parents[4] / "shared/data/water_heater/electric_load_7_days.json"
SKAB = Path(__file__).parents[4] / "shared/data/skab/valve1"


def test_batches_are_columns_with_their_lines(write, read):
    """Every list of a batch has one entry for each row that can be stored."""
    text = "recorded_at,power,pressure\n" + "".join(f"{1670371200 + i},{i if i != 7 else 'x'},\n" for i in range(25))
    outcome = read(write(text), batch_size=10)
    assert [len(batch) for batch in outcome.batches] == [9, 10, 5]
    first = outcome.batches[0]
    assert first.line_numbers == [2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert first.serial_numbers == ["WH-1"] * 9
    assert first.channels == {"pressure": [None] * 9, "power": [0, 1, 2, 3, 4, 5, 6, 8, 9]}
    assert [row.line for row in first.rejected] == [9]
    assert first.place == "line"


def test_rows_of_unknown_devices_become_rejected(write):
    """The caller knows the devices; the batch names the rows of others."""
    text = "serial_number,recorded_at,power\nA,1670371200,1\nB,1670371200,x\nC,1670371200,3\nA,1670371260,4\n"
    [batch] = read_batches(write(text), FileOptions(), WATER_HEATER)
    known = batch.of_devices({"A"})
    assert known.serial_numbers == ["A", "A"]
    assert known.channels == {"power": [1.0, 4.0]}
    assert known.line_numbers == [2, 5]
    assert [(row.line, row.code) for row in known.rejected] == [(3, "NOT_A_NUMBER"), (4, "UNKNOWN_DEVICE")]
    assert known.rejected[1].message == "there is no device with serial number 'C'"
    assert batch.of_devices({"A", "C"}) is batch


def test_mistakes_are_told_before_anything_is_read(write):
    """The call itself raises, so that nothing is stored of a file that was read wrongly."""
    path = write("time,load\n2022-12-07 00:00,1\n")
    for options in (
        FileOptions(serial="WH-1"),
        FileOptions(serial="WH-1", mapping={"recorded_at": "time", "pwr": "load"}),
        FileOptions(serial="WH-1", mapping={"recorded_at": "time", "power": "load"}, timezone="x"),
    ):
        with pytest.raises(FileProblem):
            read_batches(path, options, WATER_HEATER)


def test_garbage_ends_in_a_clear_error_or_in_rejected_rows(write):
    """Whatever the bytes, nothing but a FileProblem comes out, and every batch is whole."""
    chance = random.Random(7)
    seeds = [
        b"recorded_at,power\n2022-12-07T00:00Z,1\n2022-12-07T00:01Z,2\n",
        b'[{"recorded_at":1670371200,"power":1},{"recorded_at":1670371260,"power":2}]',
        b'{"recorded_at":"07/12/2022 00:00","power":1}\n{"recorded_at":"08/12/2022 00:00","power":2}\n',
    ]
    for round_number in range(600):
        content = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(content))
            content[place : place + chance.randint(0, 3)] = bytes(
                chance.choice(b'",:;{}[]\n\r\\0129.-eTZ\xff\xc3 \t/') for _ in range(chance.randint(0, 3))
            )
        path = write(bytes(content), ("a.csv", "a.json", "a.ndjson", "a")[round_number % 4])
        batches = []
        with suppress(FileProblem):
            batches += read_batches(path, FileOptions(serial="WH-1", timezone="UTC"), WATER_HEATER, 2)
        for batch in batches:
            assert all(at.tzinfo is UTC for at in batch.recorded_at)
            assert {len(values) for values in batch.channels.values()} <= {len(batch)}


@pytest.mark.parametrize("batch_size", [100, 1000, 50_000])
def test_the_real_week_is_read_whole(read, batch_size):
    """Seven days of a real heater at steps of a minute, whose dates have the day first, become seven days."""
    if not REAL_WEEK.exists():
        pytest.skip(f"the data set {REAL_WEEK.name} is not here")
    outcome = read(
        REAL_WEEK, mapping={"recorded_at": "timestamp", "power": "load"}, timezone="UTC", batch_size=batch_size
    )
    start = datetime(2022, 12, 7, tzinfo=UTC)
    assert outcome.recorded_at == [start + timedelta(minutes=step) for step in range(10_080)]
    assert outcome.rejected == []
    power = outcome.channel("power")
    assert outcome.lines == list(range(1, 10_081))
    assert (min(power), max(power), sum(power)) == (0, 1666, 1_460_304)
    assert outcome.description[1] == "times from column 'timestamp': day/month/year, in UTC where they have no zone"


def test_a_real_test_bed_is_read(read):
    """A file of a pump's sensors, separated by semicolons, one row a second."""
    files = sorted(SKAB.glob("*.csv"))
    if not files:
        pytest.skip("the data set skab is not here")
    outcome = read(
        files[0],
        mapping={"recorded_at": "datetime", "temperature": "Temperature", "flow_rate": "Volume Flow RateRMS"},
        timezone="Europe/Moscow",
    )
    assert len(outcome.recorded_at) > 500
    assert outcome.rejected == []
    assert all(60 < value < 100 for value in outcome.channel("temperature"))
