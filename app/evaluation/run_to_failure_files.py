"""Runs of units to their failure, in the form of the C-MAPSS collection: unit, time, settings, sensors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from app.files import FileProblem
from app.files.problems import shown
from models.learning.features import FloatArray, History, Layout

SETTINGS = 3
_DAY_SECONDS = 86_400
_FEWEST_COLUMNS = 3


@dataclass(frozen=True, slots=True, eq=False)
class RunToFailure:
    """A collection of runs.

    Attributes:
        name: of the collection, as FD001.
        layout: names of its columns.
        runs: histories whose last row is the failure.
        tested: histories that were cut off before their failure; none where there is no test set.
        remaining: (t,) the true remaining life of each tested one, in the unit of the times.
    """

    name: str
    layout: Layout
    runs: tuple[History, ...]
    tested: tuple[History, ...]
    remaining: FloatArray


def read_runs(path: Path, settings: int | None = None) -> list[RunToFailure]:
    """Read the collections of a folder, or that of one training file with its test files beside it.

    Args:
        path: a file, or a folder of files with `train` in their names.
        settings: how many columns after unit and time are operating settings; where not given, those that a header
            calls so, else three, as the form has it.

    Raises:
        FileProblem: the path does not exist, holds no training file, or a file cannot be read.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if "train" in file.name.lower() and file.is_file())
        if not files:
            raise FileProblem(f"{path} holds no file with 'train' in its name; name the file itself.")
        return [_collection(file, settings) for file in files]
    return [_collection(path, settings)]


def _collection(path: Path, settings: int | None) -> RunToFailure:
    header, runs = _histories(path, settings)
    test, truth = _beside(path, "test"), _beside(path, "rul")
    tested: tuple[History, ...] = ()
    remaining = np.empty(0)
    if test is not None and truth is not None:
        other, tested = _histories(test, settings)
        if [len(names) for names in (other.channels, other.settings)] != [
            len(names) for names in (header.channels, header.settings)
        ]:
            raise FileProblem(f"{test.name} and {path.name} do not have the same number of columns.")
        remaining = _column(truth)
        if len(remaining) != len(tested):
            raise FileProblem(f"{truth.name} has {len(remaining)} lines for the {len(tested)} units of {test.name}.")
    name = re.sub(r"(?i)^train[_-]?", "", path.stem) or path.stem
    return RunToFailure(name, header, runs, tested, remaining)


def _beside(path: Path, kind: str) -> Path | None:
    """Return the file that belongs to a training file, whose name differs from its name in that word only."""
    wanted = re.sub("train", kind, path.name, flags=re.IGNORECASE).lower()
    found = (file for file in path.parent.iterdir() if file.name.lower() == wanted and file != path)
    return next(found, None)


def _histories(path: Path, settings: int | None) -> tuple[Layout, tuple[History, ...]]:
    header, rows = _rows(path)
    width = len(rows[0])
    if width < _FEWEST_COLUMNS:
        raise FileProblem(f"{path.name} has {width} columns; unit, time and at least one sensor are needed.")
    uneven = next((place for place, row in enumerate(rows) if len(row) != width), None)
    if uneven is not None:
        raise FileProblem(f"{path.name}: row {uneven + 1} has {len(rows[uneven])} columns, the first has {width}.")
    names = header or ["unit", "time", *(f"column {place}" for place in range(3, width + 1))]
    count = _settings_of(names, header is not None) if settings is None else settings
    if not 0 <= count <= width - _FEWEST_COLUMNS:
        raise FileProblem(f"{path.name} has {width - 2} columns beside unit and time, so not {count} settings.")
    layout = Layout(tuple(names[2 + count :]), tuple(names[2 : 2 + count]))
    units: dict[str, list[list[float]]] = {}
    for place, row in enumerate(rows):
        numbers = [_time(row[1], path, place), *(_number(text, path, place) for text in row[2:])]
        units.setdefault(row[0], []).append(numbers)
    return layout, tuple(_history(np.array(matrix), count) for matrix in units.values())


def _history(matrix: FloatArray, settings: int) -> History:
    matrix = matrix[np.argsort(matrix[:, 0], kind="stable")]
    return History(times=matrix[:, 0], settings=matrix[:, 1 : 1 + settings], values=matrix[:, 1 + settings :])


def _settings_of(names: Sequence[str], named: bool) -> int:
    """Return how many columns after unit and time are settings: those called so, where a header calls any so."""
    count = 0
    while named and count + 2 < len(names) and re.search(r"(?i)setting|^op[_ ]|condition|regime", names[count + 2]):
        count += 1
    return count or min(SETTINGS, max(len(names) - _FEWEST_COLUMNS, 0))


def _rows(path: Path) -> tuple[list[str] | None, list[list[str]]]:
    try:
        lines = [line for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeError) as error:
        raise FileProblem(f"{path} cannot be read: {error}.") from error
    if not lines:
        raise FileProblem(f"{path.name} is empty.")
    mark = next((mark for mark in (",", ";", "\t") if mark in lines[0].strip()), None)
    rows = [[cell.strip() for cell in line.strip().split(mark)] for line in lines]
    headed = not any(_is_number(cell) for cell in rows[0])
    if headed and len(rows) == 1:
        raise FileProblem(f"{path.name} has a header and no rows.")
    return (rows[0], rows[1:]) if headed else (None, rows)


def _column(path: Path) -> FloatArray:
    _, rows = _rows(path)
    return np.array([_number(row[-1], path, place) for place, row in enumerate(rows)])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str, path: Path, place: int) -> float:
    """Return a cell as a number; NaN for an empty one."""
    if text.lower() in ("", "na", "null", "none"):
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise FileProblem(f"{path.name}: row {place + 1} has {shown(text)} where a number should be.") from None


def _time(text: str, path: Path, place: int) -> float:
    """Return a time as a number: as it is, or a date as days since 1970."""
    if _is_number(text):
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp() / _DAY_SECONDS
    except ValueError:
        raise FileProblem(f"{path.name}: row {place + 1} has {shown(text)} where a time should be.") from None
