"""What each kind of device adds to the schema. A new kind is a module here and a line in PARTS."""

from schema.kinds.part import Part
from schema.kinds.vending_machine import VENDING_MACHINE_PART
from schema.kinds.water_heater import WATER_HEATER_PART

PARTS: tuple[Part, ...] = (WATER_HEATER_PART, VENDING_MACHINE_PART)

__all__ = ["PARTS", "Part"]
