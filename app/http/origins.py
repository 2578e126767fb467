"""Which web pages may call this server."""

from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from settings.types import ServerSettings

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFLIGHT_SECONDS = 86_400


def middleware(settings: ServerSettings) -> list[Middleware]:
    """Return the middleware that tells browsers which other sites may call; none if no other site may."""
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("authorization", "content-type"),
            max_age=_PREFLIGHT_SECONDS,
        )
    ]


def may_connect(origin: bytes | None, host: bytes | None, allowed_origins: tuple[str, ...]) -> bool:
    """Return whether a page of this origin may open a websocket, to which browsers apply no same-origin rule.

    Programs send no origin and may; so may pages of this server and of the allowed origins. The scheme is not compared:
    a proxy in front may have taken off the encryption.
    """
    if origin is None or "*" in allowed_origins:
        return True
    text = origin.decode("latin-1").lower()
    return text in allowed_origins or (host is not None and _is_same_site(text, host.decode("latin-1").lower()))


def _is_same_site(origin: str, host: str) -> bool:
    try:
        page, own = urlsplit(origin), urlsplit(f"//{host}")
        ports = [each.port or _DEFAULT_PORTS.get(page.scheme) for each in (page, own)]
    except ValueError:  # a port that is no number
        return False
    return page.hostname is not None and page.hostname == own.hostname and ports[0] == ports[1]
