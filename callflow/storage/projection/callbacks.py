"""Writes the call-backs of abandoned calls: owner, attempts, outcome."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.centre_facts import CallbackAssigned, CallbackClosed, CallbackOpened, CallbackTried
from callflow.core.facts import CallFact
from callflow.storage.models import Call, Callback, CallbackAttempt
from callflow.storage.projection.rows import CallWriters, Place, add, put


async def _opened(session: AsyncSession, call: Call, fact: CallbackOpened, place: Place) -> None:
    """Begins anew where it is written again, so that what follows gives the same row."""
    callback = await _callback(session, call, fact, place)
    callback.number, callback.opened_at, callback.deadline = fact.number, fact.at, fact.deadline
    callback.owner_id = callback.assigned_at = None
    callback.closed_at = callback.outcome = callback.closed_by = None


async def _assigned(session: AsyncSession, call: Call, fact: CallbackAssigned, place: Place) -> None:
    callback = await _callback(session, call, fact, place)
    callback.owner_id, callback.deadline = fact.operator, fact.deadline
    callback.assigned_at = None if fact.operator is None else fact.at


async def _tried(session: AsyncSession, call: Call, fact: CallbackTried, place: Place) -> None:
    """Who tries has it, whoever had it before."""
    callback = await _callback(session, call, fact, place)
    if callback.owner_id != fact.operator:
        callback.owner_id, callback.assigned_at = fact.operator, fact.at
    key = {"call_id": call.call_id, "attempt_id": fact.attempt}
    await put(session, CallbackAttempt, key, centre_id=place.centre, operator_id=fact.operator, begun_at=fact.at)
    attempts = select(func.count()).where(CallbackAttempt.call_id == call.call_id)
    callback.attempts = (await session.scalars(attempts)).one()


async def _closed(session: AsyncSession, call: Call, fact: CallbackClosed, place: Place) -> None:
    callback = await _callback(session, call, fact, place)
    callback.closed_at, callback.outcome, callback.closed_by = fact.at, fact.outcome, fact.by


async def _callback(session: AsyncSession, call: Call, fact: CallFact, place: Place) -> Callback:
    """The call-back's row, made where its CallbackOpened was lost."""
    row = await session.get(Callback, call.call_id)
    if row is None:
        row = Callback(
            call_id=call.call_id,
            centre_id=place.centre,
            number=call.caller_number or "",
            opened_at=fact.at,
            deadline=fact.at,
            attempts=0,
        )
        await add(session, row)
    return row


WRITERS: Final[CallWriters] = MappingProxyType(
    {
        CallbackOpened: _opened,
        CallbackAssigned: _assigned,
        CallbackTried: _tried,
        CallbackClosed: _closed,
    }
)
