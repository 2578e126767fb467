"""Strange readings of devices, found as they come: streaming, with a small state for each device.

detector = Detector(["temperature", "pressure"])
states = detector.load(stored)                                   # bytes of each device, None for a new one
scored = detector.score(states, device, at_micros, values)       # scores, and the steps of incidents
stored = states.dump_hot(np.unique(device))
"""

from models.learning.anomalies.detector import DETECTOR_VERSION, Detector
from models.learning.anomalies.refractory import worth_telling
from models.learning.anomalies.states import States
from models.learning.anomalies.steps import (
    SEVERITY_SCORES,
    Evidence,
    IncidentStep,
    Scored,
    StepKind,
    severity_of,
)
from models.learning.anomalies.tuning import THRESHOLD, Tuning

__all__ = [
    "DETECTOR_VERSION",
    "SEVERITY_SCORES",
    "THRESHOLD",
    "Detector",
    "Evidence",
    "IncidentStep",
    "Scored",
    "States",
    "StepKind",
    "Tuning",
    "severity_of",
    "worth_telling",
]
