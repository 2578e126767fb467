"""Read the settings of one environment: settings.toml, then .secrets.toml, then IOTSPHERE_… variables.

Dynaconf reads the files and picks the layers. Laying them over one another is done here, because Dynaconf's merge
appends lists instead of replacing them and writes merged values back into its history, so that the origin of a value
would be lost.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from dynaconf import Dynaconf  # pyright: ignore[reportMissingTypeStubs]  # it ships no types
from dynaconf.utils.parse_conf import parse_conf_data  # pyright: ignore[reportMissingTypeStubs,reportUnknownVariableType]

from settings.checks import SettingsError, check_together, checked, shown
from settings.keys import keys, sections
from settings.layers import Layer, Origin, Overlay, overlay
from settings.types import Settings
from settings.variables import ROOT_VARIABLE, variable_layers

ENVIRONMENTS: Final = ("development", "testing", "staging", "production")
ENVIRONMENT_VARIABLE: Final = "APP_ENV"
SETTINGS_FILE: Final = "settings.toml"
SECRETS_FILE: Final = ".secrets.toml"

_DEFAULT_LAYER: Final = "default"
_SQLITE: Final = "sqlite+aiosqlite:///"


def load(
    environment: str | None = None, root: Path | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings of one environment.

    Args:
        environment: development, testing, staging or production; APP_ENV decides where it is None, and development
            where that is unset.
        root: directory of settings.toml; IOTSPHERE_ROOT decides where it is None, and the directory that holds the
            settings package where that is unset. A relative SQLite path starts there.
        environ: the environment variables; those of the process where it is None.

    Raises:
        SettingsError: something is missing, unknown, of the wrong type, out of bounds or contradictory.
    """
    return load_with_origins(environment, root, environ)[0]


def load_with_origins(
    environment: str | None = None, root: Path | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Settings, dict[str, Origin]]:
    """Return the settings as `load` does, and where each value came from.

    The origins are keyed by dotted name, as "server.port"; "environment" tells who chose the environment, and
    "auth.tokens.<holder>" who added or changed that holder.
    """
    environ = os.environ if environ is None else environ
    name, chosen_by = _environment(environment, environ)
    root = _root(root, environ)
    overlaid = overlay(_file_layers(name, root) + variable_layers(environ, _parsed))
    origins = {"environment": chosen_by, **{".".join(path): given.origin for path, given in overlaid.given.items()}}
    settings = _settings(name, root, overlaid)
    check_together(settings, origins)
    return settings, origins | overlaid.entries


def _environment(asked_for: str | None, environ: Mapping[str, str]) -> tuple[str, Origin]:
    if asked_for is not None:
        name, origin = asked_for, Origin("argument")
    elif ENVIRONMENT_VARIABLE in environ:
        name, origin = environ[ENVIRONMENT_VARIABLE], Origin(ENVIRONMENT_VARIABLE, is_variable=True)
    else:
        name, origin = ENVIRONMENTS[0], Origin("default")
    if name not in ENVIRONMENTS:
        choices = ", ".join(ENVIRONMENTS[:-1])
        raise SettingsError(
            f"The environment is {shown(name)} ({origin}), but must be {choices} or {ENVIRONMENTS[-1]}."
        )
    return name, origin


def _root(root: Path | None, environ: Mapping[str, str]) -> Path:
    if root is None:
        root = Path(environ.get(ROOT_VARIABLE) or Path(__file__).parent.parent)
    if not (root / SETTINGS_FILE).is_file():
        raise SettingsError(
            f"There is no {SETTINGS_FILE} in {root.absolute()}: set {ROOT_VARIABLE} to the directory that holds it."
        )
    return root.absolute()


def _file_layers(environment: str, root: Path) -> list[Layer]:
    _refuse_steering()
    present = [root / name for name in (SETTINGS_FILE, SECRETS_FILE) if (root / name).is_file()]
    for file in present:
        _check_file(file)
    source: Any = Dynaconf(
        root_path=str(root),
        settings_files=[str(file) for file in present],
        core_loaders=["TOML"],
        environments=True,
        env_switcher=ENVIRONMENT_VARIABLE,
        force_env=environment,  # otherwise APP_ENV would beat the argument
        envvar_prefix=None,  # variables are read from the mapping that was given, and each is a layer of its own
        loaders=[],
        load_dotenv=False,
        merge_enabled=False,
        dotted_lookup=False,
        auto_cast=False,  # a password that begins with "@int" or "@format" is a password
    )
    by_source: dict[tuple[str, str], Mapping[str, Any]] = {
        (metadata.identifier, metadata.env): values for metadata, values in source.loaded_by_loaders.items()
    }
    return [
        Layer(Origin(file.name, layer), {name.lower(): value for name, value in by_source[str(file), layer].items()})
        for file in present
        for layer in (_DEFAULT_LAYER, environment)
        if (str(file), layer) in by_source
    ]


def _refuse_steering() -> None:
    # Dynaconf obeys these above its own arguments: the files, the layer, even the way of merging would be others.
    steering = next((name for name in sorted(os.environ) if name.endswith("_FOR_DYNACONF")), None)
    if steering:
        raise SettingsError(f"The environment variable {steering} changes how settings are read: unset it.")


def _check_file(file: Path) -> None:
    """Refuse what Dynaconf would pass over: an unreadable file, a layer that is no environment."""
    try:
        layers = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file.name} in {file.parent} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file.name} in {file.parent} is not valid TOML: {error}.") from error
    known = (_DEFAULT_LAYER, *ENVIRONMENTS)
    for name, content in layers.items():
        if name not in known or not isinstance(content, dict):
            raise SettingsError(
                f"{file.name} has {shown(name)} at its top level, where only tables stand: [{'], ['.join(known)}]."
            )


def _parsed(text: str) -> Any:
    """Return the TOML value that a variable's text spells, or the text itself."""
    text = text.lower() if text in ("True", "False") else text
    parse: Any = parse_conf_data  # pyright: ignore[reportUnknownVariableType]
    try:
        return parse(text, tomlfy=True, box_settings={"AUTO_CAST_FOR_DYNACONF": False})
    except (ValueError, RecursionError):  # thousands of digits or brackets: no value of ours
        return text


def _settings(environment: str, root: Path, overlaid: Overlay) -> Settings:
    values = {path: _value(path, environment, overlaid) for path in keys()}
    values["database", "url"] = _absolute(values["database", "url"], root)
    trusted = values["graphql", "trusted_documents"]
    values["graphql", "trusted_documents"] = str(root / trusted) if trusted else ""
    built = {name: _section(name, section, values) for name, section in sections().items()}
    top = {path[0]: value for path, value in values.items() if len(path) == 1}
    return Settings(environment=environment, **top, **built)


def _section(name: str, section: Any, values: Mapping[tuple[str, ...], Any]) -> Any:
    return section(**{field.name: values[name, field.name] for field in fields(section)})


def _value(path: tuple[str, ...], environment: str, overlaid: Overlay) -> Any:
    key, given = keys()[path], overlaid.given.get(path)
    if given is None:
        raise SettingsError(
            f"{key.dotted} is missing in {environment}: give it in {SETTINGS_FILE}, under [{_DEFAULT_LAYER}] for all "
            f"environments, or as {key.variable}."
        )
    return checked(key, given.value, environment=environment, origin=given.origin)


def _absolute(url: str, root: Path) -> str:
    """Return the URL with a SQLite file's relative path made absolute, so that it means the same from any directory."""
    path = url.removeprefix(_SQLITE)
    if path == url or not path or path.startswith((":memory:", "file:", "?")):
        return url
    return f"{_SQLITE}{root / path}"
