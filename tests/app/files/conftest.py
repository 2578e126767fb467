"""Files of readings to read: written for the test, in a directory of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.files import FileBatch, FileOptions, RejectedRow, read_batches
from models.devices import WATER_HEATER


@dataclass
class Outcome:
    """All batches of a file, put together."""

    batches: list[FileBatch] = field(default_factory=list)
    description: list[str] = field(default_factory=list)

    @property
    def recorded_at(self) -> list[datetime]:
        """Instants of all readings."""
        return [at for batch in self.batches for at in batch.recorded_at]

    @property
    def lines(self) -> list[int]:
        """Lines of all readings."""
        return [line for batch in self.batches for line in batch.line_numbers]

    @property
    def serials(self) -> list[str]:
        """Devices of all readings."""
        return [serial for batch in self.batches for serial in batch.serial_numbers]

    @property
    def rejected(self) -> list[RejectedRow]:
        """All rejected rows."""
        return [row for batch in self.batches for row in batch.rejected]

    @property
    def codes(self) -> dict[int, str]:
        """Reason of each rejected row by its line."""
        return {row.line: row.code for row in self.rejected}

    def channel(self, name: str) -> list[Any]:
        """Values of a channel, of all readings."""
        return [value for batch in self.batches for value in batch.channels[name]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text, or bytes, to a file of a name."""

    def write_file(content: str | bytes, name: str = "readings.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def read() -> Callable[..., Outcome]:
    """Read a whole file of a water heater, WH-1 unless the options say otherwise."""

    def read_file(path: Path, *, batch_size: int = 1000, serial: str | None = "WH-1", **options: Any) -> Outcome:
        with read_batches(path, FileOptions(serial=serial, **options), WATER_HEATER, batch_size) as file:
            return Outcome(list(file), file.description)

    return read_file
