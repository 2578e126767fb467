"""States of machines with whether each one failed, in the form of AI4I: a row a state, all found by content."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.files import FileProblem
from app.files.formats import RowFile
from app.files.problems import listed
from models.learning.features import FloatArray, History, Layout

_CHUNK = 10_000
_MOST_CATEGORIES = 20
_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_EMPTY = ("", "na", "nan", "null", "none")
# A cause may lack the failure in a few rows, and a failure its cause: the recorded rules are not free of noise.
_IMPLIED, _EXPLAINED = 0.9, 0.9


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """States of machines.

    Attributes:
        name: of the file.
        layout: numbers are channels, categories attributes.
        histories: one for each state, with a single reading at time 0.
        failed: (n,) 1 where the machine failed.
        target: name of the column that says so.
        causes: (n, k) 1 where a cause of the failure was present.
        cause_names: (k,) their columns.
        left_out: columns that were not used: identifiers, constants, and rare flags that may be outcomes.
    """

    name: str
    layout: Layout
    histories: tuple[History, ...]
    failed: FloatArray
    target: str
    causes: FloatArray
    cause_names: tuple[str, ...]
    left_out: tuple[str, ...]


def read_states(path: Path, target: str | None = None) -> States:
    """Read a file of states.

    The column of failures is the one of only 0 and 1 that others of such columns add up to: these are the causes, and
    no input. Other columns of 0 and 1 that are as rare as failures are left out as well: they may tell the outcome.

    Args:
        path: CSV, JSON or NDJSON, gzip too.
        target: the column of failures, where it is not found by itself.

    Raises:
        FileProblem: the file cannot be read, or has no column of failures.
    """
    columns = _columns(path)
    numbers = {name: matrix for name, values in columns.items() if (matrix := _numbers(values)) is not None}
    flags = {name: values for name, values in numbers.items() if set(np.unique(values).tolist()) == {0.0, 1.0}}
    if target is not None and target not in flags:
        raise FileProblem(f"{path.name} has no column {target!r} of 0 and 1; it has {listed(flags) or 'none'}.")
    target, causes = _target(flags, target, path)
    failed = flags[target]
    rare = [name for name, values in flags.items() if values.mean() <= failed.mean() and name != target]
    channels = {
        name: values
        for name, values in numbers.items()
        if name not in (target, *causes, *rare) and not _is_identifier(values) and len(np.unique(values)) > 1
    }
    attributes = _categories({name: values for name, values in columns.items() if name not in numbers})
    if not channels and not attributes:
        raise FileProblem(f"{path.name} has no column to predict failures from.")
    used = {*channels, *(name.rpartition("=")[0] for name in attributes), target, *causes}
    return States(
        name=path.name,
        layout=Layout(channels=tuple(channels), attributes=tuple(attributes)),
        histories=_histories(_matrix(channels, len(failed)), _matrix(attributes, len(failed))),
        failed=failed,
        target=target,
        causes=_matrix({name: flags[name] for name in causes}, len(failed)),
        cause_names=tuple(causes),
        left_out=tuple(name for name in columns if name not in used),
    )


def _columns(path: Path) -> dict[str, list[Any]]:
    file = RowFile(path)
    columns: dict[str, list[Any]] = {}
    try:
        for chunk in file.chunks(_CHUNK):
            names = chunk.header or tuple(dict.fromkeys(key for row in chunk.rows for key in row))
            for name in columns.keys() | set(names):
                columns.setdefault(name, []).extend(chunk.column(name))
            columns = {name: columns[name] for name in (*names, *(set(columns) - set(names)))}
    finally:
        file.close()
    lengths = {len(values) for values in columns.values()}
    if not columns or lengths == {0}:
        raise FileProblem(f"{path.name} has no rows.")
    if len(lengths) > 1:
        raise FileProblem(f"{path.name} names different columns in different rows; each row needs the same.")
    return columns


def _numbers(values: Sequence[Any]) -> FloatArray | None:
    """Return a column of numbers or of yes and no; None where a value is neither."""
    try:
        return np.array([_number(value) for value in values], np.float64)
    except ValueError:
        return None


def _number(value: object) -> float:
    text = "" if value is None else str(value).strip().lower()
    if text in _EMPTY:
        return float("nan")
    return _WORDS[text] if text in _WORDS else float(text)


def _target(flags: dict[str, FloatArray], given: str | None, path: Path) -> tuple[str, list[str]]:
    """Return the column of failures and its causes: of all, the one whose causes explain it best."""
    best: tuple[float, int, str, list[str]] | None = None
    for name in flags if given is None else [given]:
        failed = flags[name] > 0
        causes = [
            other
            for other, values in flags.items()
            if other != name and failed[values > 0].mean() >= _IMPLIED and values.sum() < failed.sum()
        ]
        united = np.any([flags[cause] > 0 for cause in causes], axis=0) if causes else np.zeros(len(failed), np.bool_)
        explained = float(united[failed].mean())
        found = (explained, len(causes), name, causes)
        if given is not None or (
            explained >= _EXPLAINED and len(causes) > 1 and (best is None or found[:2] > best[:2])
        ):
            best = found
    if best is not None:
        return best[2], best[3] if best[0] >= _EXPLAINED else []
    if len(flags) == 1:
        return next(iter(flags)), []
    raise FileProblem(
        f"{path.name}: which column tells failures is not clear; columns of 0 and 1 are {listed(flags) or 'none'}. "
        "Name one with --target."
    )


def _is_identifier(values: FloatArray) -> bool:
    """Return whether every row has a number of its own, and they are consecutive."""
    if not np.all(np.isfinite(values)) or np.any(values % 1):
        return False
    return len(np.unique(values)) == len(values) and float(np.ptp(values)) < 2 * len(values)


def _categories(texts: dict[str, list[Any]]) -> dict[str, FloatArray]:
    """Return 0 and 1 for each value of the columns with few of them."""
    found: dict[str, FloatArray] = {}
    for name, values in texts.items():
        words = [str(value).strip() for value in values]
        distinct = sorted(set(words))
        if 1 < len(distinct) <= _MOST_CATEGORIES:
            found |= {f"{name}={word}": np.array([each == word for each in words], np.float64) for word in distinct}
    return found


def _matrix(columns: dict[str, FloatArray], rows: int) -> FloatArray:
    return np.column_stack(list(columns.values())) if columns else np.empty((rows, 0))


def _histories(values: FloatArray, attributes: FloatArray) -> tuple[History, ...]:
    time = np.zeros(1)
    return tuple(
        History(times=time, values=values[place : place + 1], attributes=attributes[place])
        for place in range(len(values))
    )
