"""Writes who was brought into a call, who of them spoke, how long they stayed, and the consultations."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import (
    CallFact,
    ConsultationBegan,
    ConsultationEnded,
    PartyEnd,
    PartyGone,
    PartyJoined,
    PartySought,
    PartySpoke,
)
from callflow.core.states import OfferState
from callflow.storage.models import Call, Consultation, Party
from callflow.storage.projection.rows import CallWriters, Place, add, before, offer_of, put


async def _sought(session: AsyncSession, call: Call, fact: PartySought, place: Place) -> None:
    await _leave(session, call, fact.at, None, before(Party, place))
    await put(
        session,
        Party,
        {"call_id": call.call_id, "seq": place.seq, "position": place.position},
        centre_id=place.centre,
        name=fact.name,
        kind=fact.kind,
        mode=fact.mode,
        operator_id=fact.operator,
        sought_at=fact.at,
    )


async def _joined(session: AsyncSession, call: Call, fact: PartyJoined, place: Place) -> None:
    party = await _party(session, call, fact, fact.name, place)
    party.offer_id, party.destination = fact.offer, fact.destination
    if party.joined_at is None:
        party.joined_at, party.three_way = fact.at, fact.three_way
    offer = await offer_of(session, call, fact.offer, fact.at, place)
    offer.connected_at = offer.connected_at or fact.at


async def _spoke(session: AsyncSession, call: Call, fact: PartySpoke, place: Place) -> None:
    party = await _party(session, call, fact, fact.name, place)
    party.spoke_at = party.spoke_at or fact.at
    offer = await offer_of(session, call, fact.offer, fact.at, place)
    offer.spoke_at = offer.spoke_at or fact.at


async def _gone(session: AsyncSession, call: Call, fact: PartyGone, place: Place) -> None:
    """Silence ends one destination only: the next is tried, or another word follows."""
    party = await _party(session, call, fact, fact.name, place)
    if fact.reason is not PartyEnd.SILENT:
        party.gone_at, party.reason = fact.at, fact.reason
    if fact.offer is None:
        return
    offer = await offer_of(session, call, fact.offer, fact.at, place)
    if fact.reason is PartyEnd.BECAME_PERSON:
        call.operator_id, call.destination = offer.operator_id, offer.destination
    elif offer.outcome is OfferState.ANSWERED:
        offer.left_at, offer.left_reason = fact.at, fact.reason


async def _party(session: AsyncSession, call: Call, fact: CallFact, name: str, place: Place) -> Party:
    """The party that a fact at this place is about: the latest sought before it; one whose beginning was lost is made.

    By the place, not by who is there now: the same when facts are written again.
    """
    latest = (
        select(Party)
        .where(Party.call_id == call.call_id, Party.name == name, before(Party, place))
        .order_by(Party.seq.desc(), Party.position.desc())
        .limit(1)
    )
    row = (await session.scalars(latest)).first()
    if row is None:
        key = {"call_id": call.call_id, "seq": place.seq, "position": place.position}
        row = await session.get(Party, key)
    if row is None:
        row = Party(**key, centre_id=place.centre, name=name, sought_at=fact.at)
        await add(session, row)
    return row


async def leave_parties(session: AsyncSession, call: Call, at: datetime, place: Place | None = None) -> None:
    """Nobody is brought in or consults any more: those who were sought before a place, or at the call's end all."""
    sought = true() if place is None else before(Party, place)
    await _leave(session, call, at, PartyEnd.CALL_OVER, sought)
    talking = select(Consultation).where(Consultation.call_id == call.call_id, Consultation.ended_at.is_(None))
    for consultation in await session.scalars(talking):
        consultation.ended_at = at


async def _leave(
    session: AsyncSession, call: Call, at: datetime, reason: PartyEnd | None, sought: ColumnElement[bool]
) -> None:
    there = select(Party).where(Party.call_id == call.call_id, Party.gone_at.is_(None), sought)
    for party in await session.scalars(there):
        party.gone_at, party.reason = at, reason


# --- consultations --------------------------------------------------------------------------------------------------


async def _consultation_began(session: AsyncSession, call: Call, fact: ConsultationBegan, place: Place) -> None:
    row = await _consultation(session, call, fact.number, fact.at, place)
    row.offer_id, row.operator_id, row.name = fact.offer, fact.operator, fact.name
    row.began_at, row.ended_at = fact.at, None


async def _consultation_ended(session: AsyncSession, call: Call, fact: ConsultationEnded, place: Place) -> None:
    (await _consultation(session, call, fact.number, fact.at, place)).ended_at = fact.at


async def _consultation(session: AsyncSession, call: Call, number: int, at: datetime, place: Place) -> Consultation:
    row = await session.get(Consultation, (call.call_id, number))
    if row is None:
        row = Consultation(call_id=call.call_id, number=number, centre_id=place.centre, name="", began_at=at)
        await add(session, row)
    return row


WRITERS: Final[CallWriters] = MappingProxyType(
    {
        PartySought: _sought,
        PartyJoined: _joined,
        PartySpoke: _spoke,
        PartyGone: _gone,
        ConsultationBegan: _consultation_began,
        ConsultationEnded: _consultation_ended,
    }
)
