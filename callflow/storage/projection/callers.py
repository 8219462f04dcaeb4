"""Writes what is known of a call's caller, whether the caller spoke or pressed a key, and what people said it was."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import CallClassified, CallerAssessed, CallerChallenged, CallerSpoke, ChallengeAnswered
from callflow.storage.models import Call, Challenge, ClassificationChange
from callflow.storage.projection.rows import CallWriters, Place, before, put


async def _assessed(session: AsyncSession, call: Call, fact: CallerAssessed, place: Place) -> None:
    call.prank_score, call.prank_flagged, call.prank_warned = fact.score, fact.flagged, fact.warned
    call.prank_later_seconds = fact.later_seconds
    call.prank_reason_id, call.prank_reason_en = fact.reason_id, fact.reason_en
    call.caller_calls, call.caller_pranks, call.caller_confirmed = fact.calls, fact.pranks, fact.confirmed


async def _spoke(session: AsyncSession, call: Call, fact: CallerSpoke, place: Place) -> None:
    call.caller_spoke_at = call.caller_spoke_at or fact.at


async def _challenged(session: AsyncSession, call: Call, fact: CallerChallenged, place: Place) -> None:
    key = {"call_id": call.call_id, "seq": place.seq, "position": place.position}
    await put(session, Challenge, key, centre_id=place.centre, kind=fact.kind, at=fact.at)


async def _answered(session: AsyncSession, call: Call, fact: ChallengeAnswered, place: Place) -> None:
    """The latest challenge of this kind before it is meant; the first key counts."""
    latest = (
        select(Challenge)
        .where(Challenge.call_id == call.call_id, Challenge.kind == fact.kind, before(Challenge, place))
        .order_by(Challenge.seq.desc(), Challenge.position.desc())
        .limit(1)
    )
    challenge = (await session.scalars(latest)).first()
    if challenge is not None:
        challenge.answered_at = challenge.answered_at or fact.at


async def _classified(session: AsyncSession, call: Call, fact: CallClassified, place: Place) -> None:
    call.classification, call.classified_at, call.classified_by = fact.classification, fact.at, fact.by
    await put(
        session,
        ClassificationChange,
        {"call_id": call.call_id, "seq": place.seq, "position": place.position},
        centre_id=place.centre,
        at=fact.at,
        classification=fact.classification,
        by=fact.by,
        operator_id=fact.operator,
    )


WRITERS: Final[CallWriters] = MappingProxyType(
    {
        CallerAssessed: _assessed,
        CallerSpoke: _spoke,
        CallerChallenged: _challenged,
        ChallengeAnswered: _answered,
        CallClassified: _classified,
    }
)
