"""Sales of a file as arrays, machine by machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from app.files import FileProblem
from app.files.formats import RowChunk, RowFile
from app.files.problems import listed
from app.files.time_detection import TimeSample, detect_style, given_style, undecided
from app.files.times import TimeParser
from app.files.zones import load_zone
from models.learning.demand import MachineHistory

_CHUNK = 10_000
_SECOND_MICROS = 1_000_000
# Names by which files call a thing, the more exact one first; compared without case, spaces and underscores.
_KNOWN_COLUMNS = {
    "sold_at": ("soldat", "datetime", "timestamp", "transdatetime", "transdate", "transactiondate", "time", "date"),
    "machine": ("machine", "machineid", "machinename", "deviceid", "device", "serialnumber", "serial"),
    "product": ("product", "productname", "item", "coffeename", "sku"),
    "units": ("units", "quantity", "qty", "rqty"),
}


@dataclass(slots=True)
class _Sales:
    products: list[str] = field(default_factory=list[str])
    sold_at_micros: list[int] = field(default_factory=list[int])
    units: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class SalesFile:
    """What a file of sales holds.

    Attributes:
        histories: the sales by machine, from midnight before the first to midnight after the last.
        names: the products by machine, in the order of their indexes.
        skipped: rows without a time or with a number of units that is none.
    """

    histories: Mapping[str, MachineHistory]
    names: Mapping[str, Sequence[str]]
    skipped: int


def read_sales(
    path: Path, *, columns: Mapping[str, str] | None = None, time_format: str | None = None, zone: str = "UTC"
) -> SalesFile:
    """Read the sales of a file, each row being a line of a transaction.

    Args:
        path: CSV, JSON or NDJSON, gzip too.
        columns: the file's names of sold_at, machine, product and units, where they are not found by themselves.
            Without a column of machines the file is one machine, without one of units each row is one unit.
        time_format: as of `--time-format`; found by itself where it is not given.
        zone: IANA name of the zone of times that have none, and of the machines.

    Raises:
        FileProblem: the file cannot be read, has no column of times, or its times are not understood.
    """
    place, file = load_zone(zone), RowFile(path)
    sales: dict[str, _Sales] = {}
    skipped, parse, found = 0, None, dict[str, str]()
    try:
        for chunk in file.chunks(_CHUNK):
            found = found or _find_columns(chunk, columns or {}, file.name)
            parse = parse or _time_parser(chunk, found["sold_at"], time_format)
            skipped += len(chunk.rejected)
            for machine, product, moment, units in _rows(chunk, found, parse, path.stem):
                if moment is None or units is None:
                    skipped += 1
                    continue
                of_machine = sales.setdefault(machine, _Sales())
                of_machine.products.append(product)
                of_machine.sold_at_micros.append(_micros(moment, place))
                of_machine.units.append(units)
    finally:
        file.close()
    if not sales:
        raise FileProblem(f"{file.name} has no sales that can be read; check its columns, or map them.")
    names = {machine: sorted(set(of_machine.products) - {""}) for machine, of_machine in sales.items()}
    histories = {machine: _history(sales[machine], names[machine], place) for machine in sorted(sales)}
    return SalesFile(histories, names, skipped)


def _find_columns(chunk: RowChunk, given: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the columns by what they hold."""
    unknown = sorted(set(given) - set(_KNOWN_COLUMNS))
    if unknown:
        raise FileProblem(f"There is no {listed(unknown)} to map; sales have {listed(_KNOWN_COLUMNS)}.")
    header = chunk.header or tuple(dict.fromkeys(key for row in chunk.rows for key in row))
    missing = [column for column in given.values() if column not in header]
    if missing:
        raise FileProblem(f"{name} has no column {missing[0]!r}; it has {listed(header)}.")
    plain = {"".join(filter(str.isalnum, column)).lower(): column for column in reversed(header)}
    known = {
        target: next((plain[alias] for alias in aliases if alias in plain), None)
        for target, aliases in _KNOWN_COLUMNS.items()
    }
    found = {target: column for target, column in known.items() if column is not None} | dict(given)
    if "sold_at" not in found:
        raise FileProblem(f"{name} has no column of times that is known; map one of {listed(header)} to sold_at.")
    return found


def _time_parser(chunk: RowChunk, column: str, time_format: str | None) -> TimeParser:
    if time_format is not None:
        return given_style(time_format).parse
    values = chunk.column(column)
    # Sales come in no even rhythm, so that all rows may be taken as those of one device.
    sample = TimeSample(column, "line", values, chunk.line_numbers, [""] * len(values))
    style = detect_style(sample)
    if style is None:
        raise undecided(sample)
    return style.parse


def _rows(
    chunk: RowChunk, columns: Mapping[str, str], parse: TimeParser, only_machine: str
) -> Iterator[tuple[str, str, datetime | None, float | None]]:
    """Yield machine, product, time and units of each row; None where a time or units cannot be read."""
    count = len(chunk.rows)

    def values(target: str, default: Any) -> list[Any]:
        return chunk.column(columns[target]) if target in columns else [default] * count

    for machine, product, moment, units in zip(
        values("machine", only_machine), values("product", ""), values("sold_at", None), values("units", 1), strict=True
    ):
        # Products are typed by hand: 'CORTADO ' is Cortado.
        yield _name(machine), _name(product).casefold(), _parsed(parse, moment), _number(units)


def _name(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _parsed(parse: TimeParser, value: object) -> datetime | None:
    try:
        return parse(value)
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _micros(moment: datetime, place: ZoneInfo) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=place)
    return int(aware.timestamp()) * _SECOND_MICROS


def _history(sales: _Sales, names: Sequence[str], place: ZoneInfo) -> MachineHistory:
    index = {name: position for position, name in enumerate(names)} | {"": -1}
    instants = np.array(sales.sold_at_micros, np.int64)
    first, last = (datetime.fromtimestamp(int(t) // _SECOND_MICROS, place) for t in (instants.min(), instants.max()))
    midnight = first.replace(hour=0, minute=0, second=0)
    after = datetime.fromordinal(last.toordinal() + 1).replace(tzinfo=place)
    return MachineHistory(
        products=np.array([index[name] for name in sales.products], np.int64),
        sold_at_micros=instants,
        units=np.array(sales.units),
        product_count=len(names),
        start_micros=_micros(midnight, place),
        now_micros=_micros(after, place),
        zone=place.key,
    )
