"""Converting what a file holds into the units that channels are stored in."""

from dataclasses import dataclass, replace
from fractions import Fraction

from app.files.problems import FileProblem, listed
from models.devices.catalogue import Channel


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit of a dimension: base = (value - zero) * factor, in kelvin, watt, pascal, m³/s, joule."""

    dimension: str
    factor: Fraction
    zero: Fraction = Fraction(0)


_LITRE = Fraction(1, 1000)
_US_GALLON = Fraction("0.003785411784")
_BTU = Fraction("1055.05585262")

_UNITS: dict[str, _Unit] = {
    "°C": _Unit("temperature", Fraction(1), Fraction("-273.15")),
    "°F": _Unit("temperature", Fraction(5, 9), Fraction("-459.67")),
    "K": _Unit("temperature", Fraction(1)),
    "W": _Unit("power", Fraction(1)),
    "kW": _Unit("power", Fraction(1000)),
    "MW": _Unit("power", Fraction(1_000_000)),
    "BTU/h": _Unit("power", _BTU / 3600),
    "bar": _Unit("pressure", Fraction(100_000)),
    "mbar": _Unit("pressure", Fraction(100)),
    "Pa": _Unit("pressure", Fraction(1)),
    "hPa": _Unit("pressure", Fraction(100)),
    "kPa": _Unit("pressure", Fraction(1000)),
    "MPa": _Unit("pressure", Fraction(1_000_000)),
    "psi": _Unit("pressure", Fraction("6894.757293168")),
    "L/min": _Unit("flow", _LITRE / 60),
    "L/s": _Unit("flow", _LITRE),
    "L/h": _Unit("flow", _LITRE / 3600),
    "m³/h": _Unit("flow", Fraction(1, 3600)),
    "m³/s": _Unit("flow", Fraction(1)),
    "gal/min": _Unit("flow", _US_GALLON / 60),
    "Wh": _Unit("energy", Fraction(3600)),
    "kWh": _Unit("energy", Fraction(3_600_000)),
    "MWh": _Unit("energy", Fraction(3_600_000_000)),
    "J": _Unit("energy", Fraction(1)),
    "kJ": _Unit("energy", Fraction(1000)),
    "MJ": _Unit("energy", Fraction(1_000_000)),
    "BTU": _Unit("energy", _BTU),
}

# Upper and lower case differ in meaning (mW, MW), so only these other spellings are taken.
_SPELLINGS = {
    "C": "°C",
    "degC": "°C",
    "celsius": "°C",
    "F": "°F",
    "degF": "°F",
    "fahrenheit": "°F",
    "kelvin": "K",
    "l/min": "L/min",
    "lpm": "L/min",
    "l/s": "L/s",
    "l/h": "L/h",
    "m3/h": "m³/h",
    "m3/s": "m³/s",
    "gpm": "gal/min",
    "PSI": "psi",
    "btu": "BTU",
    "btu/h": "BTU/h",
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """From a file's number to the channel's unit: ((value * scale + offset) - shift) * numerator / denominator.

    Numerator and denominator stay apart so that whole numbers convert exactly: 212 °F is 100 °C.
    """

    scale: float = 1.0
    offset: float = 0.0
    shift: float = 0.0
    numerator: float = 1.0
    denominator: float = 1.0
    words: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether values stay as they are."""
        return replace(self, words="") == Conversion()

    def of(self, value: float) -> float:
        """Return the value in the channel's unit; infinite where it grows beyond all numbers."""
        return (value * self.scale + self.offset - self.shift) * self.numerator / self.denominator


def conversion(
    channel: Channel, unit: str | None = None, scale: float | None = None, offset: float | None = None
) -> Conversion:
    """Return how values of a column become values of the channel.

    Args:
        channel: what the values are stored as.
        unit: the unit of the scaled values, as kW; None for the channel's own.
        scale: factor that is applied first.
        offset: what is added after it.

    Raises:
        FileProblem: the channel is a state, or the unit is unknown or of another dimension.
    """
    if channel.is_state and (unit is not None or scale is not None or offset is not None):
        raise FileProblem(f"{channel.name} is on or off and has no unit, scale or offset; leave it out of them.")
    words: list[str] = []
    if scale is not None:
        words.append(f"times {scale:g}")
    if offset is not None:
        words.append(f"plus {offset:g}")
    shift, factor = Fraction(0), Fraction(1)
    if unit is not None:
        source, target = _pair(channel, unit)
        factor = source.factor / target.factor
        shift = source.zero - target.zero / factor
        words.append(f"from {unit} to {channel.unit}")
    return Conversion(
        scale=1.0 if scale is None else scale,
        offset=offset or 0.0,
        shift=float(shift),
        numerator=float(factor.numerator),
        denominator=float(factor.denominator),
        words=", ".join(words),
    )


def units_of(unit_name: str) -> list[str]:
    """Return the units that convert into a unit, itself included; none for a unit that is not known."""
    target = _UNITS.get(unit_name)
    return [name for name, unit in _UNITS.items() if target is not None and unit.dimension == target.dimension]


def _pair(channel: Channel, unit: str) -> tuple[_Unit, _Unit]:
    target = _UNITS.get(channel.unit)
    if target is None:
        raise FileProblem(f"Units of {channel.name} cannot be converted; give --scale {channel.name}=FACTOR instead.")
    # The ordinal indicator and the ring are often typed for the degree sign.
    name = unit.replace(" ", "").replace("º", "°").replace("˚", "°")
    source = _UNITS.get(_SPELLINGS.get(name, name))
    if source is None or source.dimension != target.dimension:
        raise FileProblem(
            f"--unit gives {channel.name} in {unit!r}, which is no unit of it; "
            f"it takes {listed(units_of(channel.unit))}, or give --scale {channel.name}=FACTOR."
        )
    return source, target
