"""How the features and the predictions of a training were distributed: what later ones are compared with.

The rows are put in order of time, so that neighbours are different units of about the same day, as those are that are
predicted later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.learning.backtest import Backtest
from models.learning.drift import error_reference, sketch_of
from models.learning.features import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """The n rows that a version would have been asked for in its training window, whether or not their truth is known.

    Attributes:
        features: (n, f) what the predictions are made from.
        units: (n,) place of each row's unit.
        instants: (n,) when the unit was looked at, in the histories' unit of time.
        predicted: (n,) what the version makes of them.
    """

    features: FloatArray
    units: IntArray
    instants: FloatArray
    predicted: FloatArray


def reference_of(backtest: Backtest, names: Sequence[str], served: Served | None = None) -> dict[str, Any]:
    """Return as JSON values the sketches of the features, by name, of the predictions and of the out-of-fold errors.

    Args:
        backtest: of the training.
        names: of the features.
        served: what later predictions are like, where that is not the rows of the backtest: these lack the newest days
            of units whose truth is still to come.

    Returns:
        "rows" and "units" of the reference; "features" (by name) and "prediction" as `Sketch.to_json` makes them;
        "error" as `ErrorReference.to_json` does, of the absolute errors where the truth is known.
    """
    rows = served or Served(backtest.features, backtest.units, backtest.instants, backtest.predicted)
    order = np.argsort(rows.instants, kind="stable")
    asked = np.argsort(backtest.instants, kind="stable")
    errors = np.abs(backtest.predicted - backtest.truths)[asked][backtest.known[asked]]
    return {
        "rows": len(order),
        "units": len(np.unique(rows.units)),
        "features": {
            name: sketch_of(column[order]).to_json() for name, column in zip(names, rows.features.T, strict=True)
        },
        "prediction": sketch_of(rows.predicted[order]).to_json(),
        "error": error_reference(errors).to_json(),
    }
