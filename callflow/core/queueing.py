"""Decides how a caller waits: in the holding bridge at once, music and announcements, a place, a limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import desk, seeking
from callflow.core.city import LONGEST_LATER_PLACE_SECONDS
from callflow.core.commands import HoldCaller, Play, Prompt, StopPlayback
from callflow.core.facts import CallerChallenged, CallQueued, ChallengeKind, Direction, QueueReason
from callflow.core.ids import CallId, playback_id, waiting_bridge
from callflow.core.state import Call
from callflow.core.states import CALL_TRANSITIONS, CallState, CallTrigger, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import Medical, Queue

STAY_ON_LINE: Final = "stay_on_line"
RECONNECTING: Final = "reconnecting"
PARTY_OVER: Final = "party_over"
PLEASE_WAIT: Final = "party_please_wait"
MEDICAL_JOINING: Final = "medical_joining"
PRANK_WARNING: Final = "prank_warning"
SILENT_CHALLENGE: Final = "silent_challenge"
_POSITIONS: Final = tuple(f"queue_position_{place}" for place in range(1, 6))
_POSITION_MORE: Final = "queue_position_more"
_WAITS: Final = ((60.0, "wait_under_1"), (180.0, "wait_1_to_3"))
_WAIT_LONGER: Final = "wait_longer"
SYSTEM_PROMPTS: Final = (
    STAY_ON_LINE,
    RECONNECTING,
    PARTY_OVER,
    PLEASE_WAIT,
    MEDICAL_JOINING,
    PRANK_WARNING,
    SILENT_CHALLENGE,
    *_POSITIONS,
    _POSITION_MORE,
    *(name for _, name in _WAITS),
    _WAIT_LONGER,
)
"""Prompts that the core itself plays to callers; they exist in every language of every flow."""
LANGUAGES: Final = ("id", "en")
FIRST_ANNOUNCEMENT_SECONDS: Final = 5.0
_CALL_TIMERS: Final = (TimerKind.NODE_INPUT, TimerKind.NODE_PROMPT)
WAITING_TIMERS: Final = (
    TimerKind.LAST_RESORT,
    TimerKind.SEEK_AGAIN,
    TimerKind.ANNOUNCE,
    TimerKind.RING_EVERYONE,
    TimerKind.SKILL_RELAX,
    TimerKind.MEDICAL,
    TimerKind.LATER_PLACE,
)
_TO_THE_HEAD: Final = frozenset({QueueReason.PERSON_LOST, QueueReason.PARTY_GONE, QueueReason.TRANSFERRED})
_TELLS: Final = {QueueReason.PERSON_LOST: RECONNECTING, QueueReason.PARTY_GONE: PARTY_OVER}
_COUNTED: Final = 0.1
"""How much the latest call counts in the mean of talk times."""


def enqueue(turn: Turn, call: Call, target: Queue | Medical, reason: QueueReason, trigger: CallTrigger) -> Call:
    """Let the call seek a person from now on; the call as it is then.

    A caller who lost a person keeps the tier and the skill of before and goes to the head; the last-resort list goes on
    with its next number.
    """
    again = reason in _TO_THE_HEAD
    tier = call.tier if call.tier is not None else str(target.tier)
    policy = seeking.tier_of(turn, tier)
    first = call.queued_at is None
    later = 0.0 if call.assessed is None else min(call.assessed.later_seconds, LONGEST_LATER_PLACE_SECONDS)
    call = replace(
        stop_playing(turn, call),
        state=advance(CALL_TRANSITIONS, call.state, trigger),
        tier=tier,
        priority=policy.priority,
        skill=call.skill if call.tier is not None else target.skill,
        medical=call.medical or (call.tier is None and isinstance(target, Medical)),
        later_seconds=later if first else 0.0,
        queued_at=turn.at,
        at_head=call.at_head or again,
        seeks=True,
        person=None,
        bridge=None,
        last_resort=False,
        next_destination=call.next_destination if again else 0,
    )
    turn.cancel(call.call, *_CALL_TIMERS)
    settings = turn.ledger.settings
    hold(turn, call)
    turn.ledger.put_call(call)
    turn.start(TimerKind.LAST_RESORT, call.call, settings.last_resort_after_seconds)
    turn.start(TimerKind.ANNOUNCE, call.call, min(FIRST_ANNOUNCEMENT_SECONDS, settings.announce_every_seconds))
    turn.start(TimerKind.RING_EVERYONE, call.call, policy.everyone_after_seconds)
    if call.skill is not None and policy.skill_relax_seconds > 0:
        turn.start(TimerKind.SKILL_RELAX, call.call, policy.skill_relax_seconds)
    if call.later_seconds > 0:
        turn.start(TimerKind.LATER_PLACE, call.call, call.later_seconds)
    if call.medical and call.party is None:
        present = any(desk.is_present(operator) for operator in turn.ledger.operators())
        turn.start(TimerKind.MEDICAL, call.call, settings.medical_after_seconds if present else 0.0)
    turn.note(CallQueued(at=turn.at, call=call.call, tier=tier, skill=call.skill, reason=reason))
    if reason in _TELLS:
        return say(turn, call, _TELLS[reason])
    if first and call.assessed is not None and call.assessed.warned and call.direction is Direction.INBOUND:
        call = replace(say(turn, call, PRANK_WARNING), challenge=ChallengeKind.PRANK)
        turn.ledger.put_call(call)
        turn.note(CallerChallenged(at=turn.at, call=call.call, kind=ChallengeKind.PRANK))
    return call


def hold(turn: Turn, call: Call) -> None:
    """Into the centre's waiting bridge, where music plays."""
    waiting = waiting_bridge(turn.ledger.settings.centre)
    turn.do(HoldCaller(call=call.call, channel=call.channel, bridge=waiting))


def on_announce_due(turn: Turn, subject: str) -> None:
    """Tell a waiting caller the place, how long it may take, and to stay on the line. Offers go on beside it."""
    call = turn.ledger.call(CallId(subject))
    if call is None or call.state is not CallState.QUEUED or call.person is not None:
        return
    turn.start(TimerKind.ANNOUNCE, call.call, turn.ledger.settings.announce_every_seconds)
    if call.playing is None:
        say(turn, call, *_announcement(turn, call))


def _announcement(turn: Turn, call: Call) -> tuple[str, ...]:
    if not call.seeks or seeking.rings_inside(turn, call.call):
        return (STAY_ON_LINE,)
    place = turn.ledger.place_in_line(call)
    position = _POSITIONS[place - 1] if place <= len(_POSITIONS) else _POSITION_MORE
    seconds = expected_wait_seconds(turn, place)
    wait = next((name for limit, name in _WAITS if seconds < limit), _WAIT_LONGER)
    return (position, wait, STAY_ON_LINE)


def expected_wait_seconds(turn: Turn, place: int) -> float:
    """How long the caller at this place may wait: each operator at work frees once in a usual talk and wrap-up."""
    working = sum(desk.is_present(operator) for operator in turn.ledger.operators())
    each = turn.ledger.state.talk_seconds + turn.ledger.settings.wrap_up_seconds
    return place * each / max(1, working)


def on_later_place_over(turn: Turn, subject: str) -> None:
    """A flagged caller has stood later among equals for as long as that may cost."""
    call = turn.ledger.call(CallId(subject))
    if call is not None and call.later_seconds > 0:
        turn.ledger.put_call(replace(call, later_seconds=0.0))


def count_talk(turn: Turn, call: Call) -> None:
    """Take a finished call's time with a person into the mean of talk times."""
    if call.connected_at is not None:
        seconds = (turn.at - call.connected_at).total_seconds()
        mean = turn.ledger.state.talk_seconds
        turn.ledger.put_talk_seconds(round(mean + _COUNTED * (seconds - mean), 3))


def say(turn: Turn, call: Call, *names: str) -> Call:
    """Play the core's own prompts to the caller, each in both languages; the call as it is then."""
    return play(turn, call, *(Prompt(name=name, language=language) for language in LANGUAGES for name in names))


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
