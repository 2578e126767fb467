"""The application: GraphQL, the explorer, health and metrics, wired from the settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.auth import Authenticator
from app.examples import Examples, examples, examples_for
from app.health import Health
from app.http import GraphQLEndpoint, GraphQLPath
from app.http.graphiql import explorer_page, explorer_routes
from app.http.origins import middleware
from app.lifespan import Runtime
from app.progress import Progress, silent
from app.telemetry import CountWebsockets
from app.trusted import read_trusted
from models.clock import Clock, now
from resolvers.context import Scope as Operation
from schema import build_engine
from settings.types import Settings

PATH = "/graphql"
TITLE = "IoTSphere"


@dataclass(slots=True)
class Parts:
    """What of an application its server asks for; it stands in `app.state.parts`.

    Attributes:
        runtime: what the application runs on.
        endpoint: answers GraphQL.
        examples: documents to try, about a device that exists once the application is running.
    """

    runtime: Runtime
    endpoint: GraphQLEndpoint
    examples: Examples


class Application(Starlette):
    """Starlette's application, in which requests to the endpoint go no longer way than they need.

    Starlette's stack is there for the other routes: of GraphQL's own requests none raises, none is routed, and only
    websockets are counted.
    """

    endpoint: GraphQLEndpoint | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if self.endpoint is not None and scope["type"] == "http" and scope["path"] == PATH:
            await self.endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    settings: Settings, *, progress: Progress = silent, seeds_demo: bool = False, clock: Clock = now
) -> Starlette:
    """Return the application; its lifespan opens the database and starts the workers.

    Args:
        settings: of one environment.
        progress: told how far the seeding of the demo fleet is, which happens before the application is ready.
        seeds_demo: make the demo fleet if it is missing; mock data is always seeded.
        clock: tells the present instant.

    Raises:
        ExplorerMissing: the explorer is on and its files are not installed.
        TrustedDocumentsInvalid: a trusted document cannot be used.
    """
    runtime = Runtime(settings, clock)
    engine = build_engine(settings)
    engine.trust(read_trusted(settings.graphql.trusted_documents), only=settings.graphql.only_trusted_documents)
    engine.on_response = runtime.telemetry.responded
    endpoint = GraphQLEndpoint(
        engine,
        new_context=lambda principal: Operation(runtime.services, principal),
        authenticator=Authenticator(settings.auth),
        server=settings.server,
        websocket=settings.websocket,
        trusted_max_age_seconds=settings.graphql.trusted_max_age_seconds,
    )
    parts = Parts(runtime, endpoint, examples())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with runtime.running(progress, seeds_demo=seeds_demo):
            parts.examples = await examples_for(runtime.services.store)
            if settings.server.graphiql:
                endpoint.explorer_page = explorer_page(title=TITLE, documents=parts.examples)
            yield

    app = Application(routes=_routes(settings, runtime), middleware=_middleware(settings, parts), lifespan=lifespan)
    # Pages of other sites are told by a middleware what they may do.
    app.endpoint = None if settings.server.allowed_origins else endpoint
    app.state.parts = parts
    return app


def _routes(settings: Settings, runtime: Runtime) -> list[BaseRoute]:
    health = Health(runtime.services.store, runtime.supervisor.states, runtime.telemetry)
    explorer = explorer_routes() if settings.server.graphiql else []
    return [Route("/", _to_graphql), *health.routes(), *explorer]


def _middleware(settings: Settings, parts: Parts) -> list[Middleware]:
    return [
        Middleware(CountWebsockets, telemetry=parts.runtime.telemetry),
        *middleware(settings.server),
        Middleware(GraphQLPath, path=PATH, endpoint=parts.endpoint),
    ]


async def _to_graphql(_request: Request) -> Response:
    return RedirectResponse(PATH)
