"""From the times of a file of sales to instants; a date alone is that day's noon."""

import re
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from app.files.loading import in_utc, parse_times
from app.files.problems import Fault, shown
from app.files.time_detection import (
    TimeSample,
    check_fits,
    check_zone,
    detect_style,
    given_style,
    none_has_zone,
    undecided,
)
from app.files.times import TimeStyle
from app.files.zones import LocalTimes, load_zone

_CLOCK = re.compile(r":|\dT\d|[AaPp]\.?[Mm]\b")
_NOON = time(12)


class SaleTimes:
    """The column of times of an open file.

    Attributes:
        words: how the times are read, for people.
    """

    def __init__(self, time_format: str | None, timezone: str | None) -> None:
        """Take what is known of the times; raises FileProblem for a format or zone that is none."""
        self._style = given_style(time_format) if time_format is not None else None
        self._local_times = LocalTimes(load_zone(timezone)) if timezone is not None else None
        self.words = f", in {timezone} where they have no zone" if timezone is not None else ""

    def learn(self, sample: TimeSample, *, is_last: bool) -> bool:
        """Find out from a sample of the first rows how the times are written; False if it takes more rows.

        Raises:
            FileProblem: they are in no form that is known, or do not fit what was given.
        """
        style = self._style or detect_style(sample)
        if style is None:
            if is_last and sample.values:
                raise undecided(sample)
            return False
        self._style = style
        check_fits(sample, style)
        if self._local_times is None and none_has_zone(sample, style):
            self._local_times = LocalTimes(load_zone("UTC"))
            self.words = ", without a zone and taken as UTC (--timezone tells another)"
        if self._local_times is None:
            check_zone(sample, style)
        else:
            self._learn_order(sample, style, self._local_times)
        self.words = f"{style.words}{self.words}"
        return True

    def _learn_order(self, sample: TimeSample, style: TimeStyle, local_times: LocalTimes) -> None:
        moments, _ = parse_times(style, sample.values, sample.column)
        local_times.learn_order(
            (serial, moment) for serial, moment in zip(sample.serials, moments, strict=True) if moment is not None
        )
        alone = [_is_date(value, moment) for value, moment in zip(sample.values, moments, strict=True)]
        if any(alone):
            self.words += ", a date alone being noon"

    def read(
        self, values: Sequence[Any], serials: Sequence[str], column: str
    ) -> tuple[list[datetime | None], dict[int, Fault]]:
        """Return (n,) aware instants, None where there is none, and what is wrong by index."""
        if self._style is None:
            return [None] * len(values), {}
        moments, faults = parse_times(self._style, values, column)
        moments = [
            datetime.combine(moment, _NOON) if moment is not None and _is_date(value, moment) else moment
            for value, moment in zip(values, moments, strict=True)
        ]
        if self._local_times is not None:
            instants, zone_faults = self._local_times.to_utc(moments, serials)
            return instants, {**faults, **zone_faults}
        instants = [None if moment is None else in_utc(moment) for moment in moments]
        for index, instant in enumerate(instants):
            if instant is None and index not in faults:
                text = f"column {column!r} holds {shown(values[index])}, which has no time zone"
                faults[index] = Fault("NO_TIME_ZONE", text)
        return instants, faults


def _is_date(value: object, moment: datetime | None) -> bool:
    """Return whether a value is a date without a time of day."""
    if moment is None or moment.tzinfo is not None or moment.time() != time():
        return False
    text = str(value).strip()
    return _CLOCK.search(text) is None and (not text.isdigit() or len(text) == 8)
