"""Moves operators: rung, in talk, in the wrap-up, set aside, elsewhere, and where a person returns to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core.centre_facts import AlarmKind, OperatorMoved, OperatorUpdated
from callflow.core.city import PauseReason
from callflow.core.commands import PrepareCentre
from callflow.core.events import EndpointReported, OperatorChanged
from callflow.core.ids import CallId, ChannelId, OfferId, OperatorId, offer_of_channel, waiting_bridge
from callflow.core.state import SET_ASIDE, Operator
from callflow.core.states import OPERATOR_TRANSITIONS, OperatorState, OperatorTrigger, advance
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

UNNAMED_PAUSE_LIMIT_SECONDS: Final = 900.0
REST_SECONDS: Final = 3.0
"""A phone that did not take a call is not rung again within this time: one that refuses at once must not spin."""
_AT_REST: Final = frozenset({OperatorState.SIGNED_OUT, OperatorState.AVAILABLE, OperatorState.PAUSED})
_PRESENT: Final = frozenset(
    {OperatorState.AVAILABLE, OperatorState.OFFERED, OperatorState.ON_CALL, OperatorState.WRAP_UP}
)


def can_ring(operator: Operator) -> bool:
    """Whether this phone can be rung now, whoever sits there."""
    idle = not operator.foreign and not operator.codes and operator.state in _AT_REST
    return operator.active and operator.online and idle


def is_ready(operator: Operator) -> bool:
    """Whether this person takes the next call."""
    return can_ring(operator) and operator.state is OperatorState.AVAILABLE


def can_call_out(operator: Operator) -> bool:
    """Whether this person's phone can be rung for a call that the person makes: at rest, or in the wrap-up."""
    wraps_up = operator.state is OperatorState.WRAP_UP and operator.online and not (operator.foreign or operator.codes)
    return can_ring(operator) or wraps_up


def stop_wrap_up(turn: Turn, operator: Operator) -> Operator:
    """The person goes on to something else; the operator as it is then."""
    if operator.state is not OperatorState.WRAP_UP:
        return operator
    turn.cancel(operator.profile.operator, TimerKind.WRAP_UP)
    return free(turn, operator)


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
    limited = turn.runs(TimerKind.PAUSE_LIMIT, operator.profile.operator)  # a ring between does not lengthen a break
    if trigger is OperatorTrigger.FREED_PAUSED and operator.pause != SET_ASIDE and not limited:
        limit_pause(turn, operator)
    rested = move(turn, freed, trigger)
    return move(turn, rested, OperatorTrigger.SEEN_ELSEWHERE) if operator.elsewhere else rested


def put_and_tell(turn: Turn, operator: Operator) -> None:
    """Write a change that leaves the state as it is, and tell it."""
    turn.ledger.put_operator(operator)
    tell(turn, operator)


def ring(turn: Turn, operator: Operator, call: CallId, offer: OfferId) -> None:
    """The operator's phone is being rung for this call."""
    move(turn, replace(operator, call=call, offer=offer), OperatorTrigger.RUNG)


def pick_up(turn: Turn, operator: Operator) -> None:
    """The operator answered the offer."""
    move(turn, replace(operator, last_call=operator.call), OperatorTrigger.PICKED_UP)


def hold(turn: Turn, operator: Operator, call: CallId, offer: OfferId) -> bool:
    """Take an operator as talking, whatever we knew; False when another call, or one elsewhere, holds this person."""
    operator = stop_wrap_up(turn, operator)
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
    if set_aside:
        turn.start(TimerKind.PHONE_RESTS, name, REST_SECONDS)
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
        nothing: frozenset[ChannelId] = frozenset()
        operator = replace(
            known, profile=event.profile, active=event.active, online=False, foreign=nothing, codes=nothing
        )
    if not event.active:  # retired: leaves for good, after the present call
        turn.cancel(event.profile.operator, TimerKind.PAUSE_LIMIT, TimerKind.SET_ASIDE)
        turn.clear(AlarmKind.PAUSE_OVERDUE, event.profile.operator)
        operator = replace(operator, signed_in=False, pause="")
    turn.ledger.put_operator(operator)
    if operator.state in (OperatorState.AVAILABLE, OperatorState.PAUSED) and not operator.signed_in:
        operator = free(turn, operator)
    if operator.state is OperatorState.BUSY_ELSEWHERE and not operator.elsewhere:
        free(turn, operator)
    turn.note(OperatorUpdated(at=turn.at, profile=event.profile, active=event.active))
    turn.do(
        PrepareCentre(bridge=waiting_bridge(turn.ledger.settings.centre), endpoints=(event.profile.endpoint,)),
    )


def watch_phones(turn: Turn) -> None:
    """Have the waiting bridge made and every phone watched."""
    phones = tuple(operator.profile.endpoint for operator in turn.ledger.operators() if operator.active)
    turn.do(PrepareCentre(bridge=waiting_bridge(turn.ledger.settings.centre), endpoints=phones))


def on_endpoint_reported(turn: Turn, event: EndpointReported) -> None:
    """Asterisk tells of a phone: whether it is registered, and whether somebody uses it for a call of their own."""
    operator = turn.ledger.operator_at(event.endpoint)
    if operator is None:
        return
    codes = operator.codes.intersection(event.channels)
    foreign = frozenset(c for c in event.channels if offer_of_channel(c) is None and c not in codes)
    if (operator.online, operator.foreign, operator.codes) == (event.online, foreign, codes):
        return
    _see_channels(turn, replace(operator, online=event.online), foreign, codes)


def reason_of(turn: Turn, reason: str) -> PauseReason | None:
    """The centre's pause reason of this name or key."""
    return next((each for each in turn.ledger.settings.pause_reasons if reason in (each.name, each.key)), None)


def limit_pause(turn: Turn, operator: Operator) -> None:
    """A break begins: its reason says how long it may last before the supervisors are told."""
    reason = reason_of(turn, operator.pause)
    limit = UNNAMED_PAUSE_LIMIT_SECONDS if reason is None else reason.limit_seconds
    turn.start(TimerKind.PAUSE_LIMIT, operator.profile.operator, limit)


def dials_code(turn: Turn, operator: Operator, channel: ChannelId) -> Operator:
    """The operator's phone dialled a feature code: at work, but not to be rung. The operator as it is then."""
    codes = operator.codes | {channel}
    return _see_channels(turn, operator, operator.foreign - {channel}, codes)


def code_over(turn: Turn, operator: Operator, channel: ChannelId) -> None:
    """The channel of a dialled code is gone."""
    _see_channels(turn, operator, operator.foreign, operator.codes - {channel})


def _see_channels(
    turn: Turn, operator: Operator, foreign: frozenset[ChannelId], codes: frozenset[ChannelId]
) -> Operator:
    """Take in which channels the phone has; the operator as it is then, written."""
    operator = replace(operator, foreign=foreign, codes=codes)
    if foreign and operator.state in _AT_REST:  # a wrap-up has its deadline anyhow
        return move(turn, operator, OperatorTrigger.SEEN_ELSEWHERE)
    if not foreign and operator.state is OperatorState.BUSY_ELSEWHERE:
        return free(turn, operator)
    put_and_tell(turn, operator)
    return operator


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
        put_and_tell(turn, operator)
