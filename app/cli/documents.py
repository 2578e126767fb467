"""`iotsphere documents`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import load_settings, output
from app.trusted import read_trusted
from schema import build_engine
from schema.trusted import sha256_id


def documents(
    path: Annotated[
        Path | None,
        typer.Argument(help="Folder of .graphql files, or manifest; graphql.trusted_documents if it is left out."),
    ] = None,
) -> None:
    """Check trusted documents and list their ids.

    Each is held against the schema and the limits of the settings, as at the start of the server.

    For example:

        iotsphere documents documents/

        iotsphere documents persisted-documents.json
    """
    settings = load_settings()
    found = read_trusted(str(path) if path is not None else settings.graphql.trusted_documents)
    build_engine(settings).trust(found, only=False)
    for each in found:
        typer.echo(f"{each.id}\t{sha256_id(each.text)}")
    count = f"{len(found)} trusted document{'' if len(found) == 1 else 's'}"
    output.print(f"{count}, all of this schema and within its limits." if found else f"{count}.")
