"""The command line, `iotsphere`."""

from app.cli.commands import cli
from app.cli.console import configure_streams

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command that the arguments name."""
    configure_streams()
    cli(prog_name="iotsphere")
