"""The page on files says what the code does."""

import re
from pathlib import Path

import pytest

from app.files.mapping import targets_of
from app.files.sales_columns import SALE_TARGETS
from app.files.units import units_of
from models.devices import WATER_HEATER

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/ingesting-files.md").read_text(encoding="utf-8")


def test_every_reason_is_explained():
    """The tables of reasons have those of the code, and no others."""
    files = [*(ROOT / "app/files").glob("*.py"), ROOT / "app/cli/selling.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    table = "".join(line for line in PAGE.splitlines() if line.startswith("| `") and line[3].isupper())
    assert set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', source)) == set(re.findall(r"`([A-Z_]+)`", table))


def test_every_target_of_a_sale_is_explained():
    """The table of targets has those of the code."""
    assert all(f"`{target}`" in PAGE.partition("## Sales")[2] for target in SALE_TARGETS)


@pytest.mark.parametrize("unit", ["°C", "W", "bar", "L/min", "kWh"])
def test_every_unit_is_listed(unit):
    """The row of a unit names all that convert into it."""
    row = re.search(rf"^\| {re.escape(unit)} \| (.*) \|$", PAGE, re.MULTILINE)
    assert row is not None
    assert {unit, *row[1].replace(" (US)", "").split(", ")} == set(units_of(unit))


def test_every_target_is_named():
    """All that a column of a water heater can become stands on the page."""
    assert all(f"`{target}`" in PAGE for target in targets_of(WATER_HEATER))
