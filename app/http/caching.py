"""Answers that clients may keep: those to a GET of a trusted query that had no errors.

Their address names document and variables, and the caller's token decides what they show, so they are private and vary
with it. The tag is strong: equal tags mean equal bytes.
"""

import hashlib

from app.http.refusals import Header
from schema.engine import Prepared, Response

_TAG_BYTES = 16


def may_be_kept(method: str, prepared: Prepared | Response, response: Response) -> bool:
    """Say whether an answer may be kept by the client that gets it."""
    return (
        method == "GET"
        and isinstance(prepared, Prepared)
        and prepared.document.is_trusted
        and prepared.operation_type == "query"
        and not response.errors
    )


def tag_of(content: bytes, coding: bytes | None) -> bytes:
    """Return the entity tag of a body, before it is compressed, in a coding."""
    digest = hashlib.blake2b(content, digest_size=_TAG_BYTES).hexdigest().encode()
    return b'"%s"' % digest if coding is None else b'"%s-%s"' % (digest, coding)


def is_held(if_none_match: bytes | None, tag: bytes) -> bool:
    """Say whether a client that sent this If-None-Match has the body of a tag already."""
    if if_none_match is None:
        return False
    held = [each.strip().removeprefix(b"W/") for each in if_none_match.split(b",")]
    return tag in held or held == [b"*"]


def headers_of(tag: bytes, max_age_seconds: int) -> tuple[Header, ...]:
    """Return what tells a client how long it may keep an answer."""
    return ((b"etag", tag), (b"cache-control", b"private, max-age=%d, must-revalidate" % max_age_seconds))
