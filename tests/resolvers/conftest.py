"""Fixtures of the use cases' tests."""

from collections.abc import AsyncIterator

import pytest

from models.store import Store
from tests import factories
from tests.graph import Graph, graph_over


@pytest.fixture
async def graph(store: Store) -> AsyncIterator[Graph]:
    """A graph over a fresh database of each kind, for what use cases change and tests then read."""
    made = graph_over(store, factories.settings())
    yield made
    await made.services.ingest.close()
