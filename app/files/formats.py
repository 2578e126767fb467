"""Rows of a file, whatever its format: chunks with the place of each row."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from app.files.csv_rows import DELIMITERS, CsvRows, sniff_delimiter
from app.files.json_rows import is_record, json_rows, ndjson_rows
from app.files.problems import FileProblem, RejectedRow, listed
from app.files.streams import TextInput

FORMATS = ("csv", "json", "ndjson")
_BY_EXTENSION = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}


@dataclass(slots=True)
class RowChunk:
    """Some rows of a file, in its order.

    Attributes:
        header: the columns of a CSV file; None where each row names its own.
        line_numbers: (n,) the line or element of each row, from 1.
        rows: (n,) lists of strings as wide as the header, or objects.
        rejected: rows among or after these that could not be read.
    """

    header: tuple[str, ...] | None
    line_numbers: list[int] = field(default_factory=list[int])
    rows: list[Any] = field(default_factory=list[Any])
    rejected: list[RejectedRow] = field(default_factory=list[RejectedRow])

    def column(self, name: str) -> list[Any]:
        """Return (n,) values of a column: strings, or what JSON holds; None where an object lacks it."""
        if self.header is None:
            return [row.get(name) for row in self.rows]
        index = self.header.index(name)
        return [row[index] for row in self.rows]


class RowFile:
    """A file of rows.

    Attributes:
        name: the file as messages call it.
        format: csv, json or ndjson.
        description: the format in words.
        header: the columns of a CSV file; None for objects, which name their own.
        place: what a row's number counts, "line" or "element".
        bytes_total: size of the file, None for standard input.
    """

    def __init__(
        self, path: Path | str, file_format: str | None = None, standard_input: BinaryIO | None = None
    ) -> None:
        """Open the file and find out its format.

        Args:
            path: the file, "-" for standard input; gzip is recognised by itself.
            file_format: csv, json or ndjson; None to go by the name's extension and the content.
            standard_input: what "-" reads, None for the process's own.

        Raises:
            FileProblem: the file cannot be opened, is no text, or is no CSV where it should be.
        """
        if file_format is not None and file_format not in FORMATS:
            raise FileProblem(f"There is no format {file_format!r}; --format takes {listed(FORMATS)}.")
        self._input = TextInput(path, standard_input)
        self.name, self.bytes_total = self._input.name, self._input.bytes_total
        self.format = file_format or _choose_format(path, self._input.head)
        self.description = self.format.upper()
        self.place = "element" if self.format == "json" else "line"
        self.header: tuple[str, ...] | None = None
        try:
            self._rows = self._open_rows()
        except BaseException:
            self.close()
            raise

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far."""
        return self._input.bytes_read

    def close(self) -> None:
        """Close the file."""
        self._input.close()

    def chunks(self, size: int) -> Iterator[RowChunk]:
        """Yield the rows, once, in chunks of at most `size` rows, each with what was rejected on the way.

        Raises:
            FileProblem: the file cannot be read further; the rows before that place were yielded.
        """
        chunk = RowChunk(self.header)
        try:
            for row in self._rows:
                if isinstance(row, RejectedRow):
                    chunk.rejected.append(row)
                else:
                    chunk.line_numbers.append(row[0])
                    chunk.rows.append(row[1])
                if len(chunk.rows) == size or len(chunk.rejected) == size:
                    yield chunk
                    chunk = RowChunk(self.header)
        except (FileProblem, OSError, EOFError, UnicodeError, zlib.error) as error:
            if chunk.rows or chunk.rejected:
                yield chunk
            if isinstance(error, FileProblem):
                raise
            raise FileProblem(f"{self.name} cannot be read to its end: {error}.") from error
        if chunk.rows or chunk.rejected:
            yield chunk

    def _open_rows(self) -> Iterable[tuple[int, Any] | RejectedRow]:
        if self.format == "json":
            return json_rows(self._input.text, self.name)
        if self.format == "ndjson":
            return ndjson_rows(self._input.text, self.name)
        delimiter = sniff_delimiter(self._input.head)
        rows = CsvRows(self._input.text, delimiter, self.name)
        self.header = rows.columns
        self.description = f"CSV, {DELIMITERS[delimiter]} separated"
        return rows


def _choose_format(path: Path | str, head: str) -> str:
    suffixes = [suffix.lower() for suffix in Path(path).suffixes if suffix.lower() != ".gz"]
    by_name = _BY_EXTENSION.get(suffixes[-1]) if suffixes else None
    if by_name in ("csv", "ndjson"):
        return by_name
    beginning = head.lstrip()
    # Files called .json are often one object a line.
    if beginning.startswith("{") and is_record(beginning.split("\n", 1)[0]):
        return "ndjson"
    if by_name == "json" or beginning.startswith(("[", "{")):
        return "json"
    return "csv"
