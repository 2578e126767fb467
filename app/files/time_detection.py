"""Finding out how a file writes its times, from many of its rows together."""

import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.files.problems import FileProblem, shown
from app.files.times import (
    EPOCH_UNITS,
    TimeParser,
    TimeStyle,
    compact_style,
    epoch_number,
    epoch_style,
    iso_style,
    numeric_date_style,
    strptime_style,
)
from app.files.values import is_empty

_RECOGNISED_ROWS = 1000
_NUMERIC_DATE = re.compile(r"\s*(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})(?!\d)")
# Smallest plausible numbers since 1970, 1973 in each unit; each reaches to the next.
_EPOCH_FLOORS = {"epoch-ns": 1e17, "epoch-us": 1e14, "epoch-ms": 1e11, "epoch-s": 1e8}
_WRITTEN_OUT = ("%A, %B %d, %Y", "%B %d, %Y", "%d %B %Y", "%d %b %Y", "%b %d, %Y")
_ASK = "give it with --time-format, as --time-format '%d/%m/%Y %H:%M'"


@dataclass(frozen=True, slots=True)
class TimeSample:
    """The times of the first rows.

    Attributes:
        column: where they stand.
        place: what counts the rows, "line" or "element".
        values: (n,) as they are in the file.
        line_numbers: (n,) their rows.
        serials: (n,) the device of each row.
    """

    column: str
    place: str
    values: Sequence[Any]
    line_numbers: Sequence[int]
    serials: Sequence[str]

    def like(self, index: int) -> str:
        """Return a value with its place, for a message."""
        return f"like {shown(self.values[index])} at {self.place} {self.line_numbers[index]}"


def given_style(time_format: str) -> TimeStyle:
    """Return the style that --time-format names.

    Raises:
        FileProblem: there is no such style or format.
    """
    if time_format == "iso":
        return iso_style()
    if time_format in EPOCH_UNITS:
        return epoch_style(time_format)
    return strptime_style(time_format)


def detect_style(sample: TimeSample) -> TimeStyle | None:
    """Return the style that a sample is written in; None if it takes more rows to tell.

    Raises:
        FileProblem: most of the times are in no style that is known, or in two that contradict each other.
    """
    indexes = [index for index, value in enumerate(sample.values) if not is_empty(value)]
    if not indexes:
        return None
    first = indexes[:_RECOGNISED_ROWS]
    values = [sample.values[index] for index in first]
    # Digits before ISO: Python reads some numbers of milliseconds as dates of the year 1670.
    if _share(values, compact_style().parse) > 0.5:
        return compact_style()
    epoch = _detect_epoch(values)
    if epoch is not None:
        return epoch
    if _share(values, iso_style().parse) > 0.5:
        return iso_style()
    if sum(_date_numbers(value) is not None for value in values) * 2 > len(values):
        return _detect_date_order(sample, indexes)
    for time_format in _WRITTEN_OUT:
        if _share(values, strptime_style(time_format).parse) > 0.5:
            return strptime_style(time_format)
    raise FileProblem(
        f"The way in which column {sample.column!r} writes times ({sample.like(first[0])}) is not recognised; {_ASK}."
    )


def undecided(sample: TimeSample) -> FileProblem:
    """Return what to tell when the whole sample leaves day and month open."""
    index = next((index for index, value in enumerate(sample.values) if not is_empty(value)), None)
    if index is None:
        return FileProblem(
            f"Column {sample.column!r} has no times in the first {len(sample.values):,} rows; map another."
        )
    return FileProblem(
        f"The times of column {sample.column!r} ({sample.like(index)}) may have the day or the month first, "
        f"and the first {len(sample.values):,} rows fit both; "
        "give --time-format, beginning with '%d/%m/%Y' or '%m/%d/%Y'."
    )


def check_fits(sample: TimeSample, style: TimeStyle) -> None:
    """Refuse a given style that none of the times has.

    Raises:
        FileProblem: no value can be read.
    """
    indexes = [index for index, value in enumerate(sample.values) if not is_empty(value)]
    if indexes and not any(_can(style.parse, sample.values[index]) for index in indexes):
        raise FileProblem(
            f"No time of column {sample.column!r} ({sample.like(indexes[0])}) is of the given form, {style.words}; "
            "correct --time-format, or leave it out to have it detected."
        )


def none_has_zone(sample: TimeSample, style: TimeStyle) -> bool:
    """Return whether there are times and all of them lack a zone."""
    readable = [value for value in sample.values if not is_empty(value) and _can(style.parse, value)]
    return bool(readable) and all(style.parse(value).tzinfo is None for value in readable)


def check_zone(sample: TimeSample, style: TimeStyle) -> None:
    """Refuse times without zone among times that have one.

    Raises:
        FileProblem: a time has no zone.
    """
    for index, value in enumerate(sample.values):
        if not is_empty(value) and _can(style.parse, value) and style.parse(value).tzinfo is None:
            raise FileProblem(
                f"Some times of column {sample.column!r} have no time zone ({sample.like(index)}); "
                "give it, as --timezone Europe/Berlin or --timezone UTC."
            )


def _can(parse: TimeParser, value: object) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _share(values: Sequence[Any], parse: TimeParser) -> float:
    return sum(_can(parse, value) for value in values) / len(values)


def _detect_epoch(values: Sequence[Any]) -> TimeStyle | None:
    numbers = [number for number in map(epoch_number, values) if number is not None]
    if len(numbers) * 2 <= len(values):
        return None
    middle = statistics.median(numbers)
    return next((epoch_style(name) for name, floor in _EPOCH_FLOORS.items() if floor <= middle < floor * 1000), None)


def _date_numbers(value: object) -> tuple[str, str, str] | None:
    found = _NUMERIC_DATE.match(value) if isinstance(value, str) else None
    return None if found is None else (found[1], found[2], found[3])


def _detect_date_order(sample: TimeSample, indexes: Sequence[int]) -> TimeStyle | None:
    """Tell which of the three numbers is what: by a number over 12, else by which order makes regular times."""
    dates = [(index, numbers) for index in indexes if (numbers := _date_numbers(sample.values[index])) is not None]
    if sum(len(numbers[0]) == 4 for _, numbers in dates) * 2 > len(dates):
        return numeric_date_style("year/month/day")
    day_first = next((index for index, (a, b, _) in dates if int(a) > 12 >= int(b)), None)
    month_first = next((index for index, (a, b, _) in dates if int(b) > 12 >= int(a)), None)
    if day_first is not None and month_first is not None:
        raise FileProblem(
            f"Column {sample.column!r} has times with the day first ({sample.like(day_first)}) "
            f"and with the month first ({sample.like(month_first)}); {_ASK}."
        )
    if day_first is not None:
        return numeric_date_style("day/month/year")
    if month_first is not None:
        return numeric_date_style("month/day/year")
    # No country writes the month first with dots.
    if all("." in sample.values[index].split()[0] for index, _ in dates):
        return numeric_date_style("day/month/year")
    return _more_regular(sample, numeric_date_style("day/month/year"), numeric_date_style("month/day/year"))


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """How regular a file is under one reading of its times.

    Attributes:
        is_ordered: whether the times of each device only rise or only fall.
        even_share: share of the steps that are of the commonest length.
        longest_step: the greatest time between two rows of a device.
    """

    is_ordered: bool
    even_share: float
    longest_step: timedelta


def _rhythm(sample: TimeSample, style: TimeStyle) -> _Rhythm | None:
    """Measure the rhythm; None where fewer than three rows of a device follow each other."""
    last: dict[str, datetime] = {}
    steps: Counter[timedelta] = Counter()
    for serial, value in zip(sample.serials, sample.values, strict=True):
        if is_empty(value) or not _can(style.parse, value):
            continue
        moment = style.parse(value).replace(tzinfo=None)
        if serial in last:
            steps[moment - last[serial]] += 1
        last[serial] = moment
    if steps.total() < 2:
        return None
    zero = timedelta(0)
    return _Rhythm(
        is_ordered=all(step >= zero for step in steps) or all(step <= zero for step in steps),
        even_share=steps.most_common(1)[0][1] / steps.total(),
        longest_step=max(abs(step) for step in steps),
    )


def _more_regular(sample: TimeSample, one: TimeStyle, other: TimeStyle) -> TimeStyle | None:
    """Return the style under which the file is in order and in equal steps, if only one is."""
    rhythms = (_rhythm(sample, one), _rhythm(sample, other))
    first, second = rhythms
    if first is None or second is None:
        return None
    if first.is_ordered != second.is_ordered:
        return one if first.is_ordered else other
    tests: tuple[Callable[[_Rhythm, _Rhythm], bool], ...] = (_is_evener, _has_no_leaps)
    for test in tests:
        if test(first, second) != test(second, first):
            return one if test(first, second) else other
    return None


def _is_evener(one: _Rhythm, other: _Rhythm) -> bool:
    return one.even_share >= 0.9 and one.even_share > other.even_share


def _has_no_leaps(one: _Rhythm, other: _Rhythm) -> bool:
    # Reading days as months turns the step from one day to the next into a month.
    return one.longest_step <= timedelta(days=2) and other.longest_step >= timedelta(days=27)
