"""Finds operators and what they did."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.storage.models import Operator
from callflow.storage.records import OperatorRecord


async def list_operators(session: AsyncSession, centre: str, *, active_only: bool = True) -> tuple[OperatorRecord, ...]:
    """The centre's operators by name, as last projected; the live state is the engine's to tell."""
    query = select(Operator).where(Operator.centre_id == centre).order_by(Operator.name, Operator.operator_id)
    if active_only:
        query = query.where(Operator.active.is_(True))
    return tuple(
        OperatorRecord(
            operator=row.operator_id,
            centre_id=row.centre_id,
            name=row.name,
            endpoint=row.endpoint,
            skills=tuple(row.skills),
            active=row.active,
            state=row.state,
            reason=row.reason,
            online=row.online,
            call_id=row.call_id,
            since=row.since,
            number=row.number,
            agency=row.agency,
        )
        for row in await session.scalars(query)
    )
