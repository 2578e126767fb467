"""Charts of readings, downsampled so that a line never has more points than asked for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from models import charts
from models.charts import Chart
from models.devices import KINDS, DeviceKind
from models.errors import BadUserInput, LimitExceeded
from models.repositories import readings, series
from models.repositories.readings import TimeRange
from models.types import from_micros
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns, batch
from resolvers.readings import time_range

LTTB = "LTTB"
METHODS = (*series.AGGREGATES, LTTB)
# Beyond this many raw points a line is thinned in the database before its triangles are compared here.
_MOST_RAW_POINTS = 100_000
# Extremes that remain for each point of the line, as the source of MinMaxLTTB recommends.
_EXTREMES_PER_POINT = 4

_EMPTY = Chart(np.empty(0, np.int64), np.empty(0), 0.0)


@dataclass(frozen=True, slots=True)
class _Wanted:
    kind: str
    metrics: tuple[str, ...]
    start: datetime
    end: datetime
    max_points: int


def link(
    scope: Scope, *, kind: str, metrics: tuple[str, ...], start: datetime, end: datetime, max_points: int, method: str
) -> Batch:
    """Return the batch function of charts of devices.

    Raises:
        BadUserInput: no metric, a metric twice, `from` not before `to`, fewer than 2 points.
        LimitExceeded: more points than a series may have.
    """
    time_range(start, end)
    if not metrics:
        raise BadUserInput("Name at least one metric.", input_path=("metrics",))
    if len(set(metrics)) < len(metrics):
        raise BadUserInput("Each metric may be named once.", input_path=("metrics",))
    if max_points < 2:
        raise BadUserInput(f"'maxPoints' must be at least 2, not {max_points}.", input_path=("maxPoints",))
    allowed = scope.services.settings.graphql.max_series_points
    if max_points > allowed:
        raise LimitExceeded(
            f"'maxPoints' may be at most {allowed} (graphql.max_series_points), not {max_points}.",
            input_path=("maxPoints",),
            limit="max_series_points",
            allowed=allowed,
        )
    return batch(load, kind=kind, metrics=metrics, start=start, end=end, max_points=max_points, method=method)


async def load(
    scope: Scope,
    ids: Sequence[int],
    _columns: Columns,
    *,
    kind: str,
    metrics: tuple[str, ...],
    start: datetime,
    end: datetime,
    max_points: int,
    method: str,
) -> list[list[dict[str, Any]]]:
    """Return one series for each metric of each device, in the order of the metrics."""
    scope.ask(max_points * len(metrics) * len(ids))
    wanted = _Wanted(kind, metrics, start, end, max_points)
    if method == LTTB:
        found = await _largest_triangles(scope, ids, wanted)
    else:
        found = await _buckets(scope, ids, wanted, method)
    return [_told(KINDS[kind], metrics, method, found[id_]) for id_ in ids]


def _told(kind: DeviceKind, metrics: Sequence[str], method: str, lines: Sequence[Chart]) -> list[dict[str, Any]]:
    """Return the lines of one device as the graph shows them; those that share their instants make these once."""
    instants: dict[int, list[datetime]] = {}
    told: list[dict[str, Any]] = []
    for metric, chart in zip(metrics, lines, strict=True):
        axis = id(chart.timestamps)
        if axis not in instants:
            instants[axis] = [from_micros(micros) for micros in chart.timestamps.tolist()]
        values: list[float | None] = chart.values.tolist()
        if np.isnan(chart.values).any():
            values = [None if value != value else value for value in values]  # noqa: PLR0124 - NaN
        told.append(
            {
                "metric": metric,
                "unit": kind.by_name[metric].unit,
                "method": method,
                "resolution_seconds": chart.resolution_seconds,
                "timestamps": instants[axis],
                "values": values,
            }
        )
    return told


async def _buckets(scope: Scope, ids: Sequence[int], wanted: _Wanted, aggregate: str) -> dict[int, list[Chart]]:
    width = charts.bucket_width(wanted.start, wanted.end, wanted.max_points)
    lines = await series.buckets(
        scope.store,
        wanted.kind,
        ids,
        wanted.metrics,
        wanted.start,
        wanted.end,
        width_seconds=width,
        aggregate=aggregate,
    )
    empty = [Chart(_EMPTY.timestamps, _EMPTY.values, float(width))] * len(wanted.metrics)
    return {id_: _with_gaps(lines[id_], width) if id_ in lines else empty for id_ in ids}


def _with_gaps(line: tuple[charts.IntArray, list[charts.FloatArray]], width: int) -> list[Chart]:
    times, metrics = line
    return [Chart(*charts.with_gaps(times, values, width), float(width)) for values in metrics]


async def _largest_triangles(scope: Scope, ids: Sequence[int], wanted: _Wanted) -> dict[int, list[Chart]]:
    span = TimeRange(wanted.start, wanted.end)
    stored = sum(await readings.count_by_devices(scope.store, wanted.kind, ids, span))
    thinned: list[dict[int, Chart]] = []
    for metric in wanted.metrics:
        lines = await _points(scope, ids, wanted, metric, stored)
        # Comparing triangles takes milliseconds a line: not on the event loop.
        thinned.append(await asyncio.to_thread(_thin, lines, wanted.max_points))
    return {id_: [charts_.get(id_, _EMPTY) for charts_ in thinned] for id_ in ids}


async def _points(scope: Scope, ids: Sequence[int], wanted: _Wanted, metric: str, stored: int) -> series.Lines:
    start, end = wanted.start, wanted.end
    if stored <= _MOST_RAW_POINTS:
        return await series.points(scope.store, wanted.kind, ids, metric, start, end)
    width = (end - start).total_seconds() / (wanted.max_points * _EXTREMES_PER_POINT / 2)
    return await series.extremes(scope.store, wanted.kind, ids, metric, start, end, width_seconds=width)


def _thin(lines: series.Lines, max_points: int) -> dict[int, Chart]:
    return {id_: charts.largest_triangles(times, values[0], max_points) for id_, (times, values) in lines.items()}
