"""The catalogue of device kinds. A new kind is a module here and a line in KINDS."""

from models.devices.catalogue import Channel, DeviceKind
from models.devices.vending_machine import VENDING_MACHINE
from models.devices.water_heater import WATER_HEATER

KINDS: dict[str, DeviceKind] = {kind.name: kind for kind in (WATER_HEATER, VENDING_MACHINE)}

__all__ = ["KINDS", "VENDING_MACHINE", "WATER_HEATER", "Channel", "DeviceKind"]
