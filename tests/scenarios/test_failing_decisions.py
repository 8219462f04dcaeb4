"""A decision that raises changes nothing, wherever it raises, and hands its call back; a restart loses nothing."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from callflow.core import seeking
from callflow.core.commands import HandBack, StartTimer
from callflow.core.events import (
    CallArrived,
    DecisionFailed,
    Event,
    FlowPublished,
    KeyPressed,
    OperatorChanged,
    SettingsChanged,
    TimerFired,
)
from callflow.core.ids import CallId
from callflow.core.ledger import Ledger
from callflow.core.switchboard import Switchboard
from callflow.core.timers import Timer, TimerKind
from callflow.core.turn import Turn
from callflow.journal.codec import decode_state, encode_state

from .invariants import same_indices
from .phones import answers, never_answers
from .random_history import RandomHistory
from .test_random_histories import HISTORIES
from .world import World


class Fault(Exception):
    """Raised on purpose."""


class Faults:
    """Raises at the n-th of the places where a handler decides or writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        for owner, name in ((Turn, "do"), (Turn, "note"), (Ledger, "_write"), (Ledger, "_set")):
            monkeypatch.setattr(owner, name, self._failing(getattr(owner, name)))

    def _failing(self, real: Callable[..., None]) -> Callable[..., None]:
        def method(*args: Any) -> None:
            real(*args)
            self.left -= 1
            if self.left == 0:
                raise Fault

        return method


@pytest.mark.parametrize("seed", [3, 8, 21, 34])
def test_state_is_as_before_when_a_decision_raises_anywhere(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [turn.event for turn in RandomHistory(seed).run().turns]
    faults = Faults(monkeypatch)
    switchboard = Switchboard()
    raised = 0
    for event in events:
        before = copy.deepcopy(switchboard.state)
        place = 0
        while True:
            place += 1
            faults.left = place
            try:
                switchboard.handle(event)
            except Fault:
                raised += 1
                assert switchboard.state == before
                assert same_indices(switchboard._ledger)
            else:
                break
    assert raised > len(events)


@pytest.mark.parametrize("seed", range(HISTORIES // 4))
def test_nobody_is_lost_when_decisions_fail_at_random(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    history = RandomHistory(1_000_000 + seed)
    history.world.tolerates = (Fault,)
    rng = random.Random(seed)  # noqa: S311 - a world, not a secret
    write, fail = Ledger._write, [True]

    def failing(*args: Any) -> None:
        write(*args)
        if fail[0] and rng.random() < 0.01:
            raise Fault

    def decide_failed(switchboard: Switchboard, turn: Turn, event: Event) -> None:
        fail[0] = not isinstance(event, DecisionFailed | SettingsChanged | FlowPublished | OperatorChanged)
        decide(switchboard, turn, event)

    decide = Switchboard._decide
    monkeypatch.setattr(Switchboard, "_decide", decide_failed)
    monkeypatch.setattr(Ledger, "_write", failing)
    world = history.run()
    assert world.at_rest


@pytest.mark.parametrize("seed", [5, 13, 55])
def test_decisions_are_the_same_when_rebuilt_from_a_checkpoint_before_every_event(seed: int) -> None:
    continuous = Switchboard()
    for turn in RandomHistory(seed).run().turns:
        rebuilt = Switchboard(copy.deepcopy(continuous.state))
        assert rebuilt.handle(turn.event) == continuous.handle(turn.event)
        assert rebuilt.state == continuous.state


def test_decisions_are_the_same_when_rebuilt_from_a_checkpoint_on_disk() -> None:
    continuous = Switchboard()
    for number, turn in enumerate(RandomHistory(89).run().turns):
        if number % 7 == 0:
            document = json.dumps(encode_state(continuous.state))
            rebuilt = Switchboard(decode_state(json.loads(document)))
            assert rebuilt.state == continuous.state
        assert rebuilt.handle(turn.event) == continuous.handle(turn.event)


def test_caller_is_handed_back_when_the_arrival_itself_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"ani": answers()})
    world.arrive("other", keys=[(0.1, "2")])
    arrival = next(turn.event for turn in world.turns if isinstance(turn.event, CallArrived))
    switchboard = Switchboard()
    for turn in world.turns[:-1]:
        switchboard.handle(turn.event)
    with monkeypatch.context() as patch:
        patch.setattr(Turn, "start", _raise)
        with pytest.raises(Fault):
            switchboard.handle(arrival)
    failure = switchboard.failure_of(arrival, Fault())
    (handed,) = [c for c in switchboard.handle(failure) if isinstance(c, HandBack)]
    assert (handed.call, handed.channel) == (arrival.call, arrival.channel)
    assert arrival.call not in switchboard.state.calls


def test_caller_is_handed_back_when_seeking_raises_on_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(3.0)
    monkeypatch.setattr(seeking, "seek", _raise)
    event = KeyPressed(at=world.schedule.now, call=call, key="1")
    with pytest.raises(Fault):
        world.switchboard.handle(event)
    world.take(world.switchboard.failure_of(event, Fault()))
    assert len(world.commands(HandBack, call)) == 1


def test_timer_comes_again_when_its_decision_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"ani": answers(1.0, talks_seconds=5.0), "budi": answers(1.0, talks_seconds=5.0)})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(8.0)
    timer = Timer(TimerKind.WRAP_UP, "ani")
    due = world.switchboard.state.timers["wrap_up:ani"].due
    event = TimerFired(at=due, timer=timer)
    with monkeypatch.context() as patch:
        patch.setattr(seeking, "seek", _raise)
        with pytest.raises(Fault):
            world.switchboard.handle(event)
    failure = world.switchboard.failure_of(event, Fault())
    assert failure.call is None
    decided = world.switchboard.handle(failure)
    assert StartTimer(timer=timer, seconds=1.0) in decided


@pytest.mark.parametrize(
    ("kind", "subject", "blamed"),
    [
        (TimerKind.ANNOUNCE, "node1-a", "node1-a"),
        (TimerKind.OFFER_RING, "node1-a.o1", "node1-a"),
        (TimerKind.WRAP_UP, "ani", None),
    ],
)
def test_failure_names_the_call_when_a_timer_of_it_failed(kind: TimerKind, subject: str, blamed: str | None) -> None:
    world = World({"ani": never_answers()})
    world.arrive("a", keys=[(0.5, "2")])
    world.run(3.0)
    event = TimerFired(at=world.schedule.now, timer=Timer(kind, subject))
    failure = world.switchboard.failure_of(event, KeyError("x"))
    assert failure.call == (None if blamed is None else CallId(blamed))
    assert (failure.event, failure.error, failure.channel) == ("TimerFired", "KeyError", None)


def _raise(*_: object) -> None:
    raise Fault
