"""What became of a file, in counts and lines."""

from app.files import FileReport
from app.files.batches import FileBatch
from app.files.problems import RejectedRow
from models.readings import IngestReport, Rejection


def batch(line_numbers, rejected=(), place="line"):
    """Return a batch of which only the lines matter."""
    return FileBatch(
        serial_numbers=["A"] * len(line_numbers),
        recorded_at=[],
        channels={},
        line_numbers=line_numbers,
        rejected=rejected,
        place=place,
        bytes_read=0,
        bytes_total=None,
    )


def test_verdicts_are_told_by_line():
    """The place in a batch that a verdict names becomes the line of the file."""
    report = FileReport()
    report.add(
        batch([2, 3, 5, 6], [RejectedRow(4, "NOT_A_NUMBER", "column 'load' holds 'x', which is not a number")]),
        IngestReport(2, 1, [Rejection(2, "OUT_OF_RANGE", "power of -5 W is below 0 W")]),
    )
    report.add(batch([7]), IngestReport(1, 0, []))
    report.add(batch([], [RejectedRow(8, "NO_TIME", "column 'time' is empty where the time should stand")]))
    assert (report.accepted_count, report.duplicate_count, report.rejected_count, report.row_count) == (3, 1, 3, 7)
    assert report.lines() == [
        "7 rows: 3 accepted, 1 duplicate, 3 rejected",
        "  NOT_A_NUMBER: 1",
        "    line 4: column 'load' holds 'x', which is not a number",
        "  NO_TIME: 1",
        "    line 8: column 'time' is empty where the time should stand",
        "  OUT_OF_RANGE: 1",
        "    line 5: power of -5 W is below 0 W",
    ]


def test_examples_are_the_first_of_each_reason():
    """However many rows are rejected, a few of each reason are kept, commonest reason first."""
    report = FileReport(examples_per_reason=2)
    for start in range(0, 12_000, 100):
        rejected = [RejectedRow(start + line, "NOT_A_TIME", "bad") for line in range(1, 100, 2)]
        verdict = [Rejection(index, "OUT_OF_RANGE", "odd") for index in (3, 1)]
        report.add(batch(list(range(start, start + 100, 2)), rejected, "element"), IngestReport(48, 0, verdict))
    assert report.lines() == [
        "12,000 rows: 5,760 accepted, 0 duplicate, 6,240 rejected",
        "  NOT_A_TIME: 6,000",
        "    element 1: bad",
        "    element 3: bad",
        "    … and 5,998 more",
        "  OUT_OF_RANGE: 240",
        "    element 2: odd",
        "    element 6: odd",
        "    … and 238 more",
    ]


def test_nothing_read_is_reported_as_nothing():
    """An empty file has a report too."""
    assert FileReport().lines() == ["0 rows: 0 accepted, 0 duplicate, 0 rejected"]
