"""Several changes of PostgreSQL as one statement: one way to the database and back instead of one for each."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

_PARAMETER = re.compile(r"\$(\d+)")


def together(changes: Sequence[tuple[str, Sequence[Any]]]) -> tuple[str, Sequence[Any]]:
    """Return one SQL text and its arguments for several, none of which returns rows; a single one is left as it is.

    All of them see the rows as they were before, so none may change what another one changes or looks at.
    """
    if len(changes) == 1:
        return changes[0]
    sql = _joined(tuple((text, len(arguments)) for text, arguments in changes))
    return sql, [argument for _, arguments in changes for argument in arguments]


@lru_cache(maxsize=256)
def _joined(changes: tuple[tuple[str, int], ...]) -> str:
    """Return the text of several, each with its number of parameters; the last one is the main statement."""
    texts: list[str] = []
    before = 0
    for text, count in changes:
        texts.append(_renumbered(text, before))
        before += count
    parts = ", ".join(f"change_{place} AS ({text})" for place, text in enumerate(texts[:-1]))
    return f"WITH {parts} {texts[-1]}"


def _renumbered(text: str, before: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", text)
