"""Layers of raw values laid over one another, remembering where each effective value came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from settings.checks import SettingsError
from settings.keys import Key, keys, sections, suggestion, variable_of

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from.

    Attributes:
        source: a file's name, the name of an environment variable, or words such as "argument".
        layer: the file's layer, as "production"; empty for anything but a file.
        is_variable: whether the source is an environment variable.
    """

    source: str
    layer: str = ""
    is_variable: bool = False

    def __str__(self) -> str:
        if self.layer:
            return f"{self.source} [{self.layer}]"
        return f"environment variable {self.source}" if self.is_variable else self.source


@dataclass(frozen=True, slots=True)
class Layer:
    """Raw values from one origin: nested as in settings.toml, names in lower case."""

    origin: Origin
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """A raw value that is not checked yet, and its origin."""

    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class Overlay:
    """What all layers give together.

    Attributes:
        given: the effective raw value of each key that any layer names.
        entries: the origin of each entry of a table that adds up over the layers, by dotted name.
    """

    given: dict[Path, Given]
    entries: dict[str, Origin]


def overlay(layers: list[Layer]) -> Overlay:
    """Lay the layers over one another, the last one on top.

    A list replaces the list below it; only the entries of auth.tokens add up.

    Raises:
        SettingsError: a layer names a setting that does not exist.
    """
    result = Overlay({}, {})
    for layer in layers:
        for key, value in _values(layer):
            if key.is_table and isinstance(value, Mapping):
                _add_entries(result, key, cast("Mapping[str, Any]", value), layer.origin)
            else:
                result.given[key.path] = Given(value, layer.origin)
    return result


def _values(layer: Layer) -> Iterator[tuple[Key, Any]]:
    for name, value in layer.values.items():
        if name not in sections():
            yield _key((name,), layer.origin), value
            continue
        if not isinstance(value, Mapping):
            raise SettingsError(f"{name} from {layer.origin} must be a table of settings, not a single value.")
        for inner, inner_value in cast("Mapping[str, Any]", value).items():
            yield _key((name, inner), layer.origin), inner_value


def _key(path: Path, origin: Origin) -> Key:
    key = keys().get(path)
    if key is None:
        raise SettingsError(_unknown(path, origin))
    return key


def _unknown(path: Path, origin: Origin) -> str:
    meant = suggestion(path)
    if origin.is_variable:
        advice = f"did you mean {variable_of(meant)}?" if meant else "docs/settings.md lists the variables there are."
        return f"The environment variable {origin.source} sets no setting that exists; {advice}"
    advice = f"did you mean {'.'.join(meant)}?" if meant else "docs/settings.md lists those there are."
    return f"{'.'.join(path)} from {origin} is not a setting; {advice}"


def _add_entries(result: Overlay, key: Key, entries: Mapping[str, Any], origin: Origin) -> None:
    below = result.given.get(key.path)
    table: dict[str, Any] = dict(_as_table(below.value)) if below else {}
    for spelled, entry in entries.items():
        name = _same_name(spelled, table)
        table[name] = _merged(table.get(name), entry)
        result.entries[f"{key.dotted}.{name}"] = origin
    if entries or below is None:
        result.given[key.path] = Given(table, origin)


def _same_name(name: str, table: Mapping[str, Any]) -> str:
    # Names that come from environment variables have lost their case.
    return next((known for known in table if known.casefold() == name.casefold()), name)


def _merged(below: Any, above: Any) -> Any:
    return {**_as_table(below), **_as_table(above)} if isinstance(above, Mapping) else above


def _as_table(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
