"""Large bodies are taken apart: what is read is the same as of the whole, and what is ambiguous is refused as ever."""

from typing import Any

import orjson
import pytest

from app.http.body import request_of_body
from app.http.large_bodies import parts_of
from app.http.refusals import Malformed

QUERY = 'query Q { hello(name: "}{ \\" \\\\ variables") }'
ROWS = {"rows": [{"device": "}", "values": {"a": '\\"query\\"'}, "at": number} for number in range(500)]}
# Members of the variables that are named as those of a body.
NAMESAKES = {"rows": [{"query": "}", "variables": {"operationName": '","query":"'}} for _ in range(500)]}
LARGE = orjson.dumps(ROWS)

APART: dict[str, dict[str, Any]] = {
    "variables last": {"query": QUERY, "variables": ROWS},
    "variables first": {"variables": ROWS, "query": QUERY},
    "query last": {"operationName": "Q", "variables": ROWS, "query": QUERY},
    "null before": {"operationName": None, "query": QUERY, "variables": ROWS},
    "others behind": {"query": QUERY, "variables": ROWS, "operationName": "Q", "extensions": {"a": {"b": 1}}},
}
WHOLE: dict[str, dict[str, Any]] = {
    "an object before": {"extensions": {"a": 1}, "query": QUERY, "variables": ROWS},
    "unknown behind": {"query": QUERY, "variables": ROWS, "more": {"a": 1}},
    "no variables": {"query": QUERY + " " * 20_000},
    "a longer document behind than is looked at": {"variables": ROWS, "query": QUERY + " " * 20_000},
    "variables null": {"query": QUERY + " " * 20_000, "variables": None},
}
TWICE = {
    "query before": b'{"query":"{a}","query":"{a}","variables":' + LARGE + b"}",
    "query around": b'{"query":"{a}","variables":' + LARGE + b',"query":"{a}"}',
    "variables, the large ones first": b'{"query":"{a}","variables":' + LARGE + b',"variables":{}}',
    "variables, the large ones last": b'{"query":"{a}","variables":{},"variables":' + LARGE + b"}",
    "variables and null": b'{"query":"{a}","variables":' + LARGE + b',"variables":null}',
    "large variables": b'{"query":"{a}","variables":' + LARGE + b',"variables":' + LARGE + b"}",
    "operationName": b'{"operationName":"A","query":"{a}","variables":' + LARGE + b',"operationName":"B"}',
}
MALFORMED = {
    "ends early": b'{"query":"{a}","variables":' + LARGE,
    "a brace too many": b'{"query":"{a}","variables":' + LARGE + b"}}",
    "no comma": b'{"query":"{a}","variables":' + LARGE + b'"operationName":"A"}',
    "trailing comma": b'{"query":"{a}","variables":' + LARGE + b",}",
    "not a number": b'{"query":"{a}","variables":{"a":NaN,"b":' + LARGE + b"}}",
    "NUL": b'{"query":"{a}","variables":{"a":"\\u0000","b":' + LARGE + b"}}",
    "NUL in the document": b'{"query":"{a}\\u0000","variables":' + LARGE + b"}",
    "invalid UTF-8": b'{"query":"{a}","variables":{"a":"\xff","b":' + LARGE + b"}}",
    "a batch": b'[{"query":"{a}","variables":' + LARGE + b"}]",
}


@pytest.mark.parametrize("fields", APART.values(), ids=APART.keys())
@pytest.mark.parametrize("indent", [0, orjson.OPT_INDENT_2], ids=["compact", "indented"])
def test_large_variables_are_read_apart_from_the_rest(fields: dict[str, Any], indent: int):
    """Whatever stands around them, and however it is written."""
    raw = orjson.dumps(fields, option=indent)
    parts = parts_of(raw)
    assert parts is not None
    assert parts.fields == fields
    assert orjson.loads(parts.around) == {**fields, "variables": None}
    assert request_of_body(raw).variables == ROWS


@pytest.mark.parametrize("fields", WHOLE.values(), ids=WHOLE.keys())
def test_other_bodies_are_read_as_a_whole(fields: dict[str, Any]):
    """What cannot be taken apart quickly is answered all the same."""
    raw = orjson.dumps(fields)
    assert parts_of(raw) is None
    assert request_of_body(raw).variables == (fields.get("variables") or {})


@pytest.mark.parametrize("raw", TWICE.values(), ids=TWICE.keys())
def test_members_that_are_given_twice_are_refused(raw: bytes):
    """Before, behind and around large variables."""
    with pytest.raises(Malformed, match="twice"):
        request_of_body(raw)


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_large_malformed_bodies_are_refused(raw: bytes):
    """With the same messages as small ones, which tell the place in the whole body."""
    with pytest.raises(Malformed):
        request_of_body(raw)


@pytest.mark.parametrize(
    "fields",
    [{"query": QUERY, "variables": NAMESAKES}, {"operationName": "Q", "variables": NAMESAKES, "query": QUERY}],
    ids=["last", "between"],
)
def test_members_of_the_variables_may_have_any_names(fields: dict[str, Any]):
    """They are no members of the body, wherever the variables stand."""
    assert request_of_body(orjson.dumps(fields)).variables == NAMESAKES


def test_a_member_that_only_looks_like_the_variables_is_none():
    """A name with a quote in it ends as theirs does."""
    raw = b'{"query":"{a}","\\"variables":' + LARGE + b"}"
    assert parts_of(raw) is None
    assert request_of_body(raw).variables == {}


def test_names_that_are_spelt_with_escapes_are_read_as_a_whole():
    """The last of two counts, as in small bodies."""
    raw = b'{"query":"{a}","variables":' + LARGE + b',"vari\\u0061bles":{"b":1}}'
    assert request_of_body(raw).variables == {"b": 1}
