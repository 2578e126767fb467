"""`iotsphere serve`."""

import textwrap
from dataclasses import replace
from typing import Annotated

import typer
from rich.markup import escape
from rich.syntax import Syntax

from app import serving
from app.asgi import PATH, create_app
from app.cli.console import load_settings, output, progress_bar
from app.examples import Examples
from settings.types import Settings

_LABELS = {
    "devices": "Making the demo fleet",
    "past": "Making the past of the demo fleet",
    "sales": "Making the sales of the demo fleet",
    "readings": "Making the readings of the demo fleet",
}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, instead of server.port.", min=0, max=65535)
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Make the demo fleet first, where it is missing.")] = False,
) -> None:
    """Serve GraphQL, and GraphiQL to browsers.

    GraphQL is answered over HTTP, websockets and server-sent events.

    An embedded SQLite database is migrated at the start; on PostgreSQL run 'iotsphere migrate' first. Ctrl-C stops:
    open subscriptions end, running requests finish, readings that arrived are stored.

    For example:

        iotsphere serve --demo

        APP_ENV=production iotsphere serve --host 0.0.0.0 --port 8080
    """
    settings = load_settings()
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = replace(settings, server=replace(settings.server, **given))
    with serving.listen(settings.server) as listener, progress_bar("Starting") as bar:
        app = create_app(settings, progress=lambda what, part: bar.move(part, _LABELS[what]), seeds_demo=demo)

        def ready() -> None:
            bar.close()
            host, port = listener.getsockname()[:2]
            _announce(settings, host, port, app.state.parts.examples)

        serving.serve(app, settings, listener, ready)


def _announce(settings: Settings, host: str, port: int, examples: Examples) -> None:
    shown = _EVERYWHERE.get(host, host)
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}{PATH}"
    what = "GraphQL and GraphiQL" if settings.server.graphiql else "GraphQL"
    output.print(f"\n[bold]{what}[/bold] at [bold cyan]{escape(url)}[/bold cyan]  ({settings.environment})\n")
    if settings.server.graphiql:
        output.print("Open it in a browser and try (they are in its tabs):\n")
        for document in examples:
            code = textwrap.indent(document, "    ")
            output.print(Syntax(code, "graphql", background_color="default").highlight(code))
    output.print("Ctrl-C stops.")
