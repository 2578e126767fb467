"""`iotsphere evaluate`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.console import Commands, load_settings, output
from app.cli.evaluate_anomalies import anomalies
from app.cli.evaluate_drift import drift
from app.cli.evaluate_lifespan import lifespan
from app.cli.evaluate_risk import risk
from app.cli.evaluate_usage import usage
from app.evaluation.demand import run

evaluate = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""
    Evaluate the learnt parts on recorded data.

    For example:

        iotsphere evaluate demand sales.csv
    """,
)


@evaluate.callback()
def _evaluate() -> None:
    """Let a single command keep its name."""


@evaluate.command()
def demand(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files of sales: CSV, JSON or NDJSON, gzip too.")
    ],
) -> None:
    """Evaluate the forecast of demand on recorded sales.

    Each of the last 28 days of each machine is forecast from the days before it: by every method, seasonal naive and
    the weekday's mean of four weeks among them, and by the one that was chosen before that day. Columns are found by
    their names. Nothing is stored.

    For example:

        iotsphere evaluate demand sales.csv

        iotsphere evaluate demand exports/*.csv
    """
    load_settings()
    output.print(escape("\n".join(run(paths))))


evaluate.command()(usage)
evaluate.command()(lifespan)
evaluate.command()(anomalies)
evaluate.command()(drift)
evaluate.command()(risk)
