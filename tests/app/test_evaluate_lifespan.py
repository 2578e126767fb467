"""What `iotsphere evaluate lifespan` prints, on files written here and on recorded runs."""

from pathlib import Path

import numpy as np
import pytest

from app.evaluation.lifespan import evaluate, evaluate_collection, nasa_score, run
from app.evaluation.run_to_failure_files import read_runs
from app.files import FileProblem
from models.learning.boosting import Boosting

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "cmapss"


def rows(units, *, seed=0, cut=False) -> tuple[np.ndarray, list[float]]:
    """Return rows of units whose wear reaches its end at their own pace, and what each has left when cut off."""
    random = np.random.default_rng(seed)
    matrix, left = [], []
    for unit in range(1, units + 1):
        end = int(random.integers(40, 90))
        seen = int(end * random.uniform(0.3, 0.95)) if cut else end
        times = np.arange(1, seen + 1)
        wear = (times / end) ** 2 * 5 + random.normal(size=seen) * 0.1
        others = random.normal(size=(seen, 4))
        matrix.append(np.column_stack([np.full(seen, unit), times, others[:, :3], 640 + wear, others[:, 3]]))
        left.append(float(end - seen))
    return np.concatenate(matrix), left


@pytest.fixture
def folder(tmp_path) -> Path:
    """Return a folder with a training set, a test set and its truth."""
    np.savetxt(tmp_path / "train_X1.txt", rows(25)[0], "%g")
    tested, left = rows(15, seed=1, cut=True)
    np.savetxt(tmp_path / "test_X1.txt", tested, "%g")
    np.savetxt(tmp_path / "RUL_X1.txt", left, "%g")
    return tmp_path


def test_test_set_is_predicted(folder):
    """The test units beside the training file are predicted, better than by age, and reasons add up."""
    (found,) = evaluate(folder, cap=50)
    assert (len(found.truths), found.learnt, found.cross_validated) == (15, 25, False)
    assert np.sqrt(np.mean((found.values - found.capped) ** 2)) < 8
    assert next(iter(found.shares)) == "column 6"
    assert found.gap < 1e-8
    text = "\n".join(run([folder / "train_X1.txt"], cap=50))
    for part in ("X1: remaining life, 15 predictions", "capped at 50", "NASA score", "90 % interval: held"):
        assert part in text
    assert "published" not in text


def test_units_are_held_out_without_a_test_set(tmp_path):
    """A file with a header, commas, other units and dates for times is evaluated by fifths of its units."""
    matrix = rows(12)[0]
    days = np.datetime64("2031-05-01") + matrix[:, 1].astype(int)
    lines = ["motor;day;load setting;hot (F);cold"]
    for row, day in zip(matrix, days, strict=True):
        lines.append(f"M{row[0]:.0f};{day};{row[2]:.3f};{row[5] * 1.8 - 459.67:.3f};")
    path = tmp_path / "motors.csv"
    path.write_text("\n".join(lines), "utf-8")
    (collection,) = read_runs(path)
    assert collection.layout.settings == ("load setting",)
    assert collection.layout.channels == ("hot (F)", "cold")
    assert len(collection.runs) == 12
    assert np.isnan(collection.runs[0].values[:, 1]).all()
    (found,) = evaluate(path)
    assert found.cross_validated
    assert len(found.truths) == 60
    assert next(iter(found.shares)) == "hot (F)"


@pytest.mark.parametrize(
    ("name", "text", "settings", "named"),
    [
        ("train_a.txt", "", None, "is empty"),
        ("train_a.txt", "1 1", None, "2 columns"),
        ("train_a.txt", "1 1 2 3\n1 2 3", None, "row 2 has 3 columns, the first has 4"),
        ("train_a.txt", "1 1 2 hot", None, "'hot' where a number should be"),
        ("train_a.txt", "1 soon 2 3", None, "'soon' where a time should be"),
        ("train_a.txt", "1 1 2 3", 5, "not 5 settings"),
        ("train_a.csv", "a,b,c", None, "no rows"),
        ("other.txt", "1 1 2 3", None, "no file with 'train'"),
    ],
)
def test_run_files_that_cannot_be_read_say_why(tmp_path, name, text, settings, named):
    """One sentence names the file and what is wrong with it."""
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(FileProblem, match=named):
        read_runs(tmp_path, settings)


def test_too_few_units_have_a_reason(tmp_path):
    """A collection with too few failures says so instead of figures."""
    np.savetxt(tmp_path / "train_few.txt", rows(3)[0], "%g")
    assert run([tmp_path]) == [
        "few: Too few failures to learn remaining life from: 2 units with readings have failed, 5 are needed."
    ]


def test_nasa_score_punishes_lateness():
    """Ten too many cost e - 1, thirteen too few the same."""
    assert nasa_score(np.array([60.0]), np.array([50.0])) == pytest.approx(np.e - 1)
    assert nasa_score(np.array([37.0]), np.array([50.0])) == pytest.approx(np.e - 1)


def test_recorded_engines():
    """On recorded engines the error and the interval stay within their marks."""
    path = RECORDED / "train_FD001.txt"
    if not path.exists():
        pytest.skip("the recorded engines train_FD001.txt are not here")
    (collection,) = read_runs(path)
    found = evaluate_collection(collection, boosting=Boosting(trees=120, learning_rate=0.07, folds=3))
    assert np.sqrt(np.mean((found.values - found.capped) ** 2)) <= 12.2
    assert found.width <= 36
    assert 0.83 <= found.coverage <= 0.96
