"""What `iotsphere evaluate risk` prints, on files written here and on recorded states and logs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.evaluation.log_files import is_logs, read_logs
from app.evaluation.risk import calibration_error, evaluate_logs, evaluate_states, lines_of, run
from app.evaluation.state_files import read_states
from app.files import FileProblem
from models.learning.risk import BOOSTING

QUICK = replace(BOOSTING, trees=40, learning_rate=0.15, folds=3)
RECORDED = Path(__file__).parents[3] / "shared" / "data"


def recorded(name) -> Path:
    """Return recorded data, or skip."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"the recorded data {name} are not here")
    return path


def states(path, count=3000, seed=0) -> Path:
    """Write states that fail by power or by wear, under names that say nothing."""
    random = np.random.default_rng(seed)
    one, two = random.uniform(20, 60, count), random.uniform(10, 40, count)
    wear = random.uniform(0, 250, count)
    power, worn, odd = one * two > 1900, wear > 240, random.random(count) < 0.003
    lines = ["row,q1,q2,kind,q3,serial,bad,c1,c2,c3"]
    for n in range(count):
        kind = "ab"[n % 2]
        flags = f"{int(power[n] or worn[n])},{int(power[n])},{int(worn[n])},{int(odd[n])}"
        lines.append(f"{n + 1},{one[n]:.3f},{two[n]:.3f},{kind},{wear[n]:.1f},S{n},{flags}")
    path.write_text("\n".join(lines), "utf-8")
    return path


def logs(folder, *, machines=16) -> Path:
    """Write logs in which a failure follows a day after each error e1, under other column names."""
    random = np.random.default_rng(0)
    start = np.datetime64("2031-03-01T00:00:00")
    files = {"X_errors": [], "X_failures": [], "X_maint": []}
    for machine in range(1, machines + 1):
        for hours in np.sort(random.integers(0, 24 * 100, 8)).tolist():
            files["X_errors"].append(f"{start + np.timedelta64(hours, 'h')},{machine},e1".replace("T", " "))
            files["X_failures"].append(f"{start + np.timedelta64(hours + 20, 'h')},{machine},part".replace("T", " "))
        for hours in random.integers(-3000, 2400, 6).tolist():
            files["X_errors"].append(f"{start + np.timedelta64(abs(hours), 'h')},{machine},e2".replace("T", " "))
            files["X_maint"].append(f"{start + np.timedelta64(hours, 'h')},{machine},part".replace("T", " "))
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(["stamp,asset,what", *lines]), "utf-8")
    machine_lines = [f"{machine},{'AB'[machine % 2]},{machine % 7}" for machine in range(1, machines + 1)]
    (folder / "X_machines.csv").write_text("\n".join(["asset,make,years", *machine_lines]), "utf-8")
    return folder


def test_columns_are_found_by_content(tmp_path):
    """Failures, causes, identifiers, categories and a rare flag are known by what they hold."""
    found = read_states(states(tmp_path / "states.csv"))
    assert (found.target, found.cause_names) == ("bad", ("c1", "c2"))
    assert found.layout.channels == ("q1", "q2", "q3")
    assert found.layout.attributes == ("kind=a", "kind=b")
    assert found.left_out == ("row", "serial", "c3")
    assert len(found.histories) == 3000


def test_states_are_evaluated_with_their_causes(tmp_path):
    """Failures are found, rules are learnt without names, and explanations name the true cause."""
    found = evaluate_states(read_states(states(tmp_path / "states.csv", 1500)), boosting=QUICK)
    rules = {rule.cause: set(rule.quantity) for rule in found.rules}
    assert rules == {"c1": {"q1", "q2"}, "c2": {"q3"}}
    assert found.attribution is not None
    assert found.attribution.top_two > 0.9 * found.attribution.failures
    assert found.attribution.failures == found.truths.sum()
    text = "\n".join(lines_of(found))
    for part in ("PR-AUC", "base rate", "cause c1: rests on q1 with q2", "not used: c1, c2, row, serial, c3"):
        assert part in text


def test_failures_are_foreseen_from_logs(tmp_path):
    """Logs with other names and dates are read, and failures after errors are foreseen on unseen machines."""
    folder = logs(tmp_path)
    assert is_logs(folder)
    found = read_logs(folder)
    assert found.layout.events == ("error e1", "error e2", "fail part", "maint part")
    assert found.layout.attributes == ("make=A", "make=B", "years")
    assert len(found.cases) == 16
    evaluated = evaluate_logs(found, QUICK)
    assert max(evaluated.weights, key=evaluated.weights.__getitem__) == "error e1"
    assert evaluated.probabilities[evaluated.truths > 0].mean() > 5 * evaluated.truths.mean()


@pytest.mark.parametrize(
    ("lines", "target", "named"),
    [
        (["a,b"], None, "no rows"),
        (["a,b", "1.5,2", "2.5,3"], None, "which column tells failures is not clear"),
        (["a,b", "1.5,0", "2.5,1"], "fault", "no column 'fault' of 0 and 1; it has b"),
        (["b", "0", "1"], None, "no column to predict failures from"),
    ],
)
def test_states_that_cannot_be_read_say_why(tmp_path, lines, target, named):
    """One sentence names what is missing."""
    path = tmp_path / "states.csv"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(FileProblem, match=named):
        read_states(path, target)


def test_states_without_failures_have_a_reason(tmp_path):
    """Too few failures are named instead of figures."""
    path = tmp_path / "quiet.csv"
    path.write_text("\n".join(["x,bad", *(f"{n * 0.7},{int(n == 5)}" for n in range(50))]), "utf-8")
    assert run([path])[0].startswith("quiet.csv: There is no positive case to learn from")


def test_logs_without_a_shared_column_say_why(tmp_path):
    """Files that do not name machines alike cannot be joined."""
    (tmp_path / "errors.csv").write_text("t,machine,e\n2031-01-01 10:00:00,1,a", "utf-8")
    (tmp_path / "failures.csv").write_text("t,asset,e2\n2031-01-13 10:00:00,1,b", "utf-8")
    with pytest.raises(FileProblem, match="share no column"):
        read_logs(tmp_path)


def test_calibration_error_of_known_probabilities():
    """Probabilities that are a tenth too high err by a tenth."""
    truths = np.tile([0.0, 1.0], 500)
    assert calibration_error(truths, np.full(1000, 0.6)) == pytest.approx(0.1)


def test_recorded_states_are_understood():
    """In the recorded states the failure, its four causes and the random flag are told apart, and a rule is found."""
    found = read_states(recorded("ai4i/ai4i2020.csv"))
    assert found.target == "Machine failure"
    assert found.cause_names == ("TWF", "HDF", "PWF", "OSF")
    assert found.left_out == ("UDI", "Product ID", "RNF")
    assert len(found.layout.channels) == 5


def test_recorded_logs_are_understood():
    """The recorded logs give every machine its events of all kinds."""
    found = read_logs(recorded("azure_pdm"))
    assert len(found.cases) == 100
    assert len(found.layout.events) == 5 + 4 + 4
    assert sum(len(case.failures) for case in found.cases) == 522
