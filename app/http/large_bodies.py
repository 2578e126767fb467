"""Large requests in two parts: the variables, which are nearly all of the body, and what stands around them.

Members that are given twice need to be looked for only in what stands around the variables, which takes no time.
"""

import re
from typing import Any, NamedTuple

import orjson

# The first members of a body, as far as they are texts or null, up to the value of `variables`, which is an object. It
# matches from the beginning and member by member, so what it finds is the member and not a text that looks like it.
_TO_VARIABLES = re.compile(
    rb'[ \t\r\n]*+\{(?:[ \t\r\n]*+"[A-Za-z]++"[ \t\r\n]*+:[ \t\r\n]*+'
    rb'(?:"(?:[^"\\]|\\.)*+"|null)[ \t\r\n]*+,)*+'
    rb'[ \t\r\n]*+"variables"[ \t\r\n]*+:[ \t\r\n]*+(?=\{)'
)
_BEHIND_VARIABLES = (b'"query"', b'"operationName"', b'"extensions"', b'"documentId"')
# What may follow the variables and is still found quickly; documents are longer than one thinks.
_MOST_BEHIND = 16_384


class Parts(NamedTuple):
    """A body in two parts.

    Attributes:
        fields: the members of the body.
        around: its text with null in place of the variables; members of the body stand only here.
    """

    fields: dict[str, Any]
    around: bytes


def parts_of(raw: bytes) -> Parts | None:
    """Return the parts of a body, both strict JSON; None if they cannot be told quickly, or the body is malformed."""
    found = _TO_VARIABLES.match(raw)
    if found is None:
        return None
    start = found.end()
    end = _end_of_variables(raw, start)
    around = raw[:start] + b"null" + raw[end:]
    try:
        # An object ends where it ends: what is one from here to there is the value, and no part of it or more.
        variables = orjson.loads(memoryview(raw)[start:end])
        fields = orjson.loads(around)
    except orjson.JSONDecodeError:
        return None
    # Another name for it, spelt with escapes, has come behind.
    return None if fields["variables"] is not None else Parts({**fields, "variables": variables}, around)


def _end_of_variables(raw: bytes, start: int) -> int:
    """Return where the variables end if what is behind them are the other known members; else any place."""
    behind = max(start, len(raw) - _MOST_BEHIND)
    places = [place for name in _BEHIND_VARIABLES if (place := raw.rfind(name, behind)) >= 0]
    # Without members behind, the last brace is that of the body.
    until = min(places) if places else raw.rfind(b"}", start)
    return raw.rfind(b"}", start, max(until, start)) + 1
