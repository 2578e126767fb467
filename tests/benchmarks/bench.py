"""The benchmark: how near the server comes to what PostgreSQL and Python can do at all.

    python tests/benchmarks/bench.py            prints the tables
    python tests/benchmarks/bench.py --write    writes docs/benchmarks.md as well
    python tests/benchmarks/bench.py --quick    a minute on little data, to see that it works

It starts a PostgreSQL of its own, fills it, and loads our server and a bare endpoint in turns. Nothing is left behind.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

# As a script it is started from its own folder, which is no place to import from.
sys.path[0] = str(Path(__file__).parents[2])

import uvloop  # noqa: E402 - behind the path

from tests.benchmarks import fanout, ingestion, predicting, queries, report  # noqa: E402
from tests.benchmarks.catalogue import documents  # noqa: E402
from tests.benchmarks.fleet import Fleet, filled, tuned_server  # noqa: E402
from tests.benchmarks.targets import ROOT, Target, bare_broadcast, bare_server, our_server  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
Results = tuple[list[queries.Comparison], list[ingestion.Rates], list[fanout.Deliveries]]


def main() -> None:
    """Run the benchmark."""
    options = _options()
    with tuned_server() as server:
        fleet = uvloop.run(_filled(server, options))
        with our_server(fleet) as ours, bare_server(fleet) as bare, bare_broadcast() as broadcast:
            found = (
                *uvloop.run(_measured(fleet, ours, bare, options)),
                uvloop.run(_delivered(fleet, ours, broadcast, options)),
            )
        foreseen = _foreseen(server, options)
    made = (
        *(report.query_table(found[0]), report.ingest_table(found[1]), report.fanout_table(found[2])),
        *(predicting.table(each) for each in foreseen),
    )
    tables = [table for table in made if len(table) > 1]
    lines = [*report.machine(fleet), ""]
    print(
        "\n".join(lines), *(f"{report.text(table)}\n" for table in tables), *report.verdicts(*found, foreseen), sep="\n"
    )
    if options.write:
        PAGE.write_text(report.page(fleet, *found, foreseen), encoding="utf-8")
        print(f"\nWritten: {PAGE.relative_to(ROOT)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the server against a bare endpoint and against COPY.")
    parser.add_argument(
        "--quick", action="store_true", help="little data and short rounds: it shows only that it works"
    )
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one round of a document (2)")
    parser.add_argument(
        "--only",
        default="",
        help="names of documents, with commas; 'ingest' for ingestion, 'fanout' for subscriptions, 'predictions'; all "
        "if empty",
    )
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write needs the whole benchmark: leave out --quick and --only")
    if options.quick:
        options.rounds, options.seconds = 2, 0.3
    return options


async def _filled(server: Any, options: argparse.Namespace) -> Fleet:
    devices, readings = (1000, 100) if options.quick else (1000, 2000)
    print(f"Filling PostgreSQL with {devices:,} devices and {devices * readings:,} readings …", flush=True)
    return await filled(server, devices, readings)


def _foreseen(server: Any, options: argparse.Namespace) -> list[predicting.Foreseen]:
    wanted = set(filter(None, options.only.split(",")))
    if wanted and "predictions" not in wanted:
        return []
    print("Asking for predictions …", flush=True)
    return [predicting.measured(server, rounds=options.rounds, seconds=options.seconds)]


async def _measured(
    fleet: Fleet, ours: Target, bare: Target, options: argparse.Namespace
) -> tuple[list[queries.Comparison], list[ingestion.Rates]]:
    wanted = set(filter(None, options.only.split(",")))
    compared: list[queries.Comparison] = []
    for document in documents(fleet.end):
        if not wanted or document.name in wanted:
            print(f"Asking: {document.title} …", flush=True)
            found = await queries.compare(fleet, ours, bare, document, rounds=options.rounds, seconds=options.seconds)
            print(f"    {found.ratio:.2f} of the bare endpoint", flush=True)
            compared.append(found)
    rates: list[ingestion.Rates] = []
    readings = ingestion.Readings(fleet)
    for load in ingestion.LOADS:
        if not wanted or "ingest" in wanted:
            print(f"Sending batches of {load.size:,} …", flush=True)
            rate = await ingestion.compare(fleet, ours, load, readings, rounds=options.rounds)
            print(f"    {rate.ratio:.2f} of COPY", flush=True)
            rates.append(rate)
    return compared, rates


async def _delivered(fleet: Fleet, ours: Target, bare: Target, options: argparse.Namespace) -> list[fanout.Deliveries]:
    wanted = set(filter(None, options.only.split(",")))
    if wanted and "fanout" not in wanted:
        return []
    found: list[fanout.Deliveries] = []
    async with fanout.audience(fleet, ours, bare, fanout.SUBSCRIBERS) as audience:
        for burst in fanout.BURSTS:
            print(f"Delivering {burst.size:,} at a time to {fanout.SUBSCRIBERS:,} subscribers …", flush=True)
            each = await audience.compare(burst, rounds=options.rounds)
            print(f"    {each.ratio:.2f} of the bare broadcast", flush=True)
            found.append(each)
    return found


if __name__ == "__main__":
    main()
