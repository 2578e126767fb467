"""`iotsphere ingest-sales`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from app.cli.console import load_settings, run, services_of
from app.cli.loading import load_files
from app.cli.selling import Creation, SalesIngestion
from app.files import FORMATS, FileOptions, FileProblem, parse_pairs
from app.files.sales import SalesFile
from models.money import check_currency
from settings.types import Settings


def ingest_sales(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="CSV, JSON or NDJSON, gzip too; - for standard input.")
    ],
    *,
    serial: Annotated[str | None, typer.Option(help="Serial number of the machine of all rows.")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="TARGET=COLUMN,…", help="Columns, as sold_at=TransDate,slot=RCoil."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency of the prices, as EUR; that of each machine if not given.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of times without one, and of machines that are registered; UTC if not given."),
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option(help="iso, epoch-s, epoch-ms, epoch-us, epoch-ns or a format of strptime; detected without it."),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; found by name and content without it.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Rows that are stored together; ingest.max_batch_size at most.")
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make machines, slots and products that do not exist; needs --currency.")
    ] = False,
) -> None:
    """Load sales of vending machines from files.

    docs/ingesting-files.md tells all about them.

    Each row is a line of a transaction. Those that pass the checks are stored, the others are reported by line. What is
    stored already counts as duplicate, so the command can be run again. It ends with status 0 if anything of each file
    is stored, and 1 if nothing is or a file cannot be read.

    For example:

        iotsphere ingest-sales --map slot=coil,sold_at=time,unit_price=price sales.csv

        iotsphere ingest-sales --create --currency EUR --serial VM-7 --map sold_at=time,product=item sales.csv
    """
    settings = load_settings()
    if currency is not None:
        check_currency(currency, input_path=())
    if create and currency is None:
        raise FileProblem("--create needs the currency of the machines that it registers, as --currency EUR.")
    options = FileOptions(
        serial=serial,
        format=format_,
        mapping=parse_pairs("--map", map_ or ()),
        time_format=time_format,
        timezone=timezone,
    )
    creation = Creation(currency, timezone or "UTC") if create and currency is not None else None
    size = min(batch_size or settings.ingest.max_batch_size, settings.ingest.max_batch_size)
    run(_ingest(settings, files, options, size, creation, currency))


async def _ingest(  # noqa: PLR0917 - handed on from the options of the command
    settings: Settings,
    files: Sequence[str],
    options: FileOptions,
    batch_size: int,
    creation: Creation | None,
    currency: str | None,
) -> None:
    async with services_of(settings) as services:
        ingestion = SalesIngestion(services, creation, currency)
        await load_files(files, lambda file: SalesFile(file, options, batch_size), ingestion)
