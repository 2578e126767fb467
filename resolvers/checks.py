"""Checks of plain values that callers give."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from models.errors import BadUserInput, LimitExceeded

NAME_LENGTH = 200
LABEL_LENGTH = 100
NOTES_LENGTH = 4000


def path_of(dotted: str) -> tuple[str | int, ...]:
    """Return the path that "input.parts.0.name" writes: ("input", "parts", 0, "name")."""
    return tuple(int(part) if part.isdecimal() else part for part in dotted.split("."))


def text(
    value: str, field: str, *, longest: int = NAME_LENGTH, may_be_empty: bool = False, argument: str = "input."
) -> str:
    """Return a text without space around it; raises BadUserInput if empty, too long or with control characters.

    Args:
        value: as the caller gave it.
        field: its name, as "parts.0.name" where it is nested.
        longest: characters that it may have.
        may_be_empty: an empty text is a text.
        argument: what stands before the field in the path of an error.
    """
    path = path_of(argument + field)
    stripped = value.strip()
    if not stripped and not may_be_empty:
        raise BadUserInput(f"'{field}' must not be empty.", input_path=path)
    if len(stripped) > longest:
        raise BadUserInput(
            f"'{field}' may have {longest} characters, not {len(stripped)}.", input_path=path, allowed=longest
        )
    if any(_is_no_text(character) for character in stripped):
        raise BadUserInput(f"'{field}' has a control character, which no text may have.", input_path=path)
    return stripped


def _is_no_text(character: str) -> bool:
    # No database stores NUL, and half a surrogate pair has no UTF-8.
    return (character < " " and character not in "\n\t") or character == "\x7f" or "\ud800" <= character <= "\udfff"


def optional_text(value: str | None, field: str, *, longest: int = NAME_LENGTH) -> str | None:
    """Return a text as `text` does; None and blank are None."""
    if value is None or not value.strip():
        return None
    return text(value, field, longest=longest)


def number(value: float, field: str, unit: str, *, lowest: float, highest: float) -> float:
    """Return a number within bounds (inclusive); raises BadUserInput otherwise, also for NaN and infinity."""
    if not math.isfinite(value) or not lowest <= value <= highest:
        raise BadUserInput(
            f"'{field}' must be from {lowest:g} to {highest:g} {unit}, not {value:g}.",
            input_path=("input", field),
            minimum=lowest,
            maximum=highest,
        )
    return value


def not_future(value: datetime, field: str, now: datetime, *, tolerance_seconds: float) -> datetime:
    """Return an instant; raises BadUserInput if it lies in the future by more than the tolerance."""
    if value > now + timedelta(seconds=tolerance_seconds):
        raise BadUserInput(f"'{field}' lies in the future: {value.isoformat()}.", input_path=("input", field))
    return value


def time_zone(name: str, path: tuple[str | int, ...]) -> ZoneInfo:
    """Return the time zone of an IANA name; raises BadUserInput if there is none."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise BadUserInput(
            f"There is no time zone '{name[:60]}'; use a name as Europe/Berlin or UTC.", input_path=path
        ) from error


def page_size(value: int, field: str, largest: int) -> int:
    """Return the size of a page; raises BadUserInput if negative, LimitExceeded if too large."""
    if value < 0:
        raise BadUserInput(f"'{field}' must not be negative, but is {value}.", input_path=(field,))
    if value > largest:
        raise LimitExceeded(
            f"'{field}' may be at most {largest} (graphql.max_page_size), not {value}.",
            input_path=(field,),
            limit="max_page_size",
            allowed=largest,
        )
    return value
