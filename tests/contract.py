"""The documents that frontends send, kept beside the repository."""

from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[1].parent / "shared" / "contract" / "documents"


def document(name: str) -> str:
    """Return a document of the contract; skips the test where the contract is not beside the repository."""
    path = _FOLDER / f"{name}.graphql"
    if not path.exists():
        pytest.skip(
            f"the contract's documents are not beside the repository: ../shared/contract/documents/{name}.graphql"
        )
    return path.read_text(encoding="utf-8")
