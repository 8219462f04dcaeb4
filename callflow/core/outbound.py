"""Leads an outbound call: the operator's phone first, then the citizen, recorded by way of the dialplan."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core import callbacks, causes, connecting, ending, queueing, seeking
from callflow.core.centre_facts import CallbackTried
from callflow.core.city import Destination
from callflow.core.commands import BeginOutbound, CallCitizen, DialplanLabel, EndCall, HandBack
from callflow.core.events import CallArrived, Caller, CitizenAnswered, CitizenNotReached
from callflow.core.facts import CallOpened, Direction, HangupParty, QueueReason
from callflow.core.ids import CallId, TrunkRoute, callback_call, citizen_channel
from callflow.core.state import Call, Callback, Offer, Operator
from callflow.core.states import CallState, CallTrigger
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn
from callflow.flows.model import FALLBACK_QUEUE

CITIZEN_RING_SECONDS: Final = 45.0
_BEGIN_SECONDS: Final = 5.0
"""An answered citizen comes back from the dialplan within this time, or the dialplan has the call."""


def begin(turn: Turn, callback: Callback, operator: Operator, trunk: TrunkRoute) -> None:
    """Begin the next attempt of a call-back."""
    number = callback.last_number + 1
    name = callback_call(callback.call, number)
    caller = Caller(number=callback.number, raw=callback.number)
    call = Call(
        call=name,
        channel=citizen_channel(name),
        caller=caller,
        dialled="",
        trunk=trunk,
        arrived_at=turn.at,
        state=CallState.ARRIVED,
        direction=Direction.OUTBOUND,
        callback_of=callback.call,
    )
    turn.note(
        CallOpened(
            at=turn.at,
            call=name,
            arrived_at=turn.at,
            caller=caller,
            dialled="",
            trunk=trunk,
            direction=Direction.OUTBOUND,
            callback_of=callback.call,
        )
    )
    turn.ledger.put_call(call)
    owner = operator.profile.operator
    turn.ledger.put_callback(
        replace(callback, owner=owner, attempts=callback.attempts + 1, last_number=number, attempt=name, overdue=False)
    )
    turn.cancel(callback.call, TimerKind.CALLBACK)
    callbacks.watch_overdue(turn)
    turn.note(CallbackTried(at=turn.at, call=callback.call, attempt=name, operator=owner))
    seeking.offer_operator(turn, call, operator, "call-back")


def operator_answered(turn: Turn, call: Call, offer: Offer) -> None:
    """The operator is there: ring the citizen."""
    trunk = TrunkRoute(call.trunk)
    number = call.caller.number or ""
    turn.ledger.put_call(replace(call, person=offer.offer))
    turn.do(
        CallCitizen(
            call=call.call,
            channel=call.channel,
            destination=Destination(name="citizen", number=number, trunk=trunk),
            ring_seconds=CITIZEN_RING_SECONDS,
        )
    )
    turn.start(TimerKind.CITIZEN, call.call, CITIZEN_RING_SECONDS + seeking.ASTERISK_MARGIN_SECONDS)


def on_citizen_answered(turn: Turn, event: CitizenAnswered) -> None:
    """The citizen is there: through the dialplan, which begins the recording. One whom nobody waits for, too."""
    turn.do(BeginOutbound(call=event.call, channel=event.channel))
    call = turn.ledger.call(event.call)
    if call is not None and call.state is CallState.ARRIVED:
        turn.ledger.put_call(replace(call, citizen_answered=True))
        turn.start(TimerKind.CITIZEN, call.call, _BEGIN_SECONDS)


def on_citizen_not_reached(turn: Turn, event: CitizenNotReached) -> None:
    """The citizen did not answer."""
    call = turn.ledger.call(event.call)
    if call is not None and call.state is CallState.ARRIVED:
        ending.no_citizen(turn, call, event.cause)


def begin_failed(turn: Turn, name: CallId) -> None:
    """The citizen answered and could not be sent through the dialplan by us: its fallback finds a person."""
    call = turn.ledger.call(name)
    if call is not None and call.state is CallState.ARRIVED:
        step = str(CallState.CONNECTED)  # a citizen whom we called is not greeted as one who calls
        turn.do(HandBack(call=name, channel=call.channel, label=DialplanLabel.FALLBACK, step=step))
        ending.no_citizen(turn, call, causes.NETWORK_OUT_OF_ORDER, HangupParty.SYSTEM)


def give_up(turn: Turn, name: CallId, cause: int) -> None:
    """The citizen could not be rung, or need not be: the attempt is over before an answer."""
    call = turn.ledger.call(name)
    if call is not None and call.state is CallState.ARRIVED:
        turn.do(EndCall(call=name, channel=call.channel))
        ending.no_citizen(turn, call, cause)


def on_citizen_overdue(turn: Turn, subject: str) -> None:
    """The citizen rang too long, or did not come back from the dialplan, which then serves the call alone."""
    call = turn.ledger.call(CallId(subject))
    if call is None or call.state is not CallState.ARRIVED:
        return
    if not call.citizen_answered:
        give_up(turn, call.call, causes.NO_ANSWER)
    else:
        ending.no_citizen(turn, call, causes.NETWORK_OUT_OF_ORDER, HangupParty.SYSTEM)


def arrived(turn: Turn, call: Call, event: CallArrived) -> None:
    """The citizen comes from the dialplan, recorded: join the operator, or seek another where that one is gone."""
    turn.cancel(call.call, TimerKind.CITIZEN)
    call = replace(call, channel=event.channel, citizen_answered=True)
    if call.person is None:
        queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.PERSON_LOST, CallTrigger.SENT_TO_QUEUE)
        return
    turn.ledger.put_call(call)
    connecting.join(turn, call, call.person)


def operator_gone(turn: Turn, call: Call) -> None:
    """The operator is gone, or never came, before the citizen was joined.

    A citizen who does not ring yet is left alone; one who has answered is served by another operator.
    """
    if call.citizen_answered:
        call = replace(call, person=None)
        turn.ledger.put_call(call)
        if not turn.runs(TimerKind.CITIZEN, call.call):  # back from the dialplan already
            queueing.enqueue(turn, call, FALLBACK_QUEUE, QueueReason.PERSON_LOST, CallTrigger.SENT_TO_QUEUE)
        return
    if call.person is not None:
        turn.do(EndCall(call=call.call, channel=call.channel))
    ending.no_citizen(turn, replace(call, person=None), causes.UNKNOWN, HangupParty.OPERATOR)
