"""Tells an operator, by a short prompt that nobody else hears, what became of a code or of a party."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callflow.core.commands import Prompt, Refusal, Whisper
from callflow.core.ids import OfferId, playback_id
from callflow.core.state import Call
from callflow.core.turn import Turn

DONE: Final = "code_done"
REFUSED: Final = "code_refused"
UNKNOWN: Final = "code_unknown"
LAST_PRESENT: Final = "code_last_present"
PARTY_NOT_REACHED: Final = "party_not_reached"
PARTY_NOT_SPOKEN: Final = "party_not_spoken"
PARTY_LEFT: Final = "party_left"
OPERATOR_PROMPTS: Final = (DONE, REFUSED, UNKNOWN, LAST_PRESENT, PARTY_NOT_REACHED, PARTY_NOT_SPOKEN, PARTY_LEFT)
"""Prompts that the core plays to operators, in Indonesian."""
_LANGUAGE: Final = "id"
_REFUSALS: Final = {
    Refusal.LAST_PRESENT: LAST_PRESENT,
    Refusal.NOT_SPOKEN: PARTY_NOT_SPOKEN,
    Refusal.UNKNOWN_CODE: UNKNOWN,
}


def outcome(refusal: Refusal | None) -> Prompt:
    """The prompt that says whether a code was carried out, and why not."""
    return Prompt(name=DONE if refusal is None else _REFUSALS.get(refusal, REFUSED), language=_LANGUAGE)


def whisper(turn: Turn, call: Call, offer: OfferId, prompt: Prompt) -> None:
    """Play a prompt to one leg alone."""
    number = call.playbacks + 1
    turn.ledger.put_call(replace(call, playbacks=number))
    turn.do(Whisper(call=call.call, offer=offer, playback=playback_id(call.call, number), prompts=(prompt,)))


def whisper_to_person(turn: Turn, call: Call, name: str) -> None:
    """Play a prompt to the operator in the call, if there is one."""
    person = turn.ledger.person_of(call)
    if person is not None and person.operator is not None:
        whisper(turn, call, person.offer, Prompt(name=name, language=_LANGUAGE))
