"""Scalars: instants with a time zone, exact decimals."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import numpy as np
import strawberry
from numpy.typing import NDArray
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from models.types import to_micros
from schema.fields import column_value

_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_EARLIEST_MICROS, _LATEST_MICROS = to_micros(_EARLIEST), to_micros(_LATEST)
_ALIKE = "0000-00-00T00:00:00.000000"
_SHORTEST = len("0000-00-00T00:00:00")
_ZERO = np.uint8(ord("0"))


def _parse_instant(value: Any) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("DateTime must be a text as '2026-01-31T12:00:00Z'.")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"'{value}' is no date and time; write it as '2026-01-31T12:00:00Z'.") from None
    if instant.tzinfo is None:
        raise ValueError(f"'{value}' has no time zone; add 'Z' for UTC or an offset as '+01:00'.")
    try:
        instant = instant.astimezone(UTC)
    except OverflowError:
        instant = _LATEST
    if not _EARLIEST <= instant < _LATEST:
        raise ValueError(f"'{value}' is outside the years 1900 to 8999.")
    return instant


def parse_instants(values: Sequence[str]) -> list[datetime] | None:
    """Return the instants of many texts, each as `DateTime` reads it; None if any is none, and has to be told."""
    try:
        instants = list(map(datetime.fromisoformat, values))
        within = min(instants) >= _EARLIEST and max(instants) < _LATEST
    except (ValueError, TypeError, OverflowError):
        # Not a text, no time, or without a zone, which does not compare with the bounds.
        return None
    return instants if within else None


def parse_micros(values: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the microseconds since 1970 of many texts that are all written alike, in UTC; None for any others.

    Alike means of the same length: `2026-01-31T12:00:00`, up to six decimals, and `Z` or `+00:00`.
    """
    length, zone = len(values[0]), "Z" if values[0].endswith("Z") else "+00:00"
    text = "".join(values)
    if set(map(len, values)) != {length} or not text.isascii():
        return None
    written = length - len(zone)
    if not _SHORTEST <= written <= len(_ALIKE):
        return None
    letters = np.frombuffer(text.encode(), np.uint8).reshape(len(values), length)
    digits, others, expected = _alike(written, zone)
    # What is below zero wraps around to a large number.
    if (letters[:, digits] - _ZERO > 9).any() or (letters[:, others] != expected).any():
        return None
    try:
        instants = letters.view(f"S{length}")[:, 0].astype(f"S{written}").astype("datetime64[us]")
    except ValueError:
        # There is no month 13 and no hour 24.
        return None
    micros = instants.astype(np.int64)
    return micros if micros.min() >= _EARLIEST_MICROS and micros.max() < _LATEST_MICROS else None


@lru_cache(maxsize=32)
def _alike(written: int, zone: str) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]:
    """Return the places of digits, those of all other letters, and these letters."""
    letters = np.frombuffer((_ALIKE[:written] + zone).encode(), np.uint8)
    is_digit = (letters == _ZERO) & (np.arange(len(letters)) < written)
    return np.flatnonzero(is_digit), np.flatnonzero(~is_digit), letters[~is_digit]


def _parse_decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Decimal must be a text as '12.50'.")  # noqa: TRY004 - graphql-core takes the text of any error
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"'{str(value)[:40]}' is no decimal number; write it as '12.50'.") from None
    if not number.is_finite() or len(number.as_tuple().digits) > 30 or abs(number.adjusted()) > 30:
        raise ValueError("Decimal must be finite and of at most 30 digits.")
    return number


def _as_it_is(value: Any) -> Any:
    # The encoder of responses writes instants itself, in ISO 8601 and faster.
    return value


CONFIG = StrawberryConfig(
    default_resolver=column_value,
    scalar_map={
        datetime: ScalarDefinition(
            name="DateTime",
            description="An instant: ISO 8601 with a time zone, as 2026-01-31T12:00:00Z. Answers are in UTC.",
            specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
            serialize=_as_it_is,
            parse_value=_parse_instant,
            parse_literal=None,
            origin=datetime,
        ),
        Decimal: ScalarDefinition(
            name="Decimal",
            description="An exact decimal number, as a text: '12.50'.",
            specified_by_url=None,
            serialize=str,
            parse_value=_parse_decimal,
            parse_literal=None,
            origin=Decimal,
        ),
    },
)

ID = strawberry.ID
