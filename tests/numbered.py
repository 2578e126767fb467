"""A small subscription on the real engine, log and sockets: numbers, which tests emit as events.

As an application of its own (`make`) it is served by real processes; `DATABASE_URL` says over which database.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.auth import Authenticator
from app.http.graphql import GraphQLEndpoint, GraphQLPath
from models.principal import Right
from models.repositories.events import Cursor, Event, NewEvent
from models.store import Store
from resolvers import devices, streams
from resolvers.context import Scope, Services
from resolvers.loaders import Batch
from resolvers.streams import Items, Stream
from schema.engine import Engine
from schema.fields import followed, link, subscription
from schema.kinds import PARTS
from schema.limits import document_rules
from schema.query import Query
from schema.scalars import CONFIG
from schema.types.device import Device
from schema.types.event import After, event_cursor
from tests.factories import database_settings, event_settings, settings
from tests.graph import graph_over

NUMBERED = "numbered"


def _device(_scope: Scope) -> Batch:
    return devices.link()


@strawberry.type
class Numbered:
    """Something with a number."""

    cursor: str = event_cursor()
    number: int
    device: Device = link(_device, key="device_id", description="Whose it is.")


@strawberry.type
class Subscription:
    """What can be followed here."""

    @subscription(Right.READ, description="Numbers that are at least so large.")
    @staticmethod
    async def numbered(scope: Scope, least: int = 0, after: After = None) -> AsyncIterator[Numbered]:
        """Follow numbers."""

        async def project(scope: Scope, found: Sequence[Event]) -> Items:
            return await streams.of_present_devices(scope, _numbers(found, least))

        return followed(Stream(await streams.starting(scope, after), project))


def _numbers(found: Sequence[Event], least: int) -> Items:
    items: list[tuple[Cursor, Any]] = []
    for event in found:
        if event.type == NUMBERED:
            numbers = event.payload["numbers"]
            items += [
                (event.cursor_of(index, len(numbers)), {"number": number, "device_id": event.payload["device_id"]})
                for index, number in enumerate(numbers)
                if number is None or number >= least
            ]
    return items


SCHEMA = strawberry.Schema(query=Query, subscription=Subscription, types=[each.type_ for each in PARTS], config=CONFIG)


async def emit(store: Store, device_id: int, *events: Sequence[int | None]) -> None:
    """Commit events, each of some numbers, in one transaction."""
    async with store.transaction() as transaction:
        for numbers in events:
            transaction.emit(NewEvent(NUMBERED, {"numbers": list(numbers), "device_id": device_id}))


def engine(**changes: Any) -> Engine:
    """Return an engine for the schema."""
    limits = settings().graphql
    return Engine(
        SCHEMA,
        rules=document_rules(limits),
        max_tokens=limits.max_tokens,
        cache_size=limits.document_cache_size,
        timeout_seconds=limits.operation_timeout_seconds,
        **changes,
    )


def services(store: Store) -> Services:
    """Return services over an open store."""
    return graph_over(store, settings()).services


def endpoint(store: Store, answers: Engine) -> GraphQLEndpoint:
    """Return the endpoint of an engine."""
    chosen, shared = settings(), services(store)
    return GraphQLEndpoint(
        answers,
        new_context=lambda principal: Scope(shared, principal),
        authenticator=Authenticator(chosen.auth),
        server=chosen.server,
        websocket=chosen.websocket,
    )


def make() -> Starlette:
    """Return an application over the database of the environment."""
    store = Store(database_settings(os.environ["DATABASE_URL"]), event_settings(poll_seconds=0.2))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        await store.open()
        async with store.log.tailing():
            yield
        await store.close()

    ours = Middleware(GraphQLPath, path="/graphql", endpoint=endpoint(store, engine()))
    return Starlette(lifespan=lifespan, middleware=[ours])
