"""Answers as JSON."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from schema import errors

logger = logging.getLogger("iotsphere.encoding")


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode a response; NaN becomes null, Decimal a text, datetimes RFC 3339 in UTC, also those without a zone."""
    return orjson.dumps(body, default=_encode_other, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC)


def encode_or_mask(body: Mapping[str, Any]) -> bytes:
    """Encode a response; if a value in it cannot be encoded, the client gets an error and the log the reason."""
    try:
        return encode(body)
    except TypeError:
        logger.exception("a response cannot be encoded")
        return orjson.dumps({"errors": [errors.request_error("The answer cannot be encoded.", errors.INTERNAL)]})


def _encode_other(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
