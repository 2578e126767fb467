"""Authentication: from a bearer token to the principal that holds it."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from models.errors import Unauthenticated
from models.principal import ANONYMOUS, Principal, Role
from settings.types import AuthSettings

_HOW = "send the header 'Authorization: Bearer <token>', or the same as 'authorization' in connection_init"


class Authenticator:
    """Knows the tokens of the settings, by their hash only.

    Tokens are looked up and compared as keyed hashes, with a key that is new in each process: no time that this takes
    tells anything about a token.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._required = settings.required
        self._key = secrets.token_bytes(32)
        self._holders: dict[bytes, tuple[bytes, Principal]] = {}
        for name, entry in settings.tokens.items():
            digest = self._digest(entry["token"].encode())
            self._holders[digest] = (digest, Principal(name, Role(entry["role"])))

    def by_header(self, authorization: bytes | None) -> Principal:
        """Return who sent this Authorization header.

        Raises:
            Unauthenticated: there is none although tokens are required, or nobody holds this token.
        """
        if authorization is None:
            if self._required:
                raise Unauthenticated(f"This server wants a token: {_HOW}.")
            return ANONYMOUS
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token.strip():
            raise Unauthenticated(f"The Authorization header is not 'Bearer <token>': {_HOW}.")
        return self._holder(token.strip())

    def by_connection(self, authorization: bytes | None, payload: Mapping[str, Any] | None) -> Principal:
        """Return who opened a websocket: the payload of connection_init counts before the header of the handshake.

        Raises:
            Unauthenticated: as `by_header`.
        """
        given = None if payload is None else payload.get("authorization", payload.get("Authorization"))
        if given is None:
            return self.by_header(authorization)
        if not isinstance(given, str):
            raise Unauthenticated(f"'authorization' in connection_init is not text: {_HOW}.")
        return self.by_header(given.encode(errors="replace"))

    def _holder(self, token: bytes) -> Principal:
        digest = self._digest(token)
        known, principal = self._holders.get(digest, (b"", None))
        if principal is None or not hmac.compare_digest(known, digest):
            raise Unauthenticated("Nobody holds this token; check it against auth.tokens of the server's settings.")
        return principal

    def _digest(self, token: bytes) -> bytes:
        return hashlib.blake2b(token, key=self._key, digest_size=32).digest()
