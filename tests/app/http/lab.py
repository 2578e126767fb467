"""A small schema behind the real endpoint, for the tests of the transports."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.auth import Authenticator
from app.http.graphiql import explorer_page, explorer_routes
from app.http.graphql import GraphQLEndpoint, GraphQLPath
from app.http.origins import middleware
from models.errors import NotFound
from models.principal import Principal
from schema.engine import Engine
from schema.limits import document_rules
from schema.trusted import TrustedText
from settings.types import AuthSettings, GraphQLSettings, ServerSettings, WebsocketSettings

Info = strawberry.Info["Context", None]

GRAPHQL = GraphQLSettings(
    introspection=True,
    default_page_size=10,
    max_page_size=100,
    max_series_points=100,
    max_rows=1000,
    max_depth=5,
    max_aliases=10,
    max_tokens=2000,
    operation_timeout_seconds=20,
    document_cache_size=50,
    trusted_documents="",
    only_trusted_documents=False,
    trusted_max_age_seconds=0,
)
SERVER = ServerSettings(
    host="127.0.0.1",
    port=0,
    graphiql=True,
    max_body_bytes=100_000,
    body_timeout_seconds=10,
    shutdown_grace_seconds=1,
    allowed_origins=("https://dashboard.example",),
    compress_min_bytes=0,
    gc_young_objects=0,
    gc_young_rounds=1,
    gc_middle_rounds=1,
)
WEBSOCKET = WebsocketSettings(
    connection_init_timeout_seconds=5, keep_alive_seconds=20, max_message_bytes=20_000, max_operations=5
)
AUTH = AuthSettings(required=False, tokens={})
LOCKED = AuthSettings(required=True, tokens={"panel": {"token": "panel-secret", "role": "viewer"}})


@dataclasses.dataclass
class Context:
    """What a resolver sees of its operation."""

    principal: Principal
    lab: "Lab"

    def renew(self) -> None:
        """Nothing was loaded; the planner asks for it before the ordinary executor begins anew."""


@strawberry.type
class Query:
    """Reads."""

    @strawberry.field
    def hello(self, name: str = "you") -> str:
        """Greet."""
        return f"hello {name}"

    @strawberry.field
    def caller(self, info: Info) -> str:
        """Tell who calls."""
        return info.context.principal.name

    @strawberry.field
    def context_id(self, info: Info) -> strawberry.ID:
        """Tell contexts apart."""
        info.context.lab.contexts.append(info.context)
        return strawberry.ID(str(id(info.context)))

    @strawberry.field
    async def forever(self, info: Info) -> int:
        """Never end by itself."""
        return await info.context.lab.wait_for_ever()

    @strawberry.field
    def broken(self) -> int:
        """Fail as nobody expects."""
        raise ValueError("secret-detail")

    @strawberry.field
    def missing(self) -> int | None:
        """Fail as expected."""
        raise NotFound("There is no device 7.")


@strawberry.type
class Mutation:
    """Writes."""

    @strawberry.mutation
    def touch(self, info: Info) -> int:
        """Count calls."""
        info.context.lab.touched += 1
        return info.context.lab.touched


@strawberry.type
class Subscription:
    """Streams."""

    @strawberry.subscription
    async def count(self, target: int) -> AsyncGenerator[int, None]:
        """Count as fast as it is read."""
        for number in range(target):
            yield number

    @strawberry.subscription
    async def ticks(self, info: Info) -> AsyncGenerator[int, None]:
        """Give one number, then wait for ever."""
        yield 1
        await info.context.lab.wait_for_ever()

    @strawberry.subscription
    async def big(self) -> AsyncGenerator[str, None]:
        """Never stop sending."""
        while True:
            yield "x" * 10_000

    @strawberry.subscription
    async def boom(self) -> AsyncGenerator[int, None]:
        """Break in mid-stream."""
        yield 1
        raise ValueError("secret-detail")

    @strawberry.subscription
    async def refused(self) -> AsyncGenerator[int, None]:
        """Refuse to start."""
        raise GraphQLError("not today")
        yield 1


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


class Lab:
    """The endpoint and what its resolvers did.

    Args:
        trusted: texts of trusted documents, by their ids.
        changes: of single settings of the server, the websockets or GraphQL, by their name.
    """

    def __init__(self, *, auth: AuthSettings = AUTH, trusted: Mapping[str, str] | None = None, **changes: Any) -> None:
        self.touched = 0
        self.context_error: Exception | None = None
        self.contexts: list[Context] = []
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()
        server, websocket, limits = (_changed(each, changes) for each in (SERVER, WEBSOCKET, GRAPHQL))
        engine = Engine(
            SCHEMA,
            rules=document_rules(limits),
            max_tokens=limits.max_tokens,
            cache_size=limits.document_cache_size,
            timeout_seconds=limits.operation_timeout_seconds,
        )
        documents = [TrustedText(id_, text, "the lab") for id_, text in (trusted or {}).items()]
        engine.trust(documents, only=limits.only_trusted_documents)
        self.endpoint = GraphQLEndpoint(
            engine,
            new_context=self._new_context,
            authenticator=Authenticator(auth),
            server=server,
            websocket=websocket,
            trusted_max_age_seconds=limits.trusted_max_age_seconds,
            explorer_page=explorer_page(title="Lab", documents=["{ hello }"]) if server.graphiql else None,
        )
        ours = Middleware(GraphQLPath, path="/graphql", endpoint=self.endpoint)
        self.app = Starlette(routes=explorer_routes(), middleware=[*middleware(server), ours])

    def _new_context(self, principal: Principal) -> Context:
        if self.context_error is not None:
            raise self.context_error
        return Context(principal, self)

    async def wait_for_ever(self) -> int:
        """Wait until cancelled, and tell both."""
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        return 0


def _changed(settings: Any, changes: dict[str, Any]) -> Any:
    own = {field.name for field in dataclasses.fields(settings)}
    return dataclasses.replace(settings, **{name: value for name, value in changes.items() if name in own})
