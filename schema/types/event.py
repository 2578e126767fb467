"""What events of subscriptions have in common: their place, from which a stream can be taken up again."""

from typing import Annotated, Any

import strawberry

After = Annotated[
    str | None,
    strawberry.argument(
        description="Cursor of the last event that was seen: what was missed since comes first. From now on if "
        "not given; CURSOR_EXPIRED if it is older than what is kept."
    ),
]


def event_cursor() -> Any:
    """Declare the field `cursor` of an event; streams fill it in."""
    return strawberry.field(description="Place of this event, for `after`; opaque to clients.")
