"""The page of the documentation."""

import platform

from tests.benchmarks import report
from tests.benchmarks.peers import driver, standing
from tests.benchmarks.peers.driver import Ran
from tests.benchmarks.peers.lab import Lab

_INTRODUCTION = """\
# Among its peers

GraphQL servers answer the same questions over one PostgreSQL with 1,000 devices, 2,000,000 readings, 4,000 predictions
and 20,000 anomalies. They and their driver are a lab: a copy of `../shared/bench`, installed and started as its README
says. `make bench-peers BENCH=path` runs it with our server as one more target; with `ARGS="--write"` it writes this
page, and `tests/benchmarks/peers/run.py` tells further options.

- `limit-asgi` is the limit: a bare ASGI application that passes on the JSON which PostgreSQL built.
- `mercurius` is compiled GraphQL on Fastify with loaders by hand, `postgraphile` plans whole documents, `yoga` has
  DataLoaders, `strawberry` is Strawberry with SQLModel as its documentation teaches it.
- `ours` runs as `iotsphere serve` does in production, in one process like the others.

Q1 asks for one device, Q2 for 50 devices with their latest reading and four predictions, Q3 for 1,000 readings of a
device, Q4 for 20 devices with 100 readings each, Q5 for 20 anomalies with their devices, ten readings and four
predictions of each; in S1 a reading is published to 1,000 websockets. Before anything is measured the driver compares
what each server answers to Q1 to Q5 with the result of one SQL statement; ids of ours are opaque and left out of it."""
_FAIRNESS = """\
## What is asked of our server

The documents are in `tests/benchmarks/peers/queries/`. They ask for as many rows as those of the peers, and in each row
for as many leaves under the same names; our lists need one more level, `nodes`.

Where the lab has free texts for the kind and status of devices, the severity of anomalies and the kind of predictions,
ours are enums. All servers are therefore asked of a copy of the lab's database in which these words are replaced
(`pump` by `WATER_HEATER`, `online` by `ONLINE`, `low` by `LOW`, `failure` by `LIFESPAN`, and so on); the rest of it is
the lab's. Our tables stand beside it in the same database and are filled from it. A device is a water heater, a
prediction one that is stored, as `predictionHistory` lists them. Our readings have no id: the lab's id is kept in
`energy`, which is asked for instead. In S1 the peers are woken by PostgreSQL alone; our server is sent a mutation, and
checks, scores and stores the reading before subscribers get it.

Whoever asks Q2, Q4 and Q5 asks for the same first page, as the driver wants it. Our server reads what is asked for in
the same turn of the event loop with one statement, and so gains where eight clients ask for the same at a time;
`IOTSPHERE_DATABASE__GATHERS_READS=false` measures it without, and
[ADR 17](adr/0017-reads-cost-less-the-more-there-are.md) tells what that gave.

Three settings differ from those of production: no device falls silent within a year, no model is trained and none makes
predictions by itself, which keeps the data as they are."""
_NOISE = """\
Each figure is the median of the rounds; the spread stands in the output below, beside the processors that other
work kept busy meanwhile (`others CPUs`). Clients, servers and PostgreSQL share the machine. Processor time for a
request is the steadier figure."""


def page(lab: Lab, ran: Ran, tables: dict[str, report.Table], command: str) -> str:
    """Return the page.

    Args:
        lab: that was used.
        ran: in it.
        tables: what came of it.
        command: that did it, for people who repeat it.
    """
    standings = standing.text({f"**{title}**": table for title, table in tables.items()}, report.markdown)
    about = [
        "Measured on:",
        f"- {report.hardware()}\n- ours: Python {platform.python_version()}, {report.packages()}",
        f"by `{command}`.",
    ]
    versions = f"```text\n{driver.versions(lab)}\n```"
    output = f"```text\n{ran.printed}\n```"
    parts = [_INTRODUCTION, *about, "## Where it stands", standings, standing.noise(ran.runs), _NOISE, _FAIRNESS]
    return "\n\n".join([*parts, "## Versions of the lab", versions, "## Output of the driver", output]) + "\n"
