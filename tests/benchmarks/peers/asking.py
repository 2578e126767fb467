"""The directory of queries that the lab's driver asks our server: the documents of this folder, and JSON beside them.

Each document asks for as many leaves of the same kinds as the peers' documents, in as many rows. `id: energy` is the
lab's id of a reading (see filling.py). Ids of ours are opaque: the driver is told those of the devices, does not
compare ids, and asks for first pages only.
"""

import base64
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.peers.filling import LISTENED

DOCUMENTS = Path(__file__).parent / "queries"
_PAGES = ("Q2", "Q4", "Q5")
# The driver counts its events in the digits of the temperature, which ends with 1 so that none of them is a last zero.
_READING = {
    "recordedAt": "$now",
    "temperature": "$fraction",
    "pressure": 4.25,
    "flowRate": 12.125,
    "power": 901.5,
    "energy": 0.25,
}
_EVENT = r'"temperature": ?20\.(\d{6})1'


def write(folder: Path, devices: Iterable[int]) -> None:
    """Write the directory; what it held before is written over.

    Args:
        folder: becomes the directory.
        devices: ids of the lab that it asks for.
    """
    shutil.copytree(DOCUMENTS, folder, dirs_exist_ok=True)
    for name, content in _beside(devices).items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")


def global_id(device_id: int) -> str:
    """Return the global id of a water heater."""
    return base64.b64encode(f"WaterHeater:{device_id}".encode()).decode()


def _beside(devices: Iterable[int]) -> dict[str, Any]:
    published = {"input": {"readings": [{"deviceId": global_id(LISTENED), **_READING}]}}
    return {
        "variables.json": {name: {} for name in _PAGES},
        "ids.json": {str(device_id): global_id(device_id) for device_id in devices},
        "S1.json": {"event": _EVENT, "variables": published},
    }
