"""Decides what speech and keys say of who is there: an ambulance service that spoke, a caller who is not silent."""

from __future__ import annotations

from dataclasses import replace

from callflow.core import connecting
from callflow.core.events import SpeechHeard
from callflow.core.facts import CallerSpoke, ChallengeAnswered, PartySpoke
from callflow.core.state import Call
from callflow.core.states import CallState, OfferState
from callflow.core.timers import TimerKind
from callflow.core.turn import Turn


def on_speech(turn: Turn, event: SpeechHeard) -> None:
    """Speech was heard on a channel for the first time since it was answered."""
    call = turn.ledger.call(event.call)
    if call is None or call.state is CallState.ENDED:
        return
    if event.offer is None:
        if not call.spoke:
            turn.ledger.put_call(replace(call, spoke=True))
            turn.note(CallerSpoke(at=turn.at, call=call.call))
        return
    heard = turn.ledger.offer(event.offer)
    if heard is not None and heard.state is OfferState.ANSWERED:
        turn.ledger.put_offer(replace(heard, spoke=True))
    party = call.party
    offer = None if party is None or party.offer != event.offer else turn.ledger.offer(event.offer)
    if party is None or offer is None or party.spoke or offer.state is not OfferState.ANSWERED:
        return
    call = replace(call, party=replace(party, spoke=True))
    turn.ledger.put_call(call)
    turn.cancel(offer.offer, TimerKind.PARTY_SILENT)
    turn.note(PartySpoke(at=turn.at, call=call.call, offer=offer.offer, name=party.name))
    connecting.answered_by_party(turn, call)


def on_key(turn: Turn, call: Call) -> Call:
    """A key after a challenge: somebody is there. The call as it is then, written."""
    if call.challenge is None:
        return call
    turn.note(ChallengeAnswered(at=turn.at, call=call.call, kind=call.challenge))
    call = replace(call, challenge=None)
    turn.ledger.put_call(call)
    return call
