"""The settings as a flat list of keys, read off the dataclasses in settings/types.py."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, get_origin, get_type_hints

from settings.types import Settings

VARIABLE_PREFIX = "IOTSPHERE_"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: where it stands, and what its value may be."""

    path: tuple[str, ...]
    type: Any
    help: str
    at_least: float | None
    at_most: float | None
    one_of: tuple[str, ...]
    secret: bool

    @property
    def dotted(self) -> str:
        """The name in settings.toml, as server.port."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The environment variable that sets it, as IOTSPHERE_SERVER__PORT."""
        return variable_of(self.path)

    @property
    def is_table(self) -> bool:
        """Whether the value is a table whose entries add up over the layers, rather than replace one another."""
        return get_origin(self.type) is Mapping


def variable_of(path: tuple[str, ...]) -> str:
    """Return the environment variable of a path."""
    return VARIABLE_PREFIX + "__".join(path).upper()


@cache
def sections() -> dict[str, Any]:
    """Return the dataclass of each section by its name, in the order of settings/types.py."""
    hints = get_type_hints(Settings)
    return {field.name: hints[field.name] for field in fields(Settings) if is_dataclass(hints[field.name])}


@cache
def keys() -> dict[tuple[str, ...], Key]:
    """Return every key by its path, in the order of settings/types.py."""
    found = _keys_of(Settings, ())
    for name, section in sections().items():
        found |= _keys_of(section, (name,))
    return found


def suggestion(path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the path of the key that a mistyped one resembles most, if any does."""
    by_name = {key.dotted: key.path for key in keys().values()}
    close = difflib.get_close_matches(".".join(path).lower(), by_name, n=1, cutoff=0.7)
    return by_name[close[0]] if close else None


def _keys_of(owner: type, prefix: tuple[str, ...]) -> dict[tuple[str, ...], Key]:
    hints = get_type_hints(owner)
    described = [field for field in fields(owner) if "help" in field.metadata]
    return {
        (*prefix, field.name): Key(path=(*prefix, field.name), type=hints[field.name], **field.metadata)
        for field in described
    }
