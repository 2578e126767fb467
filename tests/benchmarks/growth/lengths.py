"""The same requests for longer lists: from 1 device to 1,000, and from 10 readings to 10,000."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import orjson

from tests.benchmarks.documents import FLEET, HISTORY, global_id
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.growth.loading import Cost, Pace, at_rest, cost_of
from tests.benchmarks.targets import our_server

DEVICES = (1, 10, 50, 100, 500, 1000)
READINGS = (10, 100, 1000, 10_000)
# The settings of production stop at 1,000.
_LONGEST_PAGE = {"IOTSPHERE_GRAPHQL__MAX_PAGE_SIZE": str(READINGS[-1])}


@dataclass(frozen=True, slots=True)
class Lengths:
    """What a request costs by the length of its list.

    Attributes:
        title: what is asked for.
        unit: what the list holds.
        costs: by length.
    """

    title: str
    unit: str
    costs: dict[int, Cost]

    @property
    def line(self) -> tuple[float, float]:
        """Processor time of an empty list in ms, and of each entry in µs, by least squares of relative errors."""
        lengths = np.array(list(self.costs), dtype=np.float64)
        times = np.array([cost.whole_cpu for cost in self.costs.values()])
        slope, base = np.polyfit(lengths, times, 1, w=1 / times)
        return float(base), float(slope) * 1000

    @property
    def deviation(self) -> float:
        """How far the measured times are off that line at most, as a share of it."""
        base, slope = self.line
        return max(abs(cost.whole_cpu / (base + slope / 1000 * length) - 1) for length, cost in self.costs.items())


async def measured(fleet: Fleet, pace: Pace) -> list[Lengths]:
    """Ask for longer and longer lists."""
    with our_server(fleet, **_LONGEST_PAGE) as target:
        await at_rest(fleet, target)
        by_devices = {count: await cost_of(fleet, target, _fleet(count), pace) for count in DEVICES}
        held = fleet.readings // fleet.devices
        counts = [count for count in READINGS if count <= held]
        by_readings = {count: await cost_of(fleet, target, _history(count), pace) for count in counts}
    return [
        Lengths("devices with latest reading, 14 fields", "device", by_devices),
        Lengths("readings of one device, 7 fields", "reading", by_readings),
    ]


def _fleet(count: int) -> Iterator[bytes]:
    return repeat(orjson.dumps({"query": FLEET.text.replace("first: 50", f"first: {count}")}))


def _history(count: int) -> Iterator[bytes]:
    text = HISTORY.text.replace("first: 1000", f"first: {count}")
    return repeat(orjson.dumps({"query": text, "variables": {"id": global_id(1)}}))


def table(found: Lengths) -> list[list[str]]:
    """Return a row for each length."""
    rows = [[f"{found.unit}s", "p50 ms", "CPU ms", "PG CPU ms", f"CPU µs for each {found.unit}"]]
    for length, cost in found.costs.items():
        numbers = [f"{each:.2f}" for each in (cost.p50, cost.cpu, cost.database_cpu)]
        rows.append([f"{length:,}", *numbers, f"{cost.whole_cpu / length * 1000:.1f}"])
    return rows


def verdicts(found: Sequence[Lengths]) -> list[str]:
    """Return the lines in sentences."""
    return [
        f"{each.title.capitalize()}: {each.line[0]:.2f} ms and {each.line[1]:.2f} µs for each {each.unit}, server and "
        f"PostgreSQL together; no measured time is off that line by more than {each.deviation:.0%}."
        for each in found
    ]
