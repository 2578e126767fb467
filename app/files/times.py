"""Reading times of one way of writing them; which way it is, is found out in time_detection.py."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from app.files.problems import FileProblem

# Takes a value of a file, returns an instant with or without zone, raises ValueError where it cannot.
TimeParser = Callable[[object], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIVERSAL = re.compile(r"\s*(?:UTC|GMT)$")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:\s*([AaPp])\.?[Mm]\.?)?")
_TIME_DIRECTIVES = frozenset("HIpMSfzZX")
EPOCH_UNITS = {"epoch-s": 1, "epoch-ms": 1000, "epoch-us": 1_000_000, "epoch-ns": 1_000_000_000}
DATE_ORDERS = {"day/month/year": (2, 1, 0), "month/day/year": (2, 0, 1), "year/month/day": (0, 1, 2)}


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """A way of writing times.

    Attributes:
        words: how messages call it.
        parse: reads one value.
    """

    words: str
    parse: TimeParser


def iso_style() -> TimeStyle:
    """ISO 8601, and the near misses of it that are common: "2022-12-07 00:00:00 UTC"."""
    return TimeStyle("ISO 8601", parse_iso)


def parse_iso(value: object) -> datetime:
    """Read ISO 8601, with or without zone."""
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 - callers catch one kind of error for whatever a file may hold
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(_UNIVERSAL.sub("+00:00", value.strip()))


def compact_style() -> TimeStyle:
    """Digits only, as 20221207 or 202212070000 or 20221207000000."""
    return TimeStyle("year, month, day, hour, minute, second in digits", _parse_compact)


def _parse_compact(value: object) -> datetime:
    text = str(value)
    if len(text) not in (8, 12, 14) or not text.isdigit():
        raise ValueError("not 8, 12 or 14 digits")
    return datetime.fromisoformat(f"{text[:8]}T{text[8:]}" if len(text) > 8 else text)


def epoch_style(name: str) -> TimeStyle:
    """Numbers since 1970 in UTC; the name is one of EPOCH_UNITS."""
    per_second = EPOCH_UNITS[name]

    def parse(value: object) -> datetime:
        number = _epoch_number(value)
        try:
            if isinstance(number, int):
                return _EPOCH + timedelta(microseconds=number * 1_000_000 // per_second)
            return _EPOCH + timedelta(seconds=number / per_second)
        except OverflowError as error:
            raise ValueError("out of range") from error

    unit = {"epoch-s": "seconds", "epoch-ms": "milliseconds", "epoch-us": "microseconds", "epoch-ns": "nanoseconds"}
    return TimeStyle(f"{unit[name]} since 1970", parse)


def _epoch_number(value: object) -> int | float:
    if isinstance(value, str):
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 30 else float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    else:
        raise ValueError("no number")  # noqa: TRY004 - callers catch one kind of error for whatever a file may hold
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def epoch_number(value: object) -> float | None:
    """Return the number that a value would be if it were one since 1970; None if it is none."""
    try:
        return float(_epoch_number(value))
    except (ValueError, OverflowError):
        return None


def numeric_date_style(order: str) -> TimeStyle:
    """Dates of three numbers with slashes, dots or dashes, then the time of day; the order is one of DATE_ORDERS.

    A file has few different dates and times of day, so that each is worked out once.
    """
    year_at, month_at, day_at = DATE_ORDERS[order]

    @lru_cache(maxsize=10_000)
    def to_date(text: str) -> date:
        parts = re.split(r"[/.\-]", text.rstrip(","))
        if len(parts) != 3:
            raise ValueError("not three numbers")
        return date(_whole_year(parts[year_at]), int(parts[month_at]), int(parts[day_at]))

    def parse(value: object) -> datetime:
        if not isinstance(value, str):
            raise ValueError("no text")  # noqa: TRY004 - callers catch one kind of error for whatever a file may hold
        date_text, _, clock_text = value.strip().partition(" ")
        return datetime.combine(to_date(date_text), _to_clock(clock_text))

    return TimeStyle(order, parse)


def _whole_year(text: str) -> int:
    year = int(text)
    # The pivot of POSIX for years of two digits.
    return year if len(text) > 2 else year + (2000 if year < 69 else 1900)


@lru_cache(maxsize=100_000)
def _to_clock(text: str) -> time:
    if not text:
        return time()
    try:
        return time.fromisoformat(text)
    except ValueError:
        found = _CLOCK.fullmatch(text.strip())
        if found is None:
            raise
    hour, minute, second, fraction, half = found.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError("hour must be in 1..12")
        hours = hours % 12 + (12 if half in "pP" else 0)
    return time(hours, int(minute), int(second or 0), int((fraction or "0").ljust(6, "0")[:6]))


def strptime_style(time_format: str) -> TimeStyle:
    """Times as a format of Python's strptime describes them.

    Where the date stands before a space or T and the time of day after it, each different one is worked out once.

    Raises:
        FileProblem: the format is none, or has no year.
    """
    _check_format(time_format)
    separator = " " if " " in time_format else "T"
    date_format, _, clock_format = time_format.rpartition(separator)

    def parse_whole(value: object) -> datetime:
        return datetime.strptime(_text(value), time_format)  # noqa: DTZ007 - the zone may be in the format or given apart

    if not date_format or _has_time(date_format) or _has_date(clock_format):
        return TimeStyle(time_format, parse_whole)

    @lru_cache(maxsize=10_000)
    def to_date(text: str) -> date:
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a date has no zone

    @lru_cache(maxsize=100_000)
    def to_clock(text: str) -> time:
        return datetime.strptime(text, clock_format).timetz()  # noqa: DTZ007 - joined with the date below

    def parse(value: object) -> datetime:
        date_text, _, clock_text = _text(value).rpartition(separator)
        try:
            return datetime.combine(to_date(date_text), to_clock(clock_text))
        except ValueError:
            # The format's space may stand for several in the text.
            return parse_whole(value)

    return TimeStyle(time_format, parse)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value)


def _directives(time_format: str) -> set[str]:
    return set(re.findall(r"%(.)", time_format))


def _has_time(time_format: str) -> bool:
    return bool(_directives(time_format) & _TIME_DIRECTIVES)


def _has_date(time_format: str) -> bool:
    return bool(_directives(time_format) - _TIME_DIRECTIVES)


def _check_format(time_format: str) -> None:
    names = ", ".join(("iso", *EPOCH_UNITS))
    example = f"give {names}, or a format of strptime such as '%d/%m/%Y %H:%M'"
    if not _directives(time_format) & set("YycxG"):
        raise FileProblem(f"--time-format {time_format!r} names no year; {example}.")
    try:
        datetime.strptime("", time_format)  # noqa: DTZ007 - only the format is tried
    except (ValueError, re.error) as error:
        # An empty text never fits; what matters is whether the format itself is understood.
        if not str(error).startswith("time data"):
            raise FileProblem(f"--time-format {time_format!r} is not understood: {error}; {example}.") from error
