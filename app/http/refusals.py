"""Requests that never reach the engine, each with the status and the error that say why."""

from schema import errors

Header = tuple[bytes, bytes]


class Refused(Exception):
    """The request is answered with this status and one GraphQL error."""

    def __init__(
        self, status: int, message: str, *, code: str = errors.BAD_REQUEST, headers: tuple[Header, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers

    def body(self) -> dict[str, object]:
        """Return the JSON object of the response format."""
        return {"errors": [errors.request_error(self.message, self.code)]}


class Malformed(Refused):
    """What was sent is not a GraphQL request: status 400."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""
