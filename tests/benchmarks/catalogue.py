"""All documents that are asked for, and how near the bare endpoint each should come."""

from datetime import datetime

from tests.benchmarks.documents import FLEET, HISTORY, POINT, WIDE, Document, history_chart
from tests.benchmarks.frontend import DEVICE_LIST, MODEL_HEALTH, WATER_HEATER_PAGE

QUERY_MARK = 0.25
FRONTEND_MARK = 0.4
_FRONTEND = {"device_list", "water_heater_page", "history_chart", "model_health"}


def documents(end: datetime) -> list[Document]:
    """Return the documents.

    Args:
        end: of the history; the chart shows the days before it.
    """
    return [POINT, FLEET, HISTORY, WIDE, DEVICE_LIST, WATER_HEATER_PAGE, history_chart(end), MODEL_HEALTH]


def mark(document: Document) -> float:
    """Return the share of the bare endpoint's requests that our server should answer."""
    return FRONTEND_MARK if document.name in _FRONTEND else QUERY_MARK
