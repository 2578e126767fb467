"""One websocket: the graphql-transport-ws protocol, with a task for each operation that runs."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

import orjson
from starlette.types import Receive, Send

from app.http.body import load_object, request_of_fields
from app.http.direct import text_frames, writer_of_frames
from app.http.operations import NewContext, opened
from app.http.refusals import ClientLeft, Malformed
from models.errors import Unauthenticated
from models.principal import Principal
from schema import errors
from schema.encoding import encode
from schema.engine import Engine, Prepared, Request, Response
from settings.types import WebsocketSettings

PROTOCOL = "graphql-transport-ws"
MAX_ID_CHARACTERS = 256
_MAX_REASON_BYTES = 123  # what a close frame holds
_CLEANUP_SECONDS = 1.0

GOING_AWAY, TOO_LARGE = 1001, 1009
BAD_MESSAGE, UNAUTHORIZED, INIT_TIMEOUT, DUPLICATE_ID, DUPLICATE_INIT = 4400, 4401, 4408, 4409, 4429

Message = dict[str, Any]
Authenticate = Callable[[Mapping[str, Any] | None], Principal]
"""Tells from the payload of connection_init who connects; raises Unauthenticated."""


class Closing(Exception):
    """The server closes the socket with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """An accepted websocket."""

    def __init__(
        self,
        engine: Engine,
        new_context: NewContext,
        authenticate: Authenticate,
        settings: WebsocketSettings,
        *,
        receive: Receive,
        send: Send,
    ) -> None:
        self._engine = engine
        self._new_context = new_context
        self._authenticate = authenticate
        self._settings = settings
        self._receive_event = receive
        self._send_event = send
        self._write_frames = writer_of_frames(send)
        self._is_closed = False
        self._is_draining = False
        self._running: dict[str, asyncio.Task[None]] = {}
        # Also those whose id is free again but that are still cleaning up.
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve until either side closes; leaves no task behind."""
        try:
            principal = await self._greet()
            while True:
                await self._handle(await self._receive(), principal)
        except Closing as closing:
            self._cancel_all()
            await self._close(closing.code, closing.reason)
        except ClientLeft:
            pass
        finally:
            self._is_closed = True
            self._cancel_all()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def drain(self, grace_seconds: float) -> None:
        """Close with 1001, which makes clients reconnect and subscribe again.

        Subscriptions get no `complete`: it would tell their clients not to come back.
        """
        self._is_draining = True
        for task in self._subscriptions:
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=grace_seconds)
        await self._close(GOING_AWAY, "The server is shutting down; connect again.")

    async def _greet(self) -> Principal:
        wait_seconds = self._settings.connection_init_timeout_seconds
        try:
            async with asyncio.timeout(wait_seconds):
                return await self._acknowledge()
        except TimeoutError:
            raise Closing(INIT_TIMEOUT, f"No connection_init within {wait_seconds:g} s") from None

    async def _acknowledge(self) -> Principal:
        while True:
            message = await self._receive()
            match message["type"]:
                case "connection_init":
                    principal = self._known(_payload(message))
                    await self._send({"type": "connection_ack"})
                    return principal
                case "ping" | "pong":
                    await self._answer_ping(message)
                case "subscribe" | "complete":
                    raise Closing(UNAUTHORIZED, "Unauthorized: send connection_init first")
                case _:
                    raise _unknown(message)

    def _known(self, payload: Message | None) -> Principal:
        try:
            return self._authenticate(payload)
        except Unauthenticated as error:
            raise Closing(UNAUTHORIZED, f"Unauthorized: {error.message}") from None

    async def _handle(self, message: Message, principal: Principal) -> None:
        match message["type"]:
            case "subscribe":
                await self._subscribe(message, principal)
            case "complete":
                await self._complete(_id(message))
            case "ping" | "pong":
                await self._answer_ping(message)
            case "connection_init":
                raise Closing(DUPLICATE_INIT, "Too many initialisation requests")
            case _:
                raise _unknown(message)

    async def _answer_ping(self, message: Message) -> None:
        payload = _payload(message)
        if message["type"] == "ping":
            await self._send({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})

    async def _complete(self, operation_id: str) -> None:
        task = self._running.pop(operation_id, None)
        if task is not None:
            task.cancel()
            # One that cleans up slowly holds up this client only, and counts among its operations until it has ended.
            await asyncio.wait((task,), timeout=_CLEANUP_SECONDS)

    async def _subscribe(self, message: Message, principal: Principal) -> None:
        operation_id = _id(message)
        payload = _payload(message)
        if payload is None:
            raise Closing(BAD_MESSAGE, "'payload' of subscribe is missing")
        try:
            request = request_of_fields(payload)
        except Malformed as problem:
            raise Closing(BAD_MESSAGE, problem.message) from None
        if operation_id in self._running:
            raise Closing(DUPLICATE_ID, f"Subscriber for {operation_id} already exists")
        if self._is_draining:
            return
        if len(self._tasks) >= self._settings.max_operations:
            await self._send({"id": operation_id, "type": "error", "payload": [self._too_many()]})
            return
        task = asyncio.create_task(self._operate(operation_id, request, principal))
        self._running[operation_id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _too_many(self) -> errors.FormattedError:
        allowed = self._settings.max_operations
        return errors.request_error(
            f"This socket runs {allowed} operations already (websocket.max_operations); complete one first.",
            "LIMIT_EXCEEDED",
            limit="max_operations",
            allowed=allowed,
        )

    async def _operate(self, operation_id: str, request: Request, principal: Principal) -> None:
        try:
            problems = await self._send_responses(operation_id, request, principal)
        except ClientLeft:
            return
        except Exception as error:  # noqa: BLE001 - the last line of defence: logged, masked, told to the client
            problems = self._engine.failure(error).errors
        # Free before the client hears of the end: it may use the id again at once.
        if self._running.get(operation_id) is asyncio.current_task():
            del self._running[operation_id]
            with contextlib.suppress(ClientLeft):
                await self._send_end(operation_id, problems)

    async def _send_end(self, operation_id: str, problems: list[errors.FormattedError] | None) -> None:
        if problems is None:
            await self._send({"id": operation_id, "type": "complete"})
        else:
            await self._send({"id": operation_id, "type": "error", "payload": problems})

    async def _send_responses(
        self, operation_id: str, request: Request, principal: Principal
    ) -> list[errors.FormattedError] | None:
        prepared = self._engine.prepare(request)
        if isinstance(prepared, Prepared) and prepared.operation_type == "subscription":
            self._mark_as_subscription()
        answer = await opened(self._engine, prepared, request.variables, self._new_context, principal)
        # The rest of a message is the same for all who share a stream: it is encoded once.
        start = b'{"id":%b,"type":"next","payload":' % orjson.dumps(operation_id)
        write = self._write_frames

        async def send(responses: Sequence[Response]) -> None:
            for response in responses:
                await self._send_text(b"".join((start, response.content, b"}")).decode())

        def take(responses: Sequence[Response]) -> bool:
            return write is not None and write(text_frames(start, [each.content for each in responses], b"}"))

        if isinstance(answer, Response):
            if answer.is_request_error:
                return answer.errors
            await send((answer,))
            return None
        async with aclosing(answer):
            failure = await answer.deliver(send, take)
        return None if failure is None else failure.errors

    def _mark_as_subscription(self) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._subscriptions.add(task)
        task.add_done_callback(self._subscriptions.discard)

    async def _receive(self) -> Message:
        event = await self._receive_event()
        if event["type"] == "websocket.disconnect":
            raise ClientLeft
        text = event.get("text")
        if text is None:
            raise Closing(BAD_MESSAGE, "Messages must be text, not binary")
        raw = text.encode()
        if len(raw) > self._settings.max_message_bytes:
            limit = self._settings.max_message_bytes
            raise Closing(TOO_LARGE, f"The message is larger than {limit} bytes (websocket.max_message_bytes)")
        try:
            message = load_object(raw, "The message")
        except Malformed as problem:
            raise Closing(BAD_MESSAGE, problem.message) from None
        if not isinstance(message.get("type"), str):
            raise Closing(BAD_MESSAGE, "The message has no 'type'")
        return message

    async def _send(self, message: Message) -> None:
        await self._send_text(encode(message).decode())

    async def _send_text(self, text: str) -> None:
        if self._is_closed:
            raise ClientLeft
        try:
            await self._send_event({"type": "websocket.send", "text": text})
        except OSError:
            raise ClientLeft from None

    async def _close(self, code: int, reason: str) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        with contextlib.suppress(OSError):  # gone already, which is what we wanted
            await self._send_event({"type": "websocket.close", "code": code, "reason": short})

    def _cancel_all(self) -> None:
        for task in self._tasks:
            task.cancel()


def _unknown(message: Message) -> Closing:
    return Closing(BAD_MESSAGE, f"Unknown message type '{message['type']}'")


def _payload(message: Message) -> Message | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Closing(BAD_MESSAGE, f"'payload' of {message['type']} must be an object")
    return cast("Message | None", payload)


def _id(message: Message) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not operation_id or len(operation_id) > MAX_ID_CHARACTERS:
        raise Closing(BAD_MESSAGE, f"'id' must be a text of 1 to {MAX_ID_CHARACTERS} characters")
    return operation_id
