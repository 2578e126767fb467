"""Why an anomaly is one, in words."""

import math

from models.devices import Channel, DeviceKind
from models.learning.anomalies import Evidence, IncidentStep

_SENTENCES = {
    Evidence.HIGH: "{what} was {observed}, above all that is usual; about {expected} was expected.",
    Evidence.LOW: "{what} was {observed}, below all that is usual; about {expected} was expected.",
    Evidence.SHIFT: "{what} has lately been {observed} in the mean, where {expected} is usual.",
    Evidence.JUMP: "{what} jumped from {expected} to {observed} between two readings.",
    Evidence.NOISE: "{what} goes up and down by {observed} from reading to reading, where {expected} is usual.",
    Evidence.SEASON: "{what} was {observed}, where about {expected} is usual at this hour of the day.",
    Evidence.JOINT: "Several channels are off at once. The one that is off the most: {what} was {observed}, where "
    "{expected} is usual.",
}


def explanation(kind: DeviceKind, step: IncidentStep) -> str:
    """Return the reason of a step of an incident: which channel, what was observed, what was expected."""
    channel = kind.by_name[step.channel]
    sentence = _SENTENCES[step.evidence].format(
        what=channel.meaning, observed=_quantity(step.observed, channel), expected=_quantity(step.expected, channel)
    )
    others = [kind.by_name[name].meaning for name in step.channels if name != step.channel]
    if others:
        sentence += f" Also strange: {', '.join(other[0].lower() + other[1:] for other in others)}."
    if step.is_adopted:
        sentence += " It has stayed so for so long that it counts as the new normal."
    return sentence


def _quantity(value: float, channel: Channel) -> str:
    return f"{value:.4g} {channel.unit}" if math.isfinite(value) else "an unknown value"
