"""Carries out feature codes: what an idle phone dials, and what an operator presses while a call goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from callflow.core import attendance, callbacks, classifying, desk, talking, whispering
from callflow.core.city import Classification
from callflow.core.codes import DIGITS_LIMIT_SECONDS, DeskAction, Pressed, press, read_dialled
from callflow.core.commands import AnswerCode, Refusal
from callflow.core.ids import ChannelId, OfferId
from callflow.core.requests import CallbackAction, CodeCallGone, CodeDialled, OperatorKeyPressed, TalkAction
from callflow.core.state import Offer, Operator
from callflow.core.states import OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn


def on_dialled(turn: Turn, event: CodeDialled) -> None:
    """An operator's idle phone dialled a code: do it, and say what became of it."""
    operator = turn.ledger.operator_at(event.endpoint)
    if operator is None or not operator.active:
        _answer(turn, event.channel, Refusal.UNKNOWN_OPERATOR)
        return
    operator = desk.dials_code(turn, operator, event.channel)
    pressed = read_dialled(event.code)
    refusal = Refusal.UNKNOWN_CODE if pressed is None else _act(turn, operator, pressed)
    _answer(turn, event.channel, refusal)


def _answer(turn: Turn, channel: ChannelId, refusal: Refusal | None) -> None:
    turn.do(AnswerCode(channel=channel, prompts=(whispering.outcome(refusal),)))


def on_code_call_gone(turn: Turn, event: CodeCallGone) -> None:
    """The channel of a dialled code is gone."""
    for operator in turn.ledger.operators():
        if event.channel in operator.codes:
            desk.code_over(turn, operator, event.channel)


def on_key(turn: Turn, event: OperatorKeyPressed) -> None:
    """One key on an operator's leg: part of a code, or nothing."""
    offer = turn.ledger.offer(event.offer)
    if offer is None or offer.operator is None or offer.state is not OfferState.ANSWERED:
        return
    keys, pressed = press(offer.keys, event.key)
    turn.ledger.put_offer(replace(offer, keys=keys))
    turn.cancel(offer.offer, TimerKind.CODE_DIGITS)
    if keys:
        turn.start(TimerKind.CODE_DIGITS, offer.offer, DIGITS_LIMIT_SECONDS)
    if pressed is not None:
        _pressed(turn, offer, pressed)
    elif not keys and offer.keys:
        _tell(turn, offer, Refusal.UNKNOWN_CODE)


def on_digits_over(turn: Turn, subject: str) -> None:
    """No further key came: the code acts as it stands, where it is one."""
    offer = turn.ledger.offer(OfferId(subject))
    if offer is None:
        return
    turn.ledger.put_offer(replace(offer, keys=""))
    pressed = read_dialled(offer.keys)
    if pressed is None:
        _tell(turn, offer, Refusal.UNKNOWN_CODE)
    else:
        _pressed(turn, offer, pressed)


def _pressed(turn: Turn, offer: Offer, pressed: Pressed) -> None:
    operator = None if offer.operator is None else turn.ledger.operator(offer.operator)
    assert operator is not None, "only operators' keys are codes"
    _tell(turn, offer, _act(turn, operator, pressed))


def _tell(turn: Turn, offer: Offer, refusal: Refusal | None) -> None:
    """Say it to the operator's leg, if it is still there and not being hung up."""
    call = turn.ledger.call(offer.call)
    if call is not None and offer.offer in (call.person, None if call.party is None else call.party.offer):
        whispering.whisper(turn, call, offer.offer, whispering.outcome(refusal))


def _act(turn: Turn, operator: Operator, pressed: Pressed) -> Refusal | None:
    match pressed.code.action:
        case DeskAction() as action:
            return _move(turn, operator, action, pressed.argument)
        case Classification() as classification:
            return classifying.classify_own(turn, operator, classification)
        case TalkAction() as asked:
            return talking.act(turn, operator, asked, pressed.target)
        case CallbackAction():
            callback = callbacks.find(turn, None, operator.profile.operator)
            if callback is None:
                return Refusal.UNKNOWN_CALLBACK
            return callbacks.dial(turn, callback, operator)
        case _:
            assert_never(pressed.code.action)


def _move(turn: Turn, operator: Operator, action: DeskAction, reason: str) -> Refusal | None:
    match action:
        case DeskAction.SIGN_IN:
            return attendance.sign_in(turn, operator)
        case DeskAction.SIGN_OUT:
            return attendance.sign_out(turn, operator, None)
        case DeskAction.PAUSE:
            return attendance.pause(turn, operator, reason, None)
        case DeskAction.RESUME:
            return attendance.resume(turn, operator)
        case _:
            assert_never(action)
