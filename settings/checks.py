"""What a value must be: the type and the bounds of one setting, and what several settings must be together."""

import math
import re
from collections.abc import Mapping
from typing import Any, cast

from settings.keys import Key, keys
from settings.masking import MASK, masked_url
from settings.types import Settings

ROLES = ("viewer", "device", "operator")
SHORTEST_TOKEN = 16
DATABASE_SCHEMES = ("sqlite+aiosqlite", "postgresql+asyncpg")
POSTGRESQL_FORM = "postgresql+asyncpg://user:password@host:5432/name"
SQLITE_FORM = "sqlite+aiosqlite:///path/to/file.db"

_LONGEST_SHOWN = 80
# Settings of what is worse the less it is.
_BAD_BELOW = ("low_", "interval_coverage_", "precision_", "recall_")
# What a browser sends as Origin: no path, no slash at the end.
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s?#]+")


class SettingsError(Exception):
    """The settings cannot be used; the message is one sentence that says which one, where, and what is allowed."""


def checked(key: Key, value: Any, *, environment: str, origin: object) -> Any:
    """Return a raw value as the type of its key.

    Args:
        key: the setting.
        value: as TOML gave it.
        environment: for the message.
        origin: where the value came from, for the message.

    Raises:
        SettingsError: the value has another type or lies outside its bounds.
    """
    if key.is_table:
        return _checked_tokens(value, f"in {environment}, from {origin},")
    fitting = _fitting(key, value)
    if fitting is None:
        raise SettingsError(
            f"{key.dotted} = {displayed(key, value)} in {environment}, from {origin}, must be {allowed(key)}."
        )
    return fitting


def allowed(key: Key) -> str:
    """Return what the value of a key may be, as the end of a sentence."""
    if key.one_of:
        return " or ".join(f"'{choice}'" for choice in key.one_of)
    if key.type is bool:
        return "true or false"
    if key.type is str:
        return "text"
    if key.is_table:
        return f"a table of holders, each with a token and a role ({', '.join(ROLES)})"
    if key.type in (int, float):
        return f"{'a whole number' if key.type is int else 'a number'} {_bounds(key)}"
    return 'a list of texts, as ["one", "two"]'


def displayed(key: Key, value: Any) -> str:
    """Return a value as people may read it: secrets masked, long ones shortened."""
    if not key.secret:
        return shown(value)
    return shown(masked_url(value)) if isinstance(value, str) else MASK


def shown(value: Any) -> str:
    """Return a value as settings.toml would spell it, shortened to 80 characters."""
    try:
        text = str(value).lower() if isinstance(value, bool) else repr(value)
    except ValueError:  # Python spells no number of thousands of digits, and TOML's 0x… may be one
        text = "a number of thousands of digits"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def check_together(settings: Settings, origins: Mapping[str, object]) -> None:
    """Check what single values cannot show.

    Args:
        settings: whose single values are right.
        origins: where each value came from, by dotted key.

    Raises:
        SettingsError: two settings contradict each other, or one is not fit for this environment.
    """

    def refuse(key: str, value: str, sentence: str) -> None:
        raise SettingsError(f"{key} = {value} in {settings.environment}, from {origins[key]}, {sentence}.")

    if not settings.server.host.strip():
        refuse("server.host", "''", "must name an address, as 127.0.0.1 or 0.0.0.0")
    for origin in settings.server.allowed_origins:
        if not _ORIGIN.fullmatch(origin):
            refuse("server.allowed_origins", shown(origin), "must hold '*' or origins such as 'https://example.org'")
    graphql = settings.graphql
    if graphql.default_page_size > graphql.max_page_size:
        limit = f"must not exceed graphql.max_page_size, which is {graphql.max_page_size}"
        refuse("graphql.default_page_size", str(graphql.default_page_size), limit)
    if graphql.only_trusted_documents and not graphql.trusted_documents:
        refuse("graphql.only_trusted_documents", "true", "needs documents in graphql.trusted_documents")
    _check_thresholds(settings, origins)
    _check_monitoring(settings, origins)
    if settings.data.source == "database":
        _check_database_url(settings, origins)
    if settings.auth.required and not settings.auth.tokens:
        refuse("auth.required", "true", "needs at least one holder of a token in auth.tokens")
    if settings.environment == "production":
        _check_production(settings, origins)


def _check_thresholds(settings: Settings, origins: Mapping[str, object]) -> None:
    """Refuse alerts that would be CRITICAL before they are HIGH, and models critical before there is a warning."""
    for path in keys():
        if "_critical_" not in path[-1]:
            continue
        lesser = "_high_" if path[0].endswith("_alerts") else "_warning_"
        section, lesser_name = getattr(settings, path[0]), path[-1].replace("_critical_", lesser)
        critical, least = getattr(section, path[-1]), getattr(section, lesser_name)
        is_below = path[-1].startswith(_BAD_BELOW)
        if critical > least if is_below else critical < least:
            limit = "exceed" if is_below else "be less than"
            raise SettingsError(
                f"{'.'.join(path)} = {critical} in {settings.environment}, from {origins['.'.join(path)]}, must not "
                f"{limit} {path[0]}.{lesser_name}, which is {least}."
            )


def _check_monitoring(settings: Settings, origins: Mapping[str, object]) -> None:
    """Refuse a count of windows that can never be reached."""
    monitoring = settings.monitoring
    if monitoring.drift_windows_needed > monitoring.drift_windows_of:
        raise SettingsError(
            f"monitoring.drift_windows_needed = {monitoring.drift_windows_needed} in {settings.environment}, from "
            f"{origins['monitoring.drift_windows_needed']}, must not exceed monitoring.drift_windows_of, which is "
            f"{monitoring.drift_windows_of}."
        )


def _check_database_url(settings: Settings, origins: Mapping[str, object]) -> None:
    url, environment = settings.database.url, settings.environment
    forms = POSTGRESQL_FORM if environment == "production" else f"{POSTGRESQL_FORM} or {SQLITE_FORM}"
    if not url:
        raise SettingsError(
            f"database.url is empty in {environment} ({origins['database.url']}): give it as IOTSPHERE_DATABASE__URL "
            f"or in .secrets.toml, in the form {forms}."
        )
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in DATABASE_SCHEMES:
        raise SettingsError(
            f"database.url = {shown(masked_url(url))} in {environment}, from {origins['database.url']}, "
            f"must have the form {forms}."
        )


def _check_production(settings: Settings, origins: Mapping[str, object]) -> None:
    if settings.debug:
        raise SettingsError(f"debug = true, from {origins['debug']}, is refused in production: it must be false.")
    if settings.data.source == "mock":
        raise SettingsError(
            f"data.source = 'mock', from {origins['data.source']}, is refused in production: it must be 'database'."
        )
    if settings.database.url.startswith("sqlite"):
        raise SettingsError(
            f"database.url = {shown(masked_url(settings.database.url))}, from {origins['database.url']}, is refused in "
            f"production: it must be a PostgreSQL URL, as {POSTGRESQL_FORM}."
        )


def _fitting(key: Key, value: Any) -> Any:
    """Return the value as the type of the key, or None where it does not fit (no setting may be None)."""
    if key.type is bool:
        return value if isinstance(value, bool) else None
    if key.type is str:
        return _fitting_text(key, value)
    if key.type in (int, float):
        return _fitting_number(key, value)
    items = cast("list[Any]", value) if isinstance(value, list) else None
    return tuple(items) if items is not None and all(isinstance(item, str) for item in items) else None


def _fitting_text(key: Key, value: Any) -> str | None:
    fits = isinstance(value, str) and "\0" not in value and (not key.one_of or value in key.one_of)
    return value if fits else None


def _fitting_number(key: Key, value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int if key.type is int else int | float):
        return None
    if not _is_within(key, value):
        return None
    return key.type(value)


def _is_within(key: Key, value: float) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return (key.at_least is None or value >= key.at_least) and (key.at_most is None or value <= key.at_most)


def _bounds(key: Key) -> str:
    # Every number has a lower bound, and every float an upper one: a test holds that.
    return f"of at least {key.at_least:,}" if key.at_most is None else f"from {key.at_least:,} to {key.at_most:,}"


def _checked_tokens(value: Any, where: str) -> dict[str, dict[str, str]]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"auth.tokens {where} must be a table of holders, each with a token and a role.")
    holders: dict[str, dict[str, str]] = {}
    for holder, entry in cast("Mapping[str, Any]", value).items():
        problem = _token_problem(entry)
        if problem:
            raise SettingsError(f"auth.tokens.{holder} {where} {problem}.")
        twin = next((other for other, known in holders.items() if known["token"] == entry["token"]), None)
        if twin:
            raise SettingsError(f"auth.tokens.{holder} {where} must have a token of its own, not that of {twin}.")
        holders[holder] = {"token": entry["token"], "role": entry["role"]}
    return holders


def _token_problem(entry: Any) -> str | None:
    if not isinstance(entry, Mapping) or set(cast("Mapping[str, Any]", entry)) != {"token", "role"}:
        return "must be a table of exactly token and role"
    token, role = cast("Any", entry["token"]), cast("Any", entry["role"])
    if role not in ROLES:
        # The role is not repeated: it may be the token, in the wrong place.
        return f"must have the role {' or '.join(ROLES)}"
    if not isinstance(token, str) or len(token) < SHORTEST_TOKEN:
        return f"must have a token of at least {SHORTEST_TOKEN} characters"
    if not token.isascii() or not token.isprintable() or " " in token:
        return "must have a token of ASCII letters, digits and signs without blanks: nothing else fits into a header"
    return None
