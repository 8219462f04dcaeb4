"""Decides who comes to work, leaves and takes a break, by the API or by a code, and watches that somebody is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from callflow.core import desk
from callflow.core.centre_facts import AlarmKind
from callflow.core.commands import Refusal, Reply
from callflow.core.ids import OperatorId, RequestId
from callflow.core.requests import PauseRequested, ResumeRequested, SignInRequested, SignOutRequested
from callflow.core.state import SET_ASIDE, Operator
from callflow.core.states import OperatorState, OperatorTrigger
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn

PAUSED: Final = "pause"
"""The pause of somebody who gave no reason."""


def on_sign_in(turn: Turn, event: SignInRequested) -> None:
    """An operator comes to work, by the API."""
    _reply(turn, event.request, event.operator, lambda operator: sign_in(turn, operator))


def on_sign_out(turn: Turn, event: SignOutRequested) -> None:
    """An operator leaves, by the API."""
    _reply(turn, event.request, event.operator, lambda operator: sign_out(turn, operator, event.approved_by))


def on_pause(turn: Turn, event: PauseRequested) -> None:
    """An operator takes a break, by the API."""
    _reply(turn, event.request, event.operator, lambda operator: pause(turn, operator, event.reason, event.approved_by))


def on_resume(turn: Turn, event: ResumeRequested) -> None:
    """An operator is ready, by the API."""
    _reply(turn, event.request, event.operator, lambda operator: resume(turn, operator))


def _reply(turn: Turn, request: RequestId, name: OperatorId, decide: Callable[[Operator], Refusal | None]) -> None:
    operator = turn.ledger.operator(name)
    known = operator is not None and operator.active
    refusal = decide(operator) if operator is not None and known else Refusal.UNKNOWN_OPERATOR
    turn.do(Reply(request=request, refusal=refusal))


def sign_in(turn: Turn, operator: Operator) -> Refusal | None:
    """An operator comes to work. Signing in twice is no fault."""
    if not operator.signed_in:
        operator = replace(operator, signed_in=True, pause="")
        if operator.state is OperatorState.SIGNED_OUT:
            desk.move(turn, operator, OperatorTrigger.SIGNED_IN)
        else:  # rung or elsewhere while signed out: the state stays, where the person returns to changes
            desk.put_and_tell(turn, operator)
    return None


def sign_out(turn: Turn, operator: Operator, approved_by: str | None) -> Refusal | None:
    """An operator leaves: not during a call, and the last one present not without a supervisor (rule 5)."""
    if operator.state in (OperatorState.OFFERED, OperatorState.ON_CALL):
        return Refusal.ON_CALL
    if approved_by is None and _is_last(turn, operator):
        return Refusal.LAST_PRESENT
    if operator.signed_in:
        operator = replace(operator, signed_in=False, pause="")
        turn.cancel(operator.profile.operator, TimerKind.SET_ASIDE, TimerKind.WRAP_UP)
        _end_pause_limit(turn, operator)
        if operator.state is OperatorState.BUSY_ELSEWHERE:
            desk.put_and_tell(turn, operator)
        else:
            desk.free(turn, operator)
    return None


def pause(turn: Turn, operator: Operator, reason: str, approved_by: str | None) -> Refusal | None:
    """An operator takes a break; during a call or its wrap-up it begins afterwards.

    The reason is the name or the key of one of the centre's; '' = none given.
    """
    if not operator.signed_in:
        return Refusal.NOT_SIGNED_IN
    known = desk.reason_of(turn, reason)
    if reason and known is None:
        return Refusal.UNKNOWN_REASON
    if approved_by is None and _is_last(turn, operator):
        return Refusal.LAST_PRESENT
    turn.cancel(operator.profile.operator, TimerKind.SET_ASIDE)
    _end_pause_limit(turn, operator)
    operator = replace(operator, pause=PAUSED if known is None else known.name)
    if operator.state is OperatorState.AVAILABLE:
        desk.free(turn, operator)
        return None
    if operator.state is OperatorState.PAUSED:
        desk.limit_pause(turn, operator)
    desk.put_and_tell(turn, operator)
    return None


def resume(turn: Turn, operator: Operator) -> Refusal | None:
    """An operator is ready: ends a pause, a set-aside or the wrap-up."""
    if not operator.signed_in:
        return Refusal.NOT_SIGNED_IN
    turn.cancel(operator.profile.operator, TimerKind.SET_ASIDE, TimerKind.WRAP_UP)
    _end_pause_limit(turn, operator)
    operator = replace(operator, pause="")
    if operator.state in (OperatorState.PAUSED, OperatorState.WRAP_UP):
        desk.free(turn, operator)
    else:
        desk.put_and_tell(turn, operator)
    return None


def _end_pause_limit(turn: Turn, operator: Operator) -> None:
    turn.cancel(operator.profile.operator, TimerKind.PAUSE_LIMIT)
    turn.clear(AlarmKind.PAUSE_OVERDUE, operator.profile.operator)


def on_pause_overdue(turn: Turn, subject: str) -> None:
    """A pause lasts longer than its reason allows: the supervisors are told; it goes on."""
    operator = turn.ledger.operator(OperatorId(subject))
    if operator is not None and operator.pause:
        turn.alarm(AlarmKind.PAUSE_OVERDUE, subject, f"the pause '{operator.pause}' lasts longer than allowed")


def watch_presence(turn: Turn) -> None:
    """Keep the alarms true: nobody ready, no phone registered."""
    operators = turn.ledger.operators()
    if any(desk.is_present(operator) for operator in operators):
        turn.clear(AlarmKind.NOBODY_READY, "")
    else:
        turn.alarm(AlarmKind.NOBODY_READY, "", "no operator is signed in, ready and registered: every phone rings")
    if any(operator.active and operator.online for operator in operators):
        turn.clear(AlarmKind.NO_PHONE_REGISTERED, "")
    else:
        turn.alarm(AlarmKind.NO_PHONE_REGISTERED, "", "no operator's phone is registered: the last-resort list rings")


def _is_last(turn: Turn, operator: Operator) -> bool:
    others = (other for other in turn.ledger.operators() if other.profile.operator != operator.profile.operator)
    staying = (other for other in others if not other.pause)  # a break that was asked for begins after the call
    on_duty = operator.signed_in and operator.pause in ("", SET_ASIDE)  # wherever the phone is, and whatever it does
    return on_duty and not any(desk.is_present(other) for other in staying)
