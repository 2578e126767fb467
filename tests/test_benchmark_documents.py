"""What the benchmark asks for is what frontends ask for."""

import pytest
from graphql import parse, print_ast

from models.types import EPOCH
from tests.benchmarks.catalogue import FRONTEND_MARK, documents, mark
from tests.benchmarks.documents import Document
from tests.contract import document

FRONTEND = [each for each in documents(EPOCH) if mark(each) == FRONTEND_MARK]


@pytest.mark.parametrize("measured", FRONTEND, ids=lambda each: each.name)
def test_documents_are_those_of_the_contract(measured: Document):
    """The fields of the documents that are measured are those of the contract, letter for letter."""
    assert print_ast(parse(measured.text)) == print_ast(parse(document(measured.name)))
