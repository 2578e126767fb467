"""Boosted trees with calibrated intervals and probabilities, explained by channel and stored as text."""

from models.learning.boosting.artefacts import ArtefactError, seal, unseal
from models.learning.boosting.calibration import Sigmoid, fit_sigmoid, logistic
from models.learning.boosting.classifier import Classifier, fit_classifier
from models.learning.boosting.conformal import COVERAGE, Bands, fit_bands
from models.learning.boosting.explanation import Explanation, group_of
from models.learning.boosting.regressor import Regressor, fit_regressor, scaled, unscaled
from models.learning.boosting.table import NothingToLearn, Progress, Table, folds_of
from models.learning.boosting.trees import Boosting, Folded, Trees, grow_folded, out_of_fold

__all__ = [
    "COVERAGE",
    "ArtefactError",
    "Bands",
    "Boosting",
    "Classifier",
    "Explanation",
    "Folded",
    "NothingToLearn",
    "Progress",
    "Regressor",
    "Sigmoid",
    "Table",
    "Trees",
    "fit_bands",
    "fit_classifier",
    "fit_regressor",
    "fit_sigmoid",
    "folds_of",
    "group_of",
    "grow_folded",
    "logistic",
    "out_of_fold",
    "scaled",
    "seal",
    "unscaled",
    "unseal",
]
