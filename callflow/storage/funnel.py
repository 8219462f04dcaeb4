"""Counts where citizens' calls ended, calls of ours apart. Figures whose parts do not add up are not given out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import Direction, Stage
from callflow.storage.errors import FunnelDoesNotReconcile
from callflow.storage.models import Call
from callflow.storage.records import Funnel

STAGES: Final = (
    Stage.ABANDONED_IN_IVR,
    Stage.ABANDONED_IN_QUEUE,
    Stage.ANSWERED,
    Stage.HANDLED_IN_FALLBACK,
    Stage.ENDED_IN_INFORMATION,
)
"""Where a citizen's call ends: arrived = the sum of these and what goes on."""


async def funnel(session: AsyncSession, *, centre: str | None, begin: datetime, end: datetime) -> Funnel:
    """The funnel of citizens' calls that arrived from `begin` until before `end`; `centre` None = all centres.

    Outbound calls are no arrivals: they are in no figure here.

    Raises:
        FunnelDoesNotReconcile: when a call stands in no stage that is known.
    """

    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    columns: list[Any] = [func.count(), count(Call.stage.is_(None)), count(Call.fallback.is_(True))]
    columns += [count(Call.stage == stage) for stage in STAGES]
    query = select(*columns).where(Call.direction == Direction.INBOUND, Call.arrived_at >= begin, Call.arrived_at < end)
    if centre is not None:
        query = query.where(Call.centre_id == centre)
    arrived, in_progress, in_fallback, *by_stage = (int(number) for number in (await session.execute(query)).one())
    accounted = in_progress + sum(by_stage)
    if accounted != arrived:
        raise FunnelDoesNotReconcile(arrived, accounted, begin, end)
    stages = dict(zip((stage.value for stage in STAGES), by_stage, strict=True))
    return Funnel(arrived=arrived, in_progress=in_progress, in_fallback=in_fallback, **stages)
