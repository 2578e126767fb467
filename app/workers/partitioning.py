"""Partitions of the reading tables are made before they are needed."""

import asyncio

from app.workers.supervisor import Beat
from models import migrator
from models.store import Store

_INTERVAL_SECONDS = 86_400


class Partitioning:
    """Makes the partitions of this month and of those ahead, once a day; SQLite has none."""

    name = "partitions"

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self, beat: Beat) -> None:
        """Make what is missing, daily."""
        while True:
            await migrator.ensure_partitions(self._store)
            beat()
            await asyncio.sleep(_INTERVAL_SECONDS)
