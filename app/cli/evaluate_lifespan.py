"""`iotsphere evaluate lifespan`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.console import load_settings, output
from app.evaluation.lifespan import CAP, SEED, run


def lifespan(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Training files of runs to failure, or folders of them.")
    ],
    *,
    cap: Annotated[
        float, typer.Option(min=1e-9, help="Longest remaining life to tell apart, in the file's time.")
    ] = CAP,
    settings: Annotated[
        int | None, typer.Option(min=0, help="Columns of operating settings after unit and time; found or three.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the units held out where there is no test set.")] = SEED,
) -> None:
    """Evaluate the prediction of remaining life on runs to failure.

    Files have the form of C-MAPSS: unit, time, operating settings, any number of sensors; separated by spaces or
    commas, with or without a header. For train_X the files test_X and RUL_X are found beside it; without them the
    units are held out by fifths. Prints the error, the NASA score, how often the 90 % interval held, and which
    channels the predictions rest on. Nothing is stored.

    For example:

        iotsphere evaluate lifespan cmapss/train_FD001.txt

        iotsphere evaluate lifespan engines/ --cap 300 --settings 0
    """
    load_settings()
    output.print(escape("\n".join(run(paths, cap=cap, settings=settings, seed=seed))))
