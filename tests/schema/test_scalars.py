"""Scalars: what is read, what is refused, and that nothing else happens."""

import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest

from models.types import from_micros
from schema.scalars import CONFIG, parse_micros

INSTANT: Any = CONFIG.scalar_map[datetime]
DECIMAL: Any = CONFIG.scalar_map[Decimal]


def test_instants_there_and_back():
    """Any offset is read, and answered in UTC."""
    chance = random.Random(2)
    for _ in range(300):
        zone = timezone(timedelta(minutes=chance.randrange(-14 * 60, 14 * 60)))
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(-(10**15), 10**17))
        read = INSTANT.parse_value(instant.astimezone(zone).isoformat())
        assert read == instant
        assert read.tzinfo is UTC
        assert INSTANT.parse_value(orjson.loads(orjson.dumps(read))) == instant


@pytest.mark.parametrize(
    "text", ["2026-01-31T12:00:00Z", "2026-01-31 12:00:00+00:00", "20260131T120000Z", "2026-01-31T13:00:00.000+01:00"]
)
def test_forms_of_one_instant(text: str):
    """ISO 8601 has several ways to write it."""
    assert INSTANT.parse_value(text) == datetime(2026, 1, 31, 12, tzinfo=UTC)


ALIKE = [
    *("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00.5Z", "2024-02-29T23:59:59.999999Z"),
    *("1900-01-01T00:00:00.000Z", "8999-12-31T23:59:59.999999+00:00", "1969-12-31T23:59:59.999999Z"),
]
ONE_BY_ONE = [
    *("2026-01-31 12:00:00Z", "20260131T120000Z", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00.1234567Z"),
    *("2026-01-31T12:00Z", "2026-01-31T12:00:00,5Z", "2026-01-31t12:00:00Z", "2026-01-31T12:00:00.123456789+00:00"),
]
NONE = [
    *("", "Z", "now", "NaT", "todayZ", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00z", "\u0661" * 20),
    *("2026-02-30T12:00:00Z", "2026-13-01T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z"),
    *("2026-01-31T12:00:60Z", "0000-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "9000-01-01T00:00:00Z"),
    *("+026-01-31T12:00:00Z", "2026-01-31T12:00: 0Z", "2026-01-31T12:00:0/Z", "2026-01-31T12:00:0:Z", " " * 20),
]


@pytest.mark.parametrize("text", [*ALIKE, *ONE_BY_ONE, *NONE])
def test_many_instants_at_once(text: str):
    """Those that are written alike in UTC are read as numbers, and mean the same as when they are read one by one."""
    micros = parse_micros([text] * 3)
    assert (micros is not None) == (text in ALIKE)
    if micros is not None:
        assert [from_micros(at) for at in micros.tolist()] == [INSTANT.parse_value(text)] * 3
    elif text in NONE:
        with pytest.raises(ValueError, match=r"2026-01-31T12:00:00Z|time zone|outside the years"):
            INSTANT.parse_value(text)


def test_instants_that_are_not_written_alike():
    """One that differs from the others leaves all to be read one by one."""
    assert parse_micros(["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5Z"]) is None
    assert parse_micros(["2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.1+00:00"[:27]]) is None
    assert parse_micros(["2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00+01:00"]) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-02-30T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1899-12-31T23:59:59Z",
        "9000-01-01T00:00:00Z",
        "2026-01-31T12:00:00+99:00",
        1767225600,
        True,
        None,
        ["2026-01-31T12:00:00Z"],
    ],
)
def test_what_is_no_instant(value: Any):
    """Each is refused by a message that says how to write one."""
    with pytest.raises(ValueError, match=r"2026-01-31T12:00:00Z|time zone|outside the years"):
        INSTANT.parse_value(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("12.50", "12.50"), (12, "12"), (12.5, "12.5"), ("-0.001", "-0.001"), ("1e3", "1E+3")]
)
def test_decimals(value: Any, expected: str):
    """Texts keep their digits; numbers are read as they are written."""
    read = DECIMAL.parse_value(value)
    assert read == Decimal(expected)
    assert DECIMAL.serialize(read) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ten",
        "1,5",
        "NaN",
        "sNaN",
        "-Infinity",
        "1e31",
        "1e-31",
        "1" * 31,
        True,
        None,
        [1],
        pytest.param(10**5000, id="huge"),
    ],
)
def test_what_is_no_decimal(value: Any):
    """Not finite, endless, or no number at all."""
    with pytest.raises(ValueError, match=r"."):
        DECIMAL.parse_value(value)


def test_random_texts_are_refused_or_read():
    """Only ValueError says no, whatever is sent."""
    chance = random.Random(3)
    alphabet = "0123456789-+:.TZ eE_nNaAiI\u0661\0\u2212"
    for _ in range(5000):
        text = "".join(chance.choice(alphabet) for _ in range(chance.randrange(30)))
        for scalar in (INSTANT, DECIMAL):
            try:
                scalar.parse_value(text)
            except ValueError:
                continue
