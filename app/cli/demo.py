"""`iotsphere demo` and `iotsphere simulate`."""

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.console import FAILED, Bar, fail, load_settings, output, progress_bar, run, services_of
from app.workers import Simulating, Supervisor
from settings.types import Settings

if TYPE_CHECKING:
    from app.demo import Seeded

_MACHINES_HELP = "Vending machines of the fleet, instead of simulator.vending_machine_count."
_VERY_LONG_SECONDS = 1e8  # three years: the event loop knows no infinity


def demo(
    devices: Annotated[
        int | None, typer.Option(help="Heaters of the fleet, instead of simulator.device_count.", min=1, max=100_000)
    ] = None,
    machines: Annotated[int | None, typer.Option(help=_MACHINES_HELP, min=0, max=100_000)] = None,
    retired: Annotated[
        int | None,
        typer.Option(help="Heaters that have failed, instead of simulator.retired_count.", min=0, max=100_000),
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="Days of history, instead of the settings.", min=0, max=3650)
    ] = None,
) -> None:
    """Make a demo fleet of water heaters and vending machines.

    It goes into the configured database, with maintenance records, readings and sales.

    It completes what is missing and keeps what exists, so it may be run again: to bring the readings up to now, or to
    make the fleet larger. Its devices have serial numbers from WH-0001
    and VM-0001 on.

    For example:

        iotsphere demo

        iotsphere demo --devices 200 --days 2
    """
    settings = load_settings(
        device_count=devices,
        vending_machine_count=machines,
        retired_count=retired,
        history_days=days,
        sales_history_days=days,
        coarse_history_days=None if days is None else 0,
    )
    with progress_bar("Making the demo fleet") as bar:
        seeded = run(_seed(settings, bar))
    counts = f"{seeded.device_count:,} devices, {seeded.reading_count:,} readings and {seeded.sale_count:,} sales"
    output.print(f"Added {counts}.")


def simulate(
    for_seconds: Annotated[
        float | None, typer.Option("--for", help="Stop after so many seconds; without it, at Ctrl-C.", min=0)
    ] = None,
    devices: Annotated[
        int | None, typer.Option(help="Heaters of the fleet, instead of simulator.device_count.", min=1, max=100_000)
    ] = None,
    machines: Annotated[int | None, typer.Option(help=_MACHINES_HELP, min=0, max=100_000)] = None,
) -> None:
    """Keep the demo fleet alive from this process.

    The time since its last readings is filled, coarsely if it is long. Then readings arrive as the clock goes, and
    changes of target temperature, mode, stock and price are obeyed. A server with simulator.enabled does this by
    itself.

    For example:

        iotsphere simulate

        iotsphere simulate --for 60
    """
    settings = load_settings(device_count=devices, vending_machine_count=machines)
    count = run(_simulate(settings, for_seconds))
    output.print(f"Stored {count:,} readings.")


async def _seed(settings: Settings, bar: Bar) -> "Seeded":
    # The other commands need nothing of it, and would start later.
    from app.demo import seed  # noqa: PLC0415

    async with services_of(settings) as services:
        return await seed(services, lambda _what, part: bar.move(part))


async def _simulate(settings: Settings, seconds: float | None) -> int:
    from app.demo import open_fleet  # noqa: PLC0415 - as above

    async with services_of(settings) as services:
        if await open_fleet(services) is None:
            fail("There is no demo fleet to keep alive; run 'iotsphere demo' first.", FAILED)
        simulating = Simulating(services)
        supervisor = Supervisor([simulating], on_failure=lambda _name: None)
        _stop_at_sigterm()
        # Ctrl-C is how this command ends where it was given no time.
        with suppress(asyncio.CancelledError):
            async with supervisor.running():
                output.print("The demo fleet is alive. Ctrl-C stops.")
                await asyncio.sleep(_VERY_LONG_SECONDS if seconds is None else seconds)
        return simulating.stored_count


def _stop_at_sigterm() -> None:
    task = asyncio.current_task()
    # Windows has no such signal to handle.
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: task.cancel() if task else None)
