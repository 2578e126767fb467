"""The course of a condition: from rest to an alert and back, without a word to any database.

A condition is at rest (None here), PENDING while it has not held for long enough, FIRING while its alert stands,
RECOVERING while it is gone but not yet for long enough. What was found of it moves it on, and so does time alone where
what was found goes on until something else is found: a machine stays low on stock until somebody fills it, whereas of a
temperature only the next reading tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from models.alerts import AlertKind, ConditionPhase
from models.severity import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an alert says.

    Attributes:
        metric: name of the channel, None where it is about none.
        value: of the channel, in its unit.
        threshold: that the value lies beyond.
        anomaly_id: the anomaly that it is about.
        impact: what rests on the model that the alert is of; not kept with a condition.
    """

    message: str
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    anomaly_id: int | None = None
    impact: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a condition at an instant: how bad it is and what about it; no severity if it is gone."""

    at: datetime
    severity: Severity | None
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that is not at rest; `severity` and `about` are those of its worst moment so far."""

    phase: ConditionPhase
    since: datetime
    severity: Severity
    about: About


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a condition must hold before its alert is raised, and be gone before that is resolved."""

    hold: timedelta
    recover: timedelta


class Act(Enum):
    """What becomes of the alert."""

    RAISE = "RAISE"
    ESCALATE = "ESCALATE"
    UPDATE = "UPDATE"
    RESOLVE = "RESOLVE"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that becomes of the alert, when, and the condition as it is then."""

    act: Act
    at: datetime
    condition: Condition


Moved = tuple[Condition | None, Sequence[Step]]
"""Where a condition stands now, and what that means for its alert, in order."""

LASTING = frozenset({AlertKind.OFFLINE, AlertKind.ANOMALY, AlertKind.LOW_STOCK, AlertKind.MAINTENANCE_DUE})
"""Conditions that go on as they were found, so that time alone moves them."""
_RETOLD = frozenset({AlertKind.LOW_STOCK})
"""Conditions whose alert follows what is told of them while they are equally bad."""


def advance(kind: AlertKind, condition: Condition | None, finding: Finding, timing: Timing) -> Moved:
    """Move a condition on by what was found; findings of one condition come in the order of their instants."""
    passed: Sequence[Step] = ()
    if condition is not None and kind in LASTING:
        condition, passed = elapse(condition, finding.at, timing)
    moved, steps = _moved(kind, condition, finding, timing)
    return moved, (*passed, *steps)


def elapse(condition: Condition, now: datetime, timing: Timing) -> Moved:
    """Move a lasting condition on by time alone; what becomes of its alert dates from when the time was up."""
    if condition.phase is ConditionPhase.PENDING and now - condition.since >= timing.hold:
        at = condition.since + timing.hold
        firing = replace(condition, phase=ConditionPhase.FIRING, since=at)
        return firing, (Step(Act.RAISE, at, firing),)
    if condition.phase is ConditionPhase.RECOVERING and now - condition.since >= timing.recover:
        return None, (Step(Act.RESOLVE, condition.since + timing.recover, condition),)
    return condition, ()


def _moved(kind: AlertKind, condition: Condition | None, finding: Finding, timing: Timing) -> Moved:
    if finding.severity is None or finding.about is None:
        return (None, ()) if condition is None else _gone(condition, finding.at, timing)
    if condition is None:
        pending = Condition(ConditionPhase.PENDING, finding.at, finding.severity, finding.about)
        return _held(pending, finding.at, timing)
    if condition.phase is ConditionPhase.PENDING:
        return _held(_worst(condition, finding.severity, finding.about), finding.at, timing)
    return _there(kind, condition, finding.at, finding.severity, finding.about)


def _held(condition: Condition, at: datetime, timing: Timing) -> Moved:
    if at - condition.since < timing.hold:
        return condition, ()
    firing = replace(condition, phase=ConditionPhase.FIRING, since=at)
    return firing, (Step(Act.RAISE, at, firing),)


def _there(kind: AlertKind, condition: Condition, at: datetime, severity: Severity, about: About) -> Moved:
    since = condition.since if condition.phase is ConditionPhase.FIRING else at
    firing = replace(condition, phase=ConditionPhase.FIRING, since=since)
    worse = _worst(firing, severity, about)
    if worse.severity is not condition.severity:
        return worse, (Step(Act.ESCALATE, at, worse),)
    if kind in _RETOLD and about != condition.about:
        retold = replace(firing, about=about)
        return retold, (Step(Act.UPDATE, at, retold),)
    return firing, ()


def _gone(condition: Condition, at: datetime, timing: Timing) -> Moved:
    if condition.phase is ConditionPhase.PENDING:
        return None, ()
    since = condition.since if condition.phase is ConditionPhase.RECOVERING else at
    if at - since >= timing.recover:
        return None, (Step(Act.RESOLVE, at, condition),)
    return replace(condition, phase=ConditionPhase.RECOVERING, since=since), ()


def _worst(condition: Condition, severity: Severity, about: About) -> Condition:
    if severity.rank <= condition.severity.rank:
        return condition
    return replace(condition, severity=severity, about=about)
