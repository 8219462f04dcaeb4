"""Decides who is called back: every citizen with a number who gave up has an owner, a deadline and an outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from callflow.core import causes, desk, outbound
from callflow.core.centre_facts import AlarmKind, CallbackAssigned, CallbackClosed, CallbackOpened
from callflow.core.commands import Refusal, Reply
from callflow.core.ids import CallId, OperatorId
from callflow.core.requests import CallbackAction, CallbackOutcome, CallbackRequested
from callflow.core.state import Call, Callback, Operator
from callflow.core.states import CallState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn


def on_call_ended(turn: Turn, call: Call, *, unserved: bool) -> None:
    """A call is over: one left unserved opens a call-back, one that was an attempt or a redial gives it free again."""
    attempt_over(turn, call)
    redial_over(turn, call)
    waited = (turn.at - call.arrived_at).total_seconds()
    if unserved and call.caller.number is not None and waited >= turn.ledger.settings.callback_least_wait_seconds:
        open_for(turn, call.call, call.caller.number)


def open_for(turn: Turn, call: CallId, number: str) -> None:
    """Somebody is to call this number back; one call-back a number."""
    if any(callback.number == number for callback in turn.ledger.state.callbacks.values()):
        return
    seconds = turn.ledger.settings.callback_within_seconds
    deadline = turn.at + timedelta(seconds=seconds)
    turn.ledger.put_callback(Callback(call=call, number=number, opened_at=turn.at, deadline=deadline))
    turn.note(CallbackOpened(at=turn.at, call=call, number=number, deadline=deadline))
    turn.start(TimerKind.CALLBACK, call, seconds)


def on_arrival(turn: Turn, call: Call) -> Call:
    """The citizen calls again: nobody needs to dial as long as this call goes on. The call, for who was to call back.

    An attempt that rings the same citizen now is given up: its operator takes this call first.
    """
    callback = next((each for each in turn.ledger.state.callbacks.values() if each.number == call.caller.number), None)
    if callback is None:
        return call
    owner = callback.owner
    turn.ledger.put_callback(replace(callback, redial=call.call, dial_after_code=False))
    attempt = None if callback.attempt is None else turn.ledger.call(callback.attempt)
    if attempt is None or attempt.state is not CallState.ARRIVED or attempt.citizen_answered:
        return call
    outbound.give_up(turn, attempt.call, causes.BUSY)
    return replace(call, prefer=owner)


def dial_after_codes(turn: Turn) -> None:
    """Ring phones that asked for a call-back by a dialled code, once its channel is gone. Run at every turn's end."""
    for callback in tuple(turn.ledger.state.callbacks.values()):
        owner = None if callback.owner is None else turn.ledger.operator(callback.owner)
        if callback.dial_after_code and owner is not None and not owner.codes:
            free = replace(callback, dial_after_code=False)
            turn.ledger.put_callback(free)
            dial(turn, free, owner)


def assign(turn: Turn) -> None:
    """Give call-backs without an owner to who is ready and has none, oldest first. Run at the end of every turn."""
    callbacks = turn.ledger.state.callbacks.values()
    unowned = [callback for callback in callbacks if callback.owner is None and callback.redial is None]
    if not unowned or next(turn.ledger.waiting(), None) is not None:
        return
    owners = {callback.owner for callback in callbacks}
    ready = (o for o in turn.ledger.operators() if desk.is_ready(o) and o.profile.operator not in owners)
    free = sorted(ready, key=lambda o: (o.since, o.profile.operator))
    for callback, operator in zip(unowned, free, strict=False):
        _give(turn, callback, operator.profile.operator)


def _give(turn: Turn, callback: Callback, owner: OperatorId) -> Callback:
    callback = replace(callback, owner=owner, dial_after_code=False)
    turn.ledger.put_callback(callback)
    _tell(turn, callback)
    return callback


def _tell(turn: Turn, callback: Callback) -> None:
    turn.note(CallbackAssigned(at=turn.at, call=callback.call, operator=callback.owner, deadline=callback.deadline))


def close(turn: Turn, callback: Callback, outcome: CallbackOutcome, by: str) -> None:
    """A call-back is settled."""
    turn.cancel(callback.call, TimerKind.CALLBACK)
    turn.ledger.drop_callback(callback.call)
    turn.note(CallbackClosed(at=turn.at, call=callback.call, outcome=outcome, by=by))
    watch_overdue(turn)


def watch_overdue(turn: Turn) -> None:
    """Keep the alarm true that call-backs are overdue; the list says which."""
    if any(callback.overdue for callback in turn.ledger.state.callbacks.values()):
        turn.alarm(AlarmKind.CALLBACK_OVERDUE, "", "nobody called back in time: see the list of call-backs")
    else:
        turn.clear(AlarmKind.CALLBACK_OVERDUE, "")


def on_due(turn: Turn, subject: str) -> None:
    """Nobody tried in time: an alarm, and somebody else may have it. It stays open until a person settles it."""
    callback = turn.ledger.state.callbacks.get(CallId(subject))
    if callback is None or callback.attempt is not None:
        return
    seconds = turn.ledger.settings.callback_within_seconds
    late = replace(callback, deadline=turn.at + timedelta(seconds=seconds), dial_after_code=False)
    if callback.redial is None:
        late = replace(late, owner=None, overdue=True)
    turn.ledger.put_callback(late)
    _tell(turn, late)
    turn.start(TimerKind.CALLBACK, callback.call, seconds)
    watch_overdue(turn)


# --- what people ask ------------------------------------------------------------------------------------------------


def on_requested(turn: Turn, event: CallbackRequested) -> None:
    """Somebody acts on a call-back by the API."""
    turn.do(Reply(request=event.request, refusal=_requested(turn, event)))


def _requested(turn: Turn, event: CallbackRequested) -> Refusal | None:
    operator = None if event.operator is None else turn.ledger.operator(event.operator)
    callback = find(turn, event.callback, event.operator)
    if callback is None:
        return Refusal.UNKNOWN_CALLBACK
    if event.action is CallbackAction.CLOSE:
        if callback.attempt is not None:
            return Refusal.NOT_NOW
        close(turn, callback, event.outcome or CallbackOutcome.NOT_NEEDED, event.by)
        return None
    if operator is None or not operator.active:
        return Refusal.UNKNOWN_OPERATOR
    if event.action is CallbackAction.TAKE:
        _give(turn, callback, operator.profile.operator)
        return None
    return dial(turn, callback, operator)


def find(turn: Turn, name: CallId | None, operator: OperatorId | None) -> Callback | None:
    """The call-back of this name; without one the operator's own, then the oldest that nobody has."""
    callbacks = turn.ledger.state.callbacks
    if name is not None:
        return callbacks.get(name)
    mine = (each for each in callbacks.values() if each.owner == operator and each.attempt is None)
    nobodys = (each for each in callbacks.values() if each.owner is None)
    return next(mine, None) or next(nobodys, None)


def dial(turn: Turn, callback: Callback, operator: Operator) -> Refusal | None:
    """Ring the operator's phone, then the citizen; why not, where it cannot be."""
    settings = turn.ledger.settings
    if settings.outside_trunk is None:
        return Refusal.NO_OUTSIDE_TRUNK
    if callback.attempt is not None or not operator.signed_in:
        return Refusal.NOT_NOW
    if operator.codes:  # asked by the very phone that is to be rung: when that channel is gone
        turn.ledger.put_callback(replace(_give(turn, callback, operator.profile.operator), dial_after_code=True))
        return None
    if not desk.can_call_out(operator):
        return Refusal.NOT_NOW
    outbound.begin(turn, callback, desk.stop_wrap_up(turn, operator), settings.outside_trunk)
    return None


def attempt_over(turn: Turn, call: Call) -> None:
    """An outbound call is over, or the dialplan's: its call-back, where it is still open, may be tried again."""
    callback = None if call.callback_of is None else turn.ledger.state.callbacks.get(call.callback_of)
    if callback is not None and callback.attempt == call.call:
        seconds = turn.ledger.settings.callback_within_seconds
        due_again = replace(callback, attempt=None, deadline=turn.at + timedelta(seconds=seconds))
        turn.ledger.put_callback(due_again)
        _tell(turn, due_again)
        turn.start(TimerKind.CALLBACK, callback.call, seconds)


def redial_over(turn: Turn, call: Call) -> None:
    """The citizen's own new call is over, or the dialplan's, and was not answered: the call-back is due as before."""
    for callback in tuple(turn.ledger.state.callbacks.values()):
        if callback.redial == call.call:
            turn.ledger.put_callback(replace(callback, redial=None))


def on_served_in_fallback(turn: Turn, call: CallId, number: str | None) -> None:
    """The dialplan brought this caller to a person: nobody needs to be called back for it any more."""
    for callback in tuple(turn.ledger.state.callbacks.values()):
        if callback.call == call:
            close(turn, callback, CallbackOutcome.NOT_NEEDED, call)
        elif number is not None and callback.number == number and callback.attempt is None:
            close(turn, callback, CallbackOutcome.REDIALLED, call)


def on_connected(turn: Turn, call: Call) -> None:
    """A person answers: the call-back that this call is, or that the citizen's own call makes needless, is settled."""
    for callback in tuple(turn.ledger.state.callbacks.values()):
        if callback.call == call.callback_of:
            close(turn, callback, CallbackOutcome.REACHED, call.call)
        elif callback.redial == call.call:
            close(turn, callback, CallbackOutcome.REDIALLED, call.call)
