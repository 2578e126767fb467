"""Where each server stands: its ratio to the limit, and the processor time that it needs, query by query."""

from collections.abc import Callable
from statistics import median

from tests.benchmarks import report
from tests.benchmarks.peers.driver import OURS, Runs

LIMIT = "limit-asgi"
# What was set out for: ratios to the limit.
_REACH = {"Q1": 0.70, "Q2": 0.50, "Q3": 0.55, "Q4": 0.45, "Q5": 0.55, "S1": 0.65}
_AIM = {"Q1": 0.90, "Q2": 0.70, "Q3": 0.70, "Q4": 0.70, "Q5": 0.70, "S1": 0.90}
_NONE = "-"


def tables(runs: Runs) -> dict[str, report.Table]:
    """Return a table of ratios and one of processor times, by what they show."""
    queries = list(runs)
    servers = list(dict.fromkeys(server for measured in runs.values() for server in measured))
    servers.sort(key=lambda server: (server == OURS, server != LIMIT))
    cpu = [f"{query} {'µs' if query == 'S1' else 'ms'}" for query in queries]
    return {
        f"Rate as a ratio to {LIMIT} (medians)": [
            ["", *queries],
            *([server, *(_ratio(runs, query, server) for query in queries)] for server in servers),
            *(
                [name, *(f"{marks[query]:.3f}" for query in queries)]
                for name, marks in (("reach", _REACH), ("aim", _AIM))
            ),
        ],
        f"Processor time of the server for one request, for one delivery in S1 (times that of {LIMIT})": [
            ["", *cpu],
            *([server, *(_cpu(runs, query, server) for query in queries)] for server in servers),
        ],
    }


def text(made: dict[str, report.Table], write: Callable[[report.Table], str] = report.text) -> str:
    """Return tables with their titles."""
    return "\n\n".join(f"{title}\n\n{write(table)}" for title, table in made.items())


def noise(runs: Runs) -> str:
    """Return how far the figures are to be trusted, in a sentence."""
    rounds = [measured for servers in runs.values() for measured in servers.values()]
    others = median(each["others"] for measured in rounds for each in measured)
    spreads = [max(rates) / min(rates) - 1 for rates in ([each["rate"] for each in measured] for measured in rounds)]
    return (
        f"Other work kept {others:.2f} processors busy meanwhile, and the best of {max(map(len, rounds))} rounds was "
        f"{median(spreads):.0%} above the worst (medians of all servers and queries)."
    )


def _middle(runs: Runs, query: str, server: str, figure: str) -> float | None:
    measured = runs[query].get(server)
    return median(each[figure] for each in measured) if measured else None


def _ratio(runs: Runs, query: str, server: str) -> str:
    mine, limit = (_middle(runs, query, each, "rate") for each in (server, LIMIT))
    if mine is None or not limit:
        return _NONE
    return f"{mine / limit:.3f}"


def _cpu(runs: Runs, query: str, server: str) -> str:
    mine, limit = (_middle(runs, query, each, "server") for each in (server, LIMIT))
    if mine is None:
        return _NONE
    shown = f"{mine:.1f}" if query == "S1" else f"{mine:.2f}"
    return f"{shown} (x{mine / limit:.1f})" if limit and server != LIMIT else shown
