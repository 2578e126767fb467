"""What `iotsphere evaluate demand` prints, on files written here and on recorded sales."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.evaluation.demand import evaluate, run
from app.evaluation.sales_files import read_sales
from app.files import FileProblem
from models.learning.demand import Method, Reason

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "vending"


def recorded(name) -> Path:
    """Return a file of recorded sales, or skip."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"the recorded sales {name} are not here")
    return path


def written(tmp_path, lines, name="sales.csv") -> Path:
    """Return a file of these lines."""
    path = tmp_path / name
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_reads_lines_with_written_out_dates(tmp_path):
    """Several lines of a transaction, dates in words and missing products are sales; a row without a date is not."""
    path = written(
        tmp_path,
        [
            "Status,Device ID,Machine,Product,Transaction,TransDate,RQty",
            'Processed,D1,North,Cola,1,"Saturday, January 1, 2022",1',
            'Processed,D1,North,Crisps,1,"Saturday, January 1, 2022",2',
            'Unlinked,D1,North,,2,"Monday, January 3, 2022",1',
            "Processed,D2,South,Cola,3,soon,1",
            'Processed,D2,South, COLA ,4,"Sunday, January 2, 2022",3',
        ],
    )
    sales = read_sales(path)
    assert list(sales.histories) == ["North", "South"]
    assert sales.names == {"North": ["cola", "crisps"], "South": ["cola"]}
    assert sales.histories["North"].units.tolist() == [1, 2, 1]
    assert sales.histories["North"].products.tolist() == [0, 1, -1]
    assert sales.skipped == 1


def test_reads_minutes_of_an_unnamed_machine(tmp_path):
    """Without columns of machines and units the file is one machine, and each row one unit, in the zone given."""
    lines = ["date,datetime,coffee_name", "2024/3/1,2024/3/1 10:15,Latte", "2024/3/1,2024/3/1 23:30,Latte"]
    history = read_sales(written(tmp_path, lines), zone="Europe/Berlin").histories["sales"]
    assert history.units.tolist() == [1, 1]
    assert history.sold_at_micros.tolist() == [1709284500_000_000, 1709332200_000_000]
    assert history.now_micros - history.start_micros == 86_400_000_000


def test_columns_can_be_mapped(tmp_path):
    """Names of a file that are not known are given."""
    path = tmp_path / "sales.ndjson"
    path.write_text(json.dumps({"when": "2024-03-01T10:15:00Z", "box": "B", "thing": "Tea", "n": 4}), "utf-8")
    columns = {"sold_at": "when", "machine": "box", "product": "thing", "units": "n"}
    sales = read_sales(path, columns=columns)
    assert sales.names == {"B": ["tea"]}
    assert sales.histories["B"].units.tolist() == [4]


@pytest.mark.parametrize(
    ("lines", "options", "named"),
    [
        (["a,b", "1,2"], {}, "column of times"),
        (["date,product", "2024-03-01,Tea"], {"columns": {"units": "pieces"}}, "no column 'pieces'"),
        (["date,product", "2024-03-01,Tea"], {"columns": {"colour": "product"}}, "no colour to map"),
        (["date,product", "2024-03-01,Tea"], {"zone": "Europe/Berln"}, "Europe/Berlin"),
        (["date,product", "soon,Tea"], {}, "not recognised"),
        (["date,units", "2024-03-01,many"], {}, "no sales"),
    ],
)
def test_files_that_cannot_be_evaluated_say_why(tmp_path, lines, options, named):
    """One sentence names what is wrong."""
    with pytest.raises(FileProblem, match=named):
        read_sales(written(tmp_path, lines), **options)


def test_short_file_has_a_reason(tmp_path):
    """A machine with too few days is named with the reason, not with figures."""
    path = written(tmp_path, ["date,machine", "2024-03-01,M1", "2024-03-02,M1"])
    assert run([path]) == ["M1: no forecast (TOO_LITTLE_HISTORY)"]
    assert evaluate([path])[0].reason is Reason.TOO_LITTLE_HISTORY


def test_choice_is_made_before_the_day(tmp_path):
    """Sales by weekday: the choice of each day beats one baseline and is no worse than any method but by noise."""
    random = np.random.default_rng(4)
    day = np.datetime64("2023-01-02") + np.arange(180)
    units = random.poisson(np.resize([30, 25, 20, 25, 35, 4, 2], 180))
    lines = ["date,machine,quantity", *(f"{d},M1,{n}" for d, n in zip(day, units, strict=True))]
    found = evaluate([written(tmp_path, lines)])[0]
    assert found.days == 28
    assert sum(found.chosen_on.values()) == 28
    assert found.chosen_mae < found.maes[Method.SEASONAL_NAIVE]
    assert found.chosen_mae <= min(found.maes.values()) * 1.2
    assert found.winner in found.maes


@pytest.mark.parametrize("name", ["coffee_2024.csv", "sales_3_machines.csv"])
def test_recorded_sales(name):
    """On recorded sales the choice beats the seasonal naive and comes near the better baseline, or beats that too."""
    for found in evaluate([recorded(name)]):
        naive, weekdays = found.maes[Method.SEASONAL_NAIVE], found.maes[Method.WEEKDAY_MEAN]
        assert found.chosen_mae < naive
        assert found.chosen_mae <= min(naive, weekdays) * 1.1
        assert found.covered / found.intervals > 0.6


def test_recorded_sales_are_all_read():
    """No row is skipped, spellings of a product are one, and the missing product is none."""
    coffee = read_sales(recorded("coffee_2024.csv"))
    machines = read_sales(recorded("sales_3_machines.csv"))
    assert (coffee.skipped, machines.skipped) == (0, 0)
    assert len(coffee.names["coffee_2024"]) == 8
    assert sum(history.units.sum() for history in machines.histories.values()) == 3784 + 2 * 58 + 3 * 5
    assert len(machines.histories) == 3


def test_lines_name_all_methods():
    """The report has the choice, both baselines, every method and the best in hindsight."""
    text = "\n".join(run([recorded("coffee_2024.csv")]))
    for name in ("CHOSEN EACH DAY", "best in hindsight", "80 % intervals", *Method):
        assert name in text
