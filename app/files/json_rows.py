"""Rows of JSON text: the elements of one array, read piece by piece, or one object a line (NDJSON)."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, TextIO, cast

from app.files.problems import FileProblem, RejectedRow
from app.files.streams import LONGEST_LINE

_PIECE_CHARACTERS = 1 << 18
_LARGEST_VALUE_CHARACTERS = 1 << 24
_LONGEST_INTEGER_DIGITS = 400
_SPACE = re.compile(r"[ \t\n\r]*")
_AFTER_ELEMENT = re.compile(r"[ \t\n\r]*([,\]])[ \t\n\r]*")
_NAMES: dict[type, str] = {
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}

Rows = Iterator[tuple[int, dict[str, Any]] | RejectedRow]


def _integer(digits: str) -> int | float:
    # No channel and no time holds more digits, and Python refuses to convert thousands of them.
    return int(digits) if len(digits) <= _LONGEST_INTEGER_DIGITS else math.inf


_DECODER = json.JSONDecoder(parse_int=_integer)


def _as_row(value: object, number: int) -> tuple[int, dict[str, Any]] | RejectedRow:
    if isinstance(value, dict):
        return number, cast("dict[str, Any]", value)
    return RejectedRow(number, "NOT_AN_OBJECT", f"is {_NAMES[type(value)]}, not an object")


def ndjson_rows(text: TextIO, name: str) -> Rows:
    """Yield the line number and object of each line; blank lines are no rows.

    Raises:
        FileProblem: a line is longer than 1 MiB.
    """
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise FileProblem(
                f"Line {number} of {name} is longer than {LONGEST_LINE:,} characters; "
                "give --format json if the file is one JSON array."
            )
        if line.isspace():
            continue
        try:
            value: object = _DECODER.decode(line)
        except ValueError as error:
            yield RejectedRow(number, "MALFORMED_ROW", f"is no valid JSON: {_reason(error)}")
        except RecursionError:
            yield RejectedRow(number, "MALFORMED_ROW", "is nested too deeply")
        else:
            yield _as_row(value, number)


def is_record(line: str) -> bool:
    """Tell whether a line is one whole JSON object that holds no array of objects: a row of NDJSON."""
    try:
        value: object = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    return not any(_is_array_of_objects(part) for part in cast("dict[str, Any]", value).values())


def _is_array_of_objects(value: object) -> bool:
    elements = cast("list[object]", value) if isinstance(value, list) else []
    return bool(elements) and isinstance(elements[0], dict)


def json_rows(text: TextIO, name: str) -> Rows:
    """Yield the place, from 1, and the object of each element of an array.

    The array is the whole text, or the one array of objects among the fields of an object. No more than a piece of
    the text and one element are held at once.

    Raises:
        FileProblem: the text is no JSON, or holds no such array, or two of them.
    """
    reader = _Pieces(text, name)
    if reader.next_character() == "[":
        reader.skip_character()
        yield from _elements(reader)
    else:
        yield from _elements_of_member(reader)
    if reader.next_character():
        raise reader.problem("there is text after the end of the JSON")


def _elements(reader: "_Pieces") -> Rows:
    """Yield the elements of the array whose bracket was just read."""
    number = 0
    if reader.next_character() == "]":
        reader.skip_character()
        return
    separator = ","
    while separator == ",":
        number += 1
        yield _as_row(reader.value(), number)
        separator = reader.separator()


def _elements_of_member(reader: "_Pieces") -> Rows:
    """Yield the elements of the one array of objects among the members of an object."""
    chosen = None
    arrays: list[Any] = []
    for key in reader.members():
        is_array = reader.next_character() == "["
        if not (is_array and reader.begins_array_of_objects()):
            value = reader.value()
            arrays += [value] if is_array else []
        elif chosen is not None:
            raise reader.problem(
                f"it has two arrays of objects, {chosen!r} and {key!r}; put the one to load into a file of its own"
            )
        else:
            chosen = key
            reader.skip_character()
            yield from _elements(reader)
    if chosen is not None or [] in arrays:
        return
    if not arrays:
        raise reader.problem(
            "it holds an object without an array; give an array of objects, or --format ndjson for one object a line"
        )
    raise reader.problem("the arrays in its object do not hold objects; give an array of objects, one for each reading")


class _Pieces:
    """JSON text of which a piece at a time is in memory."""

    def __init__(self, text: TextIO, name: str) -> None:
        self._text = text
        self._name = name
        self._piece = ""
        self._at = 0
        self._ended = False
        self._lines_before = 0

    def problem(self, what: str) -> FileProblem:
        """Return what is wrong, with the line where reading stands."""
        line = self._lines_before + self._piece.count("\n", 0, self._at) + 1
        return FileProblem(f"{self._name} cannot be read as JSON at line {line}: {what}.")

    def next_character(self) -> str:
        """Skip white space and return the next character without taking it; "" at the end."""
        while True:
            self._at = _SPACE.match(self._piece, self._at).end()  # pyright: ignore[reportOptionalMemberAccess]
            if self._at < len(self._piece):
                return self._piece[self._at]
            if not self._read_more():
                return ""

    def skip_character(self) -> None:
        """Take the character that was looked at."""
        self._at += 1

    def separator(self) -> str:
        """Take the comma or closing bracket after an element, with the space around it, and return it."""
        found = _AFTER_ELEMENT.match(self._piece, self._at)
        if found is None or found.end() == len(self._piece):
            character = self.next_character()
            if not character:
                raise self.problem("it ends inside the array; the file seems to be cut off")
            if character not in ",]":
                raise self.problem(f"an element is followed by {character!r} instead of a comma")
            self.skip_character()
            return character
        self._at = found.end()
        return found[1]

    def value(self) -> Any:
        """Take the next value."""
        if not self.next_character():
            raise self.problem("it ends where a value is expected; the file seems to be cut off")
        while True:
            try:
                value, end = _DECODER.raw_decode(self._piece, self._at)
            except RecursionError as error:
                raise self.problem("it is nested too deeply") from error
            except ValueError as error:
                too_large = len(self._piece) - self._at > _LARGEST_VALUE_CHARACTERS
                if too_large or not self._read_more():
                    raise self.problem(_reason(error)) from error
                continue
            # A number may go on in the next piece.
            if end < len(self._piece) or not self._read_more():
                self._at = end
                return value

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; the value of each is to be taken before the next."""
        if self.next_character() != "{":
            raise self.problem("it begins with neither an array nor an object; give the format with --format")
        self.skip_character()
        if self.next_character() == "}":
            self.skip_character()
            return
        separator = ","
        while separator == ",":
            key = self.value()
            if not isinstance(key, str) or self.next_character() != ":":
                raise self.problem("a field of the object has no name")
            self.skip_character()
            yield key
            separator = self.next_character()
            self.skip_character()
        if separator != "}":
            raise self.problem("it ends inside the object; the file seems to be cut off")

    def begins_array_of_objects(self) -> bool:
        """Tell whether an object follows the bracket that stands here, without taking anything."""
        while True:
            after = _SPACE.match(self._piece, self._at + 1).end()  # pyright: ignore[reportOptionalMemberAccess]
            if after < len(self._piece):
                return self._piece[after] == "{"
            if not self._read_more():
                return False

    def _read_more(self) -> bool:
        """Append a piece, and forget what was taken; False at the end of the text."""
        if self._ended:
            return False
        waiting = len(self._piece) - self._at
        # At least as much again as is waiting, so that a long value is not decoded over and over.
        piece = self._text.read(max(_PIECE_CHARACTERS, waiting))
        if not piece:
            self._ended = True
            return False
        self._lines_before += self._piece.count("\n", 0, self._at)
        self._piece = self._piece[self._at :] + piece
        self._at = 0
        return True


def _reason(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
