"""How the features and the predictions of a training were distributed: what later ones are compared with.

The rows are put in order of time, so that neighbours are different units of about the same day, as those are that are
predicted later.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.learning.backtest import Backtest
from models.learning.drift import error_reference, sketch_of


def reference_of(backtest: Backtest, names: Sequence[str]) -> dict[str, Any]:
    """Return as JSON values the sketches of the features, by name, of the out-of-fold predictions and their errors.

    Returns:
        "rows" and "units" that were learnt from; "features" (by name) and "prediction" as `Sketch.to_json` makes them;
        "error" as `ErrorReference.to_json` does, of the absolute errors where the truth is known.
    """
    order = np.argsort(backtest.instants, kind="stable")
    predicted = backtest.predicted[order]
    errors = np.abs(predicted - backtest.truths[order])[backtest.known[order]]
    return {
        "rows": len(predicted),
        "units": len(np.unique(backtest.units)),
        "features": {
            name: sketch_of(column[order]).to_json() for name, column in zip(names, backtest.features.T, strict=True)
        },
        "prediction": sketch_of(predicted).to_json(),
        "error": error_reference(errors).to_json(),
    }
