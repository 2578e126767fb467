"""What a client sends and what it wants back, by the headers Content-Type and Accept."""

from email.message import Message
from enum import Enum
from functools import lru_cache

from app.http.refusals import Refused


class MediaKind(Enum):
    """A kind of response; the value is its Content-Type."""

    JSON = b"application/json; charset=utf-8"
    GRAPHQL_JSON = b"application/graphql-response+json; charset=utf-8"
    EVENT_STREAM = b"text/event-stream; charset=utf-8"
    HTML = b"text/html; charset=utf-8"


# A range that leaves the choice to the server gets what every client understands.
_KINDS = {
    "application/graphql-response+json": MediaKind.GRAPHQL_JSON,
    "application/json": MediaKind.JSON,
    "application/*": MediaKind.JSON,
    "*/*": MediaKind.JSON,
    "text/event-stream": MediaKind.EVENT_STREAM,
    "text/html": MediaKind.HTML,
}


@lru_cache(maxsize=64)
def wanted(accept: bytes | None) -> tuple[MediaKind, ...]:
    """Return the kinds that an Accept header allows, the preferred first; empty if there is none that we can send."""
    if not accept:
        return (MediaKind.JSON,)
    qualities: dict[MediaKind, float] = {}
    for part in accept.decode("latin-1").split(","):
        name, _, parameters = part.partition(";")
        name = name.strip().lower()
        kind = _KINDS.get(name)
        if kind is not None and not (kind in qualities and name.endswith("*")):
            qualities[kind] = _quality(parameters)
    ranked = sorted(qualities, key=lambda kind: -qualities[kind])  # stable: what is named first wins a tie
    return tuple(kind for kind in ranked if qualities[kind] > 0)


@lru_cache(maxsize=64)
def check_content_type(content_type: bytes | None) -> None:
    """Accept JSON in UTF-8 only: a type that a foreign page cannot send without the browser asking us first.

    Raises:
        Refused: 415, with what is allowed.
    """
    if content_type == b"application/json":
        return
    header = Message()
    header["Content-Type"] = (content_type or b"none/none").decode("latin-1")
    charset = str(header.get_param("charset", "utf-8")).lower()
    if header.get_content_type() != "application/json" or charset not in ("utf-8", "utf8"):
        sent = repr(content_type.decode("latin-1")[:100]) if content_type else "none"
        raise Refused(
            415,
            f"The Content-Type must be application/json (charset utf-8), not {sent}.",
            code="UNSUPPORTED_MEDIA_TYPE",
            headers=((b"accept-post", b"application/json"),),
        )


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                break
    return 1.0
