"""What the records say when Asterisk itself ended and began anew: whose calls died with it, and who is called back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from callflow.core.centre_facts import CallbackOpened
from callflow.core.events import CallerGone
from callflow.core.facts import CallEnded, HangupParty, Stage
from callflow.core.ids import CallId
from callflow.core.states import OperatorState

from .phones import answers
from .world import World

NETWORK_OUT_OF_ORDER = 38


def world_with_calls() -> tuple[World, dict[str, CallId]]:
    """One talks, one waits, one hears the menu."""
    world = World({"ani": answers(0.5)})
    calls = {"talks": world.arrive("talks", keys=[(0.1, "2")], number="+6281200001")}
    world.run(3.0)
    calls["waits"] = world.arrive("waits", keys=[(0.1, "2")], number="+6281200002")
    calls["chooses"] = world.arrive("chooses", number="+6281200003")
    world.run(1.0)
    return world, calls


def begin_anew(world: World) -> None:
    """Asterisk was killed and is up again, with nobody in it."""
    world.disconnect()
    world.run(2.0)
    world.pbx.callers.clear()
    world.pbx.legs.clear()
    for phone in world.pbx.phones.values():
        phone.legs.clear()
    world.pbx.connected = True
    now = world.schedule.now
    world.take(replace(world.pbx.snapshot(now), asterisk_since=now - timedelta(seconds=0.5)))
    world.run(10.0)


def test_record_says_that_asterisk_ended_when_it_died_with_the_call() -> None:
    world, calls = world_with_calls()
    begin_anew(world)
    ends = {name: world.facts(CallEnded, call) for name, call in calls.items()}
    assert all(len(ended) == 1 for ended in ends.values())
    assert {(e[0].ended_by, e[0].cause) for e in ends.values()} == {(HangupParty.SYSTEM, NETWORK_OUT_OF_ORDER)}
    assert {name: e[0].stage for name, e in ends.items()} == {
        "talks": Stage.ANSWERED,
        "waits": Stage.ABANDONED_IN_QUEUE,
        "chooses": Stage.ABANDONED_IN_IVR,
    }


def test_everybody_is_called_back_when_asterisk_died_with_their_calls() -> None:
    world, calls = world_with_calls()
    begin_anew(world)
    assert {fact.call for fact in world.facts(CallbackOpened)} == set(calls.values())


def test_operator_is_ready_when_asterisk_died_with_the_talk() -> None:
    world, _ = world_with_calls()
    world.change_settings(wrap_up_seconds=0.0)
    begin_anew(world)
    assert world.operator("ani").state is OperatorState.AVAILABLE
    assert world.at_rest


def test_caller_ended_the_call_when_asterisk_has_been_up_all_the_time() -> None:
    world, calls = world_with_calls()
    since = world.schedule.now - timedelta(hours=1)
    world.pbx.callers.pop(calls["waits"])
    world.take(replace(world.pbx.snapshot(world.schedule.now), asterisk_since=since))
    (ended,) = world.facts(CallEnded, calls["waits"])
    assert ended.ended_by is HangupParty.CALLER


def test_record_says_so_too_when_asterisk_told_of_its_end() -> None:
    world, calls = world_with_calls()
    now = world.schedule.now
    world.pbx.callers.pop(calls["waits"])
    world.take(CallerGone(at=now, call=calls["waits"], cause=NETWORK_OUT_OF_ORDER, asterisk_ended=True))
    (ended,) = world.facts(CallEnded, calls["waits"])
    assert (ended.ended_by, ended.cause) == (HangupParty.SYSTEM, NETWORK_OUT_OF_ORDER)
