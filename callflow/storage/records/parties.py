"""Who was brought into a call, and the consultations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.facts import PartyEnd, PartyKind, PartyMode


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRecord:
    """One bringing-in of a party.

    Attributes:
        name: `medical`, an agency's name, a colleague's id, or the number.
        kind, mode: None only where the journal's entry about its beginning was lost.
        operator: who asked; None = the flow's medical branch.
        offer_id, destination: the leg that was joined last, and whose it was where it is outside.
        joined_at: first moment with the caller. three_way: with an operator beside them.
        spoke_at: first speech; None = nobody there was heard.
        gone_at: when it was there, or sought, no more. reason: why; None with `gone_at` = it was sought anew.
    """

    name: str
    kind: PartyKind | None
    mode: PartyMode | None
    operator: str | None
    sought_at: datetime
    offer_id: str | None
    destination: str | None
    joined_at: datetime | None
    three_way: bool | None
    spoke_at: datetime | None
    gone_at: datetime | None
    reason: PartyEnd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationRecord:
    """Operator and party (`name`) alone, the caller with music; the audio is the track `consult-<number>`."""

    number: int
    offer_id: str | None
    operator: str | None
    name: str
    began_at: datetime
    ended_at: datetime | None
