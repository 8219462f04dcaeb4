"""Writes who the operators are and what each does, and the shifts that began."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.centre_facts import OperatorMoved, OperatorUpdated, ShiftBegan
from callflow.core.states import OperatorState
from callflow.storage.models import Operator, OperatorStateChange, ShiftStart
from callflow.storage.projection.rows import Place, Writers, add, put


async def _updated(session: AsyncSession, fact: OperatorUpdated, place: Place) -> None:
    profile = fact.profile
    values = {
        "name": profile.name,
        "endpoint": profile.endpoint,
        "skills": sorted(profile.skills),
        "active": fact.active,
        "number": profile.number,
        "agency": profile.agency,
    }
    operator = await _operator(session, profile.operator, fact.at, place)
    for name, value in values.items():
        setattr(operator, name, value)


async def _operator(session: AsyncSession, operator: str, at: datetime, place: Place) -> Operator:
    row = await session.get(Operator, (place.centre, operator))
    if row is None:
        row = Operator(
            centre_id=place.centre,
            operator_id=operator,
            name=operator,
            endpoint="",
            skills=[],
            active=True,
            state=OperatorState.SIGNED_OUT,
            reason="",
            online=False,
            call_id=None,
            since=at,
        )
        await add(session, row)
    return row


async def _moved(session: AsyncSession, fact: OperatorMoved, place: Place) -> None:
    operator = await _operator(session, fact.operator, fact.at, place)
    if operator.state != fact.state:
        operator.since = fact.at
    operator.state, operator.reason = fact.state, fact.reason
    operator.online, operator.call_id = fact.online, fact.call
    await put(
        session,
        OperatorStateChange,
        {"operator_id": fact.operator, "seq": place.seq, "position": place.position},
        centre_id=place.centre,
        at=fact.at,
        state=fact.state,
        reason=fact.reason,
        online=fact.online,
        call_id=fact.call,
    )


async def _shift_began(session: AsyncSession, fact: ShiftBegan, place: Place) -> None:
    await put(
        session,
        ShiftStart,
        {"centre_id": place.centre, "seq": place.seq, "position": place.position},
        shift=fact.shift,
        began_at=fact.at,
        until=fact.until,
        expected=list(fact.expected),
        present=list(fact.present),
    )


WRITERS: Final[Writers] = MappingProxyType({OperatorUpdated: _updated, OperatorMoved: _moved, ShiftBegan: _shift_began})
