"""What the lab's driver is told to ask our server: documents of our schema with the names and rows of the reference."""

import json
import re
from typing import Any

import orjson
import pytest
from graphql import FieldNode, get_variable_values, parse, print_ast, validate

from schema import SCHEMA
from tests.benchmarks.peers import asking, filling

_READING = "ts temperature pressure flow power"
_PREDICTIONS = "predictions { kind value confidence createdAt }"
# What the reference answers, as selections; S1 in one level.
_REFERENCE = {
    "Q1": "id kind name serial location status",
    "Q2": f"id name kind location status latestReading {{ {_READING} }} {_PREDICTIONS}",
    "Q3": f"id name readings {{ id {_READING} }}",
    "Q4": f"id name readings {{ id {_READING} }}",
    "Q5": f"id severity score detectedAt device {{ id name status location readings {{ {_READING} }} {_PREDICTIONS} }}",
    "S1": f"id deviceId {_READING}",
}
_ROWS = {"Q1": [], "Q2": [50, 4], "Q3": [1000], "Q4": [20, 100], "Q5": [20, 10, 4], "S1": []}


def text_of(name):
    """Return a document of the directory."""
    return (asking.DOCUMENTS / f"{name}.graphql").read_text(encoding="utf-8")


def operation(text) -> Any:
    """Return the one operation of a document."""
    (found,) = parse(text).definitions
    return found


def fields(selections):
    """Yield the fields of a selection, through fragments and without the level `nodes`."""
    for each in selections.selections:
        if not isinstance(each, FieldNode) or each.name.value == "nodes":
            yield from fields(each.selection_set)
        else:
            yield each


def shape(selections) -> dict[str, Any]:
    """Return the names of an answer: those of leaves with None, others with what is below."""
    return {
        (each.alias or each.name).value: shape(each.selection_set) if each.selection_set else None
        for each in fields(selections)
    }


def counts(node):
    """Return the sizes of all pages that a selection asks for, outer ones first."""
    found = []
    for each in fields(node.selection_set):
        found += [int(print_ast(argument.value)) for argument in each.arguments or () if argument.name.value == "first"]
        found += counts(each) if each.selection_set else []
    return found


@pytest.mark.parametrize("name", [*_REFERENCE, "S1.publish"])
def test_documents_fit_the_schema(name):
    """Each document is one that the server takes."""
    assert not validate(SCHEMA._schema, parse(text_of(name)))


@pytest.mark.parametrize("name", _REFERENCE)
def test_answers_have_the_names_of_the_reference(name):
    """As many leaves as the peers answer, under the same names and in the same places, of as many rows."""
    asked = operation(text_of(name))
    (root,) = fields(asked.selection_set)
    answered = shape(root.selection_set)
    if name == "S1":
        answered = {key: value for below in answered.values() for key, value in below.items()}
    assert answered == shape(operation(f"{{ {_REFERENCE[name]} }}").selection_set)
    assert counts(asked) == _ROWS[name]


def test_the_directory_says_how_events_are_published(tmp_path):
    """The mutation takes the variables as the driver fills them in, and the driver finds the event in its message."""
    asking.write(tmp_path / "queries", [1, 2])
    form = json.loads((tmp_path / "queries" / "S1.json").read_text(encoding="utf-8"))
    text = json.dumps(form["variables"]).replace('"$fraction"', "20.0001201")
    variables = json.loads(text.replace("$now", "2025-01-02T03:04:05.678901+00:00"))
    mutation = operation(text_of("S1.publish"))
    taken = get_variable_values(SCHEMA._schema, mutation.variable_definitions, variables)
    assert not isinstance(taken, list), taken
    message = orjson.dumps({"reading": {"temperature": 20.0001201}}).decode()
    assert re.findall(form["event"], message) == ["000120"]


def test_the_directory_knows_the_ids_of_devices(tmp_path):
    """Ids are those of water heaters; the one that is listened to is none of the lab's."""
    asking.write(tmp_path / "queries", [1, 7])
    ids = json.loads((tmp_path / "queries" / "ids.json").read_text(encoding="utf-8"))
    assert ids == {"1": asking.global_id(1), "7": asking.global_id(7)}
    assert asking.global_id(filling.LISTENED) in text_of("S1")
