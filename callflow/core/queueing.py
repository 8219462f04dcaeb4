"""Decides how a caller waits: into the holding bridge at once, music and announcements, a limit on the wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core.commands import HoldCaller, Play, Prompt, StopPlayback
from callflow.core.facts import CallQueued, QueueReason
from callflow.core.ids import CallId, playback_id, waiting_bridge
from callflow.core.state import Call
from callflow.core.states import CALL_TRANSITIONS, CallState, CallTrigger, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import Queue

STAY_ON_LINE: Final = "stay_on_line"
RECONNECTING: Final = "reconnecting"
SYSTEM_PROMPTS: Final = (STAY_ON_LINE, RECONNECTING)
"""Prompts that the core itself plays; they exist in every language of every flow."""
_LANGUAGES: Final = ("id", "en")
_CALL_TIMERS: Final = (TimerKind.NODE_INPUT, TimerKind.NODE_PROMPT)
WAITING_TIMERS: Final = (TimerKind.LAST_RESORT, TimerKind.SEEK_AGAIN, TimerKind.ANNOUNCE)


def enqueue(turn: Turn, call: Call, target: Queue, reason: QueueReason, trigger: CallTrigger) -> None:
    """Let the call seek a person from now on.

    A caller who lost a person keeps the tier and the skill of before and goes to the head; the last-resort list goes on
    with its next number.
    """
    lost = reason is QueueReason.PERSON_LOST
    call = replace(
        stop_playing(turn, call),
        state=advance(CALL_TRANSITIONS, call.state, trigger),
        tier=call.tier if call.tier is not None else str(target.tier),
        skill=call.skill if call.tier is not None else target.skill,
        queued_at=turn.at,
        at_head=call.at_head or lost,
        person=None,
        joined=frozenset(),
        last_resort=False,
        next_destination=call.next_destination if lost else 0,
    )
    turn.cancel(call.call, *_CALL_TIMERS)
    settings = turn.ledger.settings
    turn.do(HoldCaller(call=call.call, channel=call.channel, bridge=waiting_bridge(settings.centre)))
    turn.ledger.put_call(call)
    turn.start(TimerKind.LAST_RESORT, call.call, settings.last_resort_after_seconds)
    turn.start(TimerKind.ANNOUNCE, call.call, settings.announce_every_seconds)
    turn.note(CallQueued(at=turn.at, call=call.call, tier=call.tier or "", skill=call.skill, reason=reason))
    if lost:
        play(turn, call, *(Prompt(name=RECONNECTING, language=language) for language in _LANGUAGES))


def on_announce_due(turn: Turn, subject: str) -> None:
    """Tell a waiting caller to stay on the line. Offers go on beside it."""
    call = turn.ledger.call(CallId(subject))
    if call is None or call.state is not CallState.QUEUED or call.person is not None:
        return
    turn.start(TimerKind.ANNOUNCE, call.call, turn.ledger.settings.announce_every_seconds)
    if call.playing is None:
        play(turn, call, *(Prompt(name=STAY_ON_LINE, language=language) for language in _LANGUAGES))


def play(turn: Turn, call: Call, *prompts: Prompt) -> Call:
    """Play prompts to the caller; the call as it is then."""
    number = call.playbacks + 1
    playback = playback_id(call.call, number)
    call = replace(call, playbacks=number, playing=playback)
    turn.ledger.put_call(call)
    turn.do(Play(call=call.call, channel=call.channel, playback=playback, prompts=prompts))
    return call


def stop_playing(turn: Turn, call: Call) -> Call:
    """Stop what plays to the caller; the call as it is then, not yet written."""
    if call.playing is None:
        return call
    turn.do(StopPlayback(call=call.call, playback=call.playing))
    return replace(call, playing=None)
