"""The status of a device."""

from enum import Enum


class DeviceStatus(Enum):
    """How a device stands."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    MAINTENANCE = "MAINTENANCE"
    RETIRED = "RETIRED"


# Statuses that people have given: readings do not change them, and nothing begins that would alert.
STANDING = (DeviceStatus.MAINTENANCE, DeviceStatus.RETIRED)
