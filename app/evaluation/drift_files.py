"""Recorded streams for the evaluation of drift, told apart by what is in the files, not by their names."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.evaluation.drift_alarms import TRAINED_ROWS
from app.files import FileProblem

FloatArray = NDArray[np.float64]

_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A table of numbers.

    Attributes:
        name: the file's.
        columns: their names.
        values: (n, columns), NaN where missing.
    """

    name: str
    columns: tuple[str, ...]
    values: FloatArray

    def beginnings(self) -> dict[str, int]:
        """Return the columns that begin to vary after the rows to learn from, with the row on which they do."""
        found: dict[str, int] = {}
        for place, name in enumerate(self.columns):
            others = np.flatnonzero(self.values[:, place] != self.values[0, place])
            if len(others) and others[0] > TRAINED_ROWS:
                found[name] = int(others[0])
        return found

    @property
    def has_classes(self) -> bool:
        """Whether the last column tells one of two classes, as in a stream for concept drift."""
        return len(self.columns) > 1 and len(np.unique(self.values[:, -1])) == _CLASSES


def read_recorded(path: Path) -> list[Recorded]:
    """Read all tables of numbers in CSV of a file or folder with rows enough to learn from and to watch.

    Raises:
        FileProblem: the path does not exist, or holds no such table, or a file cannot be read.
    """
    if not path.exists():
        raise FileProblem(f"{path}: there is no such file or folder")
    files = sorted(path.rglob("*.csv")) if path.is_dir() else [path]
    found = [_read(file) for file in files]
    usable = [
        table for table in found if len(table.values) > TRAINED_ROWS and (table.beginnings() or table.has_classes)
    ]
    if not usable:
        raise FileProblem(
            f"{path}: no CSV with more than {TRAINED_ROWS} rows of numbers in which a column begins to vary later, "
            "or whose last column holds two classes"
        )
    return usable


def _read(path: Path) -> Recorded:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.reader(lines)
            header = [name.strip() for name in next(rows, list[str]())]
            cells = [row for row in rows if row]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise FileProblem(f"{path}: cannot be read: {problem}") from problem
    for number, row in enumerate(cells, 2):
        if len(row) != len(header):
            raise FileProblem(f"{path}: line {number} has {len(row)} cells; the header has {len(header)}")
    try:
        values = np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in cells], np.float64)
    except ValueError as problem:
        raise FileProblem(f"{path}: only numbers can be watched: {problem}") from problem
    return Recorded(path.name, tuple(header), values.reshape(len(cells), len(header)))
