"""How one setting is described."""

from dataclasses import field
from typing import Any


def setting(
    explanation: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    one_of: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """Describe one setting; its value always comes from settings.toml, so there is no default here.

    A secret is left out of the dataclass's repr, which ends up in tracebacks and logs.
    """
    return field(
        repr=not secret,
        metadata={"help": explanation, "at_least": at_least, "at_most": at_most, "one_of": one_of, "secret": secret},
    )
