"""Live streams: the event log, filtered for one subscriber."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from models.errors import BadUserInput, LimitExceeded
from models.repositories import readings
from models.repositories.events import Event
from models.statements import Row
from models.types import from_micros
from resolvers import devices
from resolvers.context import Scope
from resolvers.ingest import READINGS_RECORDED

_MOST_DEVICES = 1000


async def readings_recorded(scope: Scope, device_ids: Sequence[int]) -> AsyncGenerator[Row]:
    """Yield each reading of these devices that is stored from now on, as device_id, kind and reading.

    Raises: NotFound for an unknown device; BadUserInput for none; LimitExceeded for too many.
    """
    if not device_ids:
        raise BadUserInput("Name at least one device.", input_path=("deviceIds",))
    if len(device_ids) > _MOST_DEVICES:
        raise LimitExceeded(
            f"One subscription may follow {_MOST_DEVICES} devices, not {len(device_ids)}.", input_path=("deviceIds",)
        )
    start = scope.store.log.newest
    await devices.required(scope, device_ids, frozenset())
    return _readings(scope, frozenset(device_ids), start)


async def _readings(scope: Scope, wanted: frozenset[int], start: Any) -> AsyncGenerator[Row]:
    async with aclosing(scope.store.log.follow(start)) as batches:
        async for events in batches:
            for event in events:
                if event.type == READINGS_RECORDED:
                    for row in await _stored(scope, event, wanted):
                        yield row


async def _stored(scope: Scope, event: Event, wanted: frozenset[int]) -> list[Row]:
    kind: str = event.payload["kind"]
    keys = [
        (device_id, from_micros(micros))
        for device_id, micros in zip(event.payload["device_ids"], event.payload["recorded_at"], strict=True)
        if device_id in wanted
    ]
    if not keys:
        return []
    rows = await readings.latest(scope.store, kind, keys)
    # A reading that was deleted meanwhile, with its device, has nothing to show.
    return [{"device_id": row["device_id"], "kind": kind, "reading": row} for row in rows if row is not None]
