"""The page for browsers: GraphiQL, served from files of this machine, so that it works without internet."""

import hashlib
import html
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from string import Template
from typing import Any

import orjson
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

ASSETS_PATH = "/graphql/assets"

# Its Python modules need Django and are never imported; only its files are read.
_DISTRIBUTION = "graphene-django-graphiql-static"
_SCRIPTS = "graphene_django_graphiql_static/static/graphene_django_graphiql_static"
_OWN_FILES = Path(__file__).parent / "explorer"
_UNTIL_REPLACED = "public, max-age=31536000, immutable"


class ExplorerMissing(Exception):
    """GraphiQL's files are not installed."""


class _Assets(StaticFiles):
    """Files whose addresses carry their version, so that browsers may keep them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = _UNTIL_REPLACED
        return response


def explorer_page(*, title: str, documents: Sequence[str], assets_path: str = ASSETS_PATH) -> bytes:
    """Return the HTML of the explorer.

    Args:
        title: name of the server, shown in the corner.
        documents: what its tabs hold at the first visit.
        assets_path: where `explorer_routes` serves its files.

    Raises:
        ExplorerMissing: its files are not installed.
    """
    page = Template((_OWN_FILES / "explorer.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=html.escape(title),
        assets=html.escape(assets_path),
        version=_version(),
        settings=_script_json({"title": title, "documents": list(documents)}),
    ).encode()


def explorer_routes(assets_path: str = ASSETS_PATH) -> list[BaseRoute]:
    """Return the routes that serve the explorer's scripts and styles.

    Raises:
        ExplorerMissing: its files are not installed.
    """
    files = _Assets(directory=_OWN_FILES / "assets")
    files.all_directories.append(_scripts())
    return [Mount(assets_path, files)]


def _scripts() -> Path:
    try:
        folder = Path(str(distribution(_DISTRIBUTION).locate_file(_SCRIPTS)))
    except PackageNotFoundError:
        folder = None
    if folder is None or not (folder / "graphiql.min.js").is_file():
        raise ExplorerMissing(
            f"The explorer needs the package {_DISTRIBUTION}; install it or set server.graphiql = false."
        )
    return folder


def _version() -> str:
    _scripts()
    own = b"".join(each.read_bytes() for each in sorted((_OWN_FILES / "assets").iterdir()))
    return f"{distribution(_DISTRIBUTION).version}-{hashlib.sha256(own).hexdigest()[:8]}"


def _script_json(value: Mapping[str, Any]) -> str:
    # "</script>" inside a string would end the element.
    return orjson.dumps(value).decode().replace("<", "\\u003c")
