"""What can be wrong with a file of readings: with the whole of it, or with one row."""

from collections.abc import Iterable
from typing import NamedTuple

from models.errors import BadUserInput

_SHOWN_CHARACTERS = 40


class FileProblem(BadUserInput):
    """The file, or what was asked of it, is such that reading cannot start or go on; one sentence with what to do."""


class Fault(NamedTuple):
    """What is wrong with a row whose place is known from elsewhere.

    Attributes:
        code: stable name of the reason, as NOT_A_NUMBER.
        message: what is wrong with which value, without the row's place.
    """

    code: str
    message: str


class RejectedRow(NamedTuple):
    """A row that cannot be stored.

    Attributes:
        line: the line of a text file on which the row begins, or the place of an element in a JSON array, from 1.
        code: stable name of the reason, as NOT_A_NUMBER.
        message: what is wrong with which value, without the row's place.
    """

    line: int
    code: str
    message: str


def shown(value: object) -> str:
    """Return a value as messages show it: quoted, printable everywhere, cut when it is long."""
    text = repr(value[: _SHOWN_CHARACTERS + 1] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN_CHARACTERS + 2 else f"{text[:_SHOWN_CHARACTERS]}…"


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence, at most 30 of them."""
    texts = list(names)
    return ", ".join(texts[:30]) + (f" and {len(texts) - 30} more" if len(texts) > 30 else "")
