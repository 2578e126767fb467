"""Our server among its peers: runs the lab's driver with this server as one more target.

    python tests/benchmarks/peers/run.py LAB                    checks and measures, and prints the tables
    python tests/benchmarks/peers/run.py LAB --write            writes docs/benchmarks-peers.md as well
    python tests/benchmarks/peers/run.py LAB --prepare-only     fills the database, and tells how to start the server
    python tests/benchmarks/peers/run.py LAB --run Q1 --check-only

LAB is the folder of a lab that is installed and whose PostgreSQL runs. Further options are those of the lab's bench.py:
--run, --rounds, --seconds, --check-only and others. It adds a database to the lab's PostgreSQL and keeps it; a later
run uses it again.
"""

import argparse
import asyncio
import shlex
import sys
from pathlib import Path

# As a script it is started from its own folder, which is no place to import from.
ROOT = Path(__file__).parents[3]
sys.path[0] = str(ROOT)

from tests.benchmarks.peers import asking, driver, filling, lab, published, spelling, standing  # noqa: E402 - behind the path

_PEERS = "limit-asgi,mercurius,postgraphile,yoga,strawberry"
_QUERIES = ROOT / "var" / "peers" / "queries"


def main() -> None:
    """Prepare everything, run the driver and print where our server stands."""
    options, further = _options()
    names = options.peers.split(",")
    found = asyncio.run(lab.find(Path(options.lab).resolve(), names))
    database = asyncio.run(_prepared(found))
    if options.prepare_only:
        print(driver.by_hand(found, database, _QUERIES))
        return
    command = ["--peers", options.peers, *(["--base", "mercurius"] if "mercurius" in names else []), *further]
    ran = driver.run(found, database, _QUERIES, command, minutes=options.at_most_minutes)
    if not ran.runs:
        return
    tables = standing.tables(ran.runs)
    print("\n" + standing.text(tables), standing.noise(ran.runs), sep="\n\n")
    if options.write:
        page = ROOT / "docs" / "benchmarks-peers.md"
        command = "make bench-peers BENCH=path" + (f' ARGS="{shlex.join(further)}"' if further else "")
        page.write_text(published.page(found, ran, tables, command), encoding="utf-8")
        print(f"\nWritten: {page.relative_to(ROOT)}")


def _options() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description="Measure the server among its peers.",
        epilog="Further options go to the lab's bench.py, as --run Q1,Q3, --rounds 5, --seconds 5, --check-only.",
        allow_abbrev=False,
    )
    parser.add_argument("lab", help="folder of a lab that is installed and whose PostgreSQL runs")
    parser.add_argument("--peers", default=_PEERS, help=f"servers beside ours ({_PEERS})")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-peers.md")
    parser.add_argument("--prepare-only", action="store_true", help="fill the database and tell how to go on by hand")
    parser.add_argument("--at-most-minutes", type=float, default=60.0, help="then the driver is stopped (60)")
    return parser.parse_known_args()


async def _prepared(found: lab.Lab) -> str:
    database = await spelling.copy(found)
    await filling.fill(found, database)
    async with spelling.connected(found.url_of(database)) as connection:
        devices = [row[0] for row in await connection.fetch("SELECT id FROM public.device ORDER BY id")]
    asking.write(_QUERIES, devices)
    return database


if __name__ == "__main__":
    main()
