"""Background work of a server, supervised: a worker that fails is told of, and begins again."""

from app.workers.alerting import AlertWatching
from app.workers.forgetting import Forgetting
from app.workers.leased import Leased
from app.workers.monitoring import Monitoring
from app.workers.partitioning import Partitioning
from app.workers.removing import Removing
from app.workers.silence import SilenceWatching
from app.workers.simulating import Simulating
from app.workers.summing import Summing
from app.workers.supervisor import Supervisor, Worker, WorkerState
from app.workers.training import Training

__all__ = [
    "AlertWatching",
    "Forgetting",
    "Leased",
    "Monitoring",
    "Partitioning",
    "Removing",
    "SilenceWatching",
    "Simulating",
    "Summing",
    "Supervisor",
    "Training",
    "Worker",
    "WorkerState",
]
