"""The settings of predictions, of their models, and of the watch over these."""

from dataclasses import dataclass

from settings.described import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSettings:
    """Predictions, and the training of the models that make them."""

    reuse_seconds: float = setting("How long a stored prediction is answered again.", at_least=0, at_most=31_536_000)
    kept_devices: int = setting(
        "Devices whose hours and days of readings a process keeps for five minutes, the latest ones.",
        at_least=0,
        at_most=1_000_000,
    )
    horizon_days: float = setting(
        "How far ahead a failure counts for the risk; less where no device that goes on was watched for so long.",
        at_least=1,
        at_most=3650,
    )
    min_failures: int = setting(
        "Failures that ended a life from which on remaining life is learnt from readings; with fewer, from ages.",
        at_least=5,
        at_most=1_000_000,
    )
    training_trees: int = setting("Trees of a model.", at_least=5, at_most=10_000)
    training_max_rows: int = setting(
        "Days of devices that a model learns from at most; more are thinned out.", at_least=100, at_most=10_000_000
    )
    training_threads: int = setting("Threads of a training process.", at_least=1, at_most=256)
    training_timeout_seconds: float = setting("Longest time of a training.", at_least=1, at_most=604_800)
    training_check_seconds: float = setting(
        "Interval at which the server looks for trainings that were asked for.", at_least=0.05, at_most=86_400
    )
    training_abandoned_after_seconds: float = setting(
        "Silence of a training's process after which it counts as dead.", at_least=1, at_most=86_400
    )
    trains_first_models: bool = setting(
        "Train by itself what has no version yet, as soon as there is something to learn from."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringSettings:
    """The watch over models: when they are evaluated, and thresholds that all kinds share."""

    check_seconds: float = setting("Interval at which models are evaluated.", at_least=0.05, at_most=86_400)
    lease_seconds: float = setting(
        "How long the process that monitors is waited for when it dies, before another goes on.",
        at_least=0.4,
        at_most=3600,
    )
    window_hours: float = setting(
        "Span over which metrics of the predictions made are taken.", at_least=0.01, at_most=8760
    )
    drift_window_hours: float = setting(
        "Span of predictions that is compared with the training window.", at_least=0.01, at_most=8760
    )
    drift_windows_needed: int = setting(
        "Windows with drift of a feature, among the newest, from which on it counts.", at_least=1, at_most=100
    )
    drift_windows_of: int = setting("The newest windows among which they are counted.", at_least=1, at_most=100)
    min_predictions: int = setting(
        "Predictions of a window below which nothing is said of its inputs.", at_least=1, at_most=1_000_000
    )
    min_outcomes: int = setting(
        "Devices with outcomes below which nothing is said of errors.", at_least=1, at_most=1_000_000
    )
    outcome_days: float = setting(
        "Span of which outcomes make up the error metrics of a window.", at_least=0.01, at_most=36_525
    )
    sample_devices: int = setting(
        "Devices of each kind that are predicted once a window, so that metrics do not hang on who asks; 0 for none.",
        at_least=0,
        at_most=100_000,
    )
    latency_warning_ms: float = setting(
        "95th percentile of the time of a prediction from which on it is a warning.", at_least=0.01, at_most=86_400_000
    )
    latency_critical_ms: float = setting("The same, from which on it is critical.", at_least=0.01, at_most=86_400_000)
    missing_warning_share: float = setting(
        "How much more of the features may be missing than in training before it is a warning.",
        at_least=0.0,
        at_most=1.0,
    )
    missing_critical_share: float = setting("The same, before it is critical.", at_least=0.0, at_most=1.0)
    drifted_warning_share: float = setting(
        "Share of the features that drift, and go on doing so, from which on it is a warning.",
        at_least=0.0,
        at_most=1.0,
    )
    drifted_critical_share: float = setting("The same, from which on it is critical.", at_least=0.0, at_most=1.0)
    poor_data_warning_share: float = setting(
        "Share of the features with poor data, as constant or missing ones, from which on it is a warning.",
        at_least=0.0,
        at_most=1.0,
    )
    poor_data_critical_share: float = setting("The same, from which on it is critical.", at_least=0.0, at_most=1.0)
    age_warning_days: float = setting(
        "Age of the newest data that a model learnt from, from which on it is a warning.", at_least=0.01, at_most=36_525
    )
    age_critical_days: float = setting("The same, from which on it is critical.", at_least=0.01, at_most=36_525)
    alert_hold_seconds: float = setting(
        "How long a model must be bad before an alert is raised.", at_least=0, at_most=31_536_000
    )
    alert_recover_seconds: float = setting(
        "How long a model must be well again before its alert is resolved.", at_least=0, at_most=31_536_000
    )
    drift_retention_days: float = setting("How long findings of drift are kept.", at_least=1, at_most=36_525)
    trains_when_drifting: bool = setting(
        "Ask for a new version by itself while an alert of a model stands that a training can help with."
    )
    training_pause_hours: float = setting(
        "Least time between two trainings of a model that the server asks for.", at_least=0.0, at_most=87_600
    )
    promotes_better: bool = setting("Promote such a version by itself if it is not worse than the present one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LifespanHealthSettings:
    """Health of models of remaining life, by their outcomes."""

    mae_warning_ratio: float = setting(
        "Mean absolute error, as a multiple of that at training, from which on it is a warning.",
        at_least=1,
        at_most=1000,
    )
    mae_critical_ratio: float = setting("The same, from which on it is critical.", at_least=1, at_most=1000)
    interval_coverage_warning_share: float = setting(
        "Share of outcomes within their intervals, meant to be 0.9, down from which it is a warning.",
        at_least=0,
        at_most=1,
    )
    interval_coverage_critical_share: float = setting(
        "The same, down from which it is critical.", at_least=0, at_most=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiFactorHealthSettings:
    """Health of models of the risk of failure, by their outcomes."""

    brier_warning_ratio: float = setting(
        "Brier score, as a multiple of that at training, from which on it is a warning.", at_least=1, at_most=1000
    )
    brier_critical_ratio: float = setting("The same, from which on it is critical.", at_least=1, at_most=1000)
    calibration_warning_error: float = setting(
        "Mean distance between predicted and observed share of failures from which on it is a warning.",
        at_least=0,
        at_most=1,
    )
    calibration_critical_error: float = setting("The same, from which on it is critical.", at_least=0, at_most=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyHealthSettings:
    """Health of the detection of anomalies, by what people said of them and by failures."""

    precision_warning_share: float = setting(
        "Share of judged anomalies that were true alarms, down from which it is a warning.", at_least=0, at_most=1
    )
    precision_critical_share: float = setting("The same, down from which it is critical.", at_least=0, at_most=1)
    recall_warning_share: float = setting(
        "Share of failures with an anomaly before them, down from which it is a warning.", at_least=0, at_most=1
    )
    recall_critical_share: float = setting("The same, down from which it is critical.", at_least=0, at_most=1)
    lead_days: float = setting("How long before a failure an anomaly counts for it.", at_least=0.01, at_most=3650)
