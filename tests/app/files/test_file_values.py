"""Values of channels and devices."""

import json

import pytest


def test_empty_values_are_none(write, read):
    """What stands for "not measured" in exports is no zero and no error."""
    cells = ["1", "", "NA", "null", " ", "N/A", "None"]
    outcome = read(
        write("recorded_at,power,pressure\n" + "".join(f"{1670371200 + i},{cell},2\n" for i, cell in enumerate(cells)))
    )
    assert outcome.channel("power") == [1.0, *[None] * 6]
    assert outcome.channel("pressure") == [2.0] * 7


@pytest.mark.parametrize("cell", ["abc", "1,5", "1_000", "0x10", "--", "12 W", "1.2.3"])
def test_what_is_no_number_is_rejected_with_column_and_value(write, read, cell):
    """The reason names the column and shows the value."""
    outcome = read(write(f"recorded_at;load\n1670371200;{cell}\n1670371260;1\n"), mapping={"power": "load"})
    assert [tuple(row) for row in outcome.rejected] == [
        (2, "NOT_A_NUMBER", f"column 'load' holds '{cell}', which is not a number")
    ]
    assert outcome.channel("power") == [1.0]


@pytest.mark.parametrize("cell", ["nan", "NaN", "inf", "-Infinity", "1e999"])
def test_what_is_not_finite_is_rejected(write, read, cell):
    """NaN is no reading, and neither is infinity."""
    outcome = read(write(f"recorded_at,power\n1670371200,{cell}\n1670371260,1\n"))
    assert outcome.codes == {2: "NOT_FINITE"}
    assert outcome.rejected[0].message == f"column 'power' holds '{cell}', which is not a finite number"


def test_a_factor_that_overflows_is_not_finite(write, read):
    """What grows beyond all numbers is rejected, not stored."""
    outcome = read(write("recorded_at,power\n1670371200,1e308\n1670371260,1\n"), scales={"power": 1000})
    assert outcome.codes == {2: "NOT_FINITE"}


def test_values_of_json_are_taken_by_their_type(write, read):
    """Numbers may be texts; truth values, arrays and objects are no numbers."""
    values = [1, 2.5, "3", None, True, [4], {"w": 5}]
    rows = [{"recorded_at": 1670371200 + i, "power": value, "pressure": 1} for i, value in enumerate(values)]
    outcome = read(write(json.dumps(rows), "a.json"))
    assert outcome.channel("power") == [1.0, 2.5, 3.0, None]
    assert outcome.codes == {5: "NOT_A_NUMBER", 6: "NOT_A_NUMBER", 7: "NOT_A_NUMBER"}


def test_long_values_are_cut_and_odd_ones_made_printable(write, read):
    """A message fits a line of a terminal whatever the file holds."""
    outcome = read(write(f"recorded_at,power\n1670371200,{'x' * 5000}\n1670371260,\x1b[31m\n1670371320,1\n"))
    assert all(len(row.message) < 120 and row.message.isprintable() for row in outcome.rejected)
    assert len(outcome.rejected) == 2


def test_states_take_the_usual_words(write, read):
    """On and off are written in many ways, in CSV and in JSON."""
    words = ["true", "False", "1", "0", "ON", "off", "Yes", "no", "1.0", ""]
    expected = [True, False, True, False, True, False, True, False, True, None]
    text = "recorded_at,power,heating\n" + "".join(f"{1670371200 + i},1,{word}\n" for i, word in enumerate(words))
    assert read(write(text)).channel("heating") == expected
    rows = [{"recorded_at": 1670371200 + i, "heating": value} for i, value in enumerate([True, False, 1, 0, "on"])]
    assert read(write(json.dumps(rows), "a.json")).channel("heating") == [True, False, True, False, True]
    outcome = read(write("recorded_at,heating\n1670371200,maybe\n1670371260,2\n1670371320,1\n"))
    assert outcome.codes == {2: "NOT_A_STATE", 3: "NOT_A_STATE"}


def test_a_row_without_any_value_is_rejected(write, read):
    """A time alone is no reading."""
    outcome = read(write("recorded_at,power,pressure\n1670371200,,\n1670371260,1,\n"))
    assert outcome.codes == {2: "NO_VALUES"}


def test_one_reason_is_told_for_a_row(write, read):
    """A row with several faults is counted once, by the device, the time, then the first column."""
    rows = [",x,a,b", "A,x,a,b", "A,1670371200,a,b", "A,1670371200,,b", "A,1670371260,1,1"]
    outcome = read(write("\n".join(["serial_number,recorded_at,temperature,power", *rows])), serial=None)
    assert outcome.codes == {2: "NO_SERIAL_NUMBER", 3: "NOT_A_TIME", 4: "NOT_A_NUMBER", 5: "NOT_A_NUMBER"}
    assert "'temperature'" in outcome.rejected[2].message
    assert "'power'" in outcome.rejected[3].message


def test_serial_numbers_come_from_their_column(write, read):
    """Each row has its own device; numbers are taken as text, what cannot be one is rejected."""
    rows = [
        {"recorded_at": 1670371200, "power": 1, "id": value} for value in ["A", 17, " B ", None, "", "x" * 101, [1]]
    ]
    outcome = read(write(json.dumps(rows), "a.json"), serial=None, mapping={"serial_number": "id"})
    assert outcome.serials == ["A", "17", "B"]
    assert outcome.codes == {
        4: "NO_SERIAL_NUMBER",
        5: "NO_SERIAL_NUMBER",
        6: "NOT_A_SERIAL_NUMBER",
        7: "NOT_A_SERIAL_NUMBER",
    }
