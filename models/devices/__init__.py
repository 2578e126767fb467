"""The catalogue of device kinds. A new kind is a module here and a line in KINDS."""

from models.devices.catalogue import Channel, DeviceKind
from models.devices.water_heater import WATER_HEATER

KINDS: dict[str, DeviceKind] = {kind.name: kind for kind in (WATER_HEATER,)}

__all__ = ["KINDS", "WATER_HEATER", "Channel", "DeviceKind"]
