"""Settings from environment variables: IOTSPHERE_SERVER__PORT=9000 sets server.port."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from settings.keys import VARIABLE_PREFIX, keys
from settings.layers import Layer, Origin

ROOT_VARIABLE = "IOTSPHERE_ROOT"

# Kubernetes gives each container variables about each service; one named iotsphere brings IOTSPHERE_PORT and the like.
_KUBERNETES = re.compile(r"IOTSPHERE_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")


def variable_layers(environ: Mapping[str, str], parse: Callable[[str], Any]) -> list[Layer]:
    """Return a layer for each environment variable that means a setting, in the order of their names.

    Args:
        environ: the variables there are.
        parse: turns the text of a variable into a TOML value, or leaves it as text.
    """
    meant = [name for name in sorted(environ) if _means_setting(name)]
    return [Layer(Origin(name, is_variable=True), _nested(_path(name), environ[name], parse)) for name in meant]


def _means_setting(name: str) -> bool:
    return name.startswith(VARIABLE_PREFIX) and name != ROOT_VARIABLE and not _KUBERNETES.fullmatch(name)


def _path(name: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(VARIABLE_PREFIX).lower().split("__"))


def _nested(path: tuple[str, ...], text: str, parse: Callable[[str], Any]) -> dict[str, Any]:
    value = parse(text)
    if _is_text(path) and not isinstance(value, str):
        value = text  # a token of digits only is a text, not a number
    nested: dict[str, Any] = {path[-1]: value}
    for name in reversed(path[:-1]):
        nested = {name: nested}
    return nested


def _is_text(path: tuple[str, ...]) -> bool:
    key = keys().get(path)
    if key is not None:
        return key.type is str
    table = keys().get(path[:2])
    return table is not None and table.is_table and len(path) == 4
