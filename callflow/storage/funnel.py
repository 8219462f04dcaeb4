"""Counts where calls ended. Figures whose parts do not add up to the whole are not given out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import Stage
from callflow.storage.errors import FunnelDoesNotReconcile
from callflow.storage.models import Call
from callflow.storage.records import Funnel


async def funnel(session: AsyncSession, *, centre: str | None, begin: datetime, end: datetime) -> Funnel:
    """The funnel of calls that arrived from `begin` until before `end`; `centre` None = all centres.

    Raises:
        FunnelDoesNotReconcile: when a call stands in no stage that is known.
    """

    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    columns: list[Any] = [func.count(), count(Call.stage.is_(None)), count(Call.fallback.is_(True))]
    columns += [count(Call.stage == stage) for stage in Stage]
    query = select(*columns).where(Call.arrived_at >= begin, Call.arrived_at < end)
    if centre is not None:
        query = query.where(Call.centre_id == centre)
    arrived, in_progress, in_fallback, *by_stage = (int(number) for number in (await session.execute(query)).one())
    accounted = in_progress + sum(by_stage)
    if accounted != arrived:
        raise FunnelDoesNotReconcile(arrived, accounted, begin, end)
    stages = dict(zip((stage.value for stage in Stage), by_stage, strict=True))
    return Funnel(arrived=arrived, in_progress=in_progress, in_fallback=in_fallback, **stages)
