"""What readings and charts of all kinds have in common."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from models.devices import DeviceKind
from resolvers import devices, readings, series
from resolvers.context import Scope
from resolvers.loaders import Batch, batch
from schema.fields import link
from schema.types.device import Device
from schema.types.enums import SeriesMethod
from schema.types.node import type_of
from schema.types.paging import After, Before, First, Last, window

From = Annotated[
    datetime | None, strawberry.argument(name="from", description="Only readings at or after this instant.")
]
To = Annotated[datetime | None, strawberry.argument(name="to", description="Only readings before this instant.")]
SeriesFrom = Annotated[datetime, strawberry.argument(name="from", description="Beginning of the chart.")]
SeriesTo = Annotated[datetime, strawberry.argument(name="to", description="End of the chart, exclusive.")]
MaxPoints = Annotated[int, strawberry.argument(description="Points of each series at most, at least 2.")]

Method = Annotated[SeriesMethod, strawberry.argument(description="How readings become points.")]


def _device(_scope: Scope) -> Batch:
    return devices.link()


@strawberry.interface(description="What a device reported at one instant.")
class Reading:
    """What a device reported at one instant."""

    recorded_at: datetime = strawberry.field(description="When the device took the reading.")
    device: Device = link(_device, key="device_id", description="The device that reported it.")

    @classmethod
    def resolve_type(cls, row: Any, _info: Any, _type: Any) -> str:
        """Return the name of a row's type, which a reading that is reached through the interface carries."""
        return type_of(row)


def channel(kind: DeviceKind, name: str) -> Any:
    """Declare a channel of a reading or of an input, described by the catalogue."""
    return strawberry.field(description=kind.by_name[name].description)


def optional_channel(kind: DeviceKind, name: str) -> Any:
    """Declare a channel of an input, described by the catalogue with the range that is accepted."""
    about = kind.by_name[name]
    range_ = "" if about.is_state else f" From {about.minimum:g} to {about.maximum:g}."
    return strawberry.field(default=None, description=about.description + range_)


def latest_link(kind: DeviceKind) -> Any:
    """Declare the newest reading of a device."""

    def bind(_scope: Scope) -> Batch:
        return batch(readings.latest, kind=kind.name)

    return link(bind, key=("id", "latest_reading_at"), description="The newest reading; null if there is none.")


def history_link(kind: DeviceKind) -> Any:
    """Declare the raw readings of a device."""

    def bind(
        scope: Scope,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        start: From = None,
        end: To = None,
    ) -> Batch:
        place = window(scope, readings.ORDER, (datetime,), (first, after, last, before))
        return batch(readings.page, kind=kind.name, window=place, range_=readings.time_range(start, end))

    return link(
        bind, key="id", description="Raw readings, newest first. For charts use `series`, which is made for them."
    )


def series_link(kind: DeviceKind, metric: Any) -> Any:
    """Declare the charts of a device."""

    def bind(
        scope: Scope,
        *,
        metrics: Any,
        start: SeriesFrom,
        end: SeriesTo,
        max_points: MaxPoints = 500,
        method: Method = SeriesMethod["AVERAGE"],
    ) -> Batch:
        return series.link(
            scope,
            kind=kind.name,
            metrics=tuple(each.value for each in metrics),
            start=start,
            end=end,
            max_points=max_points,
            method=method.value,
        )

    bind.__annotations__["metrics"] = Annotated[list[metric], strawberry.argument(description="What the chart shows.")]
    return link(
        bind,
        key="id",
        description="Readings for a chart: columns of at most `maxPoints` points for each metric, in the order of "
        "`metrics`.",
    )


@strawberry.interface(description="One line of a chart, as columns.")
class Series:
    """One line of a chart, as columns."""

    unit: str = strawberry.field(description="Unit of the values; for COUNT they are numbers of readings.")
    method: SeriesMethod = strawberry.field(description="How readings became points.")
    resolution_seconds: float = strawberry.field(
        description="Width of a time bucket in seconds, a sensible one such as 60 or 3600; for LTTB the mean distance "
        "of its points."
    )
    timestamps: list[datetime] = strawberry.field(
        description="Instants of the points, ascending; of a bucket its beginning. As many as `values`."
    )
    values: list[float | None] = strawberry.field(
        description="Values of the points. A null where readings are missing marks a gap in the line."
    )

    @classmethod
    def resolve_type(cls, row: Any, _info: Any, _type: Any) -> str:
        """Return the name of a row's type, which a series that is reached through the interface carries."""
        return type_of(row)
