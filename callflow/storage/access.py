"""Finds who looked at what. The proof stands in the journal; this is its copy to search in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.storage.models import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    """One look at a recording or at a person's data."""

    at: datetime
    who: str
    what: str
    call_id: str | None
    purpose: str


async def accesses_of_call(
    session: AsyncSession, *, centre: str, call_id: str, limit: int = 200
) -> tuple[AccessRecord, ...]:
    """Who looked at this call, latest first."""
    query = (
        select(Access)
        .where(Access.centre_id == centre, Access.call_id == call_id)
        .order_by(Access.at.desc(), Access.seq.desc())
        .limit(limit)
    )
    return tuple(
        AccessRecord(at=row.at, who=row.who, what=row.what, call_id=row.call_id, purpose=row.purpose)
        for row in await session.scalars(query)
    )
