"""What `iotsphere evaluate drift` prints, on generated streams, files written here and recorded ones."""

from pathlib import Path

import numpy as np
import pytest

from app.evaluation.drift import evaluate_calm, evaluate_change, run
from app.evaluation.drift_files import read_recorded
from app.evaluation.drift_recorded import evaluate_beginning, evaluate_concept
from app.evaluation.drift_streams import CHANGES, MOST_FALSE_ALARMS, STREAMS
from app.files import FileProblem

DATA = Path(__file__).parents[3] / "shared" / "data" / "drift"
SEED = 20


def recorded(name) -> Path:
    """Return a recorded stream, or skip."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the recorded stream {name} is not here")
    return path


def written(folder, name, header, rows) -> Path:
    """Write a table in CSV."""
    path = folder / name
    lines = [",".join(header), *(",".join(f"{cell:g}" for cell in row) for row in rows)]
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("stream", MOST_FALSE_ALARMS)
def test_false_alarms_stay_within_what_is_allowed(stream):
    """Streams in which nothing changes raise no more alarms than allowed."""
    calm = evaluate_calm(STREAMS[stream], SEED, runs=8)
    assert calm.each_10000 <= MOST_FALSE_ALARMS[stream]
    assert calm.nbytes < 1000


@pytest.mark.parametrize("change", [name for name, (_, mark) in CHANGES.items() if mark is not None])
@pytest.mark.parametrize("stream", ["independent", "daily season", "log-normal", "missing bursts"])
def test_changes_are_found_within_the_rows_demanded(stream, change):
    """Shifts of a half and a whole standard deviation and a wider spread are found in time."""
    make, mark = CHANGES[change]
    assert mark is not None
    assert np.count_nonzero(evaluate_change(STREAMS[stream], make, SEED, runs=6) <= mark.rows) >= mark.found / 2 - 1


def test_same_seed_same_result():
    """A seed determines the delays."""
    make, _ = CHANGES["shift .5 sd"]
    first, again = (evaluate_change(STREAMS["independent"], make, 3, runs=2) for _ in range(2))
    assert first.tolist() == again.tolist()


def test_column_that_begins_to_vary_is_found_by_what_it_does(tmp_path):
    """A column of any name that is constant and then varies is evaluated; others are not."""
    rng = np.random.default_rng(1)
    steady = np.where(np.arange(4000) < 3000, 0.25, rng.random(4000))
    path = written(tmp_path, "table.csv", ["sensor", "noise"], np.column_stack([steady, rng.random(4000)]))
    (table,) = read_recorded(path)
    assert table.beginnings() == {"sensor": 3000}
    alarms = evaluate_beginning(table.values[:, 0])
    assert 3000 < alarms[0] <= 3100


def test_concept_that_turns_round_is_found_by_the_errors(tmp_path):
    """Where inputs stay and the classes turn, the alarm comes from the errors, after each turn."""
    rng = np.random.default_rng(2)
    inputs = rng.random((9000, 2))
    is_turned = np.arange(9000) // 3000 % 2 == 1
    classes = (inputs[:, 0] > 0.5) ^ is_turned
    path = written(tmp_path, "any.csv", ["a", "b", "label"], np.column_stack([inputs, classes]))
    found = evaluate_concept(read_recorded(path)[0], change_every=3000)
    assert found.false_alarms == 0
    assert [delay for delay in found.delays if delay is None or delay > 100] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("a,b\n1,2\n", "no CSV with more than 2000 rows"),
        ("a,b\n1\n", "line 2 has 1 cells"),
        ("a,b\n1,x\n", "only numbers"),
    ],
)
def test_unusable_files_are_refused_in_a_sentence(tmp_path, content, message):
    """A file that is not there, too short, ragged or not of numbers is named with what is wrong."""
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(FileProblem, match=message):
        list(run(path, seed=1, runs=1, change_every=10_000))


def test_recorded_price_that_begins_to_vary():
    """Elec2's `vicprice` is found within a week of half hours of its change, with no alarm before."""
    (table,) = read_recorded(recorded("elec.csv"))
    begins = table.beginnings()["vicprice"]
    alarms = evaluate_beginning(table.values[: begins + 400, table.columns.index("vicprice")])
    assert begins < alarms[0] <= begins + 336


def test_recorded_concept_that_changes():
    """The model's errors show each of three changes of a recorded stream within 100 rows."""
    (table,) = read_recorded(recorded("sine_0123_abrupto.csv"))
    found = evaluate_concept(table, change_every=10_000)
    assert all(delay is not None and delay <= 100 for delay in found.delays)
    assert found.false_alarms <= 2


def test_lines_tell_streams_and_published_figures():
    """The text has a line for each stream and change, and the figures of others."""
    text = "\n".join(run(None, seed=5, runs=1, change_every=10_000))
    assert all(name in text for name in (*STREAMS, *CHANGES, "ADWIN", "bytes a feature", "seed 5"))
