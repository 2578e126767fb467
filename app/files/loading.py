"""Batches of readings from a file: `read_batches` is the way in."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Self

from app.files.batches import FileBatch, FileOptions
from app.files.formats import RowChunk, RowFile
from app.files.mapping import RECORDED_AT, ColumnMapping, check_targets, map_columns
from app.files.problems import Fault, FileProblem, shown
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
from app.files.units import Conversion, conversion
from app.files.values import is_empty, read_numbers, read_serial_numbers, read_states
from app.files.zones import LocalTimes, load_zone
from models.devices.catalogue import DeviceKind
from models.readings import ChannelValues

_FIRST_SAMPLE_ROWS = 1000
_LARGEST_SAMPLE_ROWS = 100_000
_BEYOND = ("NOT_A_TIME", "is beyond the years 1 to 9999")


class ReadingFile(Iterator[FileBatch]):
    """An open file of readings: iterate over it for its batches.

    It closes itself at its end, and on leaving `with`.

    Attributes:
        name: the file as messages call it.
        mapping: the columns that are read.
        description: how the file is read, in lines for people: format, times, columns with their conversion.
        bytes_total: size of the file, None for standard input.
    """

    def __init__(
        self,
        path: Path | str,
        options: FileOptions,
        kind: DeviceKind,
        batch_size: int,
        standard_input: BinaryIO | None = None,
    ) -> None:
        """Open the file and look at its first rows.

        Raises:
            FileProblem: the options do not fit the kind or the file, or the file cannot be read.
        """
        self._options = options
        self._kind = kind
        self._conversions = _conversions(options, kind)
        self._local_times = LocalTimes(load_zone(options.timezone)) if options.timezone is not None else None
        self._zone_words = f", in {options.timezone} where they have no zone" if options.timezone is not None else ""
        self._style = given_style(options.time_format) if options.time_format is not None else None
        self._rows = RowFile(path, options.format, standard_input)
        self.name, self.bytes_total = self._rows.name, self._rows.bytes_total
        try:
            self._open(self._rows.chunks(batch_size))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> FileBatch:
        try:
            return self._batch(next(self._chunks))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; there are no more batches then."""
        self._chunks: Iterator[RowChunk] = iter(())
        self._rows.close()

    def _open(self, chunks: Iterator[RowChunk]) -> None:
        sample: list[RowChunk] = []
        wanted = _FIRST_SAMPLE_ROWS
        while True:
            ended = not _take(chunks, sample, wanted)
            if wanted == _FIRST_SAMPLE_ROWS:
                self._map(sample)
            times = self._times(sample)
            if self._style is None:
                self._style = detect_style(times)
            if self._style is not None or (ended and not times.values):
                break
            if ended or wanted >= _LARGEST_SAMPLE_ROWS:
                raise undecided(times)
            wanted = min(2 * wanted, _LARGEST_SAMPLE_ROWS)
        self._check_times(self._times(sample))
        self.description = self._describe()
        self._chunks = chain(sample, chunks)

    def _map(self, sample: Sequence[RowChunk]) -> None:
        header = self._rows.header
        rejected = [row for chunk in sample for row in chunk.rejected]
        if header is None and rejected and not any(chunk.rows for chunk in sample):
            first = rejected[0]
            raise FileProblem(
                f"{self.name} is no {self._rows.description} of readings: "
                f"{self._rows.place} {first.line} {first.message}; "
                "give one object for each reading, or another --format."
            )
        if header is None:
            columns = list(dict.fromkeys(name for chunk in sample for row in chunk.rows for name in row))
        else:
            columns = [name for name in header if name]
        self._seen = frozenset(columns)
        if header is None and not sample:
            # An array without elements has no columns to map, and nothing to complain about.
            self.mapping = ColumnMapping(RECORDED_AT, None, {})
            return
        self.mapping = map_columns(
            self._kind, self._options.mapping, columns, serial=self._options.serial, open_ended=header is None
        )

    def _times(self, sample: Sequence[RowChunk]) -> TimeSample:
        column = self.mapping.recorded_at
        return TimeSample(
            column=column,
            place=self._rows.place,
            values=[value for chunk in sample for value in chunk.column(column)],
            line_numbers=[line for chunk in sample for line in chunk.line_numbers],
            serials=[serial for chunk in sample for serial in self._serials(chunk)[0]],
        )

    def _check_times(self, times: TimeSample) -> None:
        if self._style is None:
            return
        check_fits(times, self._style)
        if self._local_times is None and none_has_zone(times, self._style):
            # Said in the description: whoever knows better gives the zone.
            self._local_times = LocalTimes(load_zone("UTC"))
            self._zone_words = ", without a zone and taken as UTC (--timezone tells another)"
        if self._local_times is None:
            check_zone(times, self._style)
        else:
            moments, _ = parse_times(self._style, times.values, times.column)
            pairs = zip(times.serials, moments, strict=True)
            self._local_times.learn_order((serial, moment) for serial, moment in pairs if moment is not None)

    def _describe(self) -> list[str]:
        style = self._style.words if self._style else "none found"
        lines = [
            f"{self.name}: {self._rows.description}",
            f"times from column {self.mapping.recorded_at!r}: {style}{self._zone_words}",
        ]
        if self.mapping.serial_number:
            lines.append(f"devices from column {self.mapping.serial_number!r}")
        for name, source in self.mapping.channels.items():
            if source in self._seen:
                words = self._conversions[name].words
                lines.append(f"{name} from column {source!r}{f', {words}' if words else ''}")
        return lines

    def _serials(self, chunk: RowChunk) -> tuple[list[str], dict[int, Fault]]:
        column = self.mapping.serial_number
        if column is None:
            return [self._options.serial or ""] * len(chunk.rows), {}
        return read_serial_numbers(chunk.column(column), column)

    def _batch(self, chunk: RowChunk) -> FileBatch:
        serials, faults = self._serials(chunk)
        instants, time_faults = self._instants(chunk.column(self.mapping.recorded_at), serials)
        channels, channel_faults = self._channels(chunk)
        # The first of these reasons is the one that is told.
        faults = {**channel_faults, **time_faults, **faults}
        batch = FileBatch(
            serial_numbers=serials,
            # A row without an instant has a fault, and leaves the batch at once.
            recorded_at=instants,  # pyright: ignore[reportArgumentType]
            channels=channels,
            line_numbers=chunk.line_numbers,
            rejected=chunk.rejected,
            place=self._rows.place,
            bytes_read=self._rows.bytes_read,
            bytes_total=self.bytes_total,
        )
        return batch.without(faults)

    def _instants(
        self, values: Sequence[Any], serials: Sequence[str]
    ) -> tuple[list[datetime | None], dict[int, Fault]]:
        column = self.mapping.recorded_at
        if self._style is None:
            return [None] * len(values), {i: _no_time(column) for i in range(len(values))}
        moments, faults = parse_times(self._style, values, column)
        if self._local_times is not None:
            instants, zone_faults = self._local_times.to_utc(moments, serials)
            return instants, {**faults, **zone_faults}
        instants = [None if moment is None else in_utc(moment) for moment in moments]
        if None in instants:
            for index, moment in enumerate(moments):
                if moment is not None and instants[index] is None:
                    code, lack = ("NO_TIME_ZONE", "has no time zone") if moment.tzinfo is None else _BEYOND
                    faults[index] = Fault(code, f"column {column!r} holds {shown(values[index])}, which {lack}")
        return instants, faults

    def _channels(self, chunk: RowChunk) -> tuple[dict[str, ChannelValues], dict[int, Fault]]:
        channels: dict[str, ChannelValues] = {}
        faults: dict[int, Fault] = {}
        for name, column in self.mapping.channels.items():
            values = chunk.column(column)
            if self._kind.by_name[name].is_state:
                channels[name], found = read_states(values, column)
            else:
                channels[name], found = read_numbers(
                    values, column, self._conversions[name], decimal_comma=self._options.decimal_comma
                )
            faults = {**found, **faults}
            if column not in self._seen and all(value is None for value in channels[name]) and not found:
                del channels[name]
        if all(None in values for values in channels.values()):
            columns = ", ".join(repr(column) for column in self.mapping.channels.values() if column in self._seen)
            for index in range(len(chunk.rows)):
                if index not in faults and all(values[index] is None for values in channels.values()):
                    faults[index] = Fault("NO_VALUES", f"has no value in any of the columns {columns}")
        return channels, faults


def read_batches(
    path: Path | str,
    options: FileOptions,
    kind: DeviceKind,
    batch_size: int = 1000,
    standard_input: BinaryIO | None = None,
) -> ReadingFile:
    """Open a file of readings and return its batches, with bounded memory however long the file is.

    Args:
        path: the file, "-" for standard input; gzip is recognised by itself.
        options: what is known of it.
        kind: what the readings are of.
        batch_size: most rows of a batch.
        standard_input: what "-" reads, None for the process's own.

    Returns:
        An iterator of FileBatch that knows how it reads the file; a context manager that closes it.

    Raises:
        FileProblem: here, where the options do not fit or the file is none; from a later batch, where it breaks off.
    """
    return ReadingFile(path, options, kind, batch_size, standard_input)


def _conversions(options: FileOptions, kind: DeviceKind) -> dict[str, Conversion]:
    check_targets(kind, "--map", options.mapping)
    for option, given in (("--scale", options.scales), ("--offset", options.offsets), ("--unit", options.units)):
        check_targets(kind, option, given, channels_only=True)
    for name, scale in options.scales.items():
        if scale == 0:
            raise FileProblem(f"--scale {name}=0 would make every value 0; give another factor.")
    return {
        name: conversion(channel, options.units.get(name), options.scales.get(name), options.offsets.get(name))
        for name, channel in kind.by_name.items()
    }


def _take(chunks: Iterator[RowChunk], sample: list[RowChunk], wanted: int) -> bool:
    """Add chunks to the sample until it has so many rows; False if the file ends before."""
    rows = sum(len(chunk.rows) + len(chunk.rejected) for chunk in sample)
    while rows < wanted:
        chunk = next(chunks, None)
        if chunk is None:
            return False
        sample.append(chunk)
        rows += len(chunk.rows) + len(chunk.rejected)
    return True


def parse_times(style: TimeStyle, values: Sequence[Any], column: str) -> tuple[list[datetime | None], dict[int, Fault]]:
    """Return (n,) times of a column with or without zone, None where there is none, and what is wrong by index."""
    try:
        return list(map(style.parse, values)), {}
    except ValueError:
        pass
    moments: list[datetime | None] = []
    faults: dict[int, Fault] = {}
    for index, value in enumerate(values):
        try:
            moments.append(style.parse(value))
        except ValueError:
            moments.append(None)
            faults[index] = (
                _no_time(column)
                if is_empty(value)
                else Fault(
                    "NOT_A_TIME",
                    f"column {column!r} holds {shown(value)}, which is not a time of the form {style.words}",
                )
            )
    return moments, faults


def _no_time(column: str) -> Fault:
    return Fault("NO_TIME", f"column {column!r} is empty where the time should stand")


def in_utc(moment: datetime) -> datetime | None:
    """Return the instant in UTC; None where it has no zone, or lies before the year 1 or after 9999."""
    if moment.tzinfo is UTC:
        return moment
    try:
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
