"""Writes how a call came, which way it took, who connected, and how it ended."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import (
    CallEnded,
    CallHandedBack,
    CallOpened,
    CallQueued,
    CallServedInFallback,
    IvrStepTaken,
    RecordingMissing,
    RecordingStored,
    Stage,
    TrunkHeadersNoted,
)
from callflow.storage.models import Call, CallStep, Operator, QueueEntry, Recording, TrunkHeader
from callflow.storage.projection.parties import leave_parties
from callflow.storage.projection.rows import CallWriters, Place, before, put


async def _opened(session: AsyncSession, call: Call, fact: CallOpened, place: Place) -> None:
    """The row itself says it all."""


async def _headers(session: AsyncSession, call: Call, fact: TrunkHeadersNoted, place: Place) -> None:
    for position, (name, value) in enumerate(fact.headers):
        key = {"call_id": call.call_id, "position": position}
        await put(session, TrunkHeader, key, centre_id=place.centre, name=name, value=value)


async def _step(session: AsyncSession, call: Call, fact: IvrStepTaken, place: Place) -> None:
    call.flow_version = fact.flow_version
    await put(
        session,
        CallStep,
        {"call_id": call.call_id, "seq": place.seq, "position": place.position},
        centre_id=place.centre,
        flow_version=fact.flow_version,
        node=fact.node,
        exit=fact.exit,
        keys=fact.keys,
        entered_at=fact.entered_at,
        left_at=fact.at,
    )


async def _queued(session: AsyncSession, call: Call, fact: CallQueued, place: Place) -> None:
    await leave_queue(session, call, fact.at, "queued_again", place)
    call.queued_at = call.queued_at or fact.at
    call.tier, call.skill = fact.tier, fact.skill
    await put(
        session,
        QueueEntry,
        {"call_id": call.call_id, "seq": place.seq, "position": place.position},
        centre_id=place.centre,
        queued_at=fact.at,
        reason=fact.reason,
        tier=fact.tier,
        skill=fact.skill,
    )


async def leave_queue(session: AsyncSession, call: Call, at: datetime, reason: str, place: Place | None = None) -> None:
    """The call waits for a person no more: the waits that began before a place are over, at the call's end all."""
    begun = true() if place is None else before(QueueEntry, place)
    waiting = select(QueueEntry).where(QueueEntry.call_id == call.call_id, QueueEntry.left_at.is_(None), begun)
    for entry in await session.scalars(waiting):
        entry.left_at, entry.left_reason = at, reason


_GIVEN_UP: Final = frozenset({Stage.ABANDONED_IN_IVR, Stage.ABANDONED_IN_QUEUE})
"""What an engine says that was dead meanwhile and finds the caller gone: the dialplan's witness knows who answered."""


async def _ended(session: AsyncSession, call: Call, fact: CallEnded, place: Place) -> None:
    """The core's word is the last, even where the dialplan had the call for a while; but see `_GIVEN_UP`."""
    await leave_queue(session, call, fact.at, "ended")
    await leave_parties(session, call, fact.at)
    if call.stage is Stage.HANDLED_IN_FALLBACK and fact.stage in _GIVEN_UP:
        return
    call.stage, call.ended_at, call.ended_by, call.cause = fact.stage, fact.at, fact.ended_by, fact.cause


async def _handed_back(session: AsyncSession, call: Call, fact: CallHandedBack, place: Place) -> None:
    """The call goes on without us: it stays open until CEL or the core tells its end."""
    await leave_queue(session, call, fact.at, "handed_back", place)
    await leave_parties(session, call, fact.at, place)
    call.handed_back_at, call.handed_back_reason = fact.at, fact.reason


async def _served_in_fallback(session: AsyncSession, call: Call, fact: CallServedInFallback, place: Place) -> None:
    call.fallback = call.fallback or fact.in_fallback
    if call.stage not in {None, Stage.HANDLED_IN_FALLBACK, *_GIVEN_UP}:
        return
    await leave_queue(session, call, fact.answered_at or fact.ended_at, "handed_back")
    await leave_parties(session, call, fact.ended_at)
    call.stage, call.ended_at = Stage.HANDLED_IN_FALLBACK, fact.ended_at
    call.ended_by, call.cause = fact.ended_by, fact.cause
    if fact.answered_at is not None:
        call.answered_at = call.answered_at or fact.answered_at
        who = select(Operator.operator_id).where(
            Operator.centre_id == place.centre, Operator.endpoint == fact.answered_by
        )
        call.operator_id = (await session.scalars(who)).first()
        call.destination = fact.answered_by if call.operator_id is None else None


async def _no_recording(session: AsyncSession, call: Call, fact: RecordingMissing, place: Place) -> None:
    stored = select(Recording.name).where(Recording.call_id == call.call_id).limit(1)
    if (await session.scalars(stored)).first() is None:
        call.no_recording = fact.reason


async def _recording(session: AsyncSession, call: Call, fact: RecordingStored, place: Place) -> None:
    call.no_recording = None
    for track in fact.tracks:
        await put(
            session,
            Recording,
            {"call_id": call.call_id, "name": track.name},
            centre_id=place.centre,
            path=track.path,
            sha256=track.sha256,
            bytes=track.bytes,
            seconds=track.seconds,
            stored_at=fact.at,
        )


WRITERS: Final[CallWriters] = MappingProxyType(
    {
        CallOpened: _opened,
        TrunkHeadersNoted: _headers,
        IvrStepTaken: _step,
        CallQueued: _queued,
        CallEnded: _ended,
        CallHandedBack: _handed_back,
        CallServedInFallback: _served_in_fallback,
        RecordingStored: _recording,
        RecordingMissing: _no_recording,
    }
)
