"""From bytes to a `Request`, strictly: what is ambiguous or cannot be stored is refused before anything runs."""

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive

from app.http.direct import body_at_hand
from app.http.large_bodies import parts_of
from app.http.refusals import ClientLeft, Malformed, Refused
from models.deadlines import Deadline, Overdue
from schema.engine import Request

PARAMETERS = ("query", "documentId", "variables", "operationName", "extensions")
_QUOTED_PARAMETERS = tuple(f'"{name}"'.encode() for name in PARAMETERS)
# Below this size, looking at a body as a whole takes less than taking it apart.
_LARGE_BYTES = 8_192


async def read_body(receive: Receive, content_length: bytes | None, *, max_bytes: int, overdue: Overdue) -> bytes:
    """Read a request body; a body that is too large is refused before it is held in memory.

    Raises:
        Refused: 413 if it is larger than `max_bytes`, 408 if it takes longer than `overdue` allows.
        ClientLeft: the connection ended before the body did.
    """
    if content_length is not None and int(content_length) > max_bytes:
        raise _too_large(max_bytes)
    body = body_at_hand(receive)
    if body is not None:
        return _within(body, max_bytes)
    try:
        with Deadline(overdue):
            return await _read(receive, max_bytes)
    except TimeoutError:
        raise Refused(
            408,
            f"The body did not arrive within {overdue.seconds:g} s (server.body_timeout_seconds).",
            code="REQUEST_TIMEOUT",
        ) from None


async def _read(receive: Receive, max_bytes: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        return _within(message.get("body", b""), max_bytes)
    collected = bytearray()
    while True:
        if message["type"] != "http.request":
            raise ClientLeft
        collected += message.get("body", b"")
        if len(collected) > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return bytes(collected)
        message = await receive()


def _within(body: bytes, max_bytes: int) -> bytes:
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return body


def _too_large(max_bytes: int) -> Refused:
    message = f"The body is larger than {max_bytes} bytes (server.max_body_bytes); send less at a time."
    return Refused(413, message, code="LIMIT_EXCEEDED")


def request_of_body(raw: bytes) -> Request:
    """Read a request from the JSON of a POST.

    Raises:
        Malformed: it is not one GraphQL request in strict JSON.
    """
    parts = parts_of(raw) if len(raw) >= _LARGE_BYTES else None
    if parts is None:
        fields, members = load_object(raw, "The body"), raw
    else:
        fields, members = parts
        _refuse_escaped_nul(raw, fields)
    for name in _QUOTED_PARAMETERS:
        if members.count(name) > 1:
            _refuse_duplicates(members)
    return request_of_fields(fields)


def request_of_query_string(query_string: bytes) -> Request:
    """Read a request from the parameters of a GET.

    Raises:
        Malformed: a parameter is missing, repeated, not UTF-8 or not strict JSON.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=len(PARAMETERS) * 5
        )
    except ValueError as error:
        raise Malformed(f"The query string cannot be read: {error}.") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise Malformed(f"The parameter '{name}' is given twice.")
        fields[name] = value
    for name in ("variables", "extensions"):
        if text := fields.pop(name, None):
            fields[name] = None if text == "null" else load_object(text.encode(), f"'{name}'")
    refuse_nul(fields)
    return request_of_fields(fields)


def load_object(raw: bytes, what: str) -> dict[str, Any]:
    """Parse strict JSON (RFC 8259: no NaN, no lone surrogate, bounded nesting and numbers) that holds an object.

    Raises:
        Malformed: the message starts with `what`.
    """
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{what} is not valid JSON: {error}.") from None
    if isinstance(value, list):
        raise Malformed(f"{what} is an array; batches are not supported, send one operation at a time.")
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not a JSON object.")
    fields = cast("dict[str, Any]", value)
    _refuse_escaped_nul(raw, fields)
    return fields


def _refuse_escaped_nul(raw: bytes, fields: Mapping[str, Any]) -> None:
    # A single byte is found many times faster than several, and most bodies have no escape at all.
    if b"\\" in raw and b"\\u0000" in raw:
        refuse_nul(fields)


def request_of_fields(fields: Mapping[str, Any]) -> Request:
    """Check the types of a request's parameters; unknown parameters are ignored.

    Raises:
        Malformed: the message names the parameter.
    """
    query = fields.get("query")
    variables = fields.get("variables")
    if variables is not None and type(variables) is not dict:
        raise Malformed("'variables' must be an object.")
    operation_name = fields.get("operationName")
    if operation_name is not None and type(operation_name) is not str:
        raise Malformed("'operationName' must be a text.")
    extensions = fields.get("extensions")
    if extensions is not None and type(extensions) is not dict:
        raise Malformed("'extensions' must be an object.")
    given = cast("dict[str, Any]", variables) or {}
    if isinstance(query, str) and query:
        if fields.get("documentId") is not None:
            raise Malformed("Give 'query' or 'documentId', not both.")
        return Request(query, given, operation_name)
    return Request("", given, operation_name, _document_id(fields))


def _document_id(fields: Mapping[str, Any]) -> str:
    """Return which trusted document is named: by `documentId`, or as clients of automatic persisted queries do."""
    document_id = fields.get("documentId")
    if fields.get("query") is None and document_id is not None:
        if isinstance(document_id, str) and document_id:
            return document_id
        raise Malformed("'documentId' must be a text that names a trusted document.")
    extensions = cast("dict[str, Any]", fields.get("extensions") or {})
    named = extensions.get("persistedQuery")
    hashed = cast("dict[str, object]", named).get("sha256Hash") if isinstance(named, dict) else None
    if not fields.get("query") and isinstance(hashed, str):
        return f"sha256:{hashed}"
    raise Malformed("'query' must be a text that holds a GraphQL document, or 'documentId' name a trusted one.")


def refuse_nul(value: object) -> None:
    """Look for NUL in every text, names of members included.

    Raises:
        Malformed: there is one.
    """
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            stack.extend(cast("dict[object, object]", each))
            stack.extend(cast("dict[object, object]", each).values())
        elif isinstance(each, list):
            stack.extend(cast("list[object]", each))
        elif isinstance(each, str) and "\0" in each:
            raise Malformed("A text holds the character NUL (U+0000); leave it out.")


def _refuse_duplicates(raw: bytes) -> None:
    # orjson keeps the last of two members with one name; the standard library can show both, slowly.
    try:
        pairs = cast("list[tuple[str, Any]]", json.loads(raw, object_pairs_hook=list))
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    names = [name for name, _ in pairs]
    for name in PARAMETERS:
        if names.count(name) > 1:
            raise Malformed(f"The body gives '{name}' twice.")
