from __future__ import annotations

import copy
import inspect
from dataclasses import replace
from datetime import datetime

import pytest

from callflow.core import events, faults, reports, requests
from callflow.core.centre_facts import SettingsApplied
from callflow.core.commands import HandBack
from callflow.core.events import (
    CallerGone,
    DecisionFailed,
    Event,
    FlowPublished,
    KeyPressed,
    PlaybackEnded,
    SettingsChanged,
    TimerFired,
)
from callflow.core.ids import CallId, PlaybackId
from callflow.core.state import Call, IvrPosition, RunningTimer, State, timer_key
from callflow.core.states import CallState
from callflow.core.switchboard import HANDLERS, TIMER_HANDLERS, NotOpened, Switchboard
from callflow.core.timers import Timer, TimerKind
from callflow.core.turn import Turn
from callflow.flows.default import default_flow_text

from .conftest import SETTINGS


def test_every_event_and_every_timer_has_a_handler() -> None:
    known = {
        cls
        for module in (events, requests, reports, faults)
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, Event)
    }
    assert set(HANDLERS) | {Event, SettingsChanged, DecisionFailed} == known
    assert set(TIMER_HANDLERS) == set(TimerKind)


def test_event_is_refused_and_nothing_changes_when_it_comes_before_the_settings(now: datetime) -> None:
    switchboard = Switchboard()
    with pytest.raises(NotOpened, match="CallerGone before the first SettingsChanged"):
        switchboard.handle(CallerGone(at=now, call=CallId("c"), cause=16))
    assert switchboard.state == State()


def test_settings_are_told_when_they_change(now: datetime) -> None:
    commands = Switchboard().handle(SettingsChanged(at=now, settings=SETTINGS))
    assert SettingsApplied(at=now, settings=SETTINGS) in [getattr(command, "fact", None) for command in commands]


@pytest.mark.parametrize("kind", sorted(set(TimerKind) - {TimerKind.SEATS}))
def test_deadline_of_somebody_who_is_gone_decides_nothing(turn: Turn, kind: TimerKind) -> None:
    """The table of timers never lets one outlive its subject; a handler does not rely on it."""
    before = copy.deepcopy(turn.ledger.state)
    TIMER_HANDLERS[kind](turn, "gone")
    assert turn.commands == []
    assert turn.ledger.state == before


@pytest.mark.parametrize("kind", [TimerKind.WRAP_UP, TimerKind.SET_ASIDE])
def test_deadline_of_an_operator_decides_nothing_when_it_stands_no_more(turn: Turn, kind: TimerKind) -> None:
    TIMER_HANDLERS[kind](turn, "ani")
    assert turn.commands == []


@pytest.mark.parametrize("asked", ["key", "played", "silence"])
def test_decision_fails_and_changes_nothing_when_a_call_stands_where_no_caller_can(
    switchboard: Switchboard, call: Call, now: datetime, asked: str
) -> None:
    """Only a damaged checkpoint brings this about; the call is handed back then."""
    switchboard.handle(FlowPublished(at=now, version=1, document=default_flow_text(), published_by="admin"))
    playback = PlaybackId(f"{call.call}.p1")
    timer = Timer(TimerKind.NODE_INPUT, call.call)
    position = IvrPosition(flow_version=1, node="operator", entered_at=now, language="id")
    state = copy.deepcopy(switchboard.state)
    state.calls[call.call] = replace(call, state=CallState.IN_IVR, ivr=position, playing=playback)
    state.timers[timer_key(timer)] = RunningTimer(timer=timer, due=now)
    damaged = copy.deepcopy(state)
    asking: dict[str, Event] = {
        "key": KeyPressed(at=now, call=call.call, key="1"),
        "played": PlaybackEnded(at=now, call=call.call, playback=playback),
        "silence": TimerFired(at=now, timer=timer),
    }
    board = Switchboard(state)
    with pytest.raises(AssertionError, match="at a Queue") as failed:
        board.handle(asking[asked])
    assert board.state == damaged
    commands = board.handle(board.failure_of(asking[asked], failed.value))
    assert [command.call for command in commands if isinstance(command, HandBack)] == [call.call]
