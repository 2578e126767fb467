"""The database as the server and the commands open it: with the tables of this version, or not at all."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from models import migrator
from models.errors import IoTSphereError
from models.store import Store
from settings.types import Settings

MEMORY_URL = "sqlite+aiosqlite:///:memory:"


class MigrationsPending(IoTSphereError):
    """The database lacks tables or columns of this version."""

    code = "MIGRATIONS_PENDING"


def effective(settings: Settings) -> Settings:
    """Return the settings with the database that is really used: with mock data, one in memory."""
    if settings.data.source != "mock":
        return settings
    return replace(settings, database=replace(settings.database, url=MEMORY_URL))


@asynccontextmanager
async def opened(store: Store) -> AsyncGenerator[Store]:
    """Open a store with the tables of this version and close it at the end.

    An embedded database is migrated on the way. One that others may be using is not: that is for whoever runs it.

    Raises:
        MigrationsPending: it is a PostgreSQL database without the tables of this version.
        Unavailable: it cannot be reached.
    """
    try:
        await store.open()
        if store.dialect == "sqlite":
            await migrator.upgrade(store)
        elif await migrator.pending(store):
            raise MigrationsPending("The database lacks migrations of this version; run 'iotsphere migrate' first.")
        yield store
    finally:
        await store.close()
