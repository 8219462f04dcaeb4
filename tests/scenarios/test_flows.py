"""Callers in the flow: every kind of node, keys early and late, a flow that changes, is missing, or leads round."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callflow.core.centre_facts import AlarmKind, FlowInForce
from callflow.core.commands import EndCall, Play
from callflow.core.events import PlaybackEnded, TrunkHeadersRead
from callflow.core.facts import (
    CallConnected,
    CallEnded,
    CallQueued,
    HangupParty,
    IvrStepTaken,
    QueueReason,
    Stage,
    TrunkHeadersNoted,
)
from callflow.core.ids import CallId, PlaybackId
from callflow.core.states import CallState
from callflow.flows.default import default_flow_text

from .phones import answers, never_answers
from .world import World

Node = dict[str, Any]


def flow(start: str, budget: int = 12, **nodes: Node) -> str:
    text = {"id": "Uji", "en": "Test"}
    person = {"type": "queue", "tier": "gawat_darurat", "label": text}
    return json.dumps(
        {
            "format": 1,
            "flow": "test",
            "title": text,
            "languages": ["id", "en"],
            "start": start,
            "step_budget": budget,
            "nodes": {**nodes, "person": person, "other": {**person, "tier": "informasi"}, "bye": {"type": "end"}},
        }
    )


def say(to: str) -> Node:
    return {"type": "say", "prompts": ["greeting"], "exits": {"next": to}}


def menu(**exits: str) -> Node:
    return {
        "type": "menu",
        "prompts": ["menu"],
        "retry_prompts": ["wrong_key"],
        "timeout_seconds": 3,
        "attempts": 2,
        "exits": {"no_input": "person", "wrong_key": "person", **{key.lstrip("k"): to for key, to in exits.items()}},
    }


def gather(**changes: object) -> Node:
    return {
        "type": "gather",
        "prompts": ["postcode"],
        "max_digits": 3,
        "terminator": "#",
        "timeout_seconds": 4,
        "digit_timeout_seconds": 2,
        "exits": {"done": "person", "no_input": "other"},
        **changes,
    }


def steps(world: World, call: CallId) -> list[tuple[str, str, str]]:
    return [(fact.node, fact.exit, fact.keys) for fact in world.facts(IvrStepTaken, call)]


# --- information ----------------------------------------------------------------------------------------------------


def test_call_ends_in_information_when_the_caller_chose_so_by_key() -> None:
    world = World({"ani": answers()})
    call = world.arrive("a", keys=[(0.5, "6"), (5.0, "9")])
    world.run(4.9)
    assert world.heard(call)[-1] == "en/information_offer"
    world.run(5.0)
    assert steps(world, call)[-1] == ("information", "end", "9")
    (ended,) = world.facts(CallEnded, call)
    assert (ended.stage, ended.ended_by) == (Stage.ENDED_IN_INFORMATION, HangupParty.SYSTEM)
    assert world.offered(call) == []
    assert world.at_rest


def test_caller_reaches_an_operator_when_silent_after_information() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "6")])
    world.run(13.0)
    assert steps(world, call)[-1] == ("information", "operator", "")
    assert world.call(call).state is CallState.CONNECTED


@pytest.mark.parametrize(("seconds", "key"), [(1.0, "9"), (5.0, "1"), (8.5, "0")])
def test_caller_reaches_an_operator_when_the_end_key_came_early_or_was_another(seconds: float, key: str) -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a", keys=[(0.5, "6"), (seconds, key)])
    world.run(11.0)
    assert steps(world, call)[-1] == ("information", "operator", key)
    assert world.call(call).state is CallState.CONNECTED
    assert not world.commands(EndCall, call)


# --- each kind of node ----------------------------------------------------------------------------------------------


def test_key_during_a_say_is_taken_by_the_menu_after_the_next_says() -> None:
    world = World({"ani": never_answers()}, flow=flow("a", a=say("b"), b=say("choice"), choice=menu(k1="other")))
    call = world.arrive("a", keys=[(0.5, "1")])
    world.run(2.0)
    assert steps(world, call) == [("a", "next", "1"), ("b", "next", ""), ("choice", "1", "1")]
    assert len(world.commands(Play, call)) == 1


def test_wrong_key_during_a_say_is_a_wrong_key_of_the_menu() -> None:
    world = World({"ani": never_answers()}, flow=flow("a", a=say("choice"), choice=menu(k1="other")))
    call = world.arrive("a", keys=[(0.5, "7")])
    world.run(1.0)
    assert world.heard(call) == ["id/greeting", "id/wrong_key"]


def test_say_leads_on_when_it_was_played() -> None:
    world = World({"ani": never_answers()}, flow=flow("a", a=say("person")))
    call = world.arrive("a")
    world.run(3.0)
    assert steps(world, call) == [("a", "next", "")]
    assert world.call(call).state is CallState.QUEUED


@pytest.mark.parametrize(
    ("keys", "left_by", "pressed"),
    [
        ("123", "done", "123"),
        ("12#", "done", "12#"),
        ("#", "no_input", "#"),
        ("12", "done", "12"),
        ("", "no_input", ""),
    ],
)
def test_gather_is_left_by_its_digits(keys: str, left_by: str, pressed: str) -> None:
    world = World({"ani": never_answers()}, flow=flow("ask", ask=gather()))
    call = world.arrive("a", keys=[(2.0 + i / 2, key) for i, key in enumerate(keys)])
    world.run(9.0)
    assert steps(world, call) == [("ask", left_by, pressed)]


def test_gather_without_terminator_takes_the_kept_key_as_its_first_digit() -> None:
    ask = gather(max_digits=2)
    del ask["terminator"]
    world = World({"ani": never_answers()}, flow=flow("a", a=say("ask"), ask=ask))
    call = world.arrive("a", keys=[(0.5, "4"), (1.5, "2")])
    world.run(3.0)
    assert steps(world, call) == [("a", "next", "4"), ("ask", "done", "42")]


def test_gather_without_terminator_is_left_by_silence_after_a_digit() -> None:
    ask = gather()
    del ask["terminator"]
    world = World({"ani": never_answers()}, flow=flow("ask", ask=ask))
    call = world.arrive("a", keys=[(0.5, "4")])
    world.run(4.0)
    assert steps(world, call) == [("ask", "done", "4")]


def test_branch_asks_the_centres_clock_and_the_callers_number() -> None:
    sort = {
        "type": "branch",
        "cases": [
            {"exit": "withheld", "when": {"caller": "unknown"}},
            {"exit": "morning", "when": {"time": {"from": "08:00", "to": "09:00"}, "days": ["mon"], "language": "id"}},
        ],
        "exits": {"withheld": "hop", "morning": "other", "otherwise": "person"},
    }
    hop = {"type": "goto", "exits": {"to": "person"}}
    world = World({"ani": never_answers()}, flow=flow("sort", sort=sort, hop=hop))
    known, withheld = world.arrive("a"), world.arrive("b", number=None)
    assert steps(world, known) == [("sort", "morning", "")]
    assert steps(world, withheld) == [("sort", "withheld", ""), ("hop", "to", "")]
    assert [world.call(call).tier for call in (known, withheld)] == ["informasi", "gawat_darurat"]
    world.run(3600.0)
    late = world.arrive("c")
    assert steps(world, late) == [("sort", "otherwise", "")]


def test_prompt_is_played_in_its_own_language_or_the_calls() -> None:
    node = {"type": "say", "prompts": ["greeting", "en/greeting"], "exits": {"next": "person"}}
    world = World({"ani": never_answers()}, flow=flow("a", a=node))
    call = world.arrive("a")
    world.run(0.1)
    assert world.heard(call) == ["id/greeting", "en/greeting"]


def test_caller_goes_to_a_person_when_the_step_budget_is_used_up() -> None:
    world = World({"ani": answers(1.0)}, flow=flow("choice", 4, choice=menu(k1="choice")))
    call = world.arrive("a", keys=[(0.2 * i, "1") for i in range(1, 12)])
    world.run(4.0)
    assert len(steps(world, call)) == 4
    assert world.facts(CallQueued, call)[0].tier == "gawat_darurat"
    assert world.call(call).state is CallState.CONNECTED


def test_wrong_keys_count_anew_when_the_menu_is_entered_again() -> None:
    world = World({"ani": never_answers()}, flow=flow("choice", choice=menu(k1="choice")))
    call = world.arrive("a", keys=[(0.5, "7"), (1.0, "1"), (1.5, "7")])
    world.run(2.0)
    assert world.call(call).state is CallState.IN_IVR


def test_keys_change_nothing_in_the_queue_and_in_a_talk() -> None:
    world = World({"ani": answers(2.0)})
    call = world.arrive("a", keys=[(0.5, "2"), (1.0, "6"), (5.0, "9")])
    world.run(8.0)
    assert steps(world, call) == [("welcome", "2", "2")]
    assert world.call(call).state is CallState.CONNECTED


# --- which flow -----------------------------------------------------------------------------------------------------


def test_call_keeps_the_flow_with_which_it_began() -> None:
    world = World({"ani": never_answers()})
    early = world.arrive("a")
    world.run(1.0)
    world.publish(flow("choice", choice=menu(k5="other")), version=2)
    world.publish(flow("choice", choice=menu(k5="other")), version=3)
    assert set(world.switchboard.state.flows) == {1, 3}
    late = world.arrive("b", keys=[(0.5, "5")])
    world.press(early, "5")
    world.run(1.0)
    assert [(fact.flow_version, fact.node) for fact in world.facts(IvrStepTaken, early)] == [(1, "welcome")]
    assert [(fact.flow_version, fact.node) for fact in world.facts(IvrStepTaken, late)] == [(3, "choice")]
    world.pbx.hang_up(early)
    world.run(1.0)
    world.publish(default_flow_text(), version=4)
    assert set(world.switchboard.state.flows) == {3, 4}
    assert [fact.version for fact in world.facts(FlowInForce)] == [1, 2, 3, 4]


def test_flow_of_the_checkpoint_is_read_again_after_a_restart() -> None:
    world = World({"ani": answers(1.0)})
    call = world.arrive("a")
    world.run(1.0)
    world.shadow()
    world.press(call, "2")
    world.run(4.0)
    assert world.call(call).state is CallState.CONNECTED


@pytest.mark.parametrize(
    "broken",
    [
        "{}",
        pytest.param(flow("a", a=say("nowhere")), id="an exit leads nowhere"),
        pytest.param(flow("nowhere"), id="it begins nowhere"),
        pytest.param(flow("a", a={**say("person"), "type": "hologram"}), id="a node of a later version"),
        pytest.param(flow("a", a=say("bye")), id="it would hang up unasked"),
    ],
)
def test_caller_goes_straight_to_a_person_when_no_flow_in_force_can_be_followed(broken: str) -> None:
    world = World({"ani": answers(1.0)})
    world.publish(broken, version=2)
    call = world.arrive("a")
    world.run(3.0)
    assert world.call(call).state is CallState.CONNECTED
    assert world.facts(CallQueued, call)[0].reason is QueueReason.NO_FLOW
    (alarm,) = [each for each in world.switchboard.state.alarms.values() if each.kind is AlarmKind.NO_FLOW]
    assert alarm.detail.startswith("flow version 2 is broken")
    world.publish(default_flow_text(), version=3)
    world.arrive("b")
    assert AlarmKind.NO_FLOW not in {alarm.kind for alarm in world.switchboard.state.alarms.values()}


@pytest.mark.parametrize(
    ("node", "by"),
    [
        (menu(k1="other"), "no_input"),
        (gather(exits={"done": "other", "no_input": "person"}), "no_input"),
        (
            {
                "type": "info",
                "prompts": ["information"],
                "offer_prompts": ["information_offer"],
                "end_key": "9",
                "timeout_seconds": 10,
                "exits": {"operator": "person", "end": "bye"},
            },
            "operator",
        ),
    ],
)
def test_caller_goes_on_to_a_person_at_once_when_the_question_cannot_be_played(node: Node, by: str) -> None:
    world = World({"ani": answers(1.0)}, flow=flow("a", a=say("asked"), asked=node))
    world.pbx.silent_prompts = True
    call = world.arrive("a")
    world.run(2.0)
    assert steps(world, call)[-1] == ("asked", by, "")
    assert world.call(call).state is CallState.CONNECTED


def test_settings_that_change_during_a_call_hold_from_then_on() -> None:
    world = World({"ani": answers(1.0, talks_seconds=10.0)})
    call = world.arrive("a", keys=[(0.5, "2")])
    world.run(5.0)
    world.change_settings(wrap_up_seconds=0.0)
    world.run(10.0)
    assert len(world.facts(CallConnected, call)) == 1
    assert world.operator("ani").state == "available"


# --- what else is kept with the call --------------------------------------------------------------------------------


def test_trunk_headers_are_noted_when_there_are_any() -> None:
    world = World({"ani": never_answers()})
    call = world.arrive("a")
    world.run(0.1)
    assert world.facts(TrunkHeadersNoted, call)[0].headers == (("Diversion", "<sip:110>"),)
    assert world.take(TrunkHeadersRead(at=world.schedule.now, call=call, headers=())) == ()


def test_prompt_that_failed_is_an_incident_that_passes() -> None:
    world = World({"ani": never_answers()})
    unknown = CallId("gone")
    world.take(PlaybackEnded(at=world.schedule.now, call=unknown, playback=PlaybackId("gone.p1"), failed=True))
    world.run(200.0)
    assert AlarmKind.PROMPT_FAILED in {alarm.kind for alarm in world.switchboard.state.alarms.values()}
    world.take(PlaybackEnded(at=world.schedule.now, call=unknown, playback=PlaybackId("gone.p2"), failed=True))
    world.run(299.0)
    assert AlarmKind.PROMPT_FAILED in {alarm.kind for alarm in world.switchboard.state.alarms.values()}
    world.run(2.0)
    assert AlarmKind.PROMPT_FAILED not in {alarm.kind for alarm in world.switchboard.state.alarms.values()}
