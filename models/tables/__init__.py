"""The tables, one file each; importing this package registers them all on SQLModel.metadata."""

from models.tables.alert import AlertChangeRow, AlertConditionRow, AlertRow, AlertRuleRow, ModelConditionRow
from models.tables.anomaly import AnomalyDetectorRow, AnomalyProfileRow, AnomalyRow
from models.tables.device import DeviceRow
from models.tables.device_failure import DeviceFailureRow
from models.tables.event import EventLogRow, EventRow
from models.tables.maintenance_record import MaintenancePartRow, MaintenanceRecordRow
from models.tables.model_monitoring import (
    ModelDriftRow,
    ModelHealthRow,
    ModelMetricRow,
    PredictionOutcomeRow,
    WorkerLeaseRow,
)
from models.tables.prediction import PredictionFeaturesRow, PredictionRow
from models.tables.prediction_model import PredictionModelRow, TrainingRunRow
from models.tables.reading_hours import VENDING_MACHINE_HOURS, WATER_HEATER_HOURS, StaleReadingHourRow
from models.tables.vending_machine import (
    VendingMachineDemandChoiceRow,
    VendingMachineProductRow,
    VendingMachineRow,
    VendingMachineSlotChangeRow,
)
from models.tables.vending_machine_reading import VendingMachineReadingRow
from models.tables.vending_machine_sale import VendingMachineSaleRow
from models.tables.water_heater import WaterHeaterControlChangeRow, WaterHeaterRow
from models.tables.water_heater_reading import WaterHeaterReadingRow

__all__ = [
    "VENDING_MACHINE_HOURS",
    "WATER_HEATER_HOURS",
    "AlertChangeRow",
    "AlertConditionRow",
    "AlertRow",
    "AlertRuleRow",
    "AnomalyDetectorRow",
    "AnomalyProfileRow",
    "AnomalyRow",
    "DeviceFailureRow",
    "DeviceRow",
    "EventLogRow",
    "EventRow",
    "MaintenancePartRow",
    "MaintenanceRecordRow",
    "ModelConditionRow",
    "ModelDriftRow",
    "ModelHealthRow",
    "ModelMetricRow",
    "PredictionFeaturesRow",
    "PredictionModelRow",
    "PredictionOutcomeRow",
    "PredictionRow",
    "StaleReadingHourRow",
    "TrainingRunRow",
    "VendingMachineDemandChoiceRow",
    "VendingMachineProductRow",
    "VendingMachineReadingRow",
    "VendingMachineRow",
    "VendingMachineSaleRow",
    "VendingMachineSlotChangeRow",
    "WaterHeaterControlChangeRow",
    "WaterHeaterReadingRow",
    "WaterHeaterRow",
    "WorkerLeaseRow",
]
