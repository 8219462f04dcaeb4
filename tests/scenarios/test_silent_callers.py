"""Silent callers: speech is heard, a key is asked for, and nothing ever follows from silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core.city import Classification
from callflow.core.commands import EndCall, HandBack, Play
from callflow.core.events import SpeechHeard
from callflow.core.facts import (
    CallClassified,
    CallerChallenged,
    CallerSpoke,
    ChallengeAnswered,
    ChallengeKind,
    IvrStepTaken,
)
from callflow.core.ids import CallId, OfferId
from callflow.core.requests import TalkAction
from callflow.core.states import CallState

from .phones import answers
from .stages import Stage, in_talk, talking_back
from .world import World


def challenged(stage: Stage) -> list[str]:
    return [name for name in stage.world.heard(stage.call) if "silent_challenge" in name]


def test_first_speech_of_the_caller_is_kept_once() -> None:
    world = World({"ani": answers(0.5)})
    call = world.arrive("a", keys=[(0.2, "2")], speaks_after=3.0)
    world.run(2.9)
    assert not world.call(call).spoke
    world.run(1.0)
    again = SpeechHeard(at=world.schedule.now, call=call)
    assert world.take(again) == ()
    assert len(world.facts(CallerSpoke, call)) == 1


def test_caller_is_asked_for_a_key_in_both_languages_and_answers() -> None:
    stage = in_talk()
    assert stage.world.talk("ani", TalkAction.CHALLENGE) is None
    stage.world.run(1.0)
    assert challenged(stage) == ["id/silent_challenge", "en/silent_challenge"]
    stage.world.press(stage.call, "5")
    (asked,), (answered,) = (
        stage.world.facts(CallerChallenged, stage.call),
        stage.world.facts(ChallengeAnswered, stage.call),
    )
    assert (asked.kind, answered.kind) == (ChallengeKind.SILENT, ChallengeKind.SILENT)
    stage.world.press(stage.call, "5")
    assert len(stage.world.facts(ChallengeAnswered, stage.call)) == 1
    assert stage.state is CallState.CONNECTED


def test_key_in_a_talk_is_never_a_choice_of_the_flow() -> None:
    stage = in_talk()
    steps = len(stage.world.facts(IvrStepTaken, stage.call))
    for key in "126#*":
        stage.world.press(stage.call, key)
    assert len(stage.world.facts(IvrStepTaken, stage.call)) == steps
    assert stage.state is CallState.CONNECTED


def test_second_challenge_takes_the_place_of_the_first() -> None:
    stage = in_talk()
    stage.world.talk("ani", TalkAction.CHALLENGE)
    stage.world.run(0.5)
    stage.world.talk("ani", TalkAction.CHALLENGE)
    stage.world.run(0.5)
    assert len(challenged(stage)) == 4
    played = stage.world.commands(Play, stage.call)
    assert len({command.playback for command in played}) == len(played)


def test_operator_and_caller_may_go_on_to_a_party_while_the_challenge_plays() -> None:
    stage = in_talk(outside={"polres": answers(0.1)})
    stage.world.talk("ani", TalkAction.CHALLENGE)
    stage.world.talk("ani", TalkAction.CONSULT, "polisi")
    stage.world.run(1.0)
    assert stage.state is CallState.CONSULTING


def test_citizen_who_is_called_back_is_not_challenged() -> None:
    stage = talking_back()
    assert stage.world.talk("ani", TalkAction.CHALLENGE) is not None
    assert not stage.world.facts(CallerChallenged)


def test_ghost_is_said_by_a_person_and_never_assumed() -> None:
    stage = in_talk()
    stage.world.talk("ani", TalkAction.CHALLENGE)
    stage.world.run(300.0)
    assert stage.state is CallState.CONNECTED
    assert not stage.world.facts(CallClassified)
    stage.world.classify("ani", Classification.GHOST)
    assert stage.state is CallState.CONNECTED
    stage.world.hang_up_phone("ani")
    stage.world.run(1.0)
    assert [fact.classification for fact in stage.world.facts(CallClassified)] == [Classification.GHOST]


def test_speech_of_nobody_changes_nothing() -> None:
    stage = in_talk()
    now = stage.world.schedule.now
    (leg,) = stage.world.pbx.legs
    for call, offer in ((CallId("node1-x"), None), (stage.call, leg), (stage.call, OfferId(f"{stage.call}.o9"))):
        assert stage.world.take(SpeechHeard(at=now, call=call, offer=offer)) == ()


@settings(max_examples=60, deadline=None)
@given(
    doing=st.lists(
        st.sampled_from(("challenge", "code", "key", "speak", "wait", "long", "blackout")), min_size=1, max_size=12
    ),
    seed=st.integers(0, 1000),
)
def test_challenge_never_ends_a_call(doing: list[str], seed: int) -> None:
    stage = in_talk(seed=seed)
    world = stage.world
    for what in doing:
        match what:
            case "challenge":
                assert world.talk("ani", TalkAction.CHALLENGE) is None
            case "code":
                world.press_code("ani", "*39")
            case "key":
                world.press(stage.call, "5")
            case "speak":
                world.pbx.speak(stage.call)
            case "blackout":
                world.disconnect()
                world.run(2.0)
                world.reconnect()
            case _:
                world.run(120.0 if what == "long" else 1.0)
    assert stage.state is CallState.CONNECTED
    assert world.operator("ani").call == stage.call
    assert not world.commands(EndCall)
    assert not world.commands(HandBack)


@pytest.mark.parametrize("name", ["", "nobody"])
def test_call_is_classified_by_somebody_else_when_named(name: str) -> None:
    stage = in_talk()
    by = name or "sari"
    assert stage.world.classify(None, Classification.NORMAL, call=stage.call, by=by) is None
    (classified,) = stage.world.facts(CallClassified, stage.call)
    assert (classified.by, classified.operator) == (by, None)
