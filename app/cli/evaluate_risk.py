"""`iotsphere evaluate risk`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.console import load_settings, output
from app.evaluation.risk import SEED, run


def risk(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files of states with failures, or folders of machines' logs.")
    ],
    *,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of failures, where it is not found by itself.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the states held out.")] = SEED,
) -> None:
    """Evaluate the risk of failure on recorded data.

    A file of states has a row a state, a column of 0 and 1 for failures, and maybe one for each cause: each fifth of
    the rows is predicted from the others, and where causes are recorded, the strongest factors are compared with them.
    A folder of logs has files of errors, failures, maintenance and machines: failures within 24 hours are predicted
    for machines and times that were not learnt from. Nothing is stored.

    For example:

        iotsphere evaluate risk ai4i2020.csv

        iotsphere evaluate risk azure_pdm/
    """
    load_settings()
    output.print(escape("\n".join(run(paths, target=target, seed=seed))))
