"""Finds calls: a page of the list, one whole record, and a caller's earlier calls."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import Stage
from callflow.core.ids import CallId
from callflow.storage.errors import BadCursor
from callflow.storage.models import Call, CallStep, Offer, QueueEntry, Recording, TrunkHeader
from callflow.storage.records import (
    CallRecord,
    CallSummary,
    HeaderRecord,
    OfferRecord,
    QueueRecord,
    StepRecord,
    TrackRecord,
)

MAX_PAGE: Final = 500
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
        query = query.where(tuple_(Call.arrived_at, Call.call_id) < tuple_(*_position(cursor)))
    rows = list(await session.scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    return CallPage(calls=tuple(_summary(row) for row in rows), next_cursor=_cursor(rows[-1]) if more else None)


async def get_call(session: AsyncSession, call_id: str) -> CallRecord | None:
    """All that is known of the call; None when there is none of that id."""
    call = await session.get(Call, call_id)
    if call is None:
        return None
    headers = select(TrunkHeader).where(TrunkHeader.call_id == call_id).order_by(TrunkHeader.position)
    steps = select(CallStep).where(CallStep.call_id == call_id).order_by(CallStep.seq, CallStep.position)
    queue = select(QueueEntry).where(QueueEntry.call_id == call_id).order_by(QueueEntry.seq, QueueEntry.position)
    offers = select(Offer).where(Offer.call_id == call_id).order_by(Offer.made_at, Offer.offer_id)
    tracks = select(Recording).where(Recording.call_id == call_id).order_by(Recording.name)
    return CallRecord(
        call=_summary(call),
        headers=tuple(_record(HeaderRecord, row) for row in await session.scalars(headers)),
        steps=tuple(_record(StepRecord, row) for row in await session.scalars(steps)),
        queue=tuple(_record(QueueRecord, row) for row in await session.scalars(queue)),
        offers=tuple(_record(OfferRecord, row, operator=row.operator_id) for row in await session.scalars(offers)),
        recording=tuple(_record(TrackRecord, row) for row in await session.scalars(tracks)),
    )


async def ended_without_recording(
    session: AsyncSession, centre: str, since: datetime, limit: int
) -> list[tuple[CallId, datetime]]:
    """Calls that ended after `since` and have no measured recording: their ids and when they ended, newest first."""
    query = (
        select(Call.call_id, Call.ended_at)
        .where(Call.centre_id == centre, Call.ended_at > since)
        .where(~select(Recording.call_id).where(Recording.call_id == Call.call_id).exists())
        .order_by(Call.ended_at.desc())
        .limit(limit)
    )
    return [(CallId(call), ended) for call, ended in await session.execute(query) if ended is not None]


async def caller_history(
    session: AsyncSession, caller_number: str, *, before: datetime, limit: int = 20
) -> tuple[CallSummary, ...]:
    """A caller's calls that arrived before a time, latest first. Unknown callers have no history."""
    query = (
        select(Call)
        .where(Call.caller_number == caller_number, Call.arrived_at < before)
        .order_by(Call.arrived_at.desc(), Call.call_id.desc())
        .limit(max(1, min(limit, MAX_PAGE)))
    )
    return tuple(_summary(row) for row in await session.scalars(query))


def _filtered(query: Select[Call], which: CallFilter) -> Select[Call]:
    conditions: list[tuple[object, Callable[[Any], ColumnElement[bool]]]] = [
        (which.centre, lambda centre: Call.centre_id == centre),
        (which.arrived_from, lambda begin: Call.arrived_at >= begin),
        (which.arrived_to, lambda end: Call.arrived_at < end),
        (which.caller_number, lambda number: Call.caller_number == number),
        (which.stage, lambda stage: Call.stage == stage),
        (which.operator, lambda operator: Call.operator_id == operator),
        (which.in_progress, lambda open_: Call.stage.is_(None) if open_ else Call.stage.is_not(None)),
        (which.fallback, Call.fallback.is_),
    ]
    return query.where(*(condition(value) for value, condition in conditions if value is not None))


def _summary(row: Call) -> CallSummary:
    return _record(CallSummary, row, operator=row.operator_id)


def _record(cls: type[_R], row: object, **given: Any) -> _R:
    """A record whose fields carry the same names as the row's, but for those given."""
    names = [field.name for field in fields(cls) if field.name not in given]  # type: ignore[arg-type]
    return cls(**given, **{name: getattr(row, name) for name in names})


def _cursor(row: Call) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.arrived_at.isoformat(), row.call_id]).encode()).decode()


def _position(cursor: str) -> tuple[datetime, str]:
    try:
        arrived, call_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        at = datetime.fromisoformat(arrived)
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadCursor(cursor) from error
    if at.tzinfo is None or not isinstance(call_id, str):
        raise BadCursor(cursor)
    return at, call_id
