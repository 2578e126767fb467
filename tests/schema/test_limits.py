"""Limits on documents: what they count, what they refuse, and that they are quick to do so."""

import dataclasses
from typing import Any

import pytest
from graphql import build_schema, get_introspection_query, parse, validate

from schema.limits import INTROSPECTION_DEPTH, document_rules
from settings.types import GraphQLSettings

SCHEMA = build_schema("type Query { a(text: String): Int n: Query }")
SETTINGS = GraphQLSettings(
    introspection=True,
    default_page_size=10,
    max_page_size=100,
    max_series_points=100,
    max_rows=1000,
    max_depth=5,
    max_aliases=3,
    max_tokens=2000,
    operation_timeout_seconds=5,
    document_cache_size=10,
    trusted_documents="",
    only_trusted_documents=False,
    trusted_max_age_seconds=0,
)


def problems(text: str, **changes: Any) -> list[dict[str, Any]]:
    """Return the formatted errors of a document under the limits only."""
    rules = document_rules(dataclasses.replace(SETTINGS, **changes))
    return [dict(error.formatted) for error in validate(SCHEMA, parse(text), rules)]


def the_problem(text: str, **changes: Any) -> dict[str, Any]:
    """Return the one error of a document."""
    (found,) = problems(text, **changes)
    return found


def doubling(levels: int) -> str:
    """Return a document whose fragments each spread the next one twice."""
    links = (f"fragment f{i} on Query {{ n {{ ...f{i + 1} }} m: n {{ ...f{i + 1} }} }}" for i in range(levels))
    return f"{{ ...f0 }} {' '.join(links)} fragment f{levels} on Query {{ a }}"


def test_depth_at_the_limit_passes():
    """As many levels as allowed are allowed."""
    assert problems("{ n { n { n { n { a } } } } }") == []


def test_depth_names_limit_and_setting():
    """One level more is refused, with numbers for people and for programs."""
    found = the_problem("query Deep { n { n { n { n { n { a } } } } } }")
    assert found["message"] == ("The operation 'Deep' nests fields 6 deep; at most 5 are allowed (graphql.max_depth).")
    assert found["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "max_depth", "allowed": 5, "actual": 6}


def test_depth_counts_through_fragments():
    """Fragments and inline fragments add nothing by themselves and hide nothing."""
    text = (
        "{ n { ...F } } fragment F on Query { n { ... on Query { n { ...G } } } } fragment G on Query { n { n { a } } }"
    )
    assert the_problem(text)["extensions"]["actual"] == 6


def test_aliases_count_as_often_as_they_are_spread():
    """A fragment with aliases cannot be repeated to get round the limit."""
    text = "{ ...F n { ...F } } fragment F on Query { x: a y: a }"
    assert the_problem(text)["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "max_aliases",
        "allowed": 3,
        "actual": 4,
    }


def test_repeated_fields_are_limited_like_aliases():
    """Writing one field again and again makes the conflict rule quadratic."""
    assert the_problem("{ a a a a }")["extensions"]["limit"] == "max_aliases"


def test_doubling_fragments_are_counted_not_walked():
    """A document under a few kilobytes that would ask for 2^40 fields is refused at once."""
    found = {each["extensions"]["limit"]: each["extensions"] for each in problems(doubling(40), max_depth=100)}
    assert found["max_tokens"]["actual"] == 2**31 - 1
    assert "max_aliases" in found


@pytest.mark.parametrize(
    "text",
    [
        "{ ...F } fragment F on Query { a ...F }",
        "{ ...F } fragment F on Query { n { ...G } } fragment G on Query { n { ...F } }",
        "{ ...Missing }",
        "fragment F on Query { ...F }",
    ],
)
def test_cycles_and_missing_fragments_are_left_to_the_specification(text: str):
    """Fragments that spread themselves do not hang the count."""
    assert problems(text) == []


def test_a_chain_longer_than_the_stack_is_counted():
    """A thousand fragments in a row do not exhaust Python's recursion."""
    chain = " ".join(f"fragment f{i} on Query {{ n {{ ...f{i + 1} }} }}" for i in range(1500))
    text = f"{{ ...f0 }} {chain} fragment f1500 on Query {{ a }}"
    rules = document_rules(SETTINGS)
    found = [each for each in validate(SCHEMA, parse(text), rules) if each.extensions]
    assert found[0].extensions is not None
    assert found[0].extensions["actual"] == 1501


def test_explorers_may_introspect_under_a_small_depth():
    """The standard introspection query passes whatever depth the data may have."""
    text = get_introspection_query(input_value_deprecation=True, specified_by_url=True, schema_description=True)
    assert problems(text, max_depth=1) == []


def test_introspection_has_a_depth_of_its_own():
    """Nesting under __schema is not free either."""
    inner = "name"
    for _ in range(INTROSPECTION_DEPTH):
        inner = f"ofType {{ {inner} }}"
    found = the_problem(f'{{ __type(name: "Query") {{ {inner} }} }}')
    assert found["extensions"]["limit"] == "introspection_depth"


@pytest.mark.parametrize(
    "text", ["{ __schema { description } }", '{ ...F } fragment F on Query { __type(name: "Query") { name } }']
)
def test_introspection_can_be_off(text: str):
    """The error names the setting, also where a fragment hides the field."""
    assert "graphql.introspection" in the_problem(text, introspection=False)["message"]


def test_typename_is_no_introspection():
    """Clients ask for __typename everywhere; it stays."""
    assert problems("{ __typename n { __typename } }", introspection=False) == []


def test_nul_in_a_string_is_refused():
    """An escape that spells NUL reaches no resolver."""
    assert the_problem(r'{ a(text: "x\u0000y") }')["extensions"]["code"] == "BAD_USER_INPUT"
