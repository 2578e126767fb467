"""`iotsphere ingest`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from app.cli.console import load_settings, run, services_of
from app.cli.ingesting import FileIngestion
from app.cli.loading import load_files
from app.files import FORMATS, FileOptions, parse_numbers, parse_pairs, read_batches
from models.devices import WATER_HEATER
from settings.types import Settings


def ingest(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="CSV, JSON or NDJSON, gzip too; - for standard input.")
    ],
    *,
    serial: Annotated[str | None, typer.Option(help="Serial number of the device of all rows.")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="TARGET=COLUMN,…", help="Columns, as recorded_at=timestamp,power=load."),
    ] = None,
    scale: Annotated[list[str] | None, typer.Option(metavar="CHANNEL=FACTOR,…", help="Factors, as power=1000.")] = None,
    offset: Annotated[
        list[str] | None, typer.Option(metavar="CHANNEL=NUMBER,…", help="What is added, as temperature=-40.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(metavar="CHANNEL=UNIT,…", help="Units of the file, as power=kW.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times without one, as Europe/Berlin; else UTC.")] = None,
    time_format: Annotated[
        str | None,
        typer.Option(help="iso, epoch-s, epoch-ms, epoch-us, epoch-ns or a format of strptime; detected without it."),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; found by name and content without it.")
    ] = None,
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="Numbers are written as 1.234,5.")] = False,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Readings in one transaction; ingest.max_batch_size at most.")
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Register water heaters that do not exist, with usual values.")
    ] = False,
) -> None:
    """Load readings of water heaters from files.

    Each row is checked; those that pass are stored, the others are reported by line. What is stored already counts as
    duplicate, so the command can be run again, after an interruption too. It ends with status 0 if anything of each
    file is stored, and 1 if nothing is or a file cannot be read.

    For example:

        iotsphere ingest --serial WH-0001 --map recorded_at=timestamp,power=load week.json

        iotsphere ingest --map serial_number=device --unit power=kW plant/*.csv
    """
    settings = load_settings()
    options = FileOptions(
        serial=serial,
        format=format_,
        mapping=parse_pairs("--map", map_ or ()),
        scales=parse_numbers("--scale", scale or ()),
        offsets=parse_numbers("--offset", offset or ()),
        units=parse_pairs("--unit", unit or ()),
        time_format=time_format,
        timezone=timezone,
        decimal_comma=decimal_comma,
    )
    size = min(batch_size or settings.ingest.max_batch_size, settings.ingest.max_batch_size)
    run(_ingest(settings, files, options, size, creates=create))


async def _ingest(
    settings: Settings, files: Sequence[str], options: FileOptions, batch_size: int, *, creates: bool
) -> None:
    async with services_of(settings) as services:
        ingestion = FileIngestion(services, creates=creates)
        await load_files(files, lambda file: read_batches(file, options, WATER_HEATER, batch_size), ingestion)
