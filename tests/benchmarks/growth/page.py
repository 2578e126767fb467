"""What was found, as text: for the terminal, and as the page of the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks import report
from tests.benchmarks.fleet import Fleet
from tests.benchmarks.growth import amounts, lengths, memory, processes, starting, subscribers
from tests.benchmarks.growth.amounts import Amount
from tests.benchmarks.growth.lengths import Lengths
from tests.benchmarks.growth.memory import Memory
from tests.benchmarks.growth.processes import Shares
from tests.benchmarks.growth.starting import Start
from tests.benchmarks.growth.subscribers import Crowds

Section = tuple[str, str, list[report.Table]]

_INTRODUCTION = """\
# How cost grows

`make bench-growth` measures what becomes of the [benchmarks](benchmarks.md) when there is more of everything. It starts
a PostgreSQL of its own, fills it, and removes it afterwards; `tests/benchmarks/growth/growing.py --write` writes this
page. Times of processors, of the server's process and of PostgreSQL (PG), are steadier than latencies where others use
the machine too: they are those of the round that took least, latencies and rates are medians of the rounds.

Measured on:"""
_AMOUNTS = """\
A thousand heaters, whose history gets longer: {days}. The requests stay the same, and so should their cost: pages
show the newest of everything, and the chart the newest 30 days. One connection sends the next request when the answer
to the last one is there. PostgreSQL is restarted before each amount, so that its memory holds what these
requests have asked for, not what the filling has left."""
_LENGTHS = """\
Here cost has to grow, but no faster than what is asked for. What is left of it for each entry should get less, and
then stay."""
_SUBSCRIBERS = """\
Websockets with one subscription each, of the readings of 25 devices. Another process commits one event after
the other, the next when all have the last one. Memory is what the process has for itself (USS), after an event was
delivered to all. PostgreSQL's time includes the commit. The bare broadcast is that of the
[benchmarks](benchmarks.md): what it takes more for many sockets, the machine does."""
_LOAD = """\
For {minutes:.0f} minutes four connections ask for all documents in turns, every tenth of them in words that the server
has never heard; a fifth one sends ten batches of 100 readings a second; 100 subscribers listen, and five more come and
go each second: {requests:,} requests and {readings:,} readings. The buffer of events is smaller than usual
(`events.buffer_size` is 500), so that it is full within the first minute."""
_START = "From the start of the process to the answer to a query, on an empty database and on the largest."
_PROCESSES = """\
Servers on one PostgreSQL, eight connections together. The load and PostgreSQL run on the same cores, so rates cannot
double where two processes want more than the machine has: what tells how they get along is the time of processors for
one request, which two processes that hinder each other would raise."""
_BEYOND = """\
## Beyond one machine

One server process ends first: at one core, while PostgreSQL has the others. More processes, on this machine or on
several behind a balancer, need nothing but the address of the database: nothing that clients rely on is in the memory
of one of them, and subscribers of each are told what any of them has stored. Then PostgreSQL ends. Read replicas take
over the queries that may see the state of a moment ago; the server knows one address yet, so this asks for a second one
in `models/store.py`, which every read goes through. Storage grows by months: partitions that nobody reads any more are
detached or moved to cheaper disks, or TimescaleDB compresses them. When one PostgreSQL cannot take the writes either,
Citus spreads the reading tables over nodes by `device_id`, and the small tables of devices beside them. The schema is
fit for that: the key of readings is `(device_id, recorded_at)`, they have no foreign keys and no numbers of their own,
and every statement that reads them names its devices and its stretch of time, or stops at the newest rows. The
exceptions are those that are about the whole history of a device: the number of all its readings, and the summing up of
readings from before there were hours. `tests/models/repositories/test_reading_statements.py` holds that.
What stays in one place is the log of events, whose order is the order of commits; of a fleet so large it would be one
log for each group of devices."""


@dataclass(slots=True)
class Found:
    """All that was measured; what was left out is empty."""

    amounts: list[Amount]
    lengths: list[Lengths]
    crowds: list[Crowds]
    memory: list[Memory]
    starts: list[Start]
    shares: Shares

    def sections(self) -> list[Section]:
        """Return heading, explanation and tables of each part that was measured."""
        return [*self._sizes(), *self._memory(), *self._processes()]

    def verdicts(self) -> list[str]:
        """Return in sentences what it comes to."""
        said: list[str] = []
        if len(self.amounts) > 1:
            name, growth = amounts.worst(self.amounts)
            said.append(
                f"From {self.amounts[0].readings / 1e6:.0f} to {self.amounts[-1].readings / 1e6:.0f} million readings: "
                f"{name} grew most, to {growth:.2f} times its processor time; the mark is {amounts.MARK}."
            )
        said += lengths.verdicts([*self.lengths, *(each.events for each in self.crowds)])
        return [*said, *(memory.verdict(each) for each in self.memory)]

    def _sizes(self) -> list[Section]:
        found: list[Section] = []
        if self.amounts:
            days = ", ".join(f"{each.readings / 1e6:.0f} million readings" for each in self.amounts)
            found.append(("More readings", _AMOUNTS.format(days=days), [amounts.table(self.amounts)]))
        if self.lengths:
            found.append(("Longer lists", _LENGTHS, [lengths.table(each) for each in self.lengths]))
        return found

    def _memory(self) -> list[Section]:
        found: list[Section] = [("More subscribers", _SUBSCRIBERS, [subscribers.table(each)]) for each in self.crowds]
        for each in self.memory:
            told = _LOAD.format(minutes=each.minutes[-1], requests=each.requests, readings=each.readings)
            found.append(("A longer time", told, [memory.load_table(each)]))
        return found

    def _processes(self) -> list[Section]:
        found: list[Section] = []
        if self.starts:
            found.append(("Start", _START, [starting.table(self.starts)]))
        if self.shares:
            found.append(("More processes", _PROCESSES, [processes.table(self.shares)]))
        return found


def machine(fleet: Fleet) -> list[str]:
    """Return what it ran on."""
    return report.machine(fleet)[:-1]


def text(found: Found) -> str:
    """Return it for the terminal."""
    parts = [f"{heading}\n" + "\n\n".join(map(report.text, tables)) for heading, _, tables in found.sections()]
    return "\n\n".join([*parts, "\n".join(found.verdicts())])


def markdown(fleet: Fleet, found: Found) -> str:
    """Return the page."""
    parts = [_INTRODUCTION, _list(machine(fleet))]
    for heading, told, tables in found.sections():
        parts += [f"## {heading}", told, *map(report.markdown, tables)]
    return "\n\n".join([*parts, "## Reading the tables", _list(found.verdicts()), _BEYOND]) + "\n"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
