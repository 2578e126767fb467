"""JSON arrays and lines of JSON."""

import io
import json
import tracemalloc

import pytest

from app.files import FileOptions, FileProblem, read_batches
from app.files.formats import RowFile
from app.files.json_rows import json_rows
from models.devices import WATER_HEATER

ROWS = [{"recorded_at": f"2022-12-07T00:{minute:02}Z", "power": minute} for minute in range(3)]


def test_an_array_of_objects_is_read_by_element(write, read):
    """Elements are counted from 1, however the array is laid out."""
    for indent in (None, 2):
        outcome = read(write(json.dumps(ROWS, indent=indent), "readings.json"))
        assert outcome.lines == [1, 2, 3]
        assert outcome.channel("power") == [0.0, 1.0, 2.0]
        assert outcome.batches[0].place == "element"


@pytest.mark.parametrize("position", ["first", "last"])
def test_the_array_may_be_a_field_of_an_object(write, read, position):
    """What else the object holds, arrays of plain values too, is passed over."""
    rest = {"site": {"name": "x", "rooms": [1, 2]}, "tags": ["a"], "none": []}
    document = {"rows": ROWS, **rest} if position == "first" else {**rest, "rows": ROWS}
    assert read(write(json.dumps(document), "readings.json")).lines == [1, 2, 3]


def test_two_arrays_of_objects_are_refused(write, read):
    """It is not guessed which of two arrays is meant."""
    with pytest.raises(FileProblem, match="two arrays of objects, 'a' and 'b'"):
        read(write(json.dumps({"a": ROWS, "b": ROWS}), "readings.json"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"power": 1}, {"power": 2}', "it ends inside the array"),
        ('[{"power": 1} {"power": 2}]', "followed by '{' instead of a comma"),
        ('[\n{"power": 1},\n{"power" 2}]', "line 3: Expecting ':' delimiter"),
        ('[{"power": 1}] []', "text after the end"),
        ('{"power": {"0": 1}, "load": 2}\n', "an object without an array"),
        ('{\n"time": [1, 2], "power": [1, 2]}', "do not hold objects"),
        ('{\n"rows": [{"power": 1}], ', "expected; the file seems to be cut off"),
        ('{\n"rows": [{"power": 1}]', "inside the object; the file seems to be cut off"),
        ('"text"', "neither an array nor an object"),
        ("[1, 2]", "element 1 is a number, not an object"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_array_of_objects_is_one_clear_error(write, read, text, words):
    """The message says where and why the text is no JSON of readings."""
    with pytest.raises(FileProblem) as caught:
        read(write(text, "readings.json"), format="json")
    assert words in caught.value.message


def test_an_empty_array_is_an_empty_file_of_readings(write, read):
    """Nothing to load is no error."""
    for text in ("[]", '{"rows": []}', " [ \n ] "):
        path = write(text, "readings.json")
        assert read(path, format="json").batches == []
        assert read(path, format="json", serial=None).batches == []


def test_what_stands_before_a_broken_element_is_read(write, read):
    """The rows before the break are handed over before the error is raised."""
    text = json.dumps([{"recorded_at": 1670371200 + step, "power": 1} for step in range(5000)])
    path = write(text[:-20] + "!" + text[-19:], "readings.json")
    seen = 0
    with read_batches(path, FileOptions(serial="WH-1"), WATER_HEATER, 700) as file:
        for batch in file:
            seen += len(batch)
            if seen == 4999:
                break
        with pytest.raises(FileProblem, match="cannot be read as JSON"):
            next(file)


def test_elements_that_are_no_objects_are_rejected(write, read):
    """A null or a number among the objects costs itself only."""
    outcome = read(write(json.dumps([ROWS[0], None, 7, [1], ROWS[1]]), "readings.json"))
    assert outcome.lines == [1, 5]
    assert outcome.codes == {2: "NOT_AN_OBJECT", 3: "NOT_AN_OBJECT", 4: "NOT_AN_OBJECT"}


def test_numbers_of_any_size_cost_their_row_only(write, read):
    """NaN, infinity and thousands of digits are no readings, and no reason to stop."""
    values = ["1", "NaN", "Infinity", "1e999", "9" * 5000, "2"]
    rows = [f'{{"recorded_at": {1670371200 + step}, "power": {value}}}' for step, value in enumerate(values)]
    for text, name in ((f"[{','.join(rows)}]", "a.json"), ("\n".join(rows), "a.ndjson")):
        outcome = read(write(text, name))
        assert outcome.channel("power") == [1.0, 2.0]
        assert set(outcome.codes.values()) == {"NOT_FINITE"}


def test_pieces_may_end_anywhere():
    """Text that arrives in the smallest pieces is read the same."""

    class Dripping(io.StringIO):
        def read(self, size: int | None = -1, /):
            return super().read(min(size or 1, 1))

    text = json.dumps({"n": 12, "rows": [*ROWS, {"power": -1.25e3, "note": 'a "b" é \\'}], "m": [[1], {}]}, indent=1)
    assert list(json_rows(Dripping(text), "x")) == list(json_rows(io.StringIO(text), "x"))
    assert len(list(json_rows(Dripping(text), "x"))) == 4


def test_a_large_array_is_never_in_memory_as_a_whole(write, read):
    """Reading 12 MB takes much less memory than 12 MB."""
    rows = ",".join(f'{{"recorded_at":{1670371200 + step},"power":1,"note":"{"x" * 60}"}}' for step in range(120_000))
    path = write(f"[{rows}]", "readings.json")
    del rows
    tracemalloc.start()
    file = RowFile(path)
    count = sum(len(chunk.rows) for chunk in file.chunks(1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    file.close()
    assert count == 120_000
    assert path.stat().st_size > 12_000_000
    assert peak < 4_000_000


def test_lines_that_are_no_json_are_rejected(write, read):
    """A broken line costs itself only; blank lines are no rows."""
    lines = [json.dumps(ROWS[0]), "{oops", "", "7", "[" * 100_000, json.dumps(ROWS[1]), '{"recorded_at": "2022']
    outcome = read(write("\n".join(lines), "readings.ndjson"))
    assert outcome.lines == [1, 6]
    assert outcome.codes == {2: "MALFORMED_ROW", 4: "NOT_AN_OBJECT", 5: "MALFORMED_ROW", 7: "MALFORMED_ROW"}


def test_a_file_without_one_line_of_json_is_one_clear_error(write, read):
    """Lines of something else are not counted one by one."""
    with pytest.raises(FileProblem, match="is no NDJSON of readings: line 1 is no valid JSON"):
        read(write("a,b\n1,2\n", "readings.ndjson"))


def test_a_column_may_appear_late(write, read):
    """An object far down may bring a channel that no row before it had."""
    rows = [{"recorded_at": 1670371200 + step, "power": 1} for step in range(3000)]
    rows[2500]["pressure"] = 3
    outcome = read(write("\n".join(map(json.dumps, rows)), "readings.ndjson"))
    assert ["pressure" in batch.channels for batch in outcome.batches] == [False, False, True]
    assert outcome.batches[2].channels["pressure"][500] == 3.0
