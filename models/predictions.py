"""The words for predictions and for the models that make them."""

from enum import Enum


class PredictionKind(Enum):
    """What is predicted."""

    LIFESPAN = "LIFESPAN"
    ANOMALY = "ANOMALY"
    USAGE_PATTERNS = "USAGE_PATTERNS"
    MULTI_FACTOR = "MULTI_FACTOR"

    # Members are compared by identity, and are keys of dictionaries by the thousand.
    __hash__ = object.__hash__


class ModelStage(Enum):
    """What a version of a model is used for."""

    CANDIDATE = "CANDIDATE"
    PRODUCTION = "PRODUCTION"
    ARCHIVED = "ARCHIVED"


class TrainingState(Enum):
    """How a training run stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
