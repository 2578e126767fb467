"""How cost grows with readings, with the length of lists, with subscribers, with time and with processes.

    python tests/benchmarks/growth/growing.py             prints the tables
    python tests/benchmarks/growth/growing.py --write     writes docs/benchmarks-growth.md as well
    python tests/benchmarks/growth/growing.py --quick     two minutes on little data, to see that it works

It starts a PostgreSQL of its own and fills it. Nothing is left behind.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

# As a script it is started from its own folder, which is no place to import from.
sys.path[0] = str(Path(__file__).parents[3])

import uvloop  # noqa: E402 - behind the path

from models import migrator  # noqa: E402
from tests import databases  # noqa: E402
from tests.benchmarks.fleet import Fleet, filled, opened, restarted, tuned_server  # noqa: E402
from tests.benchmarks.growth import amounts, lengths, memory, page, processes, starting, subscribers  # noqa: E402
from tests.benchmarks.growth.loading import Pace  # noqa: E402
from tests.benchmarks.targets import ROOT  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks-growth.md"
PARTS = ("amounts", "lengths", "subscribers", "memory", "start", "processes")
_DEVICES, _READINGS_EACH = 1000, 2000
# How many times the 30 days: 2, 6 and 20 million readings.
_TIMES = (1, 3, 10)
_EMPTY = "empty"


def main() -> None:
    """Run the benchmark."""
    options = _options()
    each = 100 if options.quick else _READINGS_EACH
    amounts.check_room(_DEVICES * each * _TIMES[-1])
    with tuned_server() as server:
        found = page.Found([], [], [], [], [], {})
        fleet = uvloop.run(_measured(server, options, each, found))
        if "start" in options.only:
            print("Starting servers …", flush=True)
            empty = replace(fleet, url=uvloop.run(_emptied(server)))
            times = 2 if options.quick else 7
            found.starts.append(starting.measured("empty", empty, times))
            found.starts.append(starting.measured(f"{fleet.readings:,} readings", fleet, times))
    print("", *page.machine(fleet), "", page.text(found), sep="\n")
    if options.write:
        PAGE.write_text(page.markdown(fleet, found), encoding="utf-8")
        print(f"\nWritten: {PAGE.relative_to(ROOT)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how the cost of the server grows.")
    parser.add_argument(
        "--quick", action="store_true", help="little data and short rounds: it shows only that it works"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    parser.add_argument("--minutes", type=float, default=10.0, help="of mixed load (10)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement (5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one round (1)")
    parser.add_argument("--only", default="", help=f"some of {', '.join(PARTS)}, with commas; all if empty")
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write needs the whole benchmark: leave out --quick and --only")
    if options.quick:
        options.rounds, options.seconds, options.minutes = 2, 0.3, 0.5
    options.only = set(filter(None, options.only.split(","))) or set(PARTS)
    if unknown := options.only - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


async def _measured(server: Any, options: argparse.Namespace, each: int, found: page.Found) -> Fleet:
    """Measure all that needs the fleet, and return it with the longest history."""
    pace = Pace(options.rounds, options.seconds)
    print(f"Filling PostgreSQL with {_DEVICES * each:,} readings …", flush=True)
    fleet = await filled(server, _DEVICES, each, summed=False)
    held = 1
    for times in _TIMES if options.only - {"memory", "subscribers"} else _TIMES[:1]:
        if times > held:
            print(f"Making them {_DEVICES * each * times:,} …", flush=True)
            fleet, held = await amounts.extended(fleet, held, times), times
        if "amounts" in options.only:
            print(f"Asking with {fleet.readings:,} readings …", flush=True)
            fleet = restarted(server, fleet)
            found.amounts.append(await amounts.measured(fleet, pace))
    if "lengths" in options.only:
        print("Asking for longer lists …", flush=True)
        found.lengths += await lengths.measured(fleet, pace)
    if "processes" in options.only:
        print("Loading one process, and two …", flush=True)
        found.shares.update(await processes.measured(fleet, pace))
    if "subscribers" in options.only:
        print("Subscribing …", flush=True)
        sizes = subscribers.SUBSCRIBERS[:3] if options.quick else subscribers.SUBSCRIBERS
        found.crowds.append(await subscribers.measured(fleet, pace, sizes))
    if "memory" in options.only:
        print(f"{options.minutes:g} minutes of mixed load …", flush=True)
        found.memory.append(await memory.measured(fleet, options.minutes))
    return fleet


async def _emptied(server: Any) -> str:
    """Make a database with all tables and nothing in them, and return its URL."""
    await databases.run_as_admin(server, f"CREATE DATABASE {_EMPTY}")
    url = databases.postgresql_url(server, _EMPTY)
    async with opened(url) as store:
        await migrator.upgrade(store)
    return url


if __name__ == "__main__":
    main()
