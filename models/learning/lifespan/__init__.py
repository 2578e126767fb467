"""Remaining life of a unit, with an interval that holds, from its own history or from its age."""

from models.learning.lifespan.lives import Life
from models.learning.lifespan.model import LifespanModel, Method, Reason, Remaining, load
from models.learning.lifespan.survival import Survival, fit_survival
from models.learning.lifespan.training import FEWEST_FAILURES, MOST_ROWS, TrainedLifespan, train, train_by_age

__all__ = [
    "FEWEST_FAILURES",
    "MOST_ROWS",
    "Life",
    "LifespanModel",
    "Method",
    "Reason",
    "Remaining",
    "Survival",
    "TrainedLifespan",
    "fit_survival",
    "load",
    "train",
    "train_by_age",
]
