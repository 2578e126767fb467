"""`iotsphere export-schema`."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import FAILED, fail, output
from schema import print_schema

_SHOWN_LINES = 20


def export_schema(
    file: Annotated[Path | None, typer.Argument(help="Where to write; standard output if it is left out.")] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Write nothing; end with status 1 if this file is not the schema.")
    ] = None,
) -> None:
    """Write the schema in GraphQL's own language.

    For example:

        iotsphere export-schema schema.graphql

        iotsphere export-schema --check schema/schema.graphql
    """
    text = print_schema()
    if check is not None:
        _compare(check, text)
    elif file is None:
        typer.echo(text, nl=False)
    else:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}; name a file in a folder that exists.", FAILED)
        output.print(f"Wrote {file}.")


def _compare(file: Path, text: str) -> None:
    try:
        held = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}; 'make schema' writes it.", FAILED)
    if held == text:
        output.print(f"{file} is the schema.")
        return
    lines = list(difflib.unified_diff(held.splitlines(), text.splitlines(), str(file), "the code", lineterm="", n=1))
    more = f"\n… and {len(lines) - _SHOWN_LINES} more lines" if len(lines) > _SHOWN_LINES else ""
    fail(
        f"{file} is not the schema of the code; if the change is meant, write it anew with "
        f"'iotsphere export-schema {file}'.\n" + "\n".join(lines[:_SHOWN_LINES]) + more,
        FAILED,
    )
