"""Alerting: from what is found of devices to alerts."""

from resolvers.alerting.observations import Observation
from resolvers.alerting.service import Alerting

__all__ = ["Alerting", "Observation"]
