"""docs/settings.md tells of every setting there is, of no other, and tells the truth."""

import re
import tomllib
from pathlib import Path

from settings.checks import allowed
from settings.keys import keys
from settings.loader import ENVIRONMENTS

PROJECT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(?P<key>[a-z_.]+)`<br>`(?P<variable>\w+)` \| (?P<rest>.*) \|$", re.MULTILINE)


def documented():
    """Return the cells of each documented setting: variable, meaning, unit, allowed, default, elsewhere."""
    text = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    return {row["key"]: [row["variable"], *row["rest"].split(" | ")] for row in ROW.finditer(text)}


def in_file(layer, key):
    """Return what settings.toml gives a key in a layer, as the page spells it, or None."""
    value = tomllib.loads((PROJECT / "settings.toml").read_text(encoding="utf-8")).get(layer, {})
    for name in key.path:
        value = value.get(name)
        if value is None:
            return None
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_every_setting_is_documented_and_no_other():
    """The keys of the page are the keys of the dataclasses, in their order."""
    assert list(documented()) == [key.dotted for key in keys().values()]


def test_variables_meanings_and_bounds_are_those_of_the_code():
    """The page repeats name, help text and bounds word by word."""
    page = documented()
    for key in keys().values():
        variable, meaning, _, bounds, _, _ = page[key.dotted]
        assert (variable, meaning, bounds) == (key.variable, key.help.replace("|", "or"), allowed(key))


def test_units_are_those_of_the_names():
    """A name that ends in its unit has that unit on the page."""
    page = documented()
    for key in keys().values():
        ending = re.search(r"_(seconds|hours|days|months|bytes)$", key.dotted)
        if ending:
            assert page[key.dotted][2] == ending[1]


def test_values_are_those_of_the_file():
    """The default and what other environments change are what settings.toml says."""
    page = documented()
    for key in keys().values():
        *_, default, elsewhere = page[key.dotted]
        others = [f"{layer}: `{in_file(layer, key)}`" for layer in ENVIRONMENTS if in_file(layer, key) is not None]
        assert default == f"`{in_file('default', key)}`"
        assert elsewhere == ("<br>".join(others) or "-")
