"""Decides what operators do: signing in and out, pausing, phones that come and go, and where a person returns to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core.commands import PrepareCentre, Refusal, Reply
from callflow.core.events import (
    EndpointReported,
    OperatorChanged,
    PauseRequested,
    ResumeRequested,
    SignInRequested,
    SignOutRequested,
)
from callflow.core.facts import AlarmKind, OperatorMoved, OperatorUpdated
from callflow.core.ids import CallId, OfferId, OperatorId, RequestId, offer_of_channel, waiting_bridge
from callflow.core.state import SET_ASIDE, Operator
from callflow.core.states import OPERATOR_TRANSITIONS, OperatorState, OperatorTrigger, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

_AT_REST: Final = frozenset({OperatorState.SIGNED_OUT, OperatorState.AVAILABLE, OperatorState.PAUSED})
_PRESENT: Final = frozenset(
    {OperatorState.AVAILABLE, OperatorState.OFFERED, OperatorState.ON_CALL, OperatorState.WRAP_UP}
)


def can_ring(operator: Operator) -> bool:
    """Whether this phone can be rung now, whoever sits there."""
    return operator.active and operator.online and not operator.elsewhere and operator.state in _AT_REST


def is_ready(operator: Operator) -> bool:
    """Whether this person takes the next call."""
    return can_ring(operator) and operator.state is OperatorState.AVAILABLE


def is_present(operator: Operator) -> bool:
    """Whether this person is at work: ready now, or within the deadlines of ring, call and wrap-up."""
    only_rung_for_want_of_others = operator.state is OperatorState.OFFERED and operator.pause != ""
    at_work = operator.active and operator.signed_in and operator.online and operator.state in _PRESENT
    return at_work and not only_rung_for_want_of_others


def move(turn: Turn, operator: Operator, trigger: OperatorTrigger) -> Operator:
    """Move an operator as the table says, write it and tell it. `since` begins anew when the state changes."""
    state = advance(OPERATOR_TRANSITIONS, operator.state, trigger)
    moved = replace(operator, state=state, since=turn.at if state is not operator.state else operator.since)
    turn.ledger.put_operator(moved)
    tell(turn, moved)
    return moved


def tell(turn: Turn, operator: Operator) -> None:
    """Note where the operator stands."""
    turn.note(
        OperatorMoved(
            at=turn.at,
            operator=operator.profile.operator,
            state=operator.state,
            reason=operator.pause,
            online=operator.online,
            call=operator.call,
        )
    )


def free(turn: Turn, operator: Operator) -> Operator:
    """Bring an operator whom nothing holds any more to where this person belongs."""
    freed = replace(operator, offer=None, call=None)
    if not operator.signed_in:
        trigger = OperatorTrigger.FREED_SIGNED_OUT
    elif operator.pause:
        trigger = OperatorTrigger.FREED_PAUSED
    else:
        trigger = OperatorTrigger.FREED_AVAILABLE
    rested = move(turn, freed, trigger)
    return move(turn, rested, OperatorTrigger.SEEN_ELSEWHERE) if operator.elsewhere else rested


def ring(turn: Turn, operator: Operator, call: CallId, offer: OfferId) -> None:
    """The operator's phone is being rung for this call."""
    move(turn, replace(operator, call=call, offer=offer), OperatorTrigger.RUNG)


def pick_up(turn: Turn, operator: Operator) -> None:
    """The operator answered the offer."""
    move(turn, operator, OperatorTrigger.PICKED_UP)


def hold(turn: Turn, operator: Operator, call: CallId, offer: OfferId) -> bool:
    """Take an operator as talking, whatever we knew; False when another call, or one elsewhere, holds this person."""
    if operator.state is OperatorState.WRAP_UP:
        turn.cancel(operator.profile.operator, TimerKind.WRAP_UP)
        operator = free(turn, operator)
    if operator.state not in _AT_REST:
        return False
    rung = move(turn, replace(operator, call=call, offer=offer), OperatorTrigger.RUNG)
    pick_up(turn, rung)
    return True


def release(turn: Turn, operator: Operator, *, set_aside: bool, wrap_up: bool) -> None:
    """The leg to this operator is gone.

    With `set_aside` the call was not taken: the person gets none until a deadline, or until ready again by hand.
    With `wrap_up` a person talked: there is work to finish before the next call.
    """
    name = operator.profile.operator
    if operator.state is OperatorState.ON_CALL and wrap_up and operator.signed_in:
        seconds = turn.ledger.settings.wrap_up_seconds
        if seconds > 0:
            move(turn, replace(operator, offer=None, call=None), OperatorTrigger.HUNG_UP)
            turn.start(TimerKind.WRAP_UP, name, seconds)
            return
    if set_aside and operator.signed_in and not operator.pause:
        operator = replace(operator, pause=SET_ASIDE)
        turn.start(TimerKind.SET_ASIDE, name, turn.ledger.settings.set_aside_seconds)
    free(turn, operator)


def on_operator_changed(turn: Turn, event: OperatorChanged) -> None:
    """Take a new or changed profile; a retired person finishes the present call."""
    known = turn.ledger.operator(event.profile.operator)
    if known is None:
        operator = Operator(profile=event.profile, active=event.active, since=turn.at)
    elif known.profile.endpoint == event.profile.endpoint:
        operator = replace(known, profile=event.profile, active=event.active)
    else:  # another phone: what is known of the old one says nothing of it, and Asterisk is asked
        operator = replace(known, profile=event.profile, active=event.active, online=False, elsewhere=False)
    turn.ledger.put_operator(operator)
    if operator.state is OperatorState.BUSY_ELSEWHERE and not operator.elsewhere:
        free(turn, operator)
    turn.note(OperatorUpdated(at=turn.at, profile=event.profile, active=event.active))
    turn.do(
        PrepareCentre(bridge=waiting_bridge(turn.ledger.settings.centre), endpoints=(event.profile.endpoint,)),
    )


def on_sign_in(turn: Turn, event: SignInRequested) -> None:
    """An operator comes to work. Signing in twice is no fault."""
    operator = _asked(turn, event.request, event.operator)
    if operator is None:
        return
    if not operator.signed_in:
        operator = replace(operator, signed_in=True, pause="")
        if operator.state is OperatorState.SIGNED_OUT:
            move(turn, operator, OperatorTrigger.SIGNED_IN)
        else:  # rung or elsewhere while signed out: the state stays, where the person returns to changes
            turn.ledger.put_operator(operator)
            tell(turn, operator)
    turn.do(Reply(request=event.request))


def on_sign_out(turn: Turn, event: SignOutRequested) -> None:
    """An operator leaves: not during a call, and the last one present not without a supervisor (rule 5)."""
    operator = _asked(turn, event.request, event.operator)
    if operator is None:
        return
    refusal = _may_leave(turn, operator, event.approved_by)
    if refusal is None and operator.signed_in:
        operator = replace(operator, signed_in=False, pause="")
        turn.cancel(event.operator, TimerKind.SET_ASIDE, TimerKind.WRAP_UP)
        if operator.state is OperatorState.BUSY_ELSEWHERE:
            turn.ledger.put_operator(operator)
            tell(turn, operator)
        else:
            free(turn, operator)
    turn.do(Reply(request=event.request, refusal=refusal))


def on_pause(turn: Turn, event: PauseRequested) -> None:
    """An operator takes a break; during a call or its wrap-up it begins afterwards."""
    operator = _asked(turn, event.request, event.operator)
    if operator is None:
        return
    refusal = None if operator.signed_in else Refusal.NOT_SIGNED_IN
    if refusal is None and event.approved_by is None and _is_last(turn, operator):
        refusal = Refusal.LAST_PRESENT
    if refusal is None:
        turn.cancel(event.operator, TimerKind.SET_ASIDE)
        operator = replace(operator, pause=event.reason or "pause")
        if operator.state is OperatorState.AVAILABLE:
            free(turn, operator)
        else:
            turn.ledger.put_operator(operator)
            tell(turn, operator)
    turn.do(Reply(request=event.request, refusal=refusal))


def on_resume(turn: Turn, event: ResumeRequested) -> None:
    """An operator is ready: ends a pause, a set-aside or the wrap-up."""
    operator = _asked(turn, event.request, event.operator)
    if operator is None:
        return
    if not operator.signed_in:
        turn.do(Reply(request=event.request, refusal=Refusal.NOT_SIGNED_IN))
        return
    turn.cancel(event.operator, TimerKind.SET_ASIDE, TimerKind.WRAP_UP)
    operator = replace(operator, pause="")
    if operator.state in (OperatorState.PAUSED, OperatorState.WRAP_UP):
        free(turn, operator)
    else:
        turn.ledger.put_operator(operator)
        tell(turn, operator)
    turn.do(Reply(request=event.request))


def on_endpoint_reported(turn: Turn, event: EndpointReported) -> None:
    """Asterisk tells of a phone: whether it is registered, and whether somebody uses it for a call of their own."""
    operator = turn.ledger.operator_at(event.endpoint)
    if operator is None:
        return
    elsewhere = any(offer_of_channel(channel) is None for channel in event.channels)
    if (operator.online, operator.elsewhere) == (event.online, elsewhere):
        return
    operator = replace(operator, online=event.online, elsewhere=elsewhere)
    may_be_elsewhere = operator.state in _AT_REST or operator.state is OperatorState.WRAP_UP
    if elsewhere and may_be_elsewhere:
        turn.cancel(operator.profile.operator, TimerKind.WRAP_UP)
        move(turn, operator, OperatorTrigger.SEEN_ELSEWHERE)
    elif not elsewhere and operator.state is OperatorState.BUSY_ELSEWHERE:
        free(turn, operator)
    else:
        turn.ledger.put_operator(operator)
        tell(turn, operator)


def on_wrap_up_over(turn: Turn, subject: str) -> None:
    """The wrap-up's deadline passed."""
    operator = turn.ledger.operator(OperatorId(subject))
    if operator is not None and operator.state is OperatorState.WRAP_UP:
        free(turn, operator)


def on_set_aside_over(turn: Turn, subject: str) -> None:
    """The set-aside's deadline passed: the person is offered calls again."""
    operator = turn.ledger.operator(OperatorId(subject))
    if operator is None or operator.pause != SET_ASIDE:
        return
    operator = replace(operator, pause="")
    if operator.state is OperatorState.PAUSED:
        free(turn, operator)
    else:
        turn.ledger.put_operator(operator)
        tell(turn, operator)


def watch_presence(turn: Turn) -> None:
    """Keep the alarms true: nobody ready, no phone registered."""
    operators = turn.ledger.operators()
    if any(is_present(operator) for operator in operators):
        turn.clear(AlarmKind.NOBODY_READY, "")
    else:
        turn.alarm(AlarmKind.NOBODY_READY, "", "no operator is signed in, ready and registered: every phone rings")
    if any(operator.active and operator.online for operator in operators):
        turn.clear(AlarmKind.NO_PHONE_REGISTERED, "")
    else:
        turn.alarm(AlarmKind.NO_PHONE_REGISTERED, "", "no operator's phone is registered: the last-resort list rings")


def _asked(turn: Turn, request: RequestId, name: OperatorId) -> Operator | None:
    operator = turn.ledger.operator(name)
    if operator is None or not operator.active:
        turn.do(Reply(request=request, refusal=Refusal.UNKNOWN_OPERATOR))
        return None
    return operator


def _may_leave(turn: Turn, operator: Operator, approved_by: str | None) -> Refusal | None:
    if operator.state in (OperatorState.OFFERED, OperatorState.ON_CALL):
        return Refusal.ON_CALL
    if approved_by is None and _is_last(turn, operator):
        return Refusal.LAST_PRESENT
    return None


def _is_last(turn: Turn, operator: Operator) -> bool:
    others = (other for other in turn.ledger.operators() if other.profile.operator != operator.profile.operator)
    staying = (other for other in others if not other.pause)  # a break that was asked for begins after the call
    return is_present(operator) and not any(is_present(other) for other in staying)
