"""The forecast of demand on recorded sales: what each method, and the choice among them, would have been worth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.evaluation.sales_files import read_sales
from app.evaluation.sell_outs import interval_coverage
from models.learning.demand import (
    BACKTEST_DAYS,
    Backtest,
    DailySeries,
    MachineHistory,
    Method,
    Reason,
    backtest,
    choose,
    daily_demand,
    pick,
)

EVALUATED_DAYS = 28


@dataclass(frozen=True, slots=True)
class DemandEvaluation:
    """How well a machine's daily units were forecast one day ahead.

    Attributes:
        machine: its name.
        days: days that were forecast.
        reason: why none was; None where some were.
        maes: mean absolute error of each method over these days, in units a day.
        chosen_mae: that of the choice made anew each day from the days before it; NaN without days.
        chosen_on: on how many days each method was chosen.
        intervals: sell-outs that were forecast with an interval of 80 %, from earlier days on.
        covered: how many of them happened within it.
    """

    machine: str
    days: int
    reason: Reason | None
    maes: Mapping[Method, float]
    chosen_mae: float
    chosen_on: Mapping[Method, int]
    intervals: int
    covered: int

    @property
    def winner(self) -> Method | None:
        """The method that was best on these days, which only hindsight knows."""
        return min(self.maes, key=self.maes.__getitem__) if self.maes else None


def evaluate(
    paths: Iterable[Path],
    *,
    columns: Mapping[str, str] | None = None,
    time_format: str | None = None,
    zone: str = "UTC",
    days: int = EVALUATED_DAYS,
) -> list[DemandEvaluation]:
    """Evaluate every machine of some files of sales; for the arguments see `read_sales`.

    Raises:
        FileProblem: a file cannot be read.
    """
    return [
        evaluate_machine(machine, history, days)
        for path in paths
        for machine, history in read_sales(path, columns=columns, time_format=time_format, zone=zone).histories.items()
    ]


def evaluate_machine(machine: str, history: MachineHistory, days: int = EVALUATED_DAYS) -> DemandEvaluation:
    """Forecast each of a machine's newest days by every method, and by the one chosen before that day."""
    choice = choose(history)
    demand = daily_demand(history)
    series = DailySeries(demand.totals, demand.first_day)
    if choice.reason is not None:
        return DemandEvaluation(machine, 0, choice.reason, {}, float("nan"), {}, 0, 0)
    evaluated = min(days, len(series.units) // 3)
    # Each choice needs a backtest before its day, and each backtest days to learn from.
    tested = backtest(series, min(evaluated + BACKTEST_DAYS, len(series.units) * 2 // 3))
    first = len(tested.actuals) - evaluated
    errors = np.abs(tested.forecasts - tested.actuals[:, None])[first:]
    chosen = [_chosen_before(tested, row) for row in range(first, len(tested.actuals))]
    columns = [tested.methods.index(method) for method in chosen]
    intervals, covered = interval_coverage(history)
    return DemandEvaluation(
        machine=machine,
        days=evaluated,
        reason=None,
        maes=dict(zip(tested.methods, errors.mean(axis=0).tolist(), strict=True)),
        chosen_mae=float(errors[np.arange(evaluated), columns].mean()),
        chosen_on={method: chosen.count(method) for method in dict.fromkeys(chosen)},
        intervals=intervals,
        covered=covered,
    )


def run(paths: list[Path]) -> list[str]:
    """Return the lines that `iotsphere evaluate demand` prints.

    Raises:
        FileProblem: a file cannot be read.
    """
    return [line for evaluation in evaluate(paths) for line in lines_of(evaluation)]


def lines_of(evaluation: DemandEvaluation) -> list[str]:
    """Return one machine's evaluation as text."""
    if evaluation.reason is not None:
        return [f"{evaluation.machine}: no forecast ({evaluation.reason})"]
    chosen_on = ", ".join(f"{method} {days}" for method, days in evaluation.chosen_on.items())
    rows = [("CHOSEN EACH DAY", evaluation.chosen_mae, f"chosen on days: {chosen_on}")]
    rows += [
        (method, mae, "best in hindsight" if method is evaluation.winner else "")
        for method, mae in evaluation.maes.items()
    ]
    lines = [f"{evaluation.machine}: mean absolute error in units a day, one day ahead, last {evaluation.days} days"]
    lines += [f"  {name:<20}{mae:8.2f}  {remark}".rstrip() for name, mae, remark in rows]
    if evaluation.intervals:
        share = evaluation.covered / evaluation.intervals
        lines.append(f"  80 % intervals of selling out held {share:.0%} of {evaluation.intervals}")
    return lines


def _chosen_before(tested: Backtest, row: int) -> Method:
    """Return the choice made before a row; where no row is before, the method that is chosen without any evidence."""
    past = slice(max(row - BACKTEST_DAYS, 0), row)
    method = pick(Backtest(tested.methods, tested.forecasts[past], tested.actuals[past])).method
    return method or tested.methods[0]
