"""Which column becomes what."""

import pytest

from app.files import FileProblem, parse_numbers, parse_pairs
from app.files.mapping import map_columns
from models.devices import WATER_HEATER


def mapped(wanted, columns, *, serial: str | None = "WH-1"):
    """Map columns of a water heater's file."""
    return map_columns(WATER_HEATER, wanted, columns, serial=serial, open_ended=False)


def test_pairs_may_be_given_together_or_apart():
    """Commas separate pairs, and may stand in the name of a column all the same."""
    assert parse_pairs("--map", ["recorded_at=timestamp,power=load"]) == {"recorded_at": "timestamp", "power": "load"}
    assert parse_pairs("--map", ["recorded_at = Time, local", "power=a=b , energy="]) == {
        "recorded_at": "Time, local",
        "power": "a=b",
        "energy": "",
    }
    assert parse_numbers("--scale", ["power=1e3,energy=0.5"]) == {"power": 1000.0, "energy": 0.5}


@pytest.mark.parametrize(
    ("parse", "texts", "words"),
    [
        (parse_pairs, ["power"], "--x takes NAME=VALUE"),
        (parse_pairs, ["=a"], "--x takes NAME=VALUE"),
        (parse_pairs, ["a=b", "a=c"], "--x gives a twice ('b' and 'c')"),
        (parse_numbers, ["a=b"], "--x a=b is no number"),
        (parse_numbers, ["a=inf"], "is not finite"),
        (parse_numbers, ["a=nan"], "is not finite"),
    ],
)
def test_pairs_that_are_none_are_refused(parse, texts, words):
    """The message shows what was given and what is taken."""
    with pytest.raises(FileProblem) as caught:
        parse("--x", texts)
    assert words in caught.value.message


def test_columns_of_the_same_name_are_read_by_themselves():
    """Only what has another name needs to be mapped."""
    mapping = mapped({"power": "load"}, ["recorded_at", "load", "pressure", "other"])
    assert mapping.recorded_at == "recorded_at"
    assert mapping.serial_number is None
    assert mapping.channels == {"pressure": "pressure", "power": "load"}


def test_a_column_that_is_mapped_is_not_read_twice():
    """A column used under another name is not what its own name says."""
    assert mapped({"temperature": "power"}, ["recorded_at", "power"]).channels == {"temperature": "power"}


def test_a_column_can_be_left_out():
    """Nothing after the sign leaves a target out."""
    mapping = mapped({"energy": "", "serial_number": ""}, ["recorded_at", "power", "energy", "serial_number"])
    assert mapping.channels == {"power": "power"}
    assert mapping.serial_number is None


def test_files_of_many_devices_name_them_in_a_column():
    """The device comes from the column that is mapped, or of the name."""
    assert mapped({"serial_number": "id"}, ["recorded_at", "id", "power"], serial=None).serial_number == "id"
    assert mapped({}, ["recorded_at", "serial_number", "power"], serial=None).serial_number == "serial_number"


@pytest.mark.parametrize(
    ("wanted", "columns", "serial", "words"),
    [
        ({"pwr": "load"}, ["load"], "A", "'pwr', but a water heater takes recorded_at, serial_number, temperature,"),
        ({"power": "lod"}, ["time", "load"], "A", "power from 'lod', but the columns of the file are 'time', 'load'"),
        ({"power": "load"}, ["time", "load"], "A", "No column is read as the time; give --map recorded_at=COLUMN"),
        (
            {"recorded_at": "time"},
            ["time", "load"],
            "A",
            "No column is read as a channel of a water heater (temperature,",
        ),
        ({"recorded_at": "time"}, ["time", "power"], None, "Nothing tells the device; give --serial"),
        ({}, ["recorded_at", "serial_number", "power"], "A", "ignore the column with --map serial_number="),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_there(wanted, columns, serial, words):
    """The message lists the targets or the columns there are."""
    with pytest.raises(FileProblem) as caught:
        mapped(wanted, columns, serial=serial)
    assert words in caught.value.message


def test_long_lists_are_cut():
    """A file of hundreds of columns does not flood the terminal."""
    with pytest.raises(FileProblem, match="and 170 more"):
        mapped({"power": "x"}, [f"column{number}" for number in range(200)])
