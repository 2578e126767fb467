"""The scope of an operation: what it loads once for all who wait for it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from models.principal import ANONYMOUS
from models.store import Store
from resolvers.context import Scope
from resolvers.loaders import Batch, Columns
from tests.app.running import services_over
from tests.factories import database_settings, event_settings


async def test_one_who_stops_waiting_takes_nothing_from_the_others():
    """A field that is given up, as beside one that failed, does not cancel what another field waits for."""
    scope = Scope(services_over(Store(database_settings(), event_settings())), ANONYMOUS)
    loading, may_answer = asyncio.Event(), asyncio.Event()

    async def load(_scope: Scope, keys: Sequence[Any], _columns: Columns = None, /) -> list[int]:
        loading.set()
        await may_answer.wait()
        return [key * 10 for key in keys]

    async def wait_for(key: int) -> int:
        return await scope.load(Batch(load, ()), key)

    given_up, waiting = asyncio.create_task(wait_for(1)), asyncio.create_task(wait_for(1))
    await loading.wait()
    given_up.cancel()
    await asyncio.wait((given_up,))
    may_answer.set()
    assert await waiting == 10
