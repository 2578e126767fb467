"""From exceptions to the errors that a client sees: a stable code for what was expected, a mask for what was not."""

import logging
import secrets
from typing import Any

from graphql import GraphQLError

from models.errors import IoTSphereError

logger = logging.getLogger("iotsphere.errors")

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_REQUEST = "BAD_REQUEST"
BAD_USER_INPUT = "BAD_USER_INPUT"
INTERNAL = "INTERNAL"
# The names that clients of automatic persisted queries know.
PERSISTED_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
PERSISTED_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"

FormattedError = dict[str, Any]


def request_error(message: str, code: str = BAD_REQUEST, **extensions: Any) -> FormattedError:
    """Return the error of a request that never became an operation."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def of_document(error: GraphQLError, code: str) -> FormattedError:
    """Format what parsing or validation found; an error that carries its own code keeps it."""
    formatted: FormattedError = dict(error.formatted)
    formatted["extensions"] = {"code": code, **(error.extensions or {})}
    return formatted


def of_variables(error: GraphQLError) -> FormattedError:
    """Format a variable that does not fit its type."""
    return of_document(error, BAD_USER_INPUT)


def of_execution(error: GraphQLError, *, reveal: bool = False) -> FormattedError:
    """Format an error of execution: domain errors keep their message, anything unexpected is masked.

    Args:
        error: as graphql-core reports it, with path and locations.
        reveal: show the message of unexpected errors too (debugging).
    """
    formatted: FormattedError = dict(error.formatted)
    cause = _cause(error)
    if isinstance(cause, IoTSphereError):
        formatted["extensions"] = of_domain(cause)
    elif _is_argument_error(cause):
        formatted["extensions"] = {"code": BAD_USER_INPUT}
    else:
        formatted["message"], formatted["extensions"] = _masked(cause, reveal=reveal)
    return formatted


def of_domain(error: IoTSphereError) -> dict[str, Any]:
    """Return the extensions of a domain error: its code, where in the input, and further facts."""
    extensions: dict[str, Any] = {"code": error.code, **error.details}
    if error.input_path:
        extensions["inputPath"] = list(error.input_path)
    return extensions


def _cause(error: GraphQLError) -> BaseException:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_argument_error(cause: BaseException) -> bool:
    # graphql-core points at the literal or variable that does not fit; a value that a resolver returned and that cannot
    # be serialised is a GraphQLError too, but points at nothing: that one is our defect.
    return isinstance(cause, GraphQLError) and bool(cause.nodes)


def _masked(cause: BaseException, *, reveal: bool) -> tuple[str, dict[str, Any]]:
    error_id = secrets.token_hex(8)
    logger.error("unexpected error %s", error_id, exc_info=cause, extra={"error_id": error_id})
    message = f"{type(cause).__name__}: {cause}" if reveal else f"Internal error {error_id}: the server's log has more."
    return message, {"code": INTERNAL, "errorId": error_id}
