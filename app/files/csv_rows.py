"""Rows of CSV text, with the line on which each begins."""

import csv
import io
from collections.abc import Iterator
from typing import TextIO

from app.files.problems import FileProblem, RejectedRow
from app.files.streams import LONGEST_LINE

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SNIFFED_RECORDS = 50


def sniff_delimiter(head: str) -> str:
    """Return the delimiter that splits the head of a file most evenly; a comma where none splits its first line."""
    lines = list(io.StringIO(head, newline=""))
    # The last line may be cut where the head ends.
    complete = lines[:-1] if len(lines) > 1 and not head.endswith(("\n", "\r")) else lines
    return max(DELIMITERS, key=lambda delimiter: _evenness(complete, delimiter))


def _evenness(lines: list[str], delimiter: str) -> tuple[float, int]:
    widths: list[int] = []
    try:
        for record in csv.reader(lines, delimiter=delimiter):
            if record:
                widths.append(len(record))
            if len(widths) == _SNIFFED_RECORDS:
                break
    except csv.Error:
        pass
    if not widths or widths[0] == 1:
        return (0.0, 0)
    return (widths.count(widths[0]) / len(widths), widths[0])


class _Lines:
    """The lines of a text one by one, able to take back those of a record that turned out to be broken."""

    def __init__(self, text: TextIO, name: str) -> None:
        self._text = text
        self._name = name
        self._given_back: list[str] = []
        self.record: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._given_back.pop() if self._given_back else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == LONGEST_LINE:
            raise FileProblem(
                f"Line {self.number} of {self._name} is longer than {LONGEST_LINE:,} characters; "
                "check that the file is the CSV or NDJSON that it should be."
            )
        self.record.append(line)
        return line

    def give_back_all_but_first(self) -> None:
        """Let the lines after the first of the record be read again, as records of their own."""
        self.number -= len(self.record) - 1
        self._given_back.extend(reversed(self.record[1:]))


class CsvRows:
    """The rows of a CSV text as lists of strings.

    Quoting is strict, so a stray quotation mark is noticed where it stands; it costs its own row only, because the
    lines that it swallowed are read again. Blank lines are no rows.

    Attributes:
        columns: names of the header, without the spaces around them.
    """

    def __init__(self, text: TextIO, delimiter: str, name: str) -> None:
        """Read the header of a text that is not blank.

        Raises:
            FileProblem: the header is no CSV.
        """
        self._lines = _Lines(text, name)
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        try:
            header = next(record for record in self._reader if record)
        except csv.Error as error:
            raise FileProblem(f"The header of {name} is no CSV ({error}); give the format with --format.") from error
        self.columns = tuple(column.strip() for column in header)

    def __iter__(self) -> Iterator[tuple[int, list[str]] | RejectedRow]:
        lines, reader, width = self._lines, self._reader, len(self.columns)
        while True:
            lines.record.clear()
            first_line = lines.number + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                lines.give_back_all_but_first()
                yield RejectedRow(first_line, "MALFORMED_ROW", f"is no valid CSV: {error}")
                continue
            if len(row) == width:
                yield first_line, row
            elif row:
                yield RejectedRow(first_line, "MALFORMED_ROW", f"has {len(row)} fields where the header has {width}")
