"""The status of a device."""

from enum import Enum


class DeviceStatus(Enum):
    """How a device stands."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    MAINTENANCE = "MAINTENANCE"
