"""`iotsphere evaluate drift`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.console import load_settings, output
from app.evaluation.drift import RUNS, run


def drift(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="File or folder of recorded streams: CSV of numbers.")
    ] = None,
    *,
    seed: Annotated[int, typer.Option(min=0, help="Of the generated streams.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Of each generated stream.")] = RUNS,
    change_every: Annotated[
        int, typer.Option(min=1, help="Rows from one change of the concept to the next, where a file has classes.")
    ] = 10_000,
) -> None:
    """Evaluate the recognition of drift on generated and recorded streams.

    Generated streams are watched without and with changes: false alarms in 10,000 rows, and how many changes are found
    how soon. Of recorded ones, a column that is constant for more than 2,000 rows and then varies is to be found; where
    no column does and the last one holds two classes, a model is trained on the first 2,000 rows and its errors are
    watched. Nothing is stored.

    For example:

        iotsphere evaluate drift

        iotsphere evaluate drift recorded --seed 7
    """
    load_settings()
    for line in run(path, seed=seed, runs=runs, change_every=change_every):
        output.print(escape(line))
