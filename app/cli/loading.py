"""The frame of the commands that load files: one after the other, each with its report, and a status in the end."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import typer
from rich.markup import escape

from app.cli.console import FAILED, fail, output, progress_bar
from app.files import FileProblem, FileReport

_SHOWN_DEVICES = 10


class Loads(Protocol):
    """What stores the rows of open files.

    Attributes:
        created: serial numbers of the devices that it has registered.
    """

    created: list[str]

    async def store(self, file: Any, report: FileReport, bytes_read: Callable[[int], None], /) -> None:
        """Store what can be stored of an open file."""
        ...


async def load_files(files: Sequence[str], opened: Callable[[str], AbstractContextManager[Any]], loads: Loads) -> None:
    """Load files and print what became of each; the command fails if one of them brought nothing."""
    failures = 0
    for file in files:
        report = FileReport()
        try:
            await _load(opened(file), loads, report)
        except FileProblem as problem:
            typer.echo(problem.message, err=True)
            failures += 1
        else:
            failures += report.accepted_count + report.duplicate_count == 0
    _tell_created(loads.created)
    if failures:
        raise typer.Exit(FAILED)


async def _load(opened: AbstractContextManager[Any], loads: Loads, report: FileReport) -> None:
    with opened as rows:
        for line in rows.description:
            output.print(escape(line))
        try:
            with progress_bar(f"Loading {rows.name}") as bar:
                total = rows.bytes_total
                await loads.store(rows, report, lambda read: bar.move(read / total if total else None))
        finally:
            if report.row_count:
                output.print(escape("\n".join(report.lines())))
    if not report.row_count:
        fail(f"{rows.name} has no rows.", FAILED)


def _tell_created(serial_numbers: Sequence[str]) -> None:
    if serial_numbers:
        more = f" and {len(serial_numbers) - _SHOWN_DEVICES} more" if len(serial_numbers) > _SHOWN_DEVICES else ""
        output.print(escape(f"Registered {', '.join(serial_numbers[:_SHOWN_DEVICES])}{more}."))
