"""Trusted documents: texts that whoever runs the server vouches for, named by ids, kept for as long as it runs."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from models.errors import IoTSphereError

# What clients may send as `documentId` (GraphQL over HTTP, appendix on persisted documents): of our own choice without
# a colon, by the hash of the text, or with a prefix that begins with "x-".
_CUSTOM = re.compile(r"[A-Za-z0-9._~-]+|x-[A-Za-z0-9._~-]+:[A-Za-z0-9._~-]+")
_SHA256 = re.compile(r"(sha256:)?[0-9a-f]{64}")


class TrustedDocumentsInvalid(IoTSphereError):
    """The trusted documents cannot be used."""

    code = "TRUSTED_DOCUMENTS_INVALID"


@dataclass(frozen=True, slots=True)
class TrustedText:
    """A document as it was given.

    Attributes:
        id: that its owner has chosen.
        origin: where it stands, for people.
    """

    id: str
    text: str
    origin: str


def sha256_id(text: str) -> str:
    """Return the id that every document has: the hash of its text in UTF-8."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def texts_by_id(documents: Iterable[TrustedText]) -> dict[str, TrustedText]:
    """Return documents by all their ids: the one that was chosen, and that of the hash.

    Raises:
        TrustedDocumentsInvalid: an id that no client can send, or that two documents have.
    """
    known: dict[str, TrustedText] = {}
    for each in documents:
        for id_ in dict.fromkeys((_checked_id(each), sha256_id(each.text))):
            other = known.setdefault(id_, each)
            if other.text != each.text:
                raise TrustedDocumentsInvalid(
                    f"Two trusted documents have the id '{id_}', in {other.origin} and in {each.origin}; "
                    "each needs an id of its own."
                )
    return known


def _checked_id(document: TrustedText) -> str:
    """Return the id; a bare hash, as tools write it, gets its prefix."""
    id_ = document.id
    if _SHA256.fullmatch(id_):
        # A tool may hash another form of the text than the one that it writes: what it says is what its clients send.
        return id_ if ":" in id_ else f"sha256:{id_}"
    if _CUSTOM.fullmatch(id_):
        return id_
    raise TrustedDocumentsInvalid(
        f"The id '{id_[:80]}' of a trusted document in {document.origin} cannot be sent: it must be made of letters, "
        "digits and '-._~', or be 'sha256:' with 64 digits, or 'x-…:…'."
    )
