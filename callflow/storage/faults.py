"""Which entry of the journal the database refused last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.storage.models import ProjectionFault


async def last_refused(session: AsyncSession, centre: str, since: datetime) -> tuple[str, int] | None:
    """Chain and number of the entry that was passed over last, if that was after `since`."""
    query = (
        select(ProjectionFault.chain_id, ProjectionFault.seq)
        .where(ProjectionFault.centre_id == centre, ProjectionFault.at > since)
        .order_by(ProjectionFault.at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return None if row is None else (row.chain_id, row.seq)
