"""Trusted documents from files, checked at the start."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.asgi import create_app
from app.cli.commands import cli
from app.trusted import read_trusted
from schema import build_engine
from schema.trusted import TrustedDocumentsInvalid
from tests.app.running import logging_restored, use_environment
from tests.factories import settings

FLEET = "query Fleet { fleet { deviceCount } }\n"


def used(path: Path) -> None:
    """Read documents and hold them against the schema."""
    build_engine(settings()).trust(read_trusted(str(path)), only=False)


def test_a_folder_names_documents_by_its_files(tmp_path: Path):
    """Folders in it too; other files are passed over."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "fleet.graphql").write_text(FLEET)
    (tmp_path / "readme.md").write_text("no document")
    (found,) = read_trusted(str(tmp_path))
    assert (found.id, found.text) == ("fleet", FLEET)
    assert found.origin.endswith("fleet.graphql")
    used(tmp_path)


@pytest.mark.parametrize(
    "manifest",
    [
        {"a" * 64: FLEET},
        {"fleet": FLEET, "x-mobile:fleet": FLEET},
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": "b" * 64, "name": "Fleet", "type": "query", "body": FLEET}],
        },
    ],
)
def test_a_manifest_names_documents_as_tools_write_it(tmp_path: Path, manifest: object):
    """An object of ids and texts, or the form of Apollo."""
    file = tmp_path / "persisted.json"
    file.write_text(json.dumps(manifest))
    assert {each.text for each in read_trusted(str(file))} == {FLEET}
    used(file)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("fleet.graphql", "{ fleet { devices } }", "fleet.graphql, line 1 is refused: Cannot query field 'devices'"),
        ("fleet.graphql", "{\n fleet {", "fleet.graphql, line 2 is refused: Syntax Error"),
        ("two words.graphql", FLEET, "'two words' of a trusted document"),
        ("latin.graphql", b"# \xe9\n{ fleet { deviceCount } }", "is not text in UTF-8"),
    ],
)
def test_a_document_that_cannot_be_used_is_told_with_its_file(tmp_path: Path, name: str, content: str | bytes, said):
    """The start is refused with the file, the line and what is wrong."""
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TrustedDocumentsInvalid) as refused:
        create_app(settings(graphql={"trusted_documents": str(tmp_path)}))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text", ["no json", "[]", "{}", '{"fleet": 7}', '{"format": "apollo-persisted-query-manifest"}']
)
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, text: str):
    """The message names the file and the forms."""
    file = tmp_path / "persisted.json"
    file.write_text(text)
    with pytest.raises(TrustedDocumentsInvalid, match=r"persisted\.json"):
        used(file)


def test_what_is_not_there_and_what_is_empty_is_refused(tmp_path: Path):
    """A folder without documents is a mistake, as is a path that leads nowhere."""
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(TrustedDocumentsInvalid):
            read_trusted(str(path))
    assert read_trusted("") == []


def test_two_documents_of_one_id_are_refused(tmp_path: Path):
    """Clients would get the answer to another question."""
    for folder, text in (("one", FLEET), ("two", "{ fleet { __typename } }")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "fleet.graphql").write_text(text)
    with pytest.raises(TrustedDocumentsInvalid, match=r"one.fleet\.graphql and in .*two.fleet\.graphql"):
        used(tmp_path)


def test_the_command_lists_and_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ids and hashes on standard output; a document that cannot be used ends it with status 1."""
    use_environment(monkeypatch, tmp_path, APP_ENV="testing")
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "fleet.graphql").write_text(FLEET)
    with logging_restored():
        listed = CliRunner().invoke(cli, ["documents", str(folder)])
        (folder / "wrong.graphql").write_text("{ wrong }")
        refused = CliRunner().invoke(cli, ["documents", str(folder)])
    assert listed.exit_code == 0, listed.output
    assert listed.stdout.startswith("fleet\tsha256:")
    assert refused.exit_code == 1
    assert "wrong.graphql" in refused.output
