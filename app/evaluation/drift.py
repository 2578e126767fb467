"""Drift on generated streams: false alarms where nothing changes, and how soon changes are found."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.evaluation.drift_alarms import TRAINED_ROWS, alarms_of
from app.evaluation.drift_files import read_recorded
from app.evaluation.drift_recorded import recorded_lines
from app.evaluation.drift_streams import CHANGES, MOST_FALSE_ALARMS, STREAMS, Change, FloatArray, Generator, seconds_of
from models.learning.drift import Watch, sketch_of

CALM_ROWS = 10_000
ROWS_BEFORE = 400
ROWS_AFTER = 1000
RUNS = 12
_LIMITS = (400, 500)
_FIGURES = (
    "beside them, windows of 200 rows, false alarms in 10,000 rows on independent, autocorrelated, seasonal streams:",
    "  stability index above 0.1: 2, 24, -; Wasserstein from 0.1 sd: 20, 43, -; ADWIN: 0.1, 36, 104",
    "  index above mean + 4 sd of training windows, two of three: 0, 1.0, 0; of changes on one kind of stream",
    "    1 sd in 12 of 12 within 400 rows, 0.5 sd in 10 of 12 within 500",
)


@dataclass(frozen=True, slots=True)
class Calm:
    """A stream without change: false alarms, rows that were watched, seconds spent, bytes of a feature."""

    alarms: int
    rows: int
    seconds: float
    nbytes: int

    @property
    def each_10000(self) -> float:
        """False alarms in 10,000 rows."""
        return self.alarms / self.rows * 10_000


def evaluate_calm(generate: Generator, seed: int, runs: int = RUNS) -> Calm:
    """Count the alarms on streams in which nothing changes."""
    rng = np.random.default_rng((seed, 0))
    seconds = seconds_of(TRAINED_ROWS + CALM_ROWS)
    alarms, spent, nbytes = 0, 0.0, 0
    for values in generate(rng, runs, TRAINED_ROWS + CALM_ROWS):
        sketch = sketch_of(values[:TRAINED_ROWS], seconds[:TRAINED_ROWS])
        began = time.process_time()
        alarms += len(alarms_of(sketch, values[TRAINED_ROWS:], seconds[TRAINED_ROWS:]))
        spent += time.process_time() - began
        nbytes = Watch(sketch).nbytes
    return Calm(alarms, runs * CALM_ROWS, spent, nbytes)


def evaluate_change(generate: Generator, change: Change, seed: int, runs: int = RUNS) -> FloatArray:
    """Return (runs,) rows from the change to the first alarm after it; infinite where none came."""
    rng = np.random.default_rng((seed, 1))
    before = TRAINED_ROWS + ROWS_BEFORE
    values = generate(rng, runs, before + ROWS_AFTER)
    seconds = seconds_of(values.shape[1])
    trained = values[:, :TRAINED_ROWS]
    mean, deviation = (f(trained, axis=1, keepdims=True) for f in (np.nanmean, np.nanstd))
    values[:, before:] = change(values[:, before:], mean, deviation)
    delays = np.full(runs, np.inf)
    for run, row in enumerate(values):
        sketch = sketch_of(row[:TRAINED_ROWS], seconds[:TRAINED_ROWS])
        alarms = alarms_of(sketch, row[TRAINED_ROWS:], seconds[TRAINED_ROWS:])
        delays[run] = next((rows - ROWS_BEFORE for rows in alarms if rows > ROWS_BEFORE), np.inf)
    return delays


def run(path: Path | None, *, seed: int, runs: int, change_every: int) -> Iterator[str]:
    """Yield the lines that `iotsphere evaluate drift` prints.

    Args:
        path: of recorded streams; None for the generated ones only.
        seed: of the generated streams.
        runs: of each.
        change_every: rows from one change of the concept to the next in recorded streams with classes.

    Raises:
        FileProblem: a file cannot be read, or none holds a stream.
    """
    recorded = [] if path is None else read_recorded(path)
    yield from generated_lines(seed, runs)
    yield from _FIGURES
    for table in recorded:
        yield from recorded_lines(table, change_every)


def generated_lines(seed: int, runs: int) -> Iterator[str]:
    """Yield the results on generated streams as text."""
    yield f"generated streams, seed {seed}, {runs} runs of each, {TRAINED_ROWS} rows to learn from"
    yield f"  {'no change':<21}{'false alarms in 10,000 rows':>29}{'allowed':>9}{'µs a row':>10}{'bytes a feature':>17}"
    for name, generate in STREAMS.items():
        calm = evaluate_calm(generate, seed, runs)
        allowed = f"{MOST_FALSE_ALARMS[name]:g}" if name in MOST_FALSE_ALARMS else "-"
        cost = calm.seconds / calm.rows * 1e6
        yield f"  {name:<21}{calm.each_10000:29.2f}{allowed:>9}{cost:10.1f}{calm.nbytes:17d}"
    for change, (make, mark) in CHANGES.items():
        aim = "" if mark is None else f"   to be found: {mark.found} of 12 within {mark.rows}"
        heads = "".join(f"{f'within {limit}':>13}" for limit in _LIMITS)
        yield f"  {change:<21}{heads}{'in all':>9}{'median delay':>14}{aim}"
        for name, generate in STREAMS.items():
            delays = evaluate_change(generate, make, seed, runs)
            within = "".join(f"{f'{np.count_nonzero(delays <= limit)} of {runs}':>13}" for limit in _LIMITS)
            median = float(np.median(delays))
            found = f"{np.count_nonzero(np.isfinite(delays))} of {runs}"
            yield f"    {name:<19}{within}{found:>9}{f'{median:.0f}' if np.isfinite(median) else '-':>14}"
