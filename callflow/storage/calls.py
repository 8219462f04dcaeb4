"""Finds calls: a page of the list, one whole record, and a caller's earlier calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.city import Classification
from callflow.core.facts import Direction, Stage
from callflow.core.ids import CallId
from callflow.storage.callbacks import callback_of
from callflow.storage.cursors import cursor_after, position_of
from callflow.storage.models import (
    Base,
    Call,
    CallStep,
    Challenge,
    ClassificationChange,
    Consultation,
    Offer,
    Party,
    QueueEntry,
    Recording,
    TrunkHeader,
)
from callflow.storage.reading import Condition, demanded, record_of
from callflow.storage.records import (
    AssessmentRecord,
    CallRecord,
    CallSummary,
    ChallengeRecord,
    ClassificationRecord,
    ConsultationRecord,
    HeaderRecord,
    OfferRecord,
    PartyRecord,
    QueueRecord,
    StepRecord,
    TrackRecord,
)

MAX_PAGE: Final = 500
_ORDER: Final = "calls"
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls; None = any.

    Attributes:
        centre: the centre; None only for tools that see all of them.
        arrived_from: earliest arrival, itself included. arrived_to: latest, itself excluded.
        caller_number: E.164, as normalised at the edge.
        in_progress: True = only calls that go on, False = only those that are over.
    """

    centre: str | None = None
    arrived_from: datetime | None = None
    arrived_to: datetime | None = None
    caller_number: str | None = None
    stage: Stage | None = None
    operator: str | None = None
    in_progress: bool | None = None
    fallback: bool | None = None
    direction: Direction | None = None
    classification: Classification | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """Calls, latest arrival first; `next_cursor` None = there are no more."""

    calls: tuple[CallSummary, ...]
    next_cursor: str | None


async def list_calls(
    session: AsyncSession, which: CallFilter, *, limit: int = 50, cursor: str | None = None
) -> CallPage:
    """A page of calls; the cursor stays right while new calls come in.

    Raises:
        BadCursor: when the cursor is none of ours.
    """
    limit = max(1, min(limit, MAX_PAGE))
    query = _filtered(select(Call), which).order_by(Call.arrived_at.desc(), Call.call_id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(Call.arrived_at, Call.call_id) < tuple_(*position_of(cursor, _ORDER)))
    rows = list(await session.scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    following = cursor_after(_ORDER, rows[-1].arrived_at, rows[-1].call_id) if more else None
    return CallPage(calls=tuple(_summary(row) for row in rows), next_cursor=following)


async def get_call(session: AsyncSession, call_id: str) -> CallRecord | None:
    """All that is known of the call; None when there is none of that id."""
    call = await session.get(Call, call_id)
    if call is None:
        return None
    return CallRecord(
        call=_summary(call),
        headers=await _rows(session, call_id, TrunkHeader, HeaderRecord, "position"),
        steps=await _rows(session, call_id, CallStep, StepRecord, "seq", "position"),
        queue=await _rows(session, call_id, QueueEntry, QueueRecord, "seq", "position"),
        offers=await _rows(session, call_id, Offer, OfferRecord, "made_at", "offer_id"),
        recording=await _rows(session, call_id, Recording, TrackRecord, "name"),
        parties=await _rows(session, call_id, Party, PartyRecord, "sought_at", "seq", "position"),
        consultations=await _rows(session, call_id, Consultation, ConsultationRecord, "number"),
        assessment=_assessment(call),
        challenges=await _rows(session, call_id, Challenge, ChallengeRecord, "seq", "position"),
        classifications=await _rows(session, call_id, ClassificationChange, ClassificationRecord, "seq", "position"),
        callback=await callback_of(session, call_id),
    )


async def _rows(
    session: AsyncSession, call_id: str, model: type[Base], record: type[_R], *order: str
) -> tuple[_R, ...]:
    """The call's rows of one table, as records."""
    columns: Any = model.__table__.columns
    query = select(model).where(columns["call_id"] == call_id).order_by(*(columns[name] for name in order))
    return tuple(record_of(record, row) for row in await session.scalars(query))


def _assessment(call: Call) -> AssessmentRecord | None:
    if call.prank_score is None:
        return None
    return AssessmentRecord(
        score=call.prank_score,
        flagged=bool(call.prank_flagged),
        warned=bool(call.prank_warned),
        calls=call.caller_calls or 0,
        pranks=call.caller_pranks or 0,
        confirmed=call.caller_confirmed or 0,
        later_seconds=call.prank_later_seconds or 0.0,
        reason_id=call.prank_reason_id or "",
        reason_en=call.prank_reason_en or "",
    )


async def ended_without_recording(
    session: AsyncSession, centre: str, since: datetime, limit: int
) -> list[tuple[CallId, datetime]]:
    """Calls that ended after `since`, have no measured recording and are not given up: ids and ends, newest first."""
    query = (
        select(Call.call_id, Call.ended_at)
        .where(Call.centre_id == centre, Call.ended_at > since, Call.no_recording.is_(None))
        .where(~select(Recording.call_id).where(Recording.call_id == Call.call_id).exists())
        .order_by(Call.ended_at.desc())
        .limit(limit)
    )
    return [(CallId(call), ended) for call, ended in await session.execute(query) if ended is not None]


async def handed_back_without_end(session: AsyncSession, centre: str, since: datetime, limit: int) -> list[CallId]:
    """Calls that arrived after `since`, were given back to the dialplan, and have no end, latest first."""
    query = (
        select(Call.call_id)
        .where(Call.centre_id == centre, Call.arrived_at > since, Call.handed_back_at.is_not(None))
        .where(Call.ended_at.is_(None))
        .order_by(Call.arrived_at.desc())
        .limit(limit)
    )
    return [CallId(call) for call in await session.scalars(query)]


async def with_an_end(session: AsyncSession, centre: str, calls: Collection[CallId]) -> frozenset[CallId]:
    """Those of these calls whose record has an end."""
    query = select(Call.call_id).where(Call.centre_id == centre, Call.call_id.in_(calls), Call.ended_at.is_not(None))
    return frozenset(CallId(call) for call in await session.scalars(query))


async def caller_history(
    session: AsyncSession, caller_number: str, *, before: datetime, limit: int = 20
) -> tuple[CallSummary, ...]:
    """The calls that a citizen made before a time, latest first. Unknown callers have no history."""
    query = (
        select(Call)
        .where(Call.caller_number == caller_number, Call.arrived_at < before, Call.direction == Direction.INBOUND)
        .order_by(Call.arrived_at.desc(), Call.call_id.desc())
        .limit(max(1, min(limit, MAX_PAGE)))
    )
    return tuple(_summary(row) for row in await session.scalars(query))


def _filtered(query: Select[Call], which: CallFilter) -> Select[Call]:
    conditions: list[Condition] = [
        (which.centre, lambda centre: Call.centre_id == centre),
        (which.arrived_from, lambda begin: Call.arrived_at >= begin),
        (which.arrived_to, lambda end: Call.arrived_at < end),
        (which.caller_number, lambda number: Call.caller_number == number),
        (which.stage, lambda stage: Call.stage == stage),
        (which.operator, lambda operator: Call.operator_id == operator),
        (which.in_progress, lambda open_: Call.stage.is_(None) if open_ else Call.stage.is_not(None)),
        (which.fallback, Call.fallback.is_),
        (which.direction, lambda direction: Call.direction == direction),
        (which.classification, lambda classification: Call.classification == classification),
    ]
    return query.where(*demanded(conditions))


def _summary(row: Call) -> CallSummary:
    return record_of(CallSummary, row)
