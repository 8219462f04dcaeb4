"""Writes whose phone was rung, what became of it, and who was with the caller."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import CallConnected, OfferClosed, OfferMade, OperatorLeft, PersonLost
from callflow.storage.models import Call, Offer
from callflow.storage.projection.calls import leave_queue
from callflow.storage.projection.rows import CallWriters, Place, offer_of, put


async def _made(session: AsyncSession, call: Call, fact: OfferMade, place: Place) -> None:
    await put(
        session,
        Offer,
        {"offer_id": fact.offer},
        call_id=call.call_id,
        centre_id=place.centre,
        operator_id=fact.operator,
        destination=fact.destination,
        made_at=fact.at,
        purpose=fact.purpose,
        reason=fact.reason,
    )


async def _closed(session: AsyncSession, call: Call, fact: OfferClosed, place: Place) -> None:
    offer = await offer_of(session, call, fact.offer, fact.at, place)
    offer.closed_at, offer.outcome, offer.cause = fact.at, fact.outcome, fact.cause


async def _connected(session: AsyncSession, call: Call, fact: CallConnected, place: Place) -> None:
    await leave_queue(session, call, fact.at, "connected", place)
    offer = await offer_of(session, call, fact.offer, fact.at, place)
    offer.connected_at = fact.at
    call.answered_at = call.answered_at or fact.at
    call.operator_id, call.destination = fact.operator, fact.destination


async def _lost(session: AsyncSession, call: Call, fact: PersonLost, place: Place) -> None:
    offer = await offer_of(session, call, fact.offer, fact.at, place)
    offer.lost_at, offer.lost_cause = fact.at, fact.cause


async def _left(session: AsyncSession, call: Call, fact: OperatorLeft, place: Place) -> None:
    """The call's operator stays the one who spoke with the caller at last, though this person has left."""
    offer = await offer_of(session, call, fact.offer, fact.at, place)
    offer.left_at, offer.left_reason = fact.at, "confirmed" if fact.confirmed else "unconfirmed"


WRITERS: Final[CallWriters] = MappingProxyType(
    {
        OfferMade: _made,
        OfferClosed: _closed,
        CallConnected: _connected,
        PersonLost: _lost,
        OperatorLeft: _left,
    }
)
