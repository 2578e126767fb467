"""What `iotsphere evaluate anomalies` prints, on files written here and on the recorded sets."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.evaluation.anomalies import evaluate_nab, evaluate_skab, point_score, run
from app.evaluation.anomalies_files import read_labelled
from app.evaluation.anomalies_nab import PROFILES, Detections, nab_score, probation
from app.files import FileProblem

DATA = Path(__file__).parents[3] / "shared" / "data"
START = np.datetime64("2024-05-01T00:00:00")


def recorded(name) -> Path:
    """Return a folder of recorded series, or skip."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the recorded series {name} are not here")
    return path


def written_skab(folder, rows=900, separator=";") -> Path:
    """Write a file as SKAB has them, with other names of sensors and an anomaly at the end."""
    values = np.random.default_rng(1).normal(size=(rows, 3))
    values[700:] += 8
    lines = [separator.join(["when", "alpha", "beta", "gamma", "anomaly", "changepoint"])]
    for row, cells in enumerate(values.tolist()):
        time = str(START + np.timedelta64(row, "s")).replace("T", " ")
        lines.append(separator.join([time, *(f"{cell:.5f}" for cell in cells), f"{row >= 700:.1f}", "0.0"]))
    path = folder / "rig" / "0.csv"
    path.parent.mkdir()
    path.write_text("\n".join(lines), "utf-8")
    return path


def written_nab(folder, labels="windows.json") -> Path:
    """Write a folder as NAB has them, with one anomaly in a window."""
    values = np.random.default_rng(2).normal(size=2000)
    values[1500:1510] += 30
    times = [str(START + np.timedelta64(5 * row, "m")).replace("T", " ") for row in range(2000)]
    path = folder / "data" / "traffic" / "road.csv"
    path.parent.mkdir(parents=True)
    path.write_text("timestamp,value\n" + "\n".join(f"{t},{v}" for t, v in zip(times, values, strict=True)), "utf-8")
    (folder / labels).write_text(json.dumps({"traffic/road.csv": [[times[1450] + ".000000", times[1600]]]}), "utf-8")
    return folder / "data"


@pytest.mark.parametrize("separator", [";", ","])
def test_sensors_are_found_by_elimination(tmp_path, separator):
    """All columns of a file with labels but the time and the labels are sensors, whatever their names."""
    (series,) = read_labelled([written_skab(tmp_path, separator=separator)])
    assert series.channels == ("alpha", "beta", "gamma")
    assert series.name == "rig/0.csv"
    assert series.is_anomalous is not None
    assert series.is_anomalous.sum() == 200
    assert np.diff(series.at_micros).tolist() == [1_000_000] * 899
    found = evaluate_skab([series])
    assert found.points.balanced_accuracy > 90
    assert found.readings == 900


@pytest.mark.parametrize("labels", ["windows.json", "combined_windows.json"])
def test_windows_are_found_above(tmp_path, labels):
    """A single file finds its windows in a folder above; the anomaly within is found, and nothing else."""
    (series,) = read_labelled([written_nab(tmp_path, labels) / "traffic" / "road.csv"])
    found = evaluate_nab([series])
    assert (found.windows, found.opened) == (1, 1)
    assert found.scores["standard"].score > 80


def test_lines_have_all_figures(tmp_path):
    """The report has both sets, each figure and the published ones beside."""
    text = "\n".join(run([written_skab(tmp_path), written_nab(tmp_path)]))
    for name in (
        "F1",
        "FAR",
        "MAR",
        "balanced accuracy",
        "standard",
        "reward_low_FP",
        "reward_low_FN",
        "HTM",
        "Conv-AE",
    ):
        assert name in text
    assert text.count("µs a reading") == 2


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("when;x;anomaly\n2024-05-01;1;0\n2024-05-02;1", "line 3 has 2 cells; the header has 3"),
        ("when;x;anomaly\nsoon;1;0", "'soon' is not a time"),
        ("when;x;anomaly\n2024-05-01;much;0", "'much' is not a number"),
        ("when,x\n2024-05-01,1", "no series of SKAB"),
        ("timestamp,value\n2024-05-01,1", "its anomalies are not known"),
    ],
)
def test_files_that_cannot_be_evaluated_say_why(tmp_path, content, named):
    """One sentence names the file and what is wrong."""
    path = tmp_path / "a" / "b" / "c" / "d" / "e" / "odd.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    with pytest.raises(FileProblem, match=named):
        run([path])


def test_missing_paths_and_labels_say_so(tmp_path):
    """A path that is not there, and windows that lack a file, are named."""
    with pytest.raises(FileProblem, match="no such file"):
        run([tmp_path / "nowhere"])
    folder = written_nab(tmp_path)
    (tmp_path / "windows.json").write_text("{}", "utf-8")
    with pytest.raises(FileProblem, match=r"has no windows of traffic/road\.csv"):
        run([folder])


def test_point_score():
    """Rates and F1 of two right, one false and one missed alarm among five readings."""
    found = point_score(np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool))
    assert found.f1 == pytest.approx(2 / 3)
    assert found.false_alarm_rate == pytest.approx(50)
    assert found.missed_alarm_rate == pytest.approx(100 / 3)
    assert found.balanced_accuracy == pytest.approx(100 - (50 + 100 / 3) / 2)


def detections(rows, length=1000, window=(500, 599)):
    """Return a series that alarms at some rows, with a window from row to row."""
    score = np.zeros(length)
    score[list(rows)] = 0.9
    return Detections(np.arange(length), score, np.array([window]))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([500], 100.0),  # at the very beginning of the window
        ([10, 500], 100.0),  # in the probation nothing counts
        ([599], 100 * (1 + 0.02534) / 2),  # at its end: sigmoid(-1/100) over sigmoid(-1)
        ([500, 560, 590], 100.0),  # of a window counts the best
        ([200, 500], 100 * (2 - 0.11) / 2),  # a false alarm before any window
        ([500, 999], 100 * (2 - 0.11) / 2),  # and one long after
        ([500, 649], 100 * (2 - 0.11 * 0.852) / 2),  # soon after a window it costs less: sigmoid(50/99)
        ([], 0.0),
    ],
)
def test_nab_score_of_known_detections(rows, expected):
    """The standard profile by hand."""
    assert nab_score([detections(rows)], PROFILES[0]).score == pytest.approx(expected, abs=0.05)


def test_nab_profiles_and_threshold():
    """Missed windows weigh more in one profile, false alarms in another; the threshold is the best for all files."""
    found, missed = detections([500]), detections([])
    scores = [nab_score([found, missed], profile).score for profile in PROFILES]
    assert scores == pytest.approx([50, 50, 50])
    noisy = detections([200, 500])
    assert nab_score([noisy], PROFILES[1]).score == pytest.approx(100 * (2 - 0.22) / 2)
    assert nab_score([noisy], PROFILES[2]).score == pytest.approx(100 * (3 - 0.11) / 3)
    noisy.score[200] = 0.6
    assert nab_score([noisy, found], PROFILES[0]).score == pytest.approx(100)
    assert nab_score([noisy, found], PROFILES[0]).threshold == pytest.approx(0.9)
    assert (probation(4000), probation(22695)) == (600, 750)


def test_recorded_skab():
    """On the files at hand balanced accuracy is what is asked for, in either half of them too far from chance."""
    series = read_labelled([recorded("skab")])
    found = evaluate_skab(series)
    assert found.points.balanced_accuracy >= 75
    assert found.channels is not None
    # As T2+Q, which compares channels as well; together with the detector it adds more false alarms than it finds.
    assert 70 < found.channels.balanced_accuracy < found.points.balanced_accuracy
    assert min(evaluate_skab(half).points.balanced_accuracy for half in (series[::2], series[1::2])) > 65


def test_recorded_nab():
    """On the files at hand the standard score is what is asked for, with one threshold, and in either half of them."""
    series = read_labelled([recorded("nab/data")])
    assert evaluate_nab(series).scores["standard"].score >= 55
