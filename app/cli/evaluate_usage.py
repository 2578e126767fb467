"""`iotsphere evaluate usage`."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.console import load_settings, output
from app.evaluation.usage import resistive_heater, run
from app.evaluation.usage_files import UsageOptions
from app.files import parse_pairs
from app.files.zones import load_zone

_USUAL_WATTS = 2000.0


def usage(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Readings, draws and years of draws: CSV, JSON or NDJSON, gzip too."),
    ] = None,
    *,
    column: Annotated[
        list[str] | None, typer.Option(metavar="TARGET=COLUMN,…", help="Columns, as power=load,recorded_at=when.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(metavar="TARGET=UNIT,…", help="Units of the file, as flow_rate=gal/min.")
    ] = None,
    timezone: Annotated[str, typer.Option(help="Zone of the users' clocks, and of times without one.")] = "UTC",
    time_format: Annotated[str | None, typer.Option(help="As of ingest; detected without it.")] = None,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of years of draws, which have no dates.")
    ] = datetime(2015, 1, 1),  # noqa: DTZ001 - a date; typer knows no plain ones
    capacity: Annotated[float | None, typer.Option(min=1, help="Litres of the tank, if a resistive one.")] = None,
    target: Annotated[float, typer.Option(min=1, max=99, help="Target temperature of that tank, °C.")] = 55.0,
    rated_power: Annotated[float, typer.Option(min=1, help="Rated power of that tank, W.")] = _USUAL_WATTS,
    simulation: Annotated[
        bool, typer.Option(help="Tell how near estimates come to the truth of simulated heaters.")
    ] = True,
) -> None:
    """Evaluate usage patterns on recorded data.

    Prints profile, peaks, averages and changes of each series, and how well the hour-of-week profile forecasts days
    that it has not seen, beside plainer ways. Columns and their units are found by their names, as Flow Rate (gpm), or
    given. With the volume of the tank, litres are estimated from power alone. Nothing is stored.

    For example:

        iotsphere evaluate usage load.json --capacity 80 --target 60

        iotsphere evaluate usage draws.csv days_of_the_year.csv
    """
    load_settings()
    options = UsageOptions(
        columns=parse_pairs("--column", column or ()),
        units=parse_pairs("--unit", unit or ()),
        zone=load_zone(timezone).key,
        time_format=time_format,
        start=date(start.year, start.month, start.day),
    )
    heater = None if capacity is None else resistive_heater(capacity, target, rated_power)
    output.print(escape("\n".join(run(paths or [], options, heater, simulated=simulation))))
