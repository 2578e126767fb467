"""What the documents say of each other, of the schema and of make is true."""

import re
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse, validate

from schema import SCHEMA

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
# What follows "make" where a command stands: in backquotes, or at the beginning of an indented line.
_MAKE = re.compile(r"(?:`|^    )make ([^`#\n]+)", re.MULTILINE)


def named(path):
    """Return a page's name for the list of tests."""
    return str(path.relative_to(ROOT))


def text_of(path):
    """Return a page."""
    return path.read_text(encoding="utf-8")


def prose_of(path):
    """Return a page without its fenced blocks and code in backquotes, which have no links."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text_of(path)))


def anchors_of(path):
    """Return the anchors of a page's headings, as hosts of repositories make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text_of(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def examples():
    """Return each GraphQL example with the page that it stands on."""
    return [(path, body) for path in PAGES for language, body in _FENCE.findall(text_of(path)) if language == "graphql"]


def targets_of(path):
    """Return the make targets that a page names; assignments such as m="…" are none."""
    words = [word for command in _MAKE.findall(text_of(path)) for word in re.sub(r'"[^"]*"', "", command).split()]
    return {word for word in words if re.fullmatch(r"[a-z-]+", word)}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_lead_somewhere(page):
    """Each link to a file or folder of the project finds it, and each anchor is a heading there."""
    broken = []
    for link in _LINK.findall(prose_of(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize(
    ("page", "document"), examples(), ids=[f"{named(page)}-{place}" for place, (page, _) in enumerate(examples())]
)
def test_graphql_examples_fit_the_schema(page, document):
    """A GraphQL example is a document that the server takes."""
    assert not validate(SCHEMA._schema, parse(document))


def test_there_are_examples_of_each_operation():
    """The README shows a query, a mutation and a subscription."""
    shown = [body for page, body in examples() if page == ROOT / "README.md"]
    definitions = [definition for body in shown for definition in parse(body).definitions]
    kinds = {each.operation.value for each in definitions if isinstance(each, OperationDefinitionNode)}
    assert kinds == {"query", "mutation", "subscription"}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_make_targets_exist(page):
    """What a page tells to make is in the Makefile."""
    makefile = ROOT / "Makefile"
    if not makefile.exists():
        pytest.skip("there is no Makefile")
    known = set(re.findall(r"^([a-z-]+):", makefile.read_text(encoding="utf-8"), re.MULTILINE))
    assert targets_of(page) <= known


def test_every_document_is_listed():
    """The index of the documents names each page of docs."""
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link).resolve() for link in _LINK.findall(text_of(index)) if "://" not in link}
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - {index} <= listed


@pytest.mark.parametrize("decision", DECISIONS, ids=named)
def test_decisions_have_their_sections(decision):
    """A decision has its number as title and file name, and says context, alternatives, decision and consequences."""
    title, *sections = re.findall(r"^#+ (.+)$", text_of(decision), re.MULTILINE)
    assert sections == ["Context", "Considered", "Decision", "Consequences"]
    assert title.startswith(f"{int(decision.name[:4])}. ")


def test_decisions_are_numbered_without_gaps():
    """The numbers of the decisions run from 1."""
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_are_named_exist(page):
    """A path of a package or of the tests, in backquotes, is there; one with a placeholder such as <kind> is none."""
    paths = re.findall(r"`((?:app|schema|resolvers|models|settings|tests)/[\w./]*)(?=[`:])", text_of(page))
    assert not [path for path in paths if not (ROOT / path).exists()]
