"""The effective settings as rows for people: what `iotsphere config` prints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from settings.checks import displayed
from settings.keys import Key, keys
from settings.layers import Origin
from settings.masking import MASK
from settings.types import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as people may read it.

    Attributes:
        key: dotted name, as server.port; each holder of a token has a row of its own, auth.tokens.<holder>.
        value: as settings.toml would spell it, without passwords and tokens.
        origin: where the value came from.
        help: what the setting means.
    """

    key: str
    value: str
    origin: Origin
    help: str


def describe(settings: Settings, origins: Mapping[str, Origin]) -> list[Row]:
    """Return a row for each setting, in the order of settings/types.py, the environment first."""
    first = Row("environment", repr(settings.environment), origins["environment"], "The layer that is in force.")
    return [first, *(row for key in keys().values() for row in _rows(key, _value(settings, key), origins))]


def _rows(key: Key, value: Any, origins: Mapping[str, Origin]) -> Iterator[Row]:
    if key.is_table and value:
        for holder, entry in value.items():
            name = f"{key.dotted}.{holder}"
            yield Row(name, f"{{token = '{MASK}', role = '{entry['role']}'}}", origins[name], key.help)
        return
    # An empty table holds no secret.
    text = "{}" if key.is_table else displayed(key, list(value) if isinstance(value, tuple) else value)  # pyright: ignore[reportUnknownArgumentType]
    yield Row(key.dotted, text, origins[key.dotted], key.help)


def _value(settings: Settings, key: Key) -> Any:
    value: Any = settings
    for name in key.path:
        value = getattr(value, name)
    return value
