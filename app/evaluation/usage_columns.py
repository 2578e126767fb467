"""Which column of a file of readings or draws is what, and in which unit, by the columns' names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.files import FileProblem
from app.files.problems import listed

# Names by which files call a thing, the more exact one first; compared without case, signs and units.
ALIASES: dict[str, tuple[str, ...]] = {
    "recorded_at": ("recordedat", "timestamp", "datetime", "measuredat", "time", "date"),
    "serial_number": ("serialnumber", "serial", "deviceid", "device", "heater", "heaterid"),
    "power": ("power", "load", "activepower", "electricload", "electricpower", "powerdemand", "watts"),
    "energy": ("energy", "energyused"),
    "flow_rate": ("flowrate", "flow", "waterflow", "hotwaterflow", "drawrate"),
    "temperature": ("temperature", "tanktemperature", "watertemperature", "tanktemp", "temp"),
    "inlet_temperature": ("inlettemperature", "inlettemp", "coldwatertemperature", "mainstemperature"),
    "day": ("day", "dayid", "profile", "profileid"),
    "start": ("starttime", "start", "begin", "starthour"),
    "duration": ("duration", "length"),
}
CHANNELS = ("power", "energy", "flow_rate", "temperature", "inlet_temperature")
DRAWS = ("day", "start", "duration", "flow_rate")
USUAL_UNITS = {
    "power": "W",
    "energy": "kWh",
    "flow_rate": "L/min",
    "temperature": "°C",
    "inlet_temperature": "°C",
    "start": "h",
    "duration": "min",
}
# Spellings within names, where upper and lower case mean nothing.
_UNITS = {
    "w": "W",
    "watt": "W",
    "watts": "W",
    "kw": "kW",
    "wh": "Wh",
    "kwh": "kWh",
    "gpm": "gal/min",
    "gal/min": "gal/min",
    "lpm": "L/min",
    "l/min": "L/min",
    "l/h": "L/h",
    "l/s": "L/s",
    "m3/h": "m³/h",
    "c": "°C",
    "°c": "°C",
    "degc": "°C",
    "f": "°F",
    "°f": "°F",
    "degf": "°F",
    "h": "h",
    "hr": "h",
    "hour": "h",
    "hours": "h",
    "min": "min",
    "minutes": "min",
    "s": "s",
    "sec": "s",
    "seconds": "s",
}
_IN_BRACKETS = re.compile(r"^(.*?)\s*[(\[]\s*([^)\]]+?)\s*[)\]]\s*$")
_SUFFIX = re.compile(r"^(.*[a-zA-Z0-9])[ _\-]([a-zA-Z°/0-9]+)$")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read: its name, the unit of its numbers, and whether that was taken for granted."""

    name: str
    unit: str
    is_assumed: bool

    def described(self, target: str) -> str:
        """Return how it is read, in words."""
        remark = f", no unit being told; give --unit {target}=UNIT if it is another" if self.is_assumed else ""
        return f"{target} from {self.name!r} in {self.unit}{remark}"


def find_columns(
    header: Sequence[str], given: Mapping[str, str], units: Mapping[str, str], file: str
) -> dict[str, Column]:
    """Return the columns by what they hold.

    A unit is the one given, else that in the column's name, as in "Flow Rate (gpm)" or "power_kw", else the usual one:
    W, kWh, L/min, °C, a start in hours and a duration in minutes.

    Args:
        header: the file's columns.
        given: column by what it holds, where its name does not tell.
        units: unit by what it is of.
        file: its name, for messages.

    Raises:
        FileProblem: something given is unknown, or a given column is not there.
    """
    unknown = sorted((set(given) | set(units)) - set(ALIASES))
    if unknown:
        raise FileProblem(f"There is no {listed(unknown)} in a file of usage; it has {listed(ALIASES)}.")
    missing = [name for name in given.values() if name not in header]
    if missing:
        raise FileProblem(f"{file} has no column {missing[0]!r}; it has {listed(header)}.")
    named = {_plain(_split(name)[0]): name for name in reversed(header)}
    named |= {_plain(name): name for name in reversed(header)}
    found: dict[str, Column] = {}
    for target, aliases in ALIASES.items():
        name = given.get(target) or next((named[alias] for alias in aliases if alias in named), None)
        if name is not None and name not in {column.name for column in found.values()}:
            told = units.get(target) or _split(name)[1]
            found[target] = Column(name, told or USUAL_UNITS.get(target, ""), told is None and target in USUAL_UNITS)
    return found


def _split(name: str) -> tuple[str, str | None]:
    """Return a name without its unit, and the unit; None where it names none."""
    for pattern in (_IN_BRACKETS, _SUFFIX):
        match = pattern.match(name.strip())
        if match and match[2].casefold() in _UNITS:
            return match[1], _UNITS[match[2].casefold()]
    return name, None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
