"""Cursors: there and back, and nothing but BadUserInput for anything else."""

import base64
import random
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from models.errors import BadUserInput, LimitExceeded
from resolvers import cursors
from tests.factories import settings

LIMITS = settings().graphql
TYPES = (datetime | None, int)


@pytest.mark.parametrize(
    ("types", "values"),
    [
        ((str, int), ('Käte\'s "boiler"\n', 2**63 - 1)),
        ((str, int), ("", 0)),
        (TYPES, (datetime(2024, 7, 15, 12, 0, 0, 123456, tzinfo=UTC), 5)),
        (TYPES, (datetime(1950, 1, 1, tzinfo=UTC), 5)),
        (TYPES, (None, 5)),
    ],
)
def test_there_and_back(types: Any, values: tuple[Any, ...]):
    """A cursor holds the sort values exactly, and is safe in a URL."""
    made = cursors.encode("list.order", values)
    assert set(made) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert cursors.decode("list.order", types, made, "after") == values


def test_random_cursors_are_refused_or_read():
    """Random bytes, random JSON, and cursors with a letter changed: an answer for each."""
    chance = random.Random(4)
    good = cursors.encode("o", (datetime(2024, 1, 1, tzinfo=UTC), 5))
    pieces: list[Any] = [
        "o",
        None,
        True,
        5,
        -1,
        2**64 - 1,
        1.5,
        1e300,
        [],
        [5],
        [10**18],
        ["x"],
        [[5]],
        {},
        {"a": 1},
        "\0",
    ]
    for _ in range(5000):
        raw = bytes(chance.randrange(256) for _ in range(chance.randrange(30)))
        place = chance.randrange(len(good))
        text = chance.choice(
            [
                raw.decode("latin-1"),
                base64.urlsafe_b64encode(raw).decode(),
                base64.urlsafe_b64encode(orjson.dumps(["o", *chance.choices(pieces, k=2)])).decode(),
                base64.urlsafe_b64encode(orjson.dumps(chance.choice(pieces))).decode(),
                good[:place] + chance.choice("Aa0_-") + good[place + 1 :],
            ]
        )
        try:
            at, row_id = cursors.decode("o", TYPES, text, "after")
        except BadUserInput:
            continue
        assert at is None or at.tzinfo is UTC
        assert type(row_id) is int
        assert abs(row_id) < 2**63


def test_deep_nesting_is_refused():
    """A cursor is JSON inside, and JSON may nest."""
    deep = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    with pytest.raises(BadUserInput, match="malformed"):
        cursors.decode("o", TYPES, deep, "before")


def test_windows():
    """The arguments of a connection say how many rows, from where, in which direction."""
    cursor = cursors.encode("o", (None, 5))
    window = cursors.window(LIMITS, "o", TYPES)
    assert (window.count, window.cursor, window.backward) == (LIMITS.default_page_size, None, False)
    window = cursors.window(LIMITS, "o", TYPES, first=LIMITS.max_page_size, after=cursor)
    assert (window.count, window.cursor, window.backward) == (LIMITS.max_page_size, (None, 5), False)
    window = cursors.window(LIMITS, "o", TYPES, before=cursor)
    assert (window.count, window.cursor, window.backward) == (LIMITS.default_page_size, (None, 5), True)
    window = cursors.window(LIMITS, "o", TYPES, last=0)
    assert (window.count, window.backward) == (0, True)
    with pytest.raises(LimitExceeded):
        cursors.window(LIMITS, "o", TYPES, last=LIMITS.max_page_size + 1)
