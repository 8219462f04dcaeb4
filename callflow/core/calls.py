"""Decides on the caller's leg: arrival, return, keys, what was played, the caller's hang-up, commands that failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from callflow.core import (
    callbacks,
    callers,
    causes,
    connecting,
    desk,
    ending,
    ivr,
    listening,
    offering,
    outbound,
    parties,
    queueing,
    recalls,
)
from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import (
    AddCaller,
    AddLeg,
    AnswerCaller,
    BeginOutbound,
    CallCitizen,
    DestroyBridge,
    DialDestination,
    DialplanLabel,
    HandBack,
    HoldCaller,
    JoinLegs,
    OfferCall,
    Play,
    PrepareCentre,
    ReadTrunkHeaders,
)
from callflow.core.events import (
    CallArrived,
    CallerGone,
    CallerReturned,
    CommandFailed,
    DecisionFailed,
    KeyPressed,
    LegGone,
    PlaybackEnded,
    TrunkHeadersRead,
)
from callflow.core.facts import CallOpened, Direction, HangupParty, PartyEnd, QueueReason, TrunkHeadersNoted
from callflow.core.ids import CallId, talk_bridge, was_call_back_to
from callflow.core.state import Call
from callflow.core.states import CallState, CallTrigger, OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE

_LEAST_NUMBERS_USED = 1000
_NUMBERS_A_SECOND = 100_000
_OVERDUE_AGAIN_SECONDS = 1.0
_WITH_US = str(CallState.QUEUED)
"""Whom we could not hand back at once has heard enough greetings."""
_MOST_FAILURES = 3
_JOINING = frozenset(kind.__name__ for kind in (JoinLegs, AddLeg, AddCaller))
_IN_TALK = frozenset({CallState.THREE_WAY, CallState.AGENCY_ONLY})


def on_arrived(turn: Turn, event: CallArrived) -> None:
    """A citizen calls: answer, and begin the flow. One who was handed back before goes to the queue."""
    known = turn.ledger.call(event.call)
    if known is not None and known.direction is Direction.OUTBOUND and known.state is CallState.ARRIVED:
        outbound.arrived(turn, known, event)
        return
    if known is not None and known.state is not CallState.ENDED:
        _take_again(turn, replace(known, channel=event.channel))
        return
    call = open_call(turn, event)
    turn.do(AnswerCaller(call=call.call, channel=call.channel))
    if event.step is None and call.direction is Direction.INBOUND:
        ivr.start_flow(turn, recalls.take_place(turn, callbacks.on_arrival(turn, call)))
    else:
        queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.HANDED_BACK, CallTrigger.SENT_TO_QUEUE)
    current = turn.ledger.call(call.call)
    assert current is not None, "nobody who has just arrived is gone"
    callers.look_up(turn, current)
    turn.do(ReadTrunkHeaders(call=call.call, channel=call.channel))


def open_call(turn: Turn, event: CallArrived) -> Call:
    """Begin the call's record; the call as it is then, written."""
    first_life = event.step is None and turn.ledger.call(event.call) is None
    used = 0 if first_life else numbers_used(turn, event.arrived_at)
    abandoned = was_call_back_to(event.call)  # a call-back whose operator we do not know any more
    call = Call(
        call=event.call,
        channel=event.channel,
        caller=event.caller,
        dialled=event.dialled,
        trunk=event.trunk,
        arrived_at=min(event.arrived_at, turn.at),  # Asterisk's clock may have been set just then
        state=CallState.ARRIVED,
        direction=Direction.INBOUND if abandoned is None else Direction.OUTBOUND,
        callback_of=abandoned,
        playbacks=used,
        offers_made=used,
        consultations=0 if first_life else consultations_held(turn, event.arrived_at),
    )
    turn.note(
        CallOpened(
            at=turn.at,
            call=call.call,
            arrived_at=call.arrived_at,
            caller=call.caller,
            dialled=call.dialled,
            trunk=call.trunk,
            direction=call.direction,
            callback_of=call.callback_of,
        )
    )
    turn.cancel(call.call, TimerKind.CALL_RELEASE)  # of an earlier life that we had hung up
    turn.ledger.put_call(call)
    return call


def numbers_used(turn: Turn, arrived_at: datetime) -> int:
    """How many ids of legs and playbacks a call may have used in a life that we do not remember.

    Asterisk answers 409 to an id that is still there, and what ends late would be taken for what has just begun.
    So many ids for each second since the arrival are more than any life uses, even one of a few milliseconds in
    which every phone of a large centre was rung.
    """
    return _LEAST_NUMBERS_USED + max(0, int((turn.at - arrived_at).total_seconds() * _NUMBERS_A_SECOND))


def consultations_held(turn: Turn, arrived_at: datetime) -> int:
    """How many consultations a call may have had in a life that we do not remember: never two in one second."""
    return max(1, int((turn.at - arrived_at).total_seconds()))


def _take_again(turn: Turn, call: Call) -> None:
    """The call came back through the dialplan while we still knew it: seek a person, at its old place."""
    person = turn.ledger.person_of(call)
    if person is not None:
        turn.cancel(person.offer, TimerKind.OFFER_JOIN, TimerKind.CODE_DIGITS)
        ending.release_leg(turn, person)
    if call.party is not None:
        call = parties.without(turn, call)
    if call.state is CallState.CONSULTING:
        parties.end_consultation(turn, call)
    if call.state in _IN_TALK or person is not None:
        turn.do(DestroyBridge(call=call.call, bridge=talk_bridge(call.call)))
    call = replace(call, playing=None)
    queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.HANDED_BACK, CallTrigger.RETURNED)


def on_headers(turn: Turn, event: TrunkHeadersRead) -> None:
    """Keep the trunk's headers with the call."""
    if event.headers:
        turn.note(TrunkHeadersNoted(at=turn.at, call=event.call, headers=event.headers))


def on_key(turn: Turn, event: KeyPressed) -> None:
    """A key counts while the flow asks; later ones change nothing."""
    call = turn.ledger.call(event.call)
    if call is not None and call.state is not CallState.ENDED:
        ivr.on_key(turn, listening.on_key(turn, call), event.key)


def on_playback_ended(turn: Turn, event: PlaybackEnded) -> None:
    """What was played came to its end. The end of one that was stopped comes late and changes nothing."""
    call = turn.ledger.call(event.call)
    if event.failed:
        turn.incident(AlarmKind.PROMPT_FAILED, event.prompt, "this prompt could not be played: run callflow doctor")
    if call is not None and call.playing == event.playback:
        ivr.on_played(turn, call, failed=event.failed)


def on_caller_gone(turn: Turn, event: CallerGone) -> None:
    """The caller hung up, the trunk lost the call, or it ended with Asterisk itself."""
    call = turn.ledger.call(event.call)
    if call is not None:
        by = HangupParty.SYSTEM if event.asterisk_ended else HangupParty.CALLER
        ending.caller_gone(turn, call, event.cause, by)


def on_caller_returned(turn: Turn, event: CallerReturned) -> None:
    """The dialplan has the caller again: let go of everything that was sought for this call."""
    call = turn.ledger.call(event.call)
    if call is None:
        return
    if call.state is CallState.ENDED:  # not ours to hang up any more
        ending.caller_gone(turn, call, causes.UNKNOWN)
    else:
        ending.let_return(turn, call, "taken back by the dialplan")


def on_command_failed(turn: Turn, event: CommandFailed) -> None:
    """Go on without what could not be done, always towards a person."""
    turn.incident(AlarmKind.COMMAND_FAILED, event.command, event.reason)
    counts = _kept_from_a_person(turn, event)
    _follow_failure(turn, event)
    if counts:
        _give_up_after_many(turn, event.call)


def _kept_from_a_person(turn: Turn, event: CommandFailed) -> bool:
    """Whether a person was there to be had but for Asterisk: not where a phone is not registered, or rings no more."""
    offer = None if event.offer is None else turn.ledger.offer(event.offer)
    if event.command == OfferCall.__name__:
        operator = None if offer is None or offer.operator is None else turn.ledger.operator(offer.operator)
        return operator is not None and operator.online
    return event.command in _JOINING and (event.offer is None or offer is not None)


def _give_up_after_many(turn: Turn, name: CallId) -> None:
    """Asterisk does not do what would bring this caller a person: the dialplan needs none of our commands for it.

    Not while a phone rings that was rung before: of those that ring together some may be unplugged.
    """
    call = turn.ledger.call(name)
    if call is None or call.state is not CallState.QUEUED or call.person is not None:
        return
    call = replace(call, failures=call.failures + 1)
    turn.ledger.put_call(call)
    others = (offer for offer in turn.ledger.offers_of(name) if offer.made_at < turn.at)
    if call.failures >= _MOST_FAILURES and not any(offer.state is OfferState.RINGING for offer in others):
        ending.hand_back(turn, call, f"{call.failures} commands failed")


def _follow_failure(turn: Turn, event: CommandFailed) -> None:
    cause = causes.NETWORK_OUT_OF_ORDER
    call = turn.ledger.call(event.call)
    if event.command == PrepareCentre.__name__:  # until then nobody's phone is watched, and nobody is rung
        desk.watch_phones(turn)
    elif event.command in (OfferCall.__name__, DialDestination.__name__) and event.offer is not None:
        offering.on_leg_gone(turn, LegGone(at=event.at, call=event.call, offer=event.offer, cause=cause))
    elif event.command in (JoinLegs.__name__, AddLeg.__name__) and event.offer is not None:
        connecting.join_failed(turn, event.offer)
    elif event.command == CallCitizen.__name__:
        outbound.give_up(turn, event.call, cause)
    elif event.command == BeginOutbound.__name__:
        outbound.begin_failed(turn, event.call)
    elif event.command == HandBack.__name__ and event.channel is not None and call is None:
        turn.do(HandBack(call=event.call, channel=event.channel, label=DialplanLabel.FALLBACK, step=_WITH_US))
    elif call is None or call.state is CallState.ENDED:
        return
    elif event.command == Play.__name__:
        if call.playing is not None and call.playing == event.playback:
            ivr.on_played(turn, call, failed=True)
    elif event.command == AddCaller.__name__ and call.person is not None:
        connecting.join_failed(turn, call.person)
    elif event.command == HoldCaller.__name__ and call.state is CallState.CONSULTING:
        parties.drop(turn, call, PartyEnd.DROPPED)
    elif event.command in (AnswerCaller.__name__, HoldCaller.__name__) and call.person is None:
        ending.hand_back(turn, call, f"{event.command} failed")


def on_decision_failed(turn: Turn, event: DecisionFailed) -> None:
    """A handler raised and changed nothing: alarm, and let the dialplan serve that call.

    A timer whose decision failed will not come again by itself: what is overdue is started anew.
    """
    turn.incident(AlarmKind.DECISION_FAILED, event.event, event.error)
    call = None if event.call is None else turn.ledger.call(event.call)
    if call is not None and call.state is not CallState.ENDED:
        ending.hand_back(turn, call, "a decision failed")
    elif event.call is not None and event.channel is not None:  # the arrival itself failed: we know of no call
        turn.do(HandBack(call=event.call, channel=event.channel, label=DialplanLabel.FALLBACK, step=""))
    for running in tuple(turn.ledger.state.timers.values()):
        if running.due <= turn.at:
            turn.start(running.timer.kind, running.timer.subject, _OVERDUE_AGAIN_SECONDS)
