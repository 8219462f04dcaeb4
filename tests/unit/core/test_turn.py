from __future__ import annotations

from datetime import timedelta

from callflow.core.centre_facts import AlarmCleared, AlarmKind, AlarmRaised
from callflow.core.commands import CancelTimer, Note, StartTimer
from callflow.core.timers import Timer, TimerKind
from callflow.core.turn import ALARM_LASTS_SECONDS, Turn


def test_timer_moves_when_it_is_started_again(turn: Turn) -> None:
    timer = Timer(TimerKind.ANNOUNCE, "c")
    turn.start(timer.kind, "c", 5.0)
    turn.start(timer.kind, "c", 9.0)
    assert turn.runs(timer.kind, "c")
    assert turn.ledger.state.timers["announce:c"].due == turn.at + timedelta(seconds=9)
    assert turn.commands == [StartTimer(timer=timer, seconds=5.0), StartTimer(timer=timer, seconds=9.0)]


def test_only_timers_that_run_are_cancelled(turn: Turn) -> None:
    turn.start(TimerKind.ANNOUNCE, "c", 5.0)
    turn.commands.clear()
    turn.cancel("c", TimerKind.ANNOUNCE, TimerKind.SEEK_AGAIN)
    assert turn.commands == [CancelTimer(timer=Timer(TimerKind.ANNOUNCE, "c"))]
    assert not turn.runs(TimerKind.ANNOUNCE, "c")


def test_alarm_is_told_once_until_it_is_cleared(turn: Turn) -> None:
    turn.alarm(AlarmKind.NO_FLOW, "", "first")
    turn.alarm(AlarmKind.NO_FLOW, "", "second")
    turn.clear(AlarmKind.NO_FLOW, "")
    turn.clear(AlarmKind.NO_FLOW, "")
    told = [command.fact for command in turn.commands if isinstance(command, Note)]
    assert [type(fact) for fact in told] == [AlarmRaised, AlarmCleared]


def test_incident_lasts_from_the_last_one(turn: Turn) -> None:
    turn.incident(AlarmKind.LEG_STUCK, "ani", "x")
    turn.at += timedelta(seconds=100)
    turn.incident(AlarmKind.LEG_STUCK, "ani", "x")
    (running,) = [r for r in turn.ledger.state.timers.values() if r.timer.kind is TimerKind.INCIDENT]
    assert running.due == turn.at + timedelta(seconds=ALARM_LASTS_SECONDS)
    assert running.timer.subject == "leg_stuck/ani"
