"""How well probabilities order what came true."""

import numpy as np

from models.learning.features import FloatArray


def pr_auc(truths: FloatArray, scores: FloatArray) -> float:
    """Return the area under precision over recall, as average precision; NaN without a positive case.

    Source: Davis and Goadrich, The relationship between precision-recall and ROC curves (2006), ICML, for why no
    line is drawn between points.
    """
    order = np.argsort(-scores, kind="stable")
    hits, sorted_scores = truths[order], scores[order]
    if not hits.any():
        return float("nan")
    # Equal scores are one step: their order carries nothing.
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(hits) - 1)
    found = np.cumsum(hits)[last]
    precision = found / (last + 1)
    return float(np.sum(np.diff(found, prepend=0.0) * precision) / hits.sum())


def roc_auc(truths: FloatArray, scores: FloatArray) -> float:
    """Return the probability that a positive case scores above a negative one, ties counting half; NaN without both.

    Source: Hanley and McNeil, The meaning and use of the area under a ROC curve (1982), Radiology 143.
    """
    positives = float(truths.sum())
    negatives = len(truths) - positives
    if not positives or not negatives:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][truths > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))
