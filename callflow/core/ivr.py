"""Leads a caller through the flow: which node comes next, what is played, what a key or silence means there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from callflow.core import ending, queueing
from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import Prompt
from callflow.core.facts import HangupParty, IvrStepTaken, QueueReason, Stage
from callflow.core.ids import CallId
from callflow.core.state import Call, IvrPhase, IvrPosition
from callflow.core.states import CALL_TRANSITIONS, CallState, CallTrigger, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.facts import CallFacts, choose
from callflow.flows.model import (
    FALLBACK_QUEUE,
    Branch,
    End,
    FlowDocument,
    Gather,
    Goto,
    Info,
    Language,
    Medical,
    Menu,
    Node,
    NodeName,
    Queue,
    Say,
)
from callflow.flows.model import Prompt as FlowPrompt

PROMPT_LIMIT_SECONDS: Final = 90.0
"""A prompt whose end was never reported counts as played after this; no prompt is longer."""


def start_flow(turn: Turn, call: Call) -> None:
    """Begin the flow in force; without one the caller goes to a person."""
    version = turn.ledger.state.flow_version
    document = None if version is None else turn.ledger.document(version)
    if version is None or document is None:
        which = "no flow is in force" if version is None else f"flow version {version} is broken"
        turn.alarm(AlarmKind.NO_FLOW, "", f"{which}: callers go to the queue; publish one that is sound")
        queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.NO_FLOW, CallTrigger.SENT_TO_QUEUE)
        return
    turn.clear(AlarmKind.NO_FLOW, "")
    position = IvrPosition(
        flow_version=version, node=document.start, entered_at=turn.at, language=document.languages[0], steps=0
    )
    state = advance(CALL_TRANSITIONS, call.state, CallTrigger.ENTERED_FLOW)
    _enter(turn, replace(call, state=state, ivr=position), document, document.start)


def on_key(turn: Turn, call: Call, key: str) -> None:
    """The caller pressed a key in the flow."""
    here = _here(turn, call)
    if here is None:
        return
    document, node, position = here
    position = replace(position, keys=position.keys + key)
    match node:
        case Say():
            call = queueing.stop_playing(turn, call)
            _leave(turn, replace(call, ivr=replace(position, kept_key=key)), document, "next")
        case Menu():
            call = queueing.stop_playing(turn, replace(call, ivr=position))
            _take_menu_key(turn, call, document, node, key)
        case Gather():
            _take_digit(turn, queueing.stop_playing(turn, replace(call, ivr=position)), document, node, key)
        case Info():
            offered = position.phase is not IvrPhase.PROMPT
            chosen = "end" if offered and key == node.end_key else "operator"
            _leave(turn, queueing.stop_playing(turn, replace(call, ivr=position)), document, chosen)
        case _:
            raise AssertionError(f"nobody waits for a key at a {type(node).__name__}")


def on_played(turn: Turn, call: Call, *, failed: bool = False) -> None:
    """What played to the caller came to its end; or it could not be played, and nobody waits for an answer to it."""
    call = replace(call, playing=None)
    turn.cancel(call.call, TimerKind.NODE_PROMPT)
    turn.ledger.put_call(call)
    here = _here(turn, call)
    if here is None:
        return
    document, node, position = here
    match node:
        case Say():
            _leave(turn, call, document, "next")
        case Menu() | Gather() if failed:
            _leave(turn, call, document, "no_input")
        case Menu() | Gather():
            _await_input(turn, call, node.timeout_seconds)
        case Info() if failed:
            _leave(turn, call, document, "operator")
        case Info() if position.phase is IvrPhase.PROMPT:
            _play(turn, replace(call, ivr=replace(position, phase=IvrPhase.OFFER)), node.offer_prompts)
        case Info():
            _await_input(turn, call, node.timeout_seconds)
        case _:
            raise AssertionError(f"nothing plays at a {type(node).__name__}")


def on_silence(turn: Turn, subject: str) -> None:
    """No key came within the node's time."""
    call = turn.ledger.call(CallId(subject))
    here = None if call is None else _here(turn, call)
    if call is None or here is None:
        return
    document, node, position = here
    match node:
        case Menu():
            _leave(turn, call, document, "no_input")
        case Gather():
            _leave(turn, call, document, "done" if position.keys.strip(node.terminator or "") else "no_input")
        case Info():
            _leave(turn, call, document, "operator")
        case _:
            raise AssertionError(f"nobody waits for a key at a {type(node).__name__}")


def on_prompt_overdue(turn: Turn, subject: str) -> None:
    """The prompt's end was never reported."""
    call = turn.ledger.call(CallId(subject))
    if call is not None and call.playing is not None:
        on_played(turn, queueing.stop_playing(turn, call))


def _here(turn: Turn, call: Call) -> tuple[FlowDocument, Node, IvrPosition] | None:
    if call.state is not CallState.IN_IVR or call.ivr is None:
        return None
    document = turn.ledger.document(call.ivr.flow_version)
    assert document is not None, "a call keeps the flow version with which it began"
    return document, document.nodes[NodeName(call.ivr.node)], call.ivr


def _take_menu_key(turn: Turn, call: Call, document: FlowDocument, menu: Menu, key: str) -> None:
    position = _position(call)
    if key in menu.on_key:
        _leave(turn, call, document, key)
        return
    wrong_keys = position.wrong_keys + 1
    call = replace(call, ivr=replace(position, wrong_keys=wrong_keys))
    if wrong_keys >= menu.attempts:
        _leave(turn, call, document, "wrong_key")
    else:
        _play(turn, call, menu.retry_prompts)


def _take_digit(turn: Turn, call: Call, document: FlowDocument, gather: Gather, key: str) -> None:
    keys = _position(call).keys
    digits = keys.rstrip(gather.terminator) if gather.terminator else keys
    if key == gather.terminator:
        _leave(turn, call, document, "done" if digits else "no_input")
    elif len(digits) >= gather.max_digits:
        _leave(turn, call, document, "done")
    else:
        _await_input(turn, call, gather.digit_timeout_seconds)


def _leave(turn: Turn, call: Call, document: FlowDocument, by: str) -> None:
    """Leave the node by the exit `by` and enter the next."""
    turn.cancel(call.call, TimerKind.NODE_INPUT, TimerKind.NODE_PROMPT)
    position = _position(call)
    _note_step(turn, call, position, by)
    _enter(turn, call, document, document.nodes[NodeName(position.node)].exits[by])


def _enter(turn: Turn, call: Call, document: FlowDocument, name: NodeName) -> None:
    """Enter a node, and go on through nodes that wait for nothing."""
    while True:
        position = _position(call)
        node = document.nodes[name] if position.steps < document.step_budget else FALLBACK_QUEUE
        position = replace(
            position,
            node=name,
            entered_at=turn.at,
            phase=IvrPhase.PROMPT,
            steps=position.steps + 1,
            wrong_keys=0,
            keys="",
        )
        call = replace(call, ivr=position)
        match node:
            case Goto():
                name = _pass(turn, call, node, "to")
            case Branch():
                name = _pass(turn, call, node, choose(node, _facts(turn, call)))
            case Say() if position.kept_key:
                name = _pass(turn, call, node, "next")
            case _:
                _begin(turn, call, document, node)
                return


def _begin(
    turn: Turn, call: Call, document: FlowDocument, node: Say | Menu | Gather | Info | Queue | Medical | End
) -> None:
    """Begin a node at which the caller stays for a while, or for good."""
    kept = _position(call).kept_key
    match node:
        case Menu() | Gather() if kept:
            call = replace(call, ivr=replace(_position(call), kept_key="", keys=kept))
            if isinstance(node, Menu):
                _take_menu_key(turn, call, document, node, kept)
            else:
                _take_digit(turn, call, document, node, kept)
        case Say() | Menu() | Gather() | Info():
            _play(turn, replace(call, ivr=replace(_position(call), kept_key="")), node.prompts)
        case Queue() | Medical():
            queueing.enqueue(turn, call, node, QueueReason.FLOW, CallTrigger.SENT_TO_QUEUE)
        case End():
            ending.hang_up(turn, call, Stage.ENDED_IN_INFORMATION, HangupParty.SYSTEM)
        case _:
            assert_never(node)


def _pass(turn: Turn, call: Call, node: Goto | Branch | Say, by: str) -> NodeName:
    _note_step(turn, call, _position(call), by)
    return node.exits[by]


def _note_step(turn: Turn, call: Call, position: IvrPosition, by: str) -> None:
    turn.note(
        IvrStepTaken(
            at=turn.at,
            call=call.call,
            flow_version=position.flow_version,
            node=position.node,
            exit=by,
            keys=position.keys,
            entered_at=position.entered_at,
        )
    )


def _play(turn: Turn, call: Call, prompts: tuple[FlowPrompt, ...]) -> None:
    language = _position(call).language
    queueing.play(turn, call, *(Prompt(name=p.name, language=p.language or language) for p in prompts))
    turn.cancel(call.call, TimerKind.NODE_INPUT)
    turn.start(TimerKind.NODE_PROMPT, call.call, PROMPT_LIMIT_SECONDS)


def _await_input(turn: Turn, call: Call, seconds: float) -> None:
    turn.ledger.put_call(replace(call, ivr=replace(_position(call), phase=IvrPhase.INPUT)))
    turn.cancel(call.call, TimerKind.NODE_PROMPT)
    turn.start(TimerKind.NODE_INPUT, call.call, seconds)


def _position(call: Call) -> IvrPosition:
    assert call.ivr is not None, "the call is in its flow"
    return call.ivr


def _facts(turn: Turn, call: Call) -> CallFacts:
    return CallFacts(
        caller_number=call.caller.number,
        local_time=turn.at.astimezone(ZoneInfo(turn.ledger.settings.zone)),
        language=Language(_position(call).language),
    )
