"""The risk of failure on recorded data: how well it ranks and is calibrated, and whether its reasons are true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.evaluation.causes import HORIZON, Attribution, Rule, cases_of, learn_rules, strongest_factors
from app.evaluation.log_files import MachineLogs, is_logs, read_logs
from app.evaluation.state_files import States, read_states
from models.learning.boosting import Boosting, NothingToLearn, folds_of
from models.learning.features import FloatArray
from models.learning.risk import BOOSTING, RiskCase, load, looks_at, outcomes, pr_auc, roc_auc, train

SEED = 1
_FOLDS = 5
_LOG_HORIZON_DAYS = 1.0
_LEARNT_SHARE = 2 / 3
_MOST_ROWS = 30_000
_MOST_TESTED = 20_000
_BINS = 10
_SHOWN = 6


@dataclass(frozen=True, slots=True, eq=False)
class RiskEvaluation:
    """How well failures were predicted for cases that were not learnt from.

    Attributes:
        name: of the file or folder.
        protocol: how cases were held out, in words.
        truths: (n,) 0 or 1.
        probabilities: (n,) predicted.
        weights: the factors' general weights, the greatest first.
        rules: what each recorded cause rests on; none where no causes are recorded.
        attribution: how often explanations named the true cause.
        notes: what else was found in the data.
    """

    name: str
    protocol: str
    truths: FloatArray
    probabilities: FloatArray
    weights: dict[str, float]
    rules: tuple[Rule, ...] = ()
    attribution: Attribution | None = None
    notes: tuple[str, ...] = ()


def evaluate(path: Path, *, target: str | None = None, seed: int = SEED) -> RiskEvaluation:
    """Evaluate a file of states, or a folder of logs.

    Raises:
        FileProblem: a file cannot be read.
        NothingToLearn: there are too few failures.
    """
    if is_logs(path):
        return evaluate_logs(read_logs(path))
    return evaluate_states(read_states(path, target), seed)


def evaluate_states(states: States, seed: int = SEED, boosting: Boosting = BOOSTING) -> RiskEvaluation:
    """Predict each fifth of the states from the others, and explain those that failed."""
    cases = cases_of(states, states.failed)
    fold = folds_of(np.arange(len(cases)), states.failed, _FOLDS, seed)
    rules = {rule.cause: rule for rule in learn_rules(states, boosting)}
    probabilities, attribution = np.empty(len(cases)), Attribution()
    weights: dict[str, float] = {}
    for part in range(_FOLDS):
        tested = np.flatnonzero(fold == part)
        learnt = [cases[place] for place in np.flatnonzero(fold != part)]
        # What is evaluated is what would be stored and read back.
        model = load(train(states.layout, learnt, HORIZON, boosting=boosting).text)
        found = model.predict(states.layout, [states.histories[place] for place in tested])
        probabilities[tested] = found.probability
        factors = model.factors(found.features)
        for name, weight in zip(factors.names, factors.weights.tolist(), strict=True):
            weights[name] = weights.get(name, 0.0) + weight / _FOLDS
        for row, place in enumerate(tested.tolist()):
            present = _present(states, rules, place)
            if present:
                attribution.add(present, strongest_factors(factors, row))
    return RiskEvaluation(
        name=states.name,
        protocol=f"{len(cases)} states, five-fold, failure in column {states.target!r}",
        truths=states.failed,
        probabilities=probabilities,
        weights=weights,
        rules=tuple(rules.values()),
        attribution=attribution if attribution.failures else None,
        notes=(f"not used: {', '.join([*states.cause_names, *states.left_out]) or 'none'}",),
    )


def evaluate_logs(logs: MachineLogs, boosting: Boosting = BOOSTING) -> RiskEvaluation:
    """Learn half of the machines until two thirds of the time, and predict the other half after it, both ways."""
    middle = logs.first + _LEARNT_SHARE * (logs.last - logs.first)
    truths: list[FloatArray] = []
    probabilities: list[FloatArray] = []
    weights: dict[str, float] = {}
    for half in (0, 1):
        learnt = [_until(case, middle) for case in logs.cases[half::2]]
        tested = [replace(case, observed_from=middle) for case in logs.cases[1 - half :: 2]]
        model = load(train(logs.layout, learnt, _LOG_HORIZON_DAYS, boosting=boosting, most_rows=_MOST_ROWS).text)
        looks = looks_at(tested, _LOG_HORIZON_DAYS, _MOST_TESTED)
        for case, instants in zip(tested, looks, strict=True):
            truths.append(outcomes(case, instants, _LOG_HORIZON_DAYS))
            histories = [case.history] * len(instants)
            probabilities.append(model.predict(logs.layout, histories, instants).probability)
        for name, weight in zip(model.classifier.groups, model.weights.tolist(), strict=True):
            weights[name] = weights.get(name, 0.0) + weight / 2
    return RiskEvaluation(
        name=logs.name,
        protocol=f"{len(logs.cases)} machines, failure within 24 h from logs only, halves of the machines, "
        "last third of the time",
        truths=np.concatenate(truths),
        probabilities=np.concatenate(probabilities),
        weights=weights,
    )


def run(paths: Sequence[Path], *, target: str | None = None, seed: int = SEED) -> list[str]:
    """Return the lines that `iotsphere evaluate risk` prints.

    Raises:
        FileProblem: a file cannot be read.
    """
    lines: list[str] = []
    for path in paths:
        try:
            lines += lines_of(evaluate(path, target=target, seed=seed))
        except NothingToLearn as problem:
            lines.append(f"{path.name}: {problem}")
    return lines


def lines_of(found: RiskEvaluation) -> list[str]:
    """Return one evaluation as text."""
    truths, probabilities = found.truths, found.probabilities
    rate = float(truths.mean())
    order = sorted(found.weights, key=lambda name: -found.weights[name])[:_SHOWN]
    brier = float(np.mean((probabilities - truths) ** 2))
    areas = f"PR-AUC {pr_auc(truths, probabilities):.3f}, ROC-AUC {roc_auc(truths, probabilities):.3f}"
    gap = calibration_error(truths, probabilities)
    lines = [
        f"{found.name}: risk of failure, {found.protocol}",
        f"  {areas}; base rate {rate:.2%} of {len(truths)} predictions",
        f"  Brier score {brier:.4f}, of the base rate {rate * (1 - rate):.4f}; calibration error {gap:.4f}",
        "  factors: " + ", ".join(f"{name} {found.weights[name]:.0%}" for name in order),
    ]
    lines += [
        f"  cause {rule.cause}: rests on {' with '.join(sorted(rule.quantity))}; "
        f"involves {', '.join(sorted(rule.channels))}"
        for rule in found.rules
    ]
    if found.attribution is not None:
        lines += _attribution_lines(found.attribution)
    return [*lines, *(f"  {note}" for note in found.notes)]


def calibration_error(truths: FloatArray, probabilities: FloatArray) -> float:
    """Return the mean difference between predicted and observed rates over ten bins of equally many predictions.

    Source: Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning (2015),
    AAAI, with bins of equal frequency.
    """
    bins = np.array_split(np.argsort(probabilities, kind="stable"), _BINS)
    gaps = [abs(float(truths[rows].mean() - probabilities[rows].mean())) * len(rows) for rows in bins if len(rows)]
    return sum(gaps) / len(truths)


def _attribution_lines(found: Attribution) -> list[str]:
    def both(first: int, either: int) -> str:
        return f"{first / found.failures:.1%}, one of the two strongest in {either / found.failures:.1%}"

    lead = f"  of {found.failures} failures with a recorded cause the strongest factor is of the true cause in "
    return [
        lead + both(found.top, found.top_two),
        "  it is the very quantity that the cause rests on in " + both(found.top_quantity, found.top_two_quantity),
    ]


def _present(states: States, rules: dict[str, Rule], place: int) -> list[Rule]:
    """Return the learnt rules of a failure's recorded causes."""
    if not states.failed[place]:
        return []
    names = [states.cause_names[cause] for cause in np.flatnonzero(states.causes[place] > 0).tolist()]
    return [rules[name] for name in names if name in rules]


def _until(case: RiskCase, instant: float) -> RiskCase:
    """Return a case as it was known at an instant."""
    past = case.failures[case.failures <= instant]
    return RiskCase(case.history.until(instant), past, instant, case.observed_from)
