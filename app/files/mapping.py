"""Which column of a file becomes what of a reading."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.files.problems import FileProblem, listed
from models.devices.catalogue import DeviceKind

RECORDED_AT = "recorded_at"
SERIAL_NUMBER = "serial_number"

# A comma that another "target=" follows: columns may have commas in their names.
_BETWEEN_PAIRS = re.compile(r",(?=\s*\w+\s*=)")


def parse_pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Return the pairs of an option such as `--map recorded_at=timestamp,power=load`, by what stands left.

    Args:
        option: the option's name, for messages.
        texts: what was given with it, once for each time it was given.

    Raises:
        FileProblem: a pair has no "=", or something is given twice.
    """
    pairs: dict[str, str] = {}
    for pair in (pair for text in texts for pair in _BETWEEN_PAIRS.split(text)):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            raise FileProblem(f"{option} takes NAME=VALUE[,NAME=VALUE…], not {pair!r}.")
        if name in pairs:
            raise FileProblem(f"{option} gives {name} twice ({pairs[name]!r} and {value!r}); give it once.")
        pairs[name] = value
    return pairs


def parse_numbers(option: str, texts: Iterable[str]) -> dict[str, float]:
    """Return the numbers of an option such as `--scale power=1000`.

    Raises:
        FileProblem: a pair has no "=", something is given twice or is no finite number.
    """
    numbers: dict[str, float] = {}
    for name, text in parse_pairs(option, texts).items():
        try:
            numbers[name] = float(text)
        except ValueError as error:
            raise FileProblem(f"{option} {name}={text} is no number; give one, as {option} {name}=1000.") from error
        if not abs(numbers[name]) < float("inf"):
            raise FileProblem(f"{option} {name}={text} is not finite; give a finite number.")
    return numbers


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The columns that are read.

    Attributes:
        recorded_at: column of the time.
        serial_number: column of the device; None where all readings are of one device.
        channels: column by channel name, in the kind's order.
    """

    recorded_at: str
    serial_number: str | None
    channels: Mapping[str, str]

    def columns(self) -> list[str]:
        """Return every column that is read."""
        return [self.recorded_at, *([self.serial_number] if self.serial_number else []), *self.channels.values()]


def targets_of(kind: DeviceKind) -> tuple[str, ...]:
    """Return what columns can be mapped to."""
    return (RECORDED_AT, SERIAL_NUMBER, *kind.by_name)


def check_targets(kind: DeviceKind, option: str, names: Iterable[str], *, channels_only: bool = False) -> None:
    """Refuse names that a kind does not have.

    Raises:
        FileProblem: a name is unknown; the message lists those that are known.
    """
    known = tuple(kind.by_name) if channels_only else targets_of(kind)
    for name in names:
        if name not in known:
            raise FileProblem(f"{option} names {name!r}, but a {kind.label} takes {listed(known)}.")


def map_columns(
    kind: DeviceKind, wanted: Mapping[str, str], columns: Sequence[str], *, serial: str | None, open_ended: bool
) -> ColumnMapping:
    """Decide which column is read as what.

    A target that `wanted` does not name is read from the column of the same name, unless that column is used already;
    a target that it names with "" is left out.

    Args:
        kind: what the readings are of.
        wanted: column by target, as given with --map.
        columns: the columns of the file, or those seen so far.
        serial: the device of all readings; None where a column tells it.
        open_ended: whether rows to come may have more columns, as objects of JSON may.

    Raises:
        FileProblem: a target or column is unknown or used twice, or the time, the device or any channel is missing.
    """
    check_targets(kind, "--map", wanted)
    for target, source in wanted.items():
        if source and source not in columns:
            raise FileProblem(
                f"--map reads {target} from {source!r}, but the columns of the file are {_named(columns)}."
            )
    sources = {target: source for target, source in wanted.items() if source}
    for target in targets_of(kind):
        is_there = target in columns or (open_ended and target in kind.by_name)
        if is_there and target not in wanted and target not in sources.values():
            sources[target] = target
    for source in sources.values():
        if columns.count(source) > 1:
            raise FileProblem(f"The file has two columns {source!r}; rename one of them in its header.")
    _check_complete(kind, sources, columns, serial)
    return ColumnMapping(
        recorded_at=sources[RECORDED_AT],
        serial_number=sources.get(SERIAL_NUMBER),
        channels={name: sources[name] for name in kind.by_name if name in sources},
    )


def _check_complete(kind: DeviceKind, sources: Mapping[str, str], columns: Sequence[str], serial: str | None) -> None:
    if RECORDED_AT not in sources:
        raise FileProblem(
            f"No column is read as the time; give --map {RECORDED_AT}=COLUMN, where the columns are {_named(columns)}."
        )
    if serial is None and SERIAL_NUMBER not in sources:
        raise FileProblem(
            f"Nothing tells the device; give --serial for a file of one device, or --map {SERIAL_NUMBER}=COLUMN, "
            f"where the columns are {_named(columns)}."
        )
    if serial is not None and SERIAL_NUMBER in sources:
        raise FileProblem(
            f"--serial gives one device, but column {sources[SERIAL_NUMBER]!r} tells one for each row; "
            f"leave out --serial, or ignore the column with --map {SERIAL_NUMBER}= (nothing after the sign)."
        )
    if not any(source in columns for name, source in sources.items() if name in kind.by_name):
        raise FileProblem(
            f"No column is read as a channel of a {kind.label} ({listed(kind.by_name)}); give --map CHANNEL=COLUMN, "
            f"where the columns are {_named(columns)}."
        )


def _named(columns: Sequence[str]) -> str:
    return listed([repr(column) for column in columns]) or "none at all"
