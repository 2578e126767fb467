"""Bearer tokens, roles and rights."""

import pytest

from app.auth import Authenticator
from models.errors import Forbidden, Unauthenticated
from models.principal import ANONYMOUS, Principal, Right, Role
from settings.types import AuthSettings

TOKENS = {
    "panel": {"token": "panel-token", "role": "viewer"},
    "gateway": {"token": "gateway-token", "role": "device"},
    "service desk": {"token": "desk-token-ü", "role": "operator"},
}
REQUIRED = Authenticator(AuthSettings(required=True, tokens=TOKENS))
OPEN = Authenticator(AuthSettings(required=False, tokens=TOKENS))


@pytest.mark.parametrize("authenticator", [REQUIRED, OPEN])
@pytest.mark.parametrize(
    ("header", "holder"),
    [
        (b"Bearer panel-token", Principal("panel", Role.VIEWER)),
        (b"bearer  gateway-token ", Principal("gateway", Role.DEVICE)),
        ("Bearer desk-token-ü".encode(), Principal("service desk", Role.OPERATOR)),
    ],
)
def test_a_token_names_its_holder(authenticator: Authenticator, header: bytes, holder: Principal):
    """Whether tokens are required or not."""
    assert authenticator.by_header(header) == holder


@pytest.mark.parametrize("authenticator", [REQUIRED, OPEN])
@pytest.mark.parametrize(
    "header", [b"Bearer nobody", b"Bearer panel-toke", b"Bearer", b"Bearer ", b"Basic x", b"", b"\xff"]
)
def test_unknown_tokens_are_refused_always(authenticator: Authenticator, header: bytes):
    """A wrong token is a mistake even where none is needed."""
    with pytest.raises(Unauthenticated):
        authenticator.by_header(header)


def test_no_token_is_anonymous_only_where_none_is_required():
    """The anonymous caller may do everything, on machines of developers."""
    assert OPEN.by_header(None) is ANONYMOUS
    assert all(ANONYMOUS.may(right) for right in Right)
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        REQUIRED.by_header(None)


def test_a_websocket_may_say_it_in_its_payload():
    """The payload counts before the header; without one the header counts."""
    panel, gateway = b"Bearer panel-token", {"authorization": "Bearer gateway-token"}
    assert REQUIRED.by_connection(panel, gateway).name == "gateway"
    assert REQUIRED.by_connection(None, {"Authorization": "Bearer panel-token"}).name == "panel"
    assert REQUIRED.by_connection(panel, {"other": 1}).name == "panel"
    assert REQUIRED.by_connection(panel, None).name == "panel"
    with pytest.raises(Unauthenticated, match="not text"):
        REQUIRED.by_connection(panel, {"authorization": 7})


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.VIEWER, {Right.READ}),
        (Role.DEVICE, {Right.READ, Right.INGEST}),
        (Role.OPERATOR, {Right.READ, Right.INGEST, Right.OPERATE}),
    ],
)
def test_roles_have_their_rights(role: Role, rights: set[Right]):
    """Each role may do what the one before it may, and more."""
    principal = Principal("somebody", role)
    assert {right for right in Right if principal.may(right)} == rights


def test_a_missing_right_is_forbidden_with_who_has_it():
    """The message names the caller's role and the roles that would do."""
    with pytest.raises(
        Forbidden, match="'panel' has the role viewer, which may not ingest; it takes the role device or"
    ):
        Principal("panel", Role.VIEWER).require(Right.INGEST)
    Principal("desk", Role.OPERATOR).require(Right.OPERATE)
