"""`iotsphere evaluate anomalies`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.console import load_settings, output
from app.evaluation.anomalies import run


def anomalies(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH…", help="Files or folders of SKAB and NAB, told apart by their columns."),
    ],
) -> None:
    """Evaluate the detector of anomalies on labelled series.

    Files with a column anomaly are judged as SKAB does: the detector learns from the first 400 rows and says of each
    other whether an incident is going on; F1, false and missed alarm rates and balanced accuracy are of all files
    together. Files with the columns timestamp and value are judged as NAB does, by the windows of windows.json or
    combined_windows.json beside or above them: the scores of its three profiles, with one threshold for all files.
    The detector is the one that judges the readings of devices, as it is. Nothing is stored.

    For example:

        iotsphere evaluate anomalies skab/valve1 nab/data
    """
    load_settings()
    output.print(escape("\n".join(run(paths))))
