"""Hourly use from files: readings of heaters, or events of draws with the days of a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np

from app.evaluation.usage_columns import CHANNELS, DRAWS, Column, find_columns
from app.evaluation.usage_draws import DrawDays, year_of
from app.files import FileOptions, FileProblem, read_batches
from app.files.formats import RowChunk, RowFile
from app.files.problems import listed
from app.files.units import conversion
from models.devices import WATER_HEATER
from models.learning.demand.localtime import FloatArray, IntArray
from models.learning.usage import DeviceReadings, HourlyUse, hourly_use
from models.types import to_micros

_CHUNK = 10_000
# The smallest heaters draw some hundred watts.
_LEAST_LIKELY_WATTS = 50.0
_SECONDS_OF_UNIT = {"h": 3600.0, "min": 60.0, "s": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageOptions:
    """What the caller says about files of usage; what is left out is found out.

    Attributes:
        columns: column by what it holds, as {"power": "Q17"}.
        units: unit by what it is of, as {"flow_rate": "gal/min"}.
        zone: IANA name of the zone of times that have none, and of the users' clocks.
        time_format: as of `ingest --time-format`; None to detect it.
        start: first day of years that are made of draws, whose days carry no date.
    """

    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    zone: str = "UTC"
    time_format: str | None = None
    start: date = date(2015, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class UsageFile:
    """What one file holds.

    Attributes:
        names: (devices,) one for each row of `use`.
        use: hours, in UTC.
        notes: how the file was read, in lines for people.
        zone: IANA name of the users' clocks; UTC where the days have no date, so that their hours are those of clocks.
    """

    names: Sequence[str]
    use: HourlyUse
    notes: Sequence[str]
    zone: str


def read_usage(paths: Sequence[Path], options: UsageOptions | None = None) -> list[UsageFile]:
    """Read files of readings; of draws; and of years, whose cells name days of the files of draws.

    What a file is follows from its columns. Draws that no year uses make a series of their own, day after day in the
    order of the file.

    Raises:
        FileProblem: a file cannot be read, or holds none of these.
    """
    given = options or UsageOptions()
    found: list[UsageFile] = []
    draws: dict[Path, DrawDays] = {}
    years: list[tuple[Path, list[RowChunk]]] = []
    for path in paths:
        header = _header(_chunks(path, first_only=True))
        columns = find_columns(header, _present(given.columns, header, len(paths)), given.units, path.name)
        if all(target in columns for target in DRAWS):
            draws[path] = _draws(_chunks(path), columns, path.name)
        elif "recorded_at" in columns and any(target in columns for target in ("power", "energy", "flow_rate")):
            found.append(_readings(path, columns, given))
        else:
            years.append((path, _chunks(path)))
    return found + _years(years, draws, given)


def _present(columns: Mapping[str, str], header: Sequence[str], files: int) -> dict[str, str]:
    """Return what is given for a file: of several files one may have other columns."""
    return {target: name for target, name in columns.items() if files == 1 or name in header}


def _chunks(path: Path, *, first_only: bool = False) -> list[RowChunk]:
    file = RowFile(path)
    try:
        return list(islice(file.chunks(_CHUNK), 1 if first_only else None))
    finally:
        file.close()


def _header(chunks: Sequence[RowChunk]) -> list[str]:
    if not chunks:
        return []
    first = chunks[0]
    return list(first.header or dict.fromkeys(key for row in first.rows for key in row))


def _readings(path: Path, columns: Mapping[str, Column], given: UsageOptions) -> UsageFile:
    channels = {target: columns[target] for target in CHANNELS if target in columns}
    serial = columns.get("serial_number")
    mapping = {target: column.name for target, column in channels.items()}
    mapping |= {"recorded_at": columns["recorded_at"].name, "serial_number": serial.name if serial else ""}
    told = FileOptions(
        serial=None if serial else path.stem,
        mapping=mapping,
        units={target: column.unit for target, column in channels.items()},
        time_format=given.time_format,
        timezone=given.zone,
    )
    serials: list[str] = []
    instants: list[int] = []
    values: dict[str, list[float | bool | None]] = {target: [] for target in channels}
    rejected = 0
    with read_batches(path, told, WATER_HEATER, _CHUNK) as batches:
        for batch in batches:
            serials += batch.serial_numbers
            instants += map(to_micros, batch.recorded_at)
            for target, column in values.items():
                column.extend(batch.channels.get(target) or [None] * len(batch))
            rejected += len(batch.rejected)
    if not serials:
        raise FileProblem(f"{path.name} has no row that can be read; check its columns, or map them with --column.")
    arrays = {target: np.array(column, np.float64) for target, column in values.items()}
    notes = [column.described(target) for target, column in channels.items()]
    notes += [f"{rejected:,} rows cannot be read"] if rejected else []
    most = float(np.nan_to_num(arrays.get("power", np.zeros(1))).max())
    if "power" in channels and channels["power"].is_assumed and 0 < most < _LEAST_LIKELY_WATTS:
        notes.append(f"no power is above {most:g} W; it may be in kW: give --unit power=kW")
    names, use = _by_device(serials, np.array(instants, np.int64), arrays)
    return UsageFile(names, use, notes, given.zone)


def _by_device(
    serials: Sequence[str], instants: IntArray, arrays: Mapping[str, FloatArray]
) -> tuple[Sequence[str], HourlyUse]:
    names, device = np.unique(np.array(serials), return_inverse=True)
    readings = [
        DeviceReadings(instants[rows], **{target: values[rows] for target, values in arrays.items()})
        for rows in (device == index for index in range(len(names)))
    ]
    return names.tolist(), hourly_use(readings)


def _draws(chunks: Sequence[RowChunk], columns: Mapping[str, Column], file: str) -> DrawDays:
    """Read draws: seconds of the day, seconds long, litres a second, by day."""
    for target in ("start", "duration"):
        if columns[target].unit not in _SECONDS_OF_UNIT:
            raise FileProblem(
                f"--unit gives {target} in {columns[target].unit!r}; it takes {listed(_SECONDS_OF_UNIT)}."
            )
    flow = conversion(WATER_HEATER.by_name["flow_rate"], columns["flow_rate"].unit)
    raw = {target: [value for chunk in chunks for value in chunk.column(columns[target].name)] for target in DRAWS}
    numbers = {target: np.array([_number(value) for value in raw[target]]) for target in DRAWS[1:]}
    known = np.isfinite(np.stack(list(numbers.values()))).all(axis=0)
    if not known.any():
        raise FileProblem(f"{file} has no draw that can be read; check its columns, or map them with --column.")
    return DrawDays(
        day=np.array([str(value).strip() for value in raw["day"]])[known],
        start_seconds=numbers["start"][known] * _SECONDS_OF_UNIT[columns["start"].unit],
        seconds=numbers["duration"][known] * _SECONDS_OF_UNIT[columns["duration"].unit],
        liters_per_second=np.array([flow.of(value) for value in numbers["flow_rate"][known].tolist()]) / 60,
        notes=[columns[target].described(target) for target in DRAWS[1:]],
    )


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return np.nan
    return number if 0 <= number < float("inf") else np.nan


def _years(
    years: Sequence[tuple[Path, list[RowChunk]]], draws: Mapping[Path, DrawDays], given: UsageOptions
) -> list[UsageFile]:
    if not draws:
        for path, chunks in years:
            raise FileProblem(
                f"{path.name} is no file of usage: it has {listed(_header(chunks)) or 'no columns'}; map a time with "
                "power or flow_rate, or day, start, duration and flow_rate, with --column, and give a year of days "
                "together with its file of draws."
            )
        return []
    known = DrawDays.joined(list(draws.values()))
    if not years:
        days = list(dict.fromkeys(known.day.tolist()))
        return [_series(["draws"], [days], known, given, [])]
    found: list[UsageFile] = []
    for path, chunks in years:
        names = _header(chunks)
        columns = [
            [str(value).strip() for chunk in chunks for value in chunk.column(name) if str(value or "").strip()]
            for name in names
        ]
        dry = sorted({day for days in columns for day in days} - known.names)
        named = sum(day in known.names for days in columns for day in days)
        if 2 * named < sum(map(len, columns)):
            raise FileProblem(f"{path.name} names days that no file of draws has, such as {listed(dry[:3])}.")
        notes = [f"without any draw, and so taken as dry: {listed(dry)}"] if dry else []
        found.append(_series(names, columns, known, given, notes))
    return found


def _series(
    names: Sequence[str], days: Sequence[Sequence[str]], draws: DrawDays, given: UsageOptions, notes: Sequence[str]
) -> UsageFile:
    first_hour = given.start.toordinal() * 24 - date(1970, 1, 1).toordinal() * 24
    longest = max(map(len, days))
    liters = np.full((len(days), longest * 24), np.nan)
    for row, names_of_days in enumerate(days):
        liters[row, : len(names_of_days) * 24] = year_of(names_of_days, draws)
    told = [*draws.notes, *notes, f"days without a date begin on {given.start}, as if clocks showed UTC"]
    return UsageFile(names, HourlyUse.of(first_hour, (len(days), longest * 24), liters=liters), told, "UTC")
