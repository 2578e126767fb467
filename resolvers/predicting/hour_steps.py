"""Hours of devices as the steps in which channels are compared with each other: one code for training and serving."""

from collections.abc import Sequence

import numpy as np

from models.charts import FloatArray
from models.devices import DeviceKind
from models.learning.boosting.explanation import group_of
from models.learning.residuals import MEAN, StepLayout, changed_units
from models.reading_hours import HOUR_MICROS, HourRows

# Of fewer readings the mean of an hour is chance: a heater heats now, or it does not.
FEWEST_READINGS = 4
_STATISTICS = (MEAN, "minimum", "maximum", "deviation")
_COUNT = "reading_count"
_SUM = "sum"


def step_layout(kind: DeviceKind) -> StepLayout:
    """Return what the hours of a kind of device consist of; what is summed up of a state is looked at as well."""
    channels = tuple(channel.name for channel in kind.watched if channel.name in kind.hourly)
    return StepLayout(
        channels=channels,
        units=tuple(kind.by_name[name].unit for name in channels),
        inputs=(
            *(f"{channel}.{statistic}" for channel in channels for statistic in _STATISTICS),
            *(f"{each.channel}.{_SUM}" for each in kind.hour_sums if kind.by_name[each.channel].is_state),
        ),
    )


def columns_of(kind: DeviceKind) -> tuple[str, ...]:
    """Return the columns of the table of hours that all inputs need."""
    return (_COUNT, *_columns(kind))


def baseline_columns_of(kind: DeviceKind) -> tuple[str, ...]:
    """Return those by which level and range of a device are told: one of each channel."""
    return (_COUNT, *(name for name in _columns(kind) if not name.endswith(_STATISTICS[1:])))


def steps_of(kind: DeviceKind, rows: HourRows, ids: Sequence[int], first: int, count: int) -> FloatArray:
    """Return (devices, count, inputs) steps, NaN where nothing is known, or an hour has fewer than four readings.

    Args:
        kind: of the devices.
        rows: hours of these devices that begin within the steps; columns that they lack are unknown.
        ids: of the devices, in the order that is wanted.
        first: number of the first hour since 1970.
        count: hours.
    """
    layout, columns = step_layout(kind), _columns(kind)
    wanted = np.array(ids, np.int64)
    order = np.argsort(wanted, kind="stable")
    device = order[np.searchsorted(wanted[order], rows.device_ids)]
    hour = rows.micros // HOUR_MICROS - first
    steps = np.full((len(ids), count, len(layout.inputs)), np.nan)
    enough = rows.values[_COUNT] >= FEWEST_READINGS
    for place, name in enumerate(columns):
        if name in rows.values:
            steps[device[enough], hour[enough], place] = rows.values[name][enough]
    return steps


def believable(kind: DeviceKind, steps: FloatArray) -> FloatArray:
    """Return (devices, hours, inputs) steps without the channels of a device whose unit seems to have changed in them.

    All hours of such a channel are left out, as the histories of the other models leave them out: in the first days
    after a change, looks cannot tell it from a fault yet.
    """
    layout = step_layout(kind)
    owner = [group_of(name) for name in layout.inputs]
    changed = changed_units(layout, steps[:, :, layout.targets])
    kept = steps.copy() if changed.any() else steps
    for device, column in np.argwhere(changed).tolist():
        kept[device, :, [place for place, name in enumerate(owner) if name == layout.channels[column]]] = np.nan
    return kept


def _columns(kind: DeviceKind) -> tuple[str, ...]:
    """Return the column of each input, in their order."""
    sums = {each.channel: each.name for each in kind.hour_sums}
    return tuple(
        sums[channel] if statistic == _SUM else f"{channel}_{statistic}"
        for channel, _, statistic in (name.rpartition(".") for name in step_layout(kind).inputs)
    )
