"""`iotsphere config`."""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from app.cli.console import output
from settings.description import describe
from settings.loader import load_with_origins

# What is not shown on a terminal is read by programs, which want one line for each row.
_UNLIMITED_WIDTH = 1000


def config(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array instead of a table.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each setting means.")] = False,
) -> None:
    """Show the settings in force and their origins.

    Passwords and tokens are masked.

    For example:

        iotsphere config

        APP_ENV=production iotsphere config --json
    """
    rows = describe(*load_with_origins())
    if as_json:
        fields = [{"key": row.key, "value": row.value, "origin": str(row.origin), "help": row.help} for row in rows]
        typer.echo(json.dumps(fields, indent=2, ensure_ascii=False))
        return
    table = Table("Setting", "Value", "From", *(["Meaning"] if explain else []), box=None, pad_edge=False)
    for row in rows:
        cells = (row.key, row.value, str(row.origin), *([row.help] if explain else []))
        table.add_row(*(escape(cell) for cell in cells))
    output.print(table, width=None if output.is_terminal else _UNLIMITED_WIDTH)
