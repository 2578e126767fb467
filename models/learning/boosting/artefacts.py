"""Trained models as text: JSON with a checksum, the trees being LightGBM's own text. Never pickle."""

import hashlib
from collections.abc import Mapping
from typing import Any, cast

import orjson


class ArtefactError(ValueError):
    """A stored model that cannot be read: not its text, changed, or of another kind; the message says which."""


def seal(kind: str, content: Mapping[str, Any]) -> str:
    """Return a model's content as text that `unseal` gives back.

    Args:
        kind: what it is, with the version of its form, as "lifespan/1".
        content: JSON values, no NaN.
    """
    body = orjson.dumps(content)
    return orjson.dumps({"kind": kind, "sha256": hashlib.sha256(body).hexdigest(), "content": content}).decode()


def unseal(kind: str, text: str) -> dict[str, Any]:
    """Return the content of what `seal` wrote.

    The checksum is compared before anything is built from the content: LightGBM's parser trusts its input.

    Raises:
        ArtefactError: the text is not such a model, or it was changed.
    """
    try:
        stored = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ArtefactError(f"The stored model is not readable as JSON, so it is no {kind} model.") from None
    if not isinstance(stored, dict):
        raise ArtefactError(f"The stored model is no JSON object, so it is no {kind} model.")
    sealed = cast("dict[str, Any]", stored)
    if sealed.get("kind") != kind:
        raise ArtefactError(f"The stored model is of kind {sealed.get('kind')!r}; {kind!r} is needed.")
    content = sealed.get("content")
    if not isinstance(content, dict) or hashlib.sha256(orjson.dumps(content)).hexdigest() != sealed.get("sha256"):
        raise ArtefactError(f"The stored {kind} model does not match its checksum; it was changed or cut off.")
    return cast("dict[str, Any]", content)
