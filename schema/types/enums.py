"""The enums of all kinds. Those of the models are registered here, and imported from here by all types."""

from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from models.devices import KINDS
from models.devices.catalogue import DeviceKind as Kind
from models.devices.status import DeviceStatus
from resolvers import series
from resolvers.maintenance import MaintenanceKind

__all__ = [
    "DeviceKind",
    "DeviceOrderField",
    "DeviceStatus",
    "MaintenanceKind",
    "OrderDirection",
    "SeriesMethod",
    "metric_enum",
]

strawberry.enum(
    DeviceStatus,
    description="How a device stands: ONLINE while readings arrive, OFFLINE after a silence, MAINTENANCE when an "
    "operator has set it.",
)
strawberry.enum(MaintenanceKind, description="What was done to a device.")


def _made(name: str, values: dict[str, object], description: str) -> type[Enum]:
    made: type[Enum] = Enum(name, values)  # pyright: ignore[reportAssignmentType, reportArgumentType] - the functional form
    strawberry.enum(made, description=description)
    return made


def metric_enum(kind: Kind) -> type[Enum]:
    """Return the enum of a kind's channels that can be charted; its values are the channels' names."""
    values: dict[str, object] = {
        each.name.upper(): strawberry.enum_value(each.name, description=each.description) for each in kind.metrics
    }
    return _made(f"{kind.type_name}Metric", values, f"What a {kind.label} reports and a chart can show.")


@strawberry.enum(description="By what devices are sorted; equal ones by the order in which they were registered.")
class DeviceOrderField(Enum):
    """By what devices are sorted."""

    NAME = "name"
    LAST_SEEN_AT = "last_seen_at"
    CREATED_AT = "created_at"
    STATUS = "status"


@strawberry.enum(description="Smallest or largest first.")
class OrderDirection(Enum):
    """Smallest or largest first."""

    ASC = "asc"
    DESC = "desc"


if TYPE_CHECKING:
    # Made of the catalogue at run time, which a type checker cannot follow.
    DeviceKind: TypeAlias = Enum
    SeriesMethod: TypeAlias = Enum
else:
    DeviceKind = _made("DeviceKind", {name: name for name in KINDS}, "The kind of a device.")
    SeriesMethod = _made(
        "SeriesMethod",
        {name: name for name in series.METHODS},
        "How readings become points. AVERAGE, MINIMUM, MAXIMUM, SUM, COUNT and LAST make one point of each time "
        "bucket; LTTB (largest triangle three buckets) picks the readings that keep the shape of the line.",
    )
