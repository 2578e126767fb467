"""The documents that frontends send, kept beside the repository; less what the schema does not offer yet."""

from pathlib import Path
from typing import Any

import pytest
from graphql import REMOVE, FieldNode, InlineFragmentNode, Visitor, parse, print_ast, visit

_FOLDER = Path(__file__).parents[1].parent / "shared" / "contract" / "documents"

# Named here one by one, so that a field that goes missing by mistake is not cut out as well.
_LATER_FIELDS = {"health"}
_LATER_TYPES = {"ModelAlert"}


class _Cut(Visitor):
    """Takes out the selections of things that are not there yet."""

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        """Drop a field of later."""
        return REMOVE if node.name.value in _LATER_FIELDS else None

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> Any:
        """Drop what is selected of a type of later."""
        return REMOVE if node.type_condition and node.type_condition.name.value in _LATER_TYPES else None


def document(name: str) -> str:
    """Return a document of the contract; skips the test where the contract is not beside the repository."""
    path = _FOLDER / f"{name}.graphql"
    if not path.exists():
        pytest.skip(
            f"the contract's documents are not beside the repository: ../shared/contract/documents/{name}.graphql"
        )
    return print_ast(visit(parse(path.read_text()), _Cut()))
