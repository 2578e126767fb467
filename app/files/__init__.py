"""Files of readings: rows in CSV, JSON or NDJSON become batches of checked columns; storing them is for others.

streams    → csv_rows, json_rows → formats      text, rows, chunks of rows
times      → time_detection, zones              instants
values, units, mapping                          columns
loading    → batches, report                    read_batches is the way in, FileReport the way out
"""

from app.files.batches import FileBatch, FileOptions
from app.files.formats import FORMATS
from app.files.loading import ReadingFile, read_batches
from app.files.mapping import parse_numbers, parse_pairs
from app.files.problems import FileProblem, RejectedRow
from app.files.report import FileReport

__all__ = [
    "FORMATS",
    "FileBatch",
    "FileOptions",
    "FileProblem",
    "FileReport",
    "ReadingFile",
    "RejectedRow",
    "parse_numbers",
    "parse_pairs",
    "read_batches",
]
