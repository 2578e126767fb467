"""Opening files and telling their formats apart."""

import gzip
import io
import json
import zipfile

import pytest

from app.files import FileOptions, FileProblem, read_batches
from models.devices import WATER_HEATER

CSV = "recorded_at,power\n2022-12-07T00:00Z,1\n2022-12-07T00:01Z,2\n"
ROWS = [{"recorded_at": "2022-12-07T00:00Z", "power": 1}, {"recorded_at": "2022-12-07T00:01Z", "power": 2}]
NDJSON = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    ("name", "text", "description"),
    [
        ("a.csv", CSV, "CSV, comma separated"),
        ("a.TSV", CSV.replace(",", "\t"), "CSV, tab separated"),
        ("a", CSV, "CSV, comma separated"),
        ("a.json", json.dumps(ROWS), "JSON"),
        ("a.json", json.dumps({"rows": ROWS}) + "\n", "JSON"),
        ("a.log", json.dumps(ROWS), "JSON"),
        ("a.json", NDJSON, "NDJSON"),
        ("a.jsonl", NDJSON, "NDJSON"),
        ("a", NDJSON, "NDJSON"),
    ],
)
def test_the_format_follows_name_and_content(write, read, name, text, description):
    """Extensions decide where they are known, the beginning of the text where they are not."""
    for path in (write(text, name), write(gzip.compress(text.encode()), f"{name}.gz")):
        outcome = read(path)
        assert outcome.channel("power") == [1.0, 2.0]
        assert outcome.description[0] == f"{path.name}: {description}"


def test_the_format_may_be_given(write, read):
    """A given format wins over the name."""
    assert read(write(CSV, "a.json"), format="csv").channel("power") == [1.0, 2.0]
    with pytest.raises(FileProblem, match="There is no format 'xml'; --format takes csv, json, ndjson"):
        read(write(CSV), format="xml")


def test_standard_input_is_read_and_left_open():
    """The path - stands for standard input, of any format, whose size is not known."""
    for content in (CSV.encode(), NDJSON.encode(), gzip.compress(json.dumps(ROWS).encode())):
        stream = io.BytesIO(content)
        batches = list(read_batches("-", FileOptions(serial="WH-1"), WATER_HEATER, standard_input=stream))
        assert [len(batch) for batch in batches] == [2]
        assert batches[0].bytes_total is None
        assert not stream.closed


def test_progress_is_told_in_bytes_of_the_file(write):
    """A progress bar reaches its end, in compressed bytes where the file is compressed."""
    text = "recorded_at,power\n" + "".join(f"{1670371200 + step},{step % 977}\n" for step in range(50_000))
    for path in (write(text, "a.csv"), write(gzip.compress(text.encode()), "a.csv.gz")):
        batches = list(read_batches(path, FileOptions(serial="WH-1"), WATER_HEATER))
        read = [batch.bytes_read for batch in batches]
        assert read == sorted(read)
        assert read[0] < read[-1] == batches[-1].bytes_total == path.stat().st_size
        assert all(len(batch) == 1000 for batch in batches)


def test_what_cannot_be_opened_is_one_clear_error(tmp_path, read):
    """A missing file and a directory are named with the reason."""
    with pytest.raises(FileProblem, match=r"nowhere\.csv cannot be opened: No such file or directory"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(FileProblem, match="cannot be opened: Is a directory"):
        read(tmp_path)


def test_what_is_no_text_is_one_clear_error(write, read):
    """A workbook, another compression and bytes of any kind are refused with what to do."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sheet.xml", "<a/>")
    with pytest.raises(FileProblem, match="a ZIP archive or an Excel workbook; save or unpack it as CSV"):
        read(write(packed.getvalue(), "a.csv"))
    with pytest.raises(FileProblem, match="is no text; give a CSV, JSON or NDJSON file in UTF-8"):
        read(write(b"a,b\0c\n", "a.csv"))
    for content in (b"", b"\n \n", gzip.compress(b"")):
        with pytest.raises(FileProblem, match="is empty"):
            read(write(content, "a.csv"))


def test_a_damaged_archive_is_one_clear_error(write, read):
    """A gzip file that is cut off or corrupt ends the run in one sentence."""
    text = "recorded_at,power\n" + "".join(f"{1670371200 + step * 7},{step * 31 % 977}\n" for step in range(60_000))
    packed = gzip.compress(text.encode())
    with pytest.raises(FileProblem, match="cannot be read"):
        read(write(packed[: len(packed) // 2], "a.csv.gz"))
    with pytest.raises(FileProblem, match="cannot be read"):
        read(write(packed[:5000] + bytes(200) + packed[5200:], "a.csv.gz"))
    with pytest.raises(FileProblem, match="cannot be read"):
        read(write(packed[:8], "a.csv.gz"))


def test_leaving_early_closes_the_file(write):
    """A caller that stops in the middle leaves nothing open."""
    path = write("recorded_at,power\n" + "".join(f"{1670371200 + step},1\n" for step in range(5000)))
    with read_batches(path, FileOptions(serial="WH-1"), WATER_HEATER, 10) as file:
        assert len(next(file)) == 10
    assert next(file, None) is None
