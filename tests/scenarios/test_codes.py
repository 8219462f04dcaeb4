"""Feature codes: dialled on an idle phone, or pressed during a call, heard by nobody but the centre."""

from __future__ import annotations

import pytest

from callflow.core.city import Classification
from callflow.core.codes import DIGITS_LIMIT_SECONDS
from callflow.core.commands import AnswerCode, Refusal
from callflow.core.facts import CallClassified, CallerChallenged
from callflow.core.ids import CallId, ChannelId, EndpointName, OfferId
from callflow.core.requests import CodeCallGone, CodeDialled, OperatorKeyPressed, TalkAction
from callflow.core.states import CallState, OperatorState

from .phones import answers, never_answers
from .stages import consulting, gave_up, in_talk, three_way
from .world import World


def test_operator_signs_in_pauses_is_last_and_may_not() -> None:
    """Operator signs in by *11, pauses, is last and may not."""
    world = World({"ani": answers(1.0), "budi": answers(1.0)}, signed_in=False)
    for name in ("ani", "budi"):
        world.dial_code(name, "*11")
        world.run(3.0)
        assert world.operator(name).state is OperatorState.AVAILABLE
    world.dial_code("ani", "*132")
    world.run(3.0)
    assert (world.operator("ani").state, world.operator("ani").pause) == (OperatorState.PAUSED, "ibadah")
    for code in ("*13", "*12"):
        world.dial_code("budi", code)
        world.run(3.0)
        assert world.operator("budi").state is OperatorState.AVAILABLE
    world.dial_code("ani", "*14")
    world.run(3.0)
    world.dial_code("budi", "*12")
    world.run(3.0)
    assert world.operator("budi").state is OperatorState.SIGNED_OUT
    assert world.phone("ani").told == ["code_done"] * 3
    assert world.phone("budi").told == ["code_done", "code_last_present", "code_last_present", "code_done"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("*99", "code_unknown"),
        ("112", "code_unknown"),
        ("*", "code_unknown"),
        ("*11#", "code_done"),
        ("*111", "code_unknown"),
        ("*1377", "code_unknown"),
        ("*139", "code_refused"),
        ("*131#", "code_done"),
        ("*31", "code_refused"),
        ("*32110", "code_refused"),
        ("*32", "code_unknown"),
        ("*21", "code_refused"),
        ("*41", "code_refused"),
    ],
)
def test_operator_is_told_what_became_of_a_dialled_code(code: str, told: str) -> None:
    world = World({"ani": answers(), "budi": answers()})
    channel = world.dial_code("ani", code)
    assert [command.channel for command in world.commands(AnswerCode)] == [channel]
    world.run(3.0)
    assert world.phone("ani").told == [told]
    assert not world.pbx.codes


def test_phone_is_at_work_but_not_rung_while_it_dials_a_code() -> None:
    world = World({"ani": answers(0.5), "budi": answers(0.5)})
    world.pbx.failing["AnswerCode"] = 1  # the person hangs up after eight seconds
    world.dial_code("ani", "*14")
    assert world.operator("ani").state is OperatorState.AVAILABLE
    call = world.arrive("a", keys=[(0.1, "2")])
    world.run(3.0)
    assert world.offered(call) == ["budi"]
    assert world.sign_out("budi") is Refusal.ON_CALL
    second = world.arrive("b", keys=[(0.1, "2")])
    world.run(3.0)
    assert world.offered(second) == []
    world.run(4.0)
    assert world.offered(second) == ["ani"]


def test_wrap_up_goes_on_when_the_call_is_classified_by_a_dialled_code() -> None:
    world = World({"ani": answers(0.5, talks_seconds=5.0), "budi": never_answers()})
    call = world.arrive("a", keys=[(0.1, "2")])
    world.run(7.0)
    assert world.operator("ani").state is OperatorState.WRAP_UP
    world.dial_code("ani", "*23")
    world.run(3.0)
    (classified,) = world.facts(CallClassified)
    assert (classified.call, classified.classification, classified.operator) == (call, Classification.PRANK, "ani")
    assert world.operator("ani").state is OperatorState.WRAP_UP
    world.run(30.0)
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_wrap_up_is_over_when_ready_is_dialled() -> None:
    world = World({"ani": answers(0.5, talks_seconds=5.0), "budi": never_answers()})
    world.arrive("a", keys=[(0.1, "2")])
    world.run(7.0)
    world.dial_code("ani", "*14")
    world.run(3.0)
    assert world.operator("ani").state is OperatorState.AVAILABLE


@pytest.mark.parametrize(
    ("code", "classification"),
    [
        ("*21", Classification.NORMAL),
        ("*22", Classification.GHOST),
        ("*23", Classification.PRANK),
        ("*24", Classification.INFORMASI),
    ],
)
def test_call_is_classified_by_a_code_while_it_goes_on(code: str, classification: Classification) -> None:
    stage = in_talk()
    stage.world.press_code("ani", code)
    (classified,) = stage.world.facts(CallClassified, stage.call)
    assert (classified.classification, classified.by) == (classification, "ani")
    assert stage.world.phone("ani").whispers == ["code_done"]
    assert stage.state is CallState.CONNECTED


def test_party_is_joined_left_and_let_go_by_codes() -> None:
    stage = in_talk(outside={"psc119": answers(0.5), "polres": answers(0.5)})
    world = stage.world
    world.press_code("ani", "*31")
    world.run(2.0)
    assert stage.state is CallState.THREE_WAY
    world.press_code("ani", "*38")
    world.run(1.0)
    assert stage.state is CallState.CONNECTED
    world.press_code("ani", "*33110#")
    world.run(2.0)
    assert stage.state is CallState.CONSULTING
    world.press_code("ani", "*34")
    world.run(1.0)
    assert stage.state is CallState.THREE_WAY
    world.press_code("ani", "*36")
    world.run(1.0)
    assert stage.state is CallState.AGENCY_ONLY


def test_consultation_is_over_by_a_code() -> None:
    stage = consulting()
    stage.world.press_code("ani", "*35")
    stage.world.run(1.0)
    assert stage.state is CallState.CONNECTED


def test_caller_is_handed_over_by_a_code_with_a_colleagues_number() -> None:
    stage = in_talk()
    stage.world.press_code("ani", "*37202#")
    stage.world.run(2.0)
    assert stage.world.operator("budi").call == stage.call
    assert stage.state is CallState.CONNECTED


def test_code_with_an_argument_acts_when_no_further_key_comes() -> None:
    stage = in_talk(outside={"polres": answers(0.5)})
    stage.world.press_code("ani", "*32110")
    stage.world.run(DIGITS_LIMIT_SECONDS - 0.5)
    assert stage.world.offered(stage.call) == ["ani"]
    stage.world.run(2.0)
    assert stage.state is CallState.THREE_WAY


@pytest.mark.parametrize("keys", ["*3", "*", "*32", "*99", "*3#", "*32#", "*37" + "1" * 40])
def test_operator_is_told_so_and_nothing_changes_when_keys_are_no_code(keys: str) -> None:
    stage = in_talk()
    stage.world.press_code("ani", keys)
    stage.world.run(DIGITS_LIMIT_SECONDS + 0.1)
    assert stage.world.phone("ani").whispers == ["code_unknown"]
    assert stage.state is CallState.CONNECTED
    assert stage.world.offered(stage.call) == ["ani"]


def test_keys_that_begin_no_code_mean_nothing_to_anybody() -> None:
    stage = in_talk()
    before = stage.world.checkpoint()
    stage.world.press_code("ani", "1590#")
    assert stage.world.phone("ani").whispers == []
    assert stage.world.switchboard.state == before


def test_code_begins_anew_with_each_star() -> None:
    stage = in_talk()
    stage.world.press_code("ani", "*3*2*24")
    assert [fact.classification for fact in stage.world.facts(CallClassified)] == [Classification.INFORMASI]


def test_colleague_in_a_talk_of_three_may_classify_and_nothing_else() -> None:
    stage = three_way("budi")
    stage.world.press_code("budi", "*24")
    stage.world.press_code("budi", "*36")
    assert [fact.operator for fact in stage.world.facts(CallClassified, stage.call)] == ["budi"]
    assert stage.world.phone("budi").whispers == ["code_done", "code_refused"]
    assert stage.state is CallState.THREE_WAY


def test_silent_caller_is_asked_by_a_code() -> None:
    stage = in_talk()
    stage.world.press_code("ani", "*39")
    assert len(stage.world.facts(CallerChallenged, stage.call)) == 1


def test_own_callback_is_dialled_by_a_code_once_the_phone_is_free() -> None:
    stage = gave_up(citizen=answers(0.5))
    stage.world.dial_code("ani", "*41")
    stage.world.run(8.0)
    assert stage.world.phone("ani").told == ["code_done"]
    (call,) = stage.world.switchboard.state.calls.values()
    assert (call.callback_of, call.state) == (stage.call, CallState.CONNECTED)


def test_operator_may_pause_during_the_call_and_is_last_when_the_other_does() -> None:
    stage = in_talk()
    stage.world.press_code("ani", "*13#")
    assert stage.world.phone("ani").whispers == ["code_done"]
    assert stage.world.pause("budi") is Refusal.LAST_PRESENT
    stage.world.hang_up_phone("ani")
    stage.world.run(31.0)
    assert stage.world.operator("ani").state is OperatorState.PAUSED


def test_code_of_a_stranger_or_a_retired_operator_is_refused() -> None:
    world = World({"ani": answers(), "budi": answers()})
    world.change_operator("ani", active=False)
    for endpoint in ("op-ani", "op-nobody"):
        channel = ChannelId(f"{endpoint}-1")
        code = CodeDialled(at=world.schedule.now, endpoint=EndpointName(endpoint), channel=channel, code="*12")
        (answer,) = [command for command in world.take(code) if isinstance(command, AnswerCode)]
        assert [prompt.name for prompt in answer.prompts] == ["code_refused"]
    assert not world.operator("ani").signed_in  # who is retired has left


def test_late_keys_and_ends_change_nothing() -> None:
    stage = in_talk(outside={"polres": answers(0.5)})
    world, now = stage.world, stage.world.schedule.now
    unknown = OfferId("node1-x.o1")
    assert world.take(OperatorKeyPressed(at=now, call=CallId("node1-x"), offer=unknown, key="*")) == ()
    assert world.take(CodeCallGone(at=now, channel=ChannelId("gone"))) == ()
    world.talk("ani", TalkAction.JOIN, "polisi")
    world.run(2.0)
    (leg,) = world.phone("polres").legs
    assert world.take(OperatorKeyPressed(at=now, call=stage.call, offer=leg, key="*")) == ()


def test_code_of_a_call_that_is_over_is_forgotten() -> None:
    stage = in_talk()
    stage.world.press_code("ani", "*3211")
    stage.world.pbx.hang_up(stage.call)
    stage.world.run(60.0)
    assert stage.world.at_rest
    assert stage.world.phone("ani").whispers == []


def test_dialled_codes_are_forgotten_when_their_end_was_missed() -> None:
    world = World({"ani": answers(0.5), "budi": answers(0.5)})
    world.dial_code("ani", "*14")
    world.disconnect()
    world.run(10.0)
    world.reconnect()
    world.run(0.5)
    assert not world.operator("ani").codes
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_phone_is_free_again_when_the_engine_starts_anew_while_it_dials_a_code() -> None:
    """The code's channel is ended: carried out twice, *41 would call a citizen twice."""
    world = World({"ani": answers(0.5), "budi": answers(0.5)})
    world.pbx.failing["AnswerCode"] = 1
    world.dial_code("ani", "*11")
    world.restart()
    world.run(1.0)
    assert world.operator("ani").state is OperatorState.SIGNED_OUT
    assert not world.operator("ani").foreign
