"""Opening a file of readings as text: a path or standard input, gzip or plain, whatever its byte order mark."""

import gzip
import io
import sys
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO, cast

from app.files.problems import FileProblem

STANDARD_INPUT = "-"
HEAD_BYTES = 65_536
LONGEST_LINE = 1 << 20

_GZIP_MAGIC = b"\x1f\x8b"
_KNOWN_BINARIES = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"(\xb5/\xfd": "compressed with Zstandard",
}


class _Bytes(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class _Replayed(io.RawIOBase):
    """Gives the bytes that were read to look at them, then the rest, and counts what it gave."""

    def __init__(self, head: bytes, rest: _Bytes) -> None:
        self._head = head
        self._rest = rest
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        size = len(buffer)
        piece = self._head[:size] if self._head else self._rest.read1(size)
        self._head = self._head[size:]
        buffer[: len(piece)] = piece
        self.given += len(piece)
        return len(piece)


class TextInput:
    """The text of a file, its beginning, and how far it has been read.

    Bytes that are no valid UTF-8 become lone surrogates, so that they spoil their own row and not the file.

    Attributes:
        name: the file as messages call it.
        text: the characters from the start, line ends as they are in the file.
        head: the first characters, up to 64 KiB of bytes; they are in `text` as well.
        bytes_total: size of the file, None for standard input.
    """

    def __init__(self, path: Path | str, standard_input: BinaryIO | None = None) -> None:
        """Open the path, or standard input for "-".

        Raises:
            FileProblem: it cannot be opened, is empty or is no text.
        """
        self._open_files = ExitStack()
        self.name = "standard input" if str(path) == STANDARD_INPUT else Path(path).name
        try:
            binary = self._open(path, standard_input)
            self._open_text(binary)
        except BaseException:
            self.close()
            raise

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far, of the compressed ones where it is compressed."""
        return self._counter.given

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._open_files.close()

    def _open(self, path: Path | str, standard_input: BinaryIO | None) -> _Bytes:
        self.bytes_total: int | None = None
        if str(path) == STANDARD_INPUT:
            return cast("_Bytes", standard_input or sys.stdin.buffer)
        try:
            binary = self._open_files.enter_context(Path(path).open("rb"))  # noqa: SIM115 - the stack closes it
            self.bytes_total = Path(path).stat().st_size
        except OSError as error:
            raise FileProblem(f"{path} cannot be opened: {error.strerror or error}.") from error
        return binary

    def _open_text(self, binary: _Bytes) -> None:
        try:
            head = _take(binary, HEAD_BYTES)
            self._counter = _Replayed(head, binary)
            if head.startswith(_GZIP_MAGIC):
                unpacked = self._open_files.enter_context(
                    gzip.GzipFile(fileobj=cast("BinaryIO", io.BufferedReader(self._counter)))
                )
                head = _take(unpacked, HEAD_BYTES)
                raw = _Replayed(head, unpacked)
            else:
                raw = self._counter
        except (OSError, EOFError, zlib.error) as error:
            raise FileProblem(f"{self.name} cannot be read: {error}.") from error
        encoding = _encoding(head, self.name)
        self.head = head.decode(encoding, "ignore")
        if not self.head.strip():
            raise FileProblem(f"{self.name} is empty; nothing was read.")
        errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
        self.text: TextIO = io.TextIOWrapper(io.BufferedReader(raw), encoding, errors, newline="")


def _take(stream: _Bytes, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count and (piece := stream.read1(count - len(pieces))):
        pieces += piece
    return bytes(pieces)


def _encoding(head: bytes, name: str) -> str:
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    for magic, what in _KNOWN_BINARIES.items():
        if head.startswith(magic):
            raise FileProblem(
                f"{name} is {what}; save or unpack it as CSV, JSON or NDJSON text (gzip is read as it is)."
            )
    if b"\0" in head.removeprefix(BOM_UTF8):
        raise FileProblem(f"{name} is no text; give a CSV, JSON or NDJSON file in UTF-8.")
    return "utf-8-sig"
