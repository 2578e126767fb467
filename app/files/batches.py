"""What the caller says about a file of readings, and the batches that come out of it."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.files.problems import Fault, RejectedRow, shown
from models.readings import ChannelValues


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """What the caller says about a file; what is left out is found out.

    Attributes:
        serial: serial number of the device of all readings; None where a column tells it.
        format: csv, json or ndjson; None to go by the name and the content.
        mapping: column by target, as {"recorded_at": "timestamp"}; "" leaves a target out.
        scales: by channel, a factor for the numbers of the file.
        offsets: by channel, what is added after the factor.
        units: by channel, the unit of the numbers after both, as kW.
        time_format: iso, epoch-s, epoch-ms, epoch-us, epoch-ns or a format of strptime; None to detect it.
        timezone: IANA name of the zone of times that have none; None takes them as UTC if none of them has one.
        decimal_comma: whether numbers are written as 1.234,5.
    """

    serial: str | None = None
    format: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    scales: Mapping[str, float] = field(default_factory=dict[str, float])
    offsets: Mapping[str, float] = field(default_factory=dict[str, float])
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    time_format: str | None = None
    timezone: str | None = None
    decimal_comma: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBatch:
    """Readings of a file as columns of n rows, in the file's order.

    Attributes:
        serial_numbers: (n,) the device of each reading.
        recorded_at: (n,) aware UTC instants.
        channels: by channel name (n,) values in the channel's unit; None where a row lacks it.
        line_numbers: (n,) the line or element of each reading, from 1.
        rejected: the rows among these that cannot be stored, by line.
        place: what the line numbers count, "line" or "element".
        bytes_read: bytes of the file that were read so far.
        bytes_total: size of the file, None for standard input.
    """

    serial_numbers: Sequence[str]
    recorded_at: Sequence[datetime]
    channels: Mapping[str, ChannelValues]
    line_numbers: Sequence[int]
    rejected: Sequence[RejectedRow]
    place: str
    bytes_read: int
    bytes_total: int | None

    def __len__(self) -> int:
        return len(self.line_numbers)

    def of_devices(self, known: Container[str]) -> "FileBatch":
        """Return the readings of known devices; the others become rejected rows, UNKNOWN_DEVICE."""
        faults = {
            index: Fault("UNKNOWN_DEVICE", f"there is no device with serial number {shown(serial)}")
            for index, serial in enumerate(self.serial_numbers)
            if serial not in known
        }
        return self.without(faults)

    def without(self, faults: Mapping[int, Fault]) -> "FileBatch":
        """Return the batch with the rows of these indexes rejected."""
        if not faults:
            return self
        kept = [index for index in range(len(self)) if index not in faults]
        rejected = [RejectedRow(self.line_numbers[index], *fault) for index, fault in faults.items()]
        return replace(
            self,
            serial_numbers=[self.serial_numbers[index] for index in kept],
            recorded_at=[self.recorded_at[index] for index in kept],
            channels={name: [values[index] for index in kept] for name, values in self.channels.items()},
            line_numbers=[self.line_numbers[index] for index in kept],
            rejected=sorted([*self.rejected, *rejected]),
        )
