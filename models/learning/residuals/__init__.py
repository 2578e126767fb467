"""Channels that do not fit the others: a model trained on a fleet, beside the detector that knows each device alone.

trained = train(layout, looks, units)                    # looks at devices, each with the steps before it
judged = trained.model.judge(looks)                      # residuals, and how unusual runs of them are
"""

from models.learning.residuals.layout import DEVIATION, MEAN, Pace, StepLayout, check_same
from models.learning.residuals.looks import Looks, Seen, changed_units, joined, look_at, see
from models.learning.residuals.model import Judged, Limits, ResidualModel, load
from models.learning.residuals.training import BOOSTING, FALSE_ALARMS, TrainedResiduals, train

__all__ = [
    "BOOSTING",
    "DEVIATION",
    "FALSE_ALARMS",
    "MEAN",
    "Judged",
    "Limits",
    "Looks",
    "Pace",
    "ResidualModel",
    "Seen",
    "StepLayout",
    "TrainedResiduals",
    "changed_units",
    "check_same",
    "joined",
    "load",
    "look_at",
    "see",
    "train",
]
