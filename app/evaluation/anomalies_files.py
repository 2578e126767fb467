"""Labelled series of the SKAB and NAB collections, found by what is in the files, not by their names."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.files import FileProblem

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

WINDOW_FILES = ("windows.json", "combined_windows.json")
_LABEL, _CHANGE_POINT = "anomaly", "changepoint"
_LEVELS_ABOVE = 5
_MICROSECOND = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSeries:
    """Readings with their truth.

    Attributes:
        name: the file's, with its folder.
        at_micros: (n,) rising microseconds since 1970.
        values: (n, channels), NaN where missing.
        channels: names of the columns.
        is_anomalous: (n,) labels of the readings, as SKAB has them; None in a series with windows.
        windows: (w, 2) first and last instant of each labelled window, as NAB has them.
    """

    name: str
    at_micros: IntArray
    values: FloatArray
    channels: tuple[str, ...]
    is_anomalous: BoolArray | None
    windows: IntArray


def read_labelled(paths: Iterable[Path]) -> list[LabelledSeries]:
    """Read all labelled series of files and folders.

    A file with a column `anomaly` is one of SKAB: its first column is the time, a column `changepoint` is left out, and
    all others are sensors. A file with the columns `timestamp` and `value` is one of NAB: its windows are in
    `windows.json` or `combined_windows.json`, in its folder or above.

    Raises:
        FileProblem: a path does not exist, holds no such series, or a file cannot be read.
    """
    found: list[LabelledSeries] = []
    for path in paths:
        own = [series for file in _files(path) if (series := _read(file)) is not None]
        if not own:
            raise FileProblem(f"{path}: no series of SKAB (a column anomaly) or NAB (columns timestamp, value) in it")
        found += own
    return found


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise FileProblem(f"{path}: there is no such file or folder")
    return sorted(path.rglob("*.csv")) if path.is_dir() else [path]


def _read(path: Path) -> LabelledSeries | None:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            delimiter = ";" if ";" in lines.readline() else ","
            lines.seek(0)
            rows = csv.reader(lines, delimiter=delimiter)
            header = [name.strip() for name in next(rows, list[str]())]
            is_labelled = _LABEL in header
            if not is_labelled and header != ["timestamp", "value"]:
                return None
            return _labelled(path, header, rows) if is_labelled else _windowed(path, rows)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise FileProblem(f"{path}: cannot be read: {problem}") from problem


def _labelled(path: Path, header: Sequence[str], rows: Iterator[list[str]]) -> LabelledSeries:
    at, cells = _columns(path, rows, len(header))
    sensors = [place for place, name in enumerate(header) if place and name not in (_LABEL, _CHANGE_POINT)]
    return LabelledSeries(
        name=f"{path.parent.name}/{path.name}",
        at_micros=at,
        values=cells[:, [place - 1 for place in sensors]],
        channels=tuple(header[place] for place in sensors),
        is_anomalous=cells[:, header.index(_LABEL) - 1] > 0,
        windows=np.zeros((0, 2), np.int64),
    )


def _windowed(path: Path, rows: Iterator[list[str]]) -> LabelledSeries:
    at, cells = _columns(path, rows, 2)
    windows = [[_micros(path, instant) for instant in window] for window in _windows_of(path)]
    name = f"{path.parent.name}/{path.name}"
    return LabelledSeries(name, at, cells, ("value",), None, np.array(windows, np.int64).reshape(-1, 2))


def _windows_of(path: Path) -> list[list[str]]:
    for folder in list(path.resolve().parents)[:_LEVELS_ABOVE]:
        for place in (folder, folder / "labels"):
            for name in WINDOW_FILES:
                if (place / name).is_file():
                    return _listed(place / name, path)
    raise FileProblem(f"{path}: no {' or '.join(WINDOW_FILES)} in its folder or above, so its anomalies are not known")


def _listed(labels: Path, path: Path) -> list[list[str]]:
    try:
        known: Mapping[str, Any] = json.loads(labels.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise FileProblem(f"{labels}: cannot be read: {problem}") from problem
    name = f"{path.resolve().parent.name}/{path.name}"
    if name not in known:
        raise FileProblem(f"{labels}: has no windows of {name}; a series without anomalies has an empty list")
    return known[name]


def _columns(path: Path, rows: Iterator[list[str]], width: int) -> tuple[IntArray, FloatArray]:
    """Return the instants of the first column and the numbers of the others."""
    kept = [row for row in rows if row]
    for number, row in enumerate(kept, 2):
        if len(row) != width:
            raise FileProblem(f"{path}: line {number} has {len(row)} cells; the header has {width}")
    at = np.array([_micros(path, row[0]) for row in kept], np.int64)
    cells = np.array([[_number(path, cell) for cell in row[1:]] for row in kept], np.float64)
    return at, cells.reshape(len(kept), width - 1)


def _number(path: Path, cell: str) -> float:
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError as problem:
        raise FileProblem(f"{path}: {cell!r} is not a number") from problem


def _micros(path: Path, text: str) -> int:
    try:
        return round(datetime.fromisoformat(text.strip()).replace(tzinfo=UTC).timestamp() * _MICROSECOND)
    except ValueError as problem:
        raise FileProblem(f"{path}: {text!r} is not a time such as 2020-03-09 10:14:33") from problem
