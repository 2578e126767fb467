"""The commands of `iotsphere`, in the order in which `--help` lists them."""

import typer

from app.cli.config import config
from app.cli.console import Commands
from app.cli.database import migrate, migration
from app.cli.demo import demo, simulate
from app.cli.documents import documents
from app.cli.evaluate import evaluate
from app.cli.ingest import ingest
from app.cli.ingest_sales import ingest_sales
from app.cli.monitor import monitor
from app.cli.schema import export_schema
from app.cli.serve import serve
from app.cli.train import models, promote_model, train

cli = typer.Typer(
    name="iotsphere",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="""
    IoTSphere: a GraphQL server for fleets of connected devices.

    Settings come from settings.toml, .secrets.toml and IOTSPHERE_… variables; APP_ENV chooses the environment.
    'iotsphere config' shows what is in force.
    """,
)

for command in (serve, migrate, demo, simulate, ingest, ingest_sales):
    cli.command()(command)
for command in (train, models, monitor):
    cli.command()(command)
cli.command("promote")(promote_model)
cli.add_typer(evaluate, name="evaluate")
for command in (export_schema, documents, config):
    cli.command()(command)
cli.command(hidden=True)(migration)
