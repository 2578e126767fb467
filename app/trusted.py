"""Trusted documents from files: a folder of .graphql files, or a manifest as client tools write it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import orjson

from schema.trusted import TrustedDocumentsInvalid, TrustedText

_APOLLO = "apollo-persisted-query-manifest"
_FORMS = f'an object of ids and texts, or a manifest with "format": "{_APOLLO}"'


def read_trusted(path: str) -> list[TrustedText]:
    """Return the documents of a folder or a manifest; none for an empty path.

    In a folder, and the folders in it, each file is a document whose id is its name without `.graphql`.

    Raises:
        TrustedDocumentsInvalid: it cannot be read, or holds no document.
    """
    if not path:
        return []
    place = Path(path)
    found = list(_of_folder(place) if place.is_dir() else _of_manifest(place))
    if not found:
        raise TrustedDocumentsInvalid(
            f"There is no trusted document in {place}: graphql.trusted_documents must name a folder of .graphql files, "
            "or a manifest in JSON."
        )
    return found


def _of_folder(folder: Path) -> Iterator[TrustedText]:
    for file in sorted(folder.rglob("*.graphql")):
        yield TrustedText(file.stem, _read(file), str(file))


def _of_manifest(file: Path) -> Iterator[TrustedText]:
    try:
        manifest: object = orjson.loads(_read(file))
    except orjson.JSONDecodeError as error:
        raise TrustedDocumentsInvalid(f"The manifest {file} is not valid JSON: {error}.") from None
    for id_, text in _entries(manifest):
        if not isinstance(id_, str) or not isinstance(text, str):
            raise TrustedDocumentsInvalid(f"The manifest {file} must be {_FORMS}; an id or a text in it is no text.")
        yield TrustedText(id_, text, f"{file}, '{id_[:80]}'")


def _entries(manifest: object) -> Iterator[tuple[object, object]]:
    fields = cast("dict[str, Any]", manifest) if isinstance(manifest, dict) else {}
    if fields.get("format") == _APOLLO and isinstance(fields.get("operations"), list):
        for each in cast("list[object]", fields["operations"]):
            operation = cast("dict[str, object]", each) if isinstance(each, dict) else {}
            yield operation.get("id"), operation.get("body")
    elif fields:
        yield from fields.items()
    else:
        yield None, None


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise TrustedDocumentsInvalid(f"{file} (graphql.trusted_documents) cannot be read: {reason}.") from None
    except UnicodeDecodeError:
        raise TrustedDocumentsInvalid(f"{file} (graphql.trusted_documents) is not text in UTF-8.") from None
