"""`iotsphere train`, `iotsphere models` and `iotsphere promote`."""

from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from app.cli.console import Bar, load_settings, output, progress_bar, run, services_of
from app.training import carry_out
from models.devices import KINDS
from models.errors import NotFound
from models.paging import Window
from models.predictions import PredictionKind
from models.principal import Principal, Role
from models.reading_hours import SUMMED_AFTER
from models.repositories import histories
from models.repositories.prediction_models import MODELS
from models.statements import Row
from resolvers.context import Scope
from resolvers.predicting import methods, training
from resolvers.predicting.comparison import MEASURES
from resolvers.predicting.promotion import Promoted, promote
from resolvers.summing import sum_up
from settings.types import Settings

_OPERATOR = Principal("command line", Role.OPERATOR)
_MOST_SHOWN = 200
_HEADINGS = ("id", "model", "version", "stage", "method", "trained at", "samples", "error or skill")


def train(
    kind: Annotated[
        str | None,
        typer.Argument(help="LIFESPAN, MULTI_FACTOR or ANOMALY; all where it is not given.", show_default=False),
    ] = None,
    device_kind: Annotated[str, typer.Option(help="Kind of the devices to learn from.")] = "WATER_HEATER",
) -> None:
    """Train models on the fleet's own history.

    The first version of a model goes into production by itself, that of ANOMALY where it is better than the detector
    without training; later ones are candidates until they are promoted.

    For example:

        iotsphere train

        iotsphere train LIFESPAN --device-kind WATER_HEATER
    """
    settings = load_settings()
    kinds = training.TRAINED_KINDS if kind is None else (PredictionKind(_choice(kind, _trained(), "KIND")),)
    chosen = _choice(device_kind, list(KINDS), "--device-kind")
    for each in kinds:
        with progress_bar(f"Training {each.value}") as bar:
            version = run(_train(settings, each, chosen, bar))
        output.print(f"Version {version['version']} of the model '{version['name']}' is {version['stage']}.")
        output.print(_metrics(version))


def models() -> None:
    """List the versions of all models, newest first.

    For example:

        iotsphere models
    """
    rows = run(_versions(load_settings()))
    lines = [_HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        output.print(escape("  ".join(cells).rstrip()))


def promote_model(
    model: Annotated[int, typer.Argument(metavar="ID", help="The version, as 'iotsphere models' shows it.")],
    force: Annotated[bool, typer.Option("--force", help="Although it is worse than the present one.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why; needed with --force, and for an archived version.")] = None,
) -> None:
    """Put a version of a model into production.

    The one that was there is archived, and can be taken back.

    For example:

        iotsphere promote 7

        iotsphere promote 3 --reason "Version 4 overrates old heaters."
    """
    promoted = run(_promote(load_settings(), model, force, reason))
    replaced = "" if promoted.replaced is None else f" in the place of version {promoted.replaced['version']}"
    row = promoted.model
    output.print(f"Version {row['version']} of the model '{row['name']}' is in production{replaced}.")


async def _train(settings: Settings, kind: PredictionKind, device_kind: str, bar: Bar) -> Row:
    async with services_of(settings) as services:
        # A server does so by and by; where none runs, nobody has.
        await sum_up(services.store, services.clock() - SUMMED_AFTER, patient=True)
        begun = await training.begin(Scope(services, _OPERATOR), kind, device_kind)
        return await carry_out(services, begun, bar.move)


async def _versions(settings: Settings) -> list[Row]:
    async with services_of(settings) as services:
        await methods.register_all(services.store, services.clock())
        page = await histories.page(services.store, MODELS, Window(_MOST_SHOWN))
        return list(page.rows)


async def _promote(settings: Settings, model_id: int, force: bool, reason: str | None) -> Promoted:
    async with services_of(settings) as services:
        return await promote(Scope(services, _OPERATOR), model_id, force=force, reason=reason)


def _trained() -> list[str]:
    return [each.value for each in training.TRAINED_KINDS]


def _choice(given: str, allowed: list[str], name: str) -> str:
    """Return a word as it is spelt here, whatever its case; raises NotFound where it is none of those allowed."""
    word = given.upper().replace("-", "_")
    if word not in allowed:
        raise NotFound(f"{name} must be {' or '.join(allowed)}, not '{given}'.")
    return word


def _metrics(row: Row) -> str:
    numbers: dict[str, Any] = orjson.loads(row["metrics"])
    return "\n".join(f"  {name} = {value:.4g}" for name, value in numbers.items() if isinstance(value, int | float))


def _cells(row: Row) -> tuple[str, ...]:
    told = [str(row[name]) for name in ("id", "name", "version", "stage", "method")]
    return (*told, f"{row['trained_at']:%Y-%m-%d %H:%M}", str(row["sample_count"]), _main_metric(row))


def _main_metric(row: Row) -> str:
    measure = MEASURES.get(PredictionKind(row["kind"]))
    value = None if measure is None else orjson.loads(row["metrics"]).get(measure.name)
    return "" if measure is None or value is None else f"{measure.name} {value:.4g}"
