"""Risk of failure within a horizon, with the factors that make it."""

from models.learning.risk.cases import RiskCase, looks_at, outcomes, rows_of
from models.learning.risk.interactions import Interaction, Kind
from models.learning.risk.model import Level, Levels, RiskFactors, RiskModel, Risks, load
from models.learning.risk.scores import pr_auc, roc_auc
from models.learning.risk.screening import find_interactions
from models.learning.risk.training import BOOSTING, FEWEST_FAILURES, TrainedRisk, train

__all__ = [
    "BOOSTING",
    "FEWEST_FAILURES",
    "Interaction",
    "Kind",
    "Level",
    "Levels",
    "RiskCase",
    "RiskFactors",
    "RiskModel",
    "Risks",
    "TrainedRisk",
    "find_interactions",
    "load",
    "looks_at",
    "outcomes",
    "pr_auc",
    "roc_auc",
    "rows_of",
    "train",
]
