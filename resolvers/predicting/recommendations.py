"""What to do about a prediction: a table of rules, each of which says on what values it rests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from models.devices import KINDS, DeviceKind
from models.predicted import Action, Explained, Factor, PredictionMethod, Recommendation, Urgency
from models.predictions import PredictionKind
from models.severity import Severity
from models.statements import Row
from models.types import from_micros
from resolvers.predicting.words import label_of, quantity, unit_of

_SHORT_LIFE_DAYS = 365.0
_URGENT_DAYS = 30.0
_NARROW_DAYS = 90.0
_NARROW_SHARE = 0.5
# Of the expected life, what a factor must take for something to be done about it; of a risk, what it must add.
_LEAST_SHARE_OF_LIFE, _LARGE_SHARE_OF_LIFE = 0.05, 0.25
_LEAST_RISK, _LARGE_RISK = 0.03, 0.15
_LEAK_LITERS_PER_MINUTE = 0.05
_LEAK_LITERS_PER_HOUR = 3.0
# Sacrificial anodes are looked at every other year.
_ANODE_DAYS = 730.0
_ANODE_NOTICE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Case:
    """A prediction for which something may be to be done.

    Attributes:
        kind: of the device.
        row: the prediction.
        details: of it.
        explained: why it is so; None where that is not known.
    """

    kind: DeviceKind
    row: Row
    details: Mapping[str, Any]
    explained: Explained | None

    @property
    def at(self) -> datetime:
        """When it was made."""
        return self.row["predicted_at"]

    @property
    def known(self) -> Mapping[str, float]:
        """Feature values by name."""
        return {} if self.explained is None else self.explained.known


Rule = Callable[[Case], Sequence[Recommendation]]

# What to look at where a factor takes life from a device, or adds to its risk.
_ACTION_OF_FACTOR: Mapping[str, Mapping[str, Action]] = {
    "WATER_HEATER": {
        "energy_ratio": Action.DESCALE,
        "power_share": Action.CHECK_HEATING,
        "least_flow": Action.CHECK_FOR_LEAKS,
        "pressure": Action.CHECK_PRESSURE,
        "temperature": Action.CHECK_THERMOSTAT,
        "anomaly": Action.INSPECT,
        "failure": Action.INSPECT,
    },
    "VENDING_MACHINE": {
        "cabinet_temperature": Action.CHECK_COOLING,
        "cabinet_temperature_maximum": Action.CHECK_COOLING,
        "cabinet_temperature_deviation": Action.CHECK_COOLING,
        "power_maximum": Action.CHECK_COOLING,
        "power_share": Action.CHECK_COOLING,
        "open_minutes": Action.INSPECT,
        "anomaly": Action.INSPECT,
        "failure": Action.INSPECT,
    },
}
_ACTION_OF_METRIC: Mapping[str, Mapping[str, Action]] = {
    "WATER_HEATER": {
        "temperature": Action.CHECK_THERMOSTAT,
        "inlet_temperature": Action.CHECK_SENSOR,
        "pressure": Action.CHECK_PRESSURE,
        "flow_rate": Action.CHECK_FOR_LEAKS,
        "power": Action.CHECK_HEATING,
    },
    "VENDING_MACHINE": {"cabinet_temperature": Action.CHECK_COOLING, "power": Action.CHECK_COOLING},
}
_ACTION_OF_SAVING = {
    "SCHEDULE": Action.SET_SCHEDULE,
    "SET_POINT": Action.LOWER_TARGET,
    "STANDBY_LOSS": Action.INSULATE,
}
_URGENCY_OF_SEVERITY = {
    Severity.LOW.value: Urgency.PLAN,
    Severity.MEDIUM.value: Urgency.SOON,
    Severity.HIGH.value: Urgency.NOW,
    Severity.CRITICAL.value: Urgency.NOW,
}
_ORDER = (Urgency.NOW, Urgency.SOON, Urgency.PLAN)


def recommended(row: Row, explained: Explained | None) -> list[Recommendation]:
    """Return what to do about a prediction, the most urgent first and each action once; nothing where all is well."""
    case = Case(KINDS[row["device_kind"]], row, orjson.loads(row["details"]), explained)
    found = [each for rule in _RULES[PredictionKind(row["kind"])] for each in rule(case)]
    first: dict[Action, Recommendation] = {}
    for each in sorted(found, key=lambda each: _ORDER.index(each.urgency)):
        first.setdefault(each.action, each)
    return list(first.values())


def _end_of_life(case: Case) -> Sequence[Recommendation]:
    value, lower, upper = case.row["value"], case.row["lower"], case.row["upper"]
    if value > _SHORT_LIFE_DAYS:
        return ()
    is_narrow = upper - lower <= _NARROW_DAYS or lower >= _NARROW_SHARE * value
    interval = f"{value:.0f} days are expected to remain, {lower:.0f} to {upper:.0f}"
    due_by = case.at + timedelta(days=max(lower, 0.0))
    if is_narrow:
        urgency = Urgency.NOW if lower < _URGENT_DAYS else Urgency.SOON
        reason = f"{interval}: plan its replacement before the earlier end."
        return (Recommendation(Action.PLAN_REPLACEMENT, urgency, reason, due_by),)
    reason = f"{interval}: too wide to plan a replacement by; an inspection tells more."
    return (Recommendation(Action.INSPECT, Urgency.SOON, reason, due_by if lower >= 1 else None),)


def _taking_life(case: Case) -> Sequence[Recommendation]:
    if case.explained is None or case.explained.baseline <= 0:
        return ()
    found: list[Recommendation] = []
    for factor in case.explained.factors:
        share = -factor.contribution / case.explained.baseline
        if share >= _LEAST_SHARE_OF_LIFE:
            effect = f"takes {-factor.contribution:.0f} days off the {case.explained.baseline:.0f} that are usual"
            found += _about(case, factor, effect, is_large=share >= _LARGE_SHARE_OF_LIFE)
    return found


def _adding_risk(case: Case) -> Sequence[Recommendation]:
    if case.explained is None:
        return ()
    found: list[Recommendation] = []
    for factor in case.explained.factors:
        if factor.contribution >= _LEAST_RISK:
            effect = (
                f"adds {factor.contribution:.1%} to the risk of failure within {case.details['horizon_days']:.0f} days"
            )
            found += _about(case, factor, effect, is_large=factor.contribution >= _LARGE_RISK)
    return found


def _about(case: Case, factor: Factor, effect: str, *, is_large: bool) -> Sequence[Recommendation]:
    action = _ACTION_OF_FACTOR.get(case.kind.name, {}).get(factor.name)
    if action is None:
        return ()
    label = label_of(case.kind, factor.name)
    reason = f"{label[0].upper()}{label[1:]} of {quantity(factor.value, unit_of(case.kind, factor.name))} {effect}."
    return (Recommendation(action, Urgency.SOON if is_large else Urgency.PLAN, reason),)


def _leaking(case: Case) -> Sequence[Recommendation]:
    flow = case.known.get("least_flow.level", 0.0)
    if flow < _LEAK_LITERS_PER_MINUTE:
        return ()
    reason = f"Water never stopped flowing: {flow:.2g} L/min at least, where every tap is closed for a moment of a day."
    return (Recommendation(Action.CHECK_FOR_LEAKS, Urgency.NOW, reason),)


def _old_anode(case: Case) -> Sequence[Recommendation]:
    if case.kind.name != "WATER_HEATER":
        return ()
    age = case.known.get("age.time", 0.0)
    since = case.known.get("part_replacement.since")
    if min(age, age if since is None else since) < _ANODE_DAYS:
        return ()
    last = "no part was ever replaced" if since is None else f"the last part was replaced {since:.0f} days ago"
    reason = f"It is {age:.0f} days old and {last}: an anode lasts about {_ANODE_DAYS:.0f} days."
    return (Recommendation(Action.INSPECT_ANODE, Urgency.PLAN, reason, case.at + _ANODE_NOTICE),)


def _high_risk(case: Case) -> Sequence[Recommendation]:
    level, horizon = case.details["level"], case.details["horizon_days"]
    if level not in {"HIGH", "CRITICAL"}:
        return ()
    is_critical = level == "CRITICAL"
    reason = f"The risk of failure within {horizon:.0f} days is {case.row['value']:.0%} ({level})."
    due_by = case.at + timedelta(days=horizon / (4 if is_critical else 2))
    return (Recommendation(Action.INSPECT, Urgency.NOW if is_critical else Urgency.SOON, reason, due_by),)


def _strange(case: Case) -> Sequence[Recommendation]:
    return [_about_finding(case, finding) for finding in case.details["findings"] if finding["is_present"]]


def _about_finding(case: Case, finding: Mapping[str, Any]) -> Recommendation:
    channel = case.kind.by_name[finding["metric"]]
    observed, expected = finding["observed"], finding["expected"]
    action = _ACTION_OF_METRIC.get(case.kind.name, {}).get(channel.name, Action.INSPECT)
    if finding["pattern"] == "NOISE":
        action = Action.CHECK_SENSOR
    elif action is Action.CHECK_FOR_LEAKS and None not in {observed, expected} and observed < expected:
        action = Action.INSPECT
    usual = quantity(expected, channel.unit)
    against = f"{usual} is usual"
    if finding.get("method") == PredictionMethod.CROSS_CHANNEL_RESIDUALS.value:
        began, ended = (from_micros(finding[name]).strftime("%d %b %H:%M") for name in ("began_at", "ended_at"))
        against = f"the other channels let expect {usual}, from {began} to {ended} UTC"
    reason = f"{channel.meaning}: {quantity(observed, channel.unit)} where {against}, score {finding['score']:.2f}."
    return Recommendation(action, _URGENCY_OF_SEVERITY[finding["severity"]], reason)


def _savings(case: Case) -> Sequence[Recommendation]:
    return [
        Recommendation(
            _ACTION_OF_SAVING[each["kind"]],
            Urgency.PLAN,
            f"{each['description']} It saves about {each['annual_savings_kwh']:.0f} kWh a year.",
        )
        for each in case.details["optimizations"]
    ]


def _never_dry(case: Case) -> Sequence[Recommendation]:
    hours = case.details["hour_of_week"]
    if not hours or case.details["basis"] != "METERED_LITERS" or min(hours) < _LEAK_LITERS_PER_HOUR:
        return ()
    reason = f"In every hour of the week {min(hours):.1f} L or more are drawn, also in the quietest night."
    return (Recommendation(Action.CHECK_FOR_LEAKS, Urgency.SOON, reason),)


_RULES: Mapping[PredictionKind, tuple[Rule, ...]] = {
    PredictionKind.LIFESPAN: (_end_of_life, _leaking, _taking_life, _old_anode),
    PredictionKind.ANOMALY: (_strange,),
    PredictionKind.USAGE_PATTERNS: (_never_dry, _savings),
    PredictionKind.MULTI_FACTOR: (_high_risk, _leaking, _adding_risk),
}
