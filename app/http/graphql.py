"""The GraphQL endpoint, as a plain ASGI application."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth import Authenticator
from app.http.body import request_of_body, request_of_query_string
from app.http.caching import may_be_kept
from app.http.exchange import Exchange
from app.http.negotiation import MediaKind, check_content_type, wanted
from app.http.operations import NewContext, opened, run
from app.http.presence import WhileClientWaits
from app.http.refusals import ClientLeft, Refused
from app.http.responses import send_bytes
from app.http.sse import EventStreams
from app.http.websocket import Sockets
from models.deadlines import Overdue
from models.errors import Unauthenticated
from models.principal import Principal
from schema.engine import Engine, Prepared, Request, Response
from settings.types import ServerSettings, WebsocketSettings

_PAGE_HEADERS = (
    (b"cache-control", b"no-cache"),
    (b"vary", b"accept"),
    (b"referrer-policy", b"same-origin"),
    (
        b"content-security-policy",
        (
            b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
            b"connect-src 'self' ws: wss:; frame-ancestors 'none'"
        ),
    ),
)


class GraphQLEndpoint:
    """Answers GraphQL over HTTP, websockets and server-sent events.

    Attributes:
        explorer_page: the HTML for browsers; None if the explorer is off.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        new_context: NewContext,
        authenticator: Authenticator,
        server: ServerSettings,
        websocket: WebsocketSettings,
        trusted_max_age_seconds: int = 0,
        explorer_page: bytes | None = None,
    ) -> None:
        self._engine = engine
        self._new_context = new_context
        self._authenticator = authenticator
        self._settings = server
        self._bodies = Overdue(server.body_timeout_seconds)
        self._max_age_seconds = trusted_max_age_seconds
        self.explorer_page = explorer_page
        self._streams = EventStreams(websocket.keep_alive_seconds)
        self._sockets = Sockets(engine, new_context, authenticator, websocket, server.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or one websocket."""
        if scope["type"] == "websocket":
            await self._sockets.serve(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._serve(exchange)
        except ClientLeft:
            pass
        except Refused as refused:
            await exchange.refuse(refused)

    async def close(self) -> None:
        """End all subscriptions so that their clients reconnect; running queries and mutations may finish.

        To be called when the server is asked to stop, before it closes its connections.
        """
        self._streams.end()
        await self._sockets.close(grace_seconds=self._settings.shutdown_grace_seconds)

    async def _serve(self, exchange: Exchange) -> None:
        exchange.kind = self._kind(exchange)
        if exchange.kind is MediaKind.HTML:
            await self._send_page(exchange)
            return
        principal = self._principal(exchange)
        if exchange.method == "POST":
            check_content_type(exchange.headers.get(b"content-type"))
            _check_encoding(exchange.headers.get(b"content-encoding"))
            request = request_of_body(await exchange.body(self._settings.max_body_bytes, self._bodies))
        else:
            request = request_of_query_string(exchange.query_string)
        await self._respond(exchange, request, principal)

    async def _respond(self, exchange: Exchange, request: Request, principal: Principal) -> None:
        prepared = self._engine.prepare(request)
        if isinstance(prepared, Prepared):
            _check_method(exchange, prepared)
        if exchange.kind is MediaKind.EVENT_STREAM:
            answer = opened(self._engine, prepared, request.variables, self._new_context, principal)
            await self._streams.send(answer, exchange.receive, exchange.send)
            return
        if isinstance(prepared, Response):
            response = prepared
        else:
            with WhileClientWaits(exchange.receive):
                response = await run(self._engine, prepared, request.variables, self._new_context, principal)
        refused = response.is_request_error and exchange.kind is MediaKind.GRAPHQL_JSON
        await exchange.answer(
            400 if refused else 200,
            response.body(),
            compress_min_bytes=self._settings.compress_min_bytes,
            max_age_seconds=self._max_age_seconds if may_be_kept(exchange.method, prepared, response) else None,
        )

    def _kind(self, exchange: Exchange) -> MediaKind:
        if exchange.method not in ("GET", "POST"):
            message = f"Send a POST, or a GET for queries, not {exchange.method}."
            raise Refused(405, message, code="METHOD_NOT_ALLOWED", headers=((b"allow", b"GET, POST"),))
        kinds = wanted(exchange.headers.get(b"accept"))
        if MediaKind.HTML in kinds[:1] and exchange.method == "GET":
            if self.explorer_page is not None:
                return MediaKind.HTML
            if not exchange.query_string:
                raise Refused(
                    404,
                    "There is no page for browsers here (server.graphiql is off); POST GraphQL as application/json.",
                    code="NOT_FOUND",
                )
        kind = next((kind for kind in kinds if kind is not MediaKind.HTML), None)
        if kind is None:
            offered = "application/graphql-response+json, application/json or text/event-stream"
            raise Refused(406, f"The Accept header allows none of {offered}.", code="NOT_ACCEPTABLE")
        return kind

    def _principal(self, exchange: Exchange) -> Principal:
        try:
            return self._authenticator.by_header(exchange.headers.get(b"authorization"))
        except Unauthenticated as error:
            challenge = ((b"www-authenticate", b"Bearer"),)
            raise Refused(401, error.message, code=error.code, headers=challenge) from None

    async def _send_page(self, exchange: Exchange) -> None:
        await send_bytes(exchange.send, 200, MediaKind.HTML, self.explorer_page or b"", _PAGE_HEADERS)


class GraphQLPath:
    """Middleware that gives one path to the endpoint, past the router, and leaves all others to the application."""

    def __init__(self, app: ASGIApp, *, path: str, endpoint: GraphQLEndpoint) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        is_ours = scope["type"] in ("http", "websocket") and scope["path"] == self._path
        await (self._endpoint if is_ours else self._app)(scope, receive, send)


def _check_method(exchange: Exchange, prepared: Prepared) -> None:
    kind = prepared.operation_type
    if kind == "mutation" and exchange.method != "POST":
        message = "A mutation must be a POST; a GET changes nothing."
        raise Refused(405, message, code="METHOD_NOT_ALLOWED", headers=((b"allow", b"POST"),))
    if kind == "subscription" and exchange.kind is not MediaKind.EVENT_STREAM:
        message = "A subscription needs a websocket (graphql-transport-ws) or the header 'Accept: text/event-stream'."
        raise Refused(406, message, code="NOT_ACCEPTABLE")


def _check_encoding(content_encoding: bytes | None) -> None:
    if content_encoding not in (None, b"identity"):
        raise Refused(
            415,
            "The body must not be compressed (Content-Encoding).",
            code="UNSUPPORTED_MEDIA_TYPE",
            headers=((b"accept-encoding", b"identity"),),
        )
