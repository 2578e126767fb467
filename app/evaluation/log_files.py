"""Logs of machines, in the form of the Azure predictive maintenance set: errors, failures, maintenance, machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.files import FileProblem
from app.files.formats import RowFile
from app.files.problems import listed
from app.files.time_detection import TimeSample, detect_style, undecided
from models.learning.features import FloatArray, History, Layout
from models.learning.risk import RiskCase

_CHUNK = 10_000
_DAY_SECONDS = 86_400.0
_WORDS = {"errors": "error", "failures": "fail", "maintenance": "maint", "machines": "machine"}
_MOST_CATEGORIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class MachineLogs:
    """Logs of a fleet; times in days since 1970.

    Attributes:
        name: of the folder.
        layout: kinds of events, and attributes of the machines.
        cases: one for each machine, over the whole time.
        first: since when errors and failures were recorded.
        last: until when.
    """

    name: str
    layout: Layout
    cases: tuple[RiskCase, ...]
    first: float
    last: float


def is_logs(path: Path) -> bool:
    """Return whether a path is a folder with a file of failures."""
    return path.is_dir() and _file(path, "failures") is not None


def read_logs(path: Path) -> MachineLogs:
    """Read a folder of logs; those of failures are needed, the others used as far as they are there.

    A file is known by its name (error, fail, maint, machine), its columns by what they hold: the time, the machine
    by the column that the files share, and the kind of event.

    Raises:
        FileProblem: there is no file of failures, or a file cannot be read.
    """
    found = {kind: file for kind in _WORDS if (file := _file(path, kind)) is not None}
    if "failures" not in found:
        raise FileProblem(f"{path} holds no file with 'fail' in its name.")
    tables = {kind: _table(file) for kind, file in found.items()}
    key = _shared_column(tables, path)
    logs = {kind: _events(table, key, found[kind]) for kind, table in tables.items() if kind != "machines"}
    failures, others = logs["failures"], [logs[kind] for kind in ("errors", "maintenance") if kind in logs]
    attributes = _attributes(tables["machines"], key) if "machines" in tables else {}
    recorded = [log for kind, log in logs.items() if kind != "maintenance"]
    times = [time for log in recorded for of_machine in log.values() for _, time in of_machine]
    if not times:
        raise FileProblem(f"{found['failures'].name} has no rows.")
    kinds = sorted({kind for log in (*others, failures) for events in log.values() for kind, _ in events})
    names = tuple(sorted({name for of_machine in attributes.values() for name in of_machine}))
    machines = sorted({machine for log in logs.values() for machine in log} | set(attributes))
    first, last = min(times), max(times)
    cases = [
        RiskCase(
            History(
                events=_by_kind([event for log in (*others, failures) for event in log.get(machine, ())], kinds),
                attributes=np.array([attributes.get(machine, {}).get(name, np.nan) for name in names], np.float64),
            ),
            np.array(sorted(time for _, time in failures.get(machine, ()))),
            last,
            first,
        )
        for machine in machines
    ]
    return MachineLogs(path.name, Layout(events=tuple(kinds), attributes=names), tuple(cases), first, last)


def _file(path: Path, kind: str) -> Path | None:
    files = [file for file in sorted(path.iterdir()) if file.is_file() and _WORDS[kind] in file.name.lower()]
    return files[0] if files else None


def _table(path: Path) -> dict[str, list[Any]]:
    file = RowFile(path)
    columns: dict[str, list[Any]] = {}
    try:
        for chunk in file.chunks(_CHUNK):
            for name in chunk.header or tuple(chunk.rows[0] if chunk.rows else ()):
                columns.setdefault(name, []).extend(chunk.column(name))
    finally:
        file.close()
    if not columns:
        raise FileProblem(f"{path.name} has no rows.")
    return columns


def _shared_column(tables: Mapping[str, Mapping[str, list[Any]]], path: Path) -> str:
    """Return the column of machines: that which all files have, and whose values are not times."""
    failures = tables["failures"]
    shared = [name for name in failures if all(name in table for table in tables.values())]
    keys = [name for name in shared if _style(name, failures[name]) is None]
    if not keys:
        raise FileProblem(f"The files of {path.name} share no column that names the machine.")
    # A log's kinds repeat more than its machines do.
    return max(keys, key=lambda name: len(set(map(str, failures[name]))))


def _style(name: str, values: Sequence[Any]) -> Any:
    sample = TimeSample(name, "line", list(values), list(range(1, len(values) + 1)), [""] * len(values))
    # Short numbers, such as those of machines, might be read as seconds since 1970.
    texts = [str(value) for value in values[:50]]
    if all(text.lstrip("-").isdigit() and len(text) < 8 for text in texts):
        return None
    try:
        return detect_style(sample)
    except FileProblem:
        return None


def _events(table: Mapping[str, list[Any]], key: str, path: Path) -> dict[str, list[tuple[str, float]]]:
    """Return the events of each machine: kind, prefixed by the file's word, and time in days."""
    if key not in table:
        raise FileProblem(f"{path.name} has no column {key!r}; it has {listed(table)}.")
    others = [name for name in table if name != key]
    styles = {name: _style(name, table[name]) for name in others}
    times = [name for name in others if styles[name] is not None]
    if not times:
        name = others[0] if others else key
        raise undecided(TimeSample(name, "line", table[name], list(range(1, len(table[name]) + 1)), [""]))
    kinds = [name for name in others if name not in times]
    word = next(word for word in _WORDS.values() if word in path.name.lower())
    found: dict[str, list[tuple[str, float]]] = {}
    for place, value in enumerate(table[times[0]]):
        told = str(table[kinds[0]][place]) if kinds else ""
        # Failures and maintenance may name the same components.
        kind = told if word in told.lower() else f"{word} {told}".strip()
        days = styles[times[0]].parse(value).timestamp() / _DAY_SECONDS
        found.setdefault(str(table[key][place]), []).append((kind, days))
    return found


def _by_kind(events: Sequence[tuple[str, float]], kinds: Sequence[str]) -> tuple[FloatArray, ...]:
    return tuple(np.array(sorted(time for kind, time in events if kind == wanted), np.float64) for wanted in kinds)


def _attributes(table: Mapping[str, list[Any]], key: str) -> dict[str, dict[str, float]]:
    """Return the attributes of each machine: numbers as they are, categories as 0 and 1."""
    found: dict[str, dict[str, float]] = {str(machine): {} for machine in table[key]}
    for name, values in table.items():
        if name == key:
            continue
        distinct = sorted({str(value) for value in values})
        numeric = all(text.replace(".", "", 1).lstrip("-").isdigit() for text in distinct)
        if not numeric and len(distinct) > _MOST_CATEGORIES:
            continue
        for machine, value in zip(table[key], values, strict=True):
            of_machine = found[str(machine)]
            if numeric:
                of_machine[name] = float(value)
            else:
                of_machine |= {f"{name}={text}": float(str(value) == text) for text in distinct}
    return found
