"""The course of a condition: what raises, escalates, updates and resolves its alert, and what does not."""

from datetime import timedelta
from random import Random

import pytest

from models.alerting import LASTING, About, Act, Condition, Finding, Timing, advance, elapse
from models.alerts import AlertKind, ConditionPhase
from models.severity import Severity
from tests.factories import MIDDAY

READ = AlertKind.OVER_TEMPERATURE
LASTS = AlertKind.OFFLINE
TIMING = Timing(timedelta(seconds=60), timedelta(seconds=30))
AT_ONCE = Timing(timedelta(0), timedelta(0))
LETTERS = {"H": Severity.HIGH, "C": Severity.CRITICAL, "-": None}


def at(second):
    """Return the instant so many seconds after MIDDAY."""
    return MIDDAY + timedelta(seconds=second)


def finding(second, severity, text=None):
    """Return what is found at a second; its message is that second if none is given."""
    return Finding(at(second), severity, About(message=text or f"at {second}"))


def run(findings, kind=READ, timing=TIMING):
    """Return the condition after findings, given as seconds and letters, and the acts with their seconds."""
    condition, acts = None, []
    for second, letter in findings:
        condition, steps = advance(kind, condition, finding(second, LETTERS[letter]), timing)
        acts += [(step.act, (step.at - MIDDAY).total_seconds()) for step in steps]
    return condition, acts


@pytest.mark.parametrize(
    ("findings", "acts"),
    [
        ([(0, "-")], []),
        ([(0, "H"), (59, "H")], []),
        ([(0, "H"), (60, "H")], [(Act.RAISE, 60)]),
        ([(0, "H"), (30, "-"), (60, "H"), (100, "H")], []),
        ([(0, "H"), (60, "H"), (61, "-"), (90, "-")], [(Act.RAISE, 60)]),
        ([(0, "H"), (60, "H"), (61, "-"), (91, "-")], [(Act.RAISE, 60), (Act.RESOLVE, 91)]),
        ([(0, "H"), (60, "H"), (61, "-"), (80, "H"), (85, "-"), (91, "-")], [(Act.RAISE, 60)]),
        ([(0, "H"), (60, "H"), (70, "C"), (80, "H"), (90, "C")], [(Act.RAISE, 60), (Act.ESCALATE, 70)]),
        ([(0, "H"), (60, "H"), (61, "-"), (70, "C")], [(Act.RAISE, 60), (Act.ESCALATE, 70)]),
        (
            [(0, "H"), (60, "H"), (61, "-"), (91, "-"), (100, "H"), (160, "H")],
            [(Act.RAISE, 60), (Act.RESOLVE, 91), (Act.RAISE, 160)],
        ),
        # Between two readings nobody has looked: time alone moves nothing.
        ([(0, "H"), (1000, "-")], []),
        ([(0, "H"), (60, "H"), (70, "-"), (1000, "H")], [(Act.RAISE, 60)]),
    ],
)
def test_readings_move_a_condition_in_their_own_time(findings, acts):
    """It holds before it fires, and is gone for a while before it is over; what flickers is one alert."""
    assert run(findings)[1] == acts


@pytest.mark.parametrize(
    ("findings", "acts"),
    [
        ([(0, "H"), (59, "-")], []),
        ([(0, "H"), (1000, "-")], [(Act.RAISE, 60)]),
        ([(0, "H"), (70, "-"), (99, "H")], [(Act.RAISE, 60)]),
        ([(0, "H"), (70, "-"), (1000, "H")], [(Act.RAISE, 60), (Act.RESOLVE, 100)]),
        ([(0, "H"), (70, "-"), (1000, "H"), (2000, "-")], [(Act.RAISE, 60), (Act.RESOLVE, 100), (Act.RAISE, 1060)]),
    ],
)
def test_what_lasts_is_moved_by_time_too(findings, acts):
    """Between two findings the first one goes on, so what became of it is made up for."""
    assert run(findings, LASTS)[1] == acts


def test_without_waiting_a_finding_acts_at_once():
    """With neither hold nor recovery each finding says what is."""
    assert run([(0, "H"), (1, "-"), (2, "C")], timing=AT_ONCE)[1] == [(Act.RAISE, 0), (Act.RESOLVE, 1), (Act.RAISE, 2)]


def test_an_alert_is_as_severe_as_the_worst_moment():
    """What was critical while it was pending is raised so, and tells of that moment."""
    condition, _ = run([(0, "H"), (10, "C"), (60, "H")])
    assert condition == Condition(ConditionPhase.FIRING, at(60), Severity.CRITICAL, About(message="at 10"))


def test_severity_does_not_fall_while_it_lasts():
    """The alert keeps the worst that it has seen, though the value has become less bad."""
    condition, acts = run([(0, "C"), (60, "H"), (61, "-"), (62, "H")])
    assert acts == [(Act.RAISE, 60)]
    assert condition is not None
    assert condition.severity is Severity.CRITICAL


def test_the_text_of_low_stock_follows_the_slots():
    """The alert is updated when other slots are low, and not when they are the same."""
    condition, _ = advance(AlertKind.LOW_STOCK, None, finding(0, Severity.HIGH, "A1"), AT_ONCE)
    condition, same = advance(AlertKind.LOW_STOCK, condition, finding(1, Severity.HIGH, "A1"), AT_ONCE)
    condition, other = advance(AlertKind.LOW_STOCK, condition, finding(2, Severity.HIGH, "A1, B2"), AT_ONCE)
    assert same == ()
    assert [(step.act, step.condition.about.message) for step in other] == [(Act.UPDATE, "A1, B2")]
    assert condition is not None
    assert condition.since == at(0)


def test_time_leaves_alone_what_fires():
    """An alert stands as long as nothing says that it is over."""
    condition, _ = run([(0, "H")], LASTS, AT_ONCE)
    assert condition is not None
    assert elapse(condition, at(10**6), TIMING) == (condition, ())


@pytest.mark.parametrize("kind", [READ, *sorted(LASTING, key=str)], ids=str)
@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_found_the_alerts_make_sense(kind, seed):
    """Of any findings: raised and resolved take turns, severity only rises, and no wait is cut short."""
    chance = Random(seed)
    timing = Timing(timedelta(seconds=chance.choice([0, 5, 60])), timedelta(seconds=chance.choice([0, 5, 60])))
    condition, second, stands, severity, told = None, 0, False, None, MIDDAY
    for _ in range(400):
        second += chance.randint(0, 20)
        found = finding(second, chance.choice([None, None, Severity.HIGH, Severity.CRITICAL]))
        condition, steps = advance(kind, condition, found, timing)
        for step in steps:
            assert told <= step.at <= found.at
            told = step.at
            if step.act is Act.RAISE:
                assert not stands
                stands, severity = True, step.condition.severity
            else:
                assert stands
                assert severity is not None
                stands = step.act is not Act.RESOLVE
                assert (step.condition.severity.rank > severity.rank) == (step.act is Act.ESCALATE)
                severity = step.condition.severity
        assert stands == (condition is not None and condition.phase is not ConditionPhase.PENDING)
        if condition is not None:
            waits = {ConditionPhase.PENDING: timing.hold, ConditionPhase.RECOVERING: timing.recover}
            wait = waits.get(condition.phase)
            assert wait is None or found.at - condition.since < wait or kind not in LASTING


@pytest.mark.parametrize("seed", range(20))
def test_looking_more_often_changes_nothing(seed):
    """A lasting condition comes to the same alerts, at the same instants, however often the worker looks between."""
    chance = Random(seed)
    seldom = often = None
    acts: tuple[list[object], list[object]] = ([], [])
    second = 0
    for _ in range(100):
        for look in range(second, second := second + chance.randint(1, 100), 7):
            if often is not None:
                often, steps = elapse(often, at(look), TIMING)
                acts[1].extend((step.act, step.at) for step in steps)
        found = finding(second, chance.choice([None, Severity.HIGH]))
        seldom, steps = advance(LASTS, seldom, found, TIMING)
        acts[0].extend((step.act, step.at) for step in steps)
        often, steps = advance(LASTS, often, found, TIMING)
        acts[1].extend((step.act, step.at) for step in steps)
        assert seldom == often
    assert acts[0] == acts[1]
    assert len(acts[0]) > 10
