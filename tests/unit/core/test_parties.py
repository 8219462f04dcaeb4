from __future__ import annotations

from dataclasses import replace

from callflow.core import parties
from callflow.core.facts import PartyKind, PartyMode
from callflow.core.ids import offer_id
from callflow.core.state import Call, Party
from callflow.core.turn import Turn


def test_nobody_is_hung_up_on_when_no_leg_of_the_party_is_there(turn: Turn, call: Call) -> None:
    party = Party(name="polisi", kind=PartyKind.AGENCY, mode=PartyMode.JOIN)
    for offer in (None, offer_id(call.call, 9)):
        parties.release(turn, replace(call, party=replace(party, offer=offer)))
    assert turn.commands == []
