"""Finds call-backs: the open ones by urgency, the others latest first, and the one of a call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.requests import CallbackOutcome
from callflow.storage.cursors import cursor_after, position_of
from callflow.storage.models import Call, Callback, CallbackAttempt
from callflow.storage.reading import Condition, demanded, record_of
from callflow.storage.records import CallbackAttemptRecord, CallbackRecord

MAX_PAGE: Final = 500
_BY_DEADLINE: Final = "callbacks by deadline"
_LATEST_FIRST: Final = "callbacks"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFilter:
    """Which call-backs; None = any.

    Attributes:
        centre: the centre; None only for tools that see all of them.
        open: True = only those that are to be done, most urgent first; False = only closed ones.
        opened_from: earliest hang-up, itself included. opened_to: latest, itself excluded.
        number: E.164. owner: who has it, or had it last.
    """

    centre: str | None = None
    open: bool | None = None
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    number: str | None = None
    owner: str | None = None
    outcome: CallbackOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPage:
    """Call-backs, most urgent first where only open ones were asked for, else latest first; None = no more."""

    callbacks: tuple[CallbackRecord, ...]
    next_cursor: str | None


async def list_callbacks(
    session: AsyncSession, which: CallbackFilter, *, limit: int = 50, cursor: str | None = None
) -> CallbackPage:
    """A page of call-backs as last projected; what is open now is the engine's to tell.

    Raises:
        BadCursor: when the cursor is none of this list's in this order.
    """
    limit = max(1, min(limit, MAX_PAGE))
    urgent = which.open is True
    order, moment = (_BY_DEADLINE, Callback.deadline) if urgent else (_LATEST_FIRST, Callback.opened_at)
    key = (moment, Callback.call_id)
    query = select(Callback).where(*demanded(_conditions(which))).limit(limit + 1)
    query = query.order_by(*(key if urgent else (column.desc() for column in key)))
    if cursor is not None:
        place = tuple_(*position_of(cursor, order))
        query = query.where(tuple_(*key) > place if urgent else tuple_(*key) < place)
    rows = list(await session.scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    records = await _records(session, rows)
    last = rows[-1] if more else None
    following = None if last is None else cursor_after(order, last.deadline if urgent else last.opened_at, last.call_id)
    return CallbackPage(callbacks=records, next_cursor=following)


async def callback_of(session: AsyncSession, call_id: str) -> CallbackRecord | None:
    """The call-back that this abandoned call brought about."""
    row = await session.get(Callback, call_id)
    return None if row is None else (await _records(session, [row]))[0]


def _conditions(which: CallbackFilter) -> list[Condition]:
    return [
        (which.centre, lambda centre: Callback.centre_id == centre),
        (which.open, lambda open_: Callback.closed_at.is_(None) if open_ else Callback.closed_at.is_not(None)),
        (which.opened_from, lambda begin: Callback.opened_at >= begin),
        (which.opened_to, lambda end: Callback.opened_at < end),
        (which.number, lambda number: Callback.number == number),
        (which.owner, lambda owner: Callback.owner_id == owner),
        (which.outcome, lambda outcome: Callback.outcome == outcome),
    ]


async def _records(session: AsyncSession, rows: Iterable[Callback]) -> tuple[CallbackRecord, ...]:
    """The call-backs with their attempts, in two queries however many there are."""
    rows = tuple(rows)
    attempts: dict[str, list[CallbackAttemptRecord]] = {row.call_id: [] for row in rows}
    query = (
        select(CallbackAttempt, Call.stage)
        .outerjoin(Call, Call.call_id == CallbackAttempt.attempt_id)
        .where(CallbackAttempt.call_id.in_(attempts))
        .order_by(CallbackAttempt.begun_at, CallbackAttempt.attempt_id)
    )
    for attempt, stage in await session.execute(query):
        attempts[attempt.call_id].append(
            CallbackAttemptRecord(
                call_id=attempt.attempt_id, operator=attempt.operator_id, begun_at=attempt.begun_at, stage=stage
            )
        )
    return tuple(record_of(CallbackRecord, row, attempts=tuple(attempts[row.call_id])) for row in rows)
