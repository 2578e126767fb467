"""Global ids: there and back, and nothing but BadUserInput for anything else."""

import base64
import random

import pytest

from models.errors import BadUserInput
from schema import ids

NAMES = ("WaterHeater", "MaintenanceRecord")


@pytest.mark.parametrize("row_id", [0, 1, 42, 2**31, 2**63 - 1])
@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(name: str, row_id: int):
    """Every id that is made can be read."""
    made = ids.encode(name, row_id)
    assert ids.decode_any(made, "id") == (name, row_id)
    assert ids.decode(made, NAMES, "id") == row_id
    assert ids.decode_node(made, NAMES, "id") == (name, row_id)


def test_the_path_counts_places_as_numbers():
    """Clients find the offending value by it."""
    with pytest.raises(BadUserInput) as raised:
        ids.decode("nope", NAMES, "input.readings.12.deviceId")
    assert raised.value.input_path == ("input", "readings", 12, "deviceId")


@pytest.mark.parametrize(
    "text",
    [
        b":1",
        b"Water Heater:1",
        b"WaterHeater:",
        b"WaterHeater",
        b"WaterHeater:1:2",
        b"WaterHeater: 1",
        b"WaterHeater:1e3",
    ],
)
def test_near_misses(text: bytes):
    """What only looks like an id is none."""
    with pytest.raises(BadUserInput, match="no id of this server"):
        ids.decode_any(base64.b64encode(text).decode(), "id")


def test_random_texts_are_refused_or_read():
    """Whatever a client sends, there is an answer for it."""
    chance = random.Random(1)
    for _ in range(3000):
        raw = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
        encoded = chance.choice([base64.b64encode, base64.urlsafe_b64encode])(raw).decode()
        text = chance.choice([encoded, encoded[:-1], raw.decode("latin-1"), raw.decode("utf-8", "surrogateescape")])
        try:
            name, row_id = ids.decode_any(text, "id")
        except BadUserInput:
            continue
        assert name.isidentifier()
        assert 0 <= row_id < 2**63
