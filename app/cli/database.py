"""`iotsphere migrate` and `iotsphere migration`."""

from typing import Annotated

import typer

from app.cli.console import fail, load_settings, output, run
from models import migrator
from models.store import Store
from settings.types import Settings


def migrate(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Change nothing; end with status 1 if the database is not as this version wants it."
        ),
    ] = False,
) -> None:
    """Bring the database to this version's tables.

    It may be run at any time; a database that is up to date stays as it is. On PostgreSQL the partitions of the coming
    months are made too.

    For example:

        iotsphere migrate

        APP_ENV=production iotsphere migrate --check
    """
    settings = load_settings()
    if check:
        problem = run(_problem(settings))
        if problem:
            fail(problem, 1)
        output.print("The database is up to date.")
        return
    applied = run(_upgrade(settings))
    output.print(f"Applied {', '.join(applied)}." if applied else "The database was up to date.")


def migration(message: Annotated[str, typer.Argument(help="What changes, as 'add a colour to devices'.")]) -> None:
    """Write a new migration from what the tables of the code have and the migrations lack.

    Read and complete what it writes before you commit it: it sees columns and indexes, not what becomes of the data.

    For example:

        iotsphere migration "add a colour to devices"
    """
    output.print(f"Wrote {run(migrator.write_revision(message))}.")


async def _problem(settings: Settings) -> str | None:
    store = Store(settings.database, settings.events)
    try:
        await store.open()
        if await migrator.pending(store):
            return "The database lacks migrations of this version; run 'iotsphere migrate'."
        difference = await migrator.differences(store)
        return f"The database differs from the tables of this version: {difference}" if difference else None
    finally:
        await store.close()


async def _upgrade(settings: Settings) -> list[str]:
    store = Store(settings.database, settings.events)
    try:
        await store.open()
        return await migrator.upgrade(store)
    finally:
        await store.close()
