"""Writes what is in force in a centre (settings, roster, flow) and the alarms that stand."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.centre_facts import AlarmCleared, AlarmRaised, FlowInForce, RosterInForce, SettingsApplied
from callflow.storage.documents import document_of
from callflow.storage.models import Alarm, FlowVersion, RosterVersion, SettingsVersion
from callflow.storage.projection.rows import Place, Writers, add, put


async def _settings(session: AsyncSession, fact: SettingsApplied, place: Place) -> None:
    key = {"centre_id": place.centre, "seq": place.seq}
    await put(session, SettingsVersion, key, applied_at=fact.at, document=document_of(fact.settings))


async def _roster(session: AsyncSession, fact: RosterInForce, place: Place) -> None:
    key = {"centre_id": place.centre, "seq": place.seq}
    await put(session, RosterVersion, key, applied_at=fact.at, document=document_of(fact.roster))


async def _flow(session: AsyncSession, fact: FlowInForce, place: Place) -> None:
    await put(
        session,
        FlowVersion,
        {"centre_id": place.centre, "version": fact.version},
        document=fact.document,
        published_by=fact.published_by,
        published_at=fact.at,
    )


async def _alarm_raised(session: AsyncSession, fact: AlarmRaised, place: Place) -> None:
    """It stands from now on, also where it is written again: what clears it comes after."""
    key = {"centre_id": place.centre, "kind": fact.kind, "subject": fact.subject, "raised_at": fact.at}
    alarm = await session.get(Alarm, key)
    if alarm is None:
        await add(session, Alarm(**key, detail=fact.detail))
    else:
        alarm.detail, alarm.cleared_at = fact.detail, None


async def _alarm_cleared(session: AsyncSession, fact: AlarmCleared, place: Place) -> None:
    standing = select(Alarm).where(
        Alarm.centre_id == place.centre,
        Alarm.kind == fact.kind,
        Alarm.subject == fact.subject,
        Alarm.cleared_at.is_(None),
        Alarm.raised_at <= fact.at,
    )
    for alarm in await session.scalars(standing):
        alarm.cleared_at = fact.at


WRITERS: Final[Writers] = MappingProxyType(
    {
        SettingsApplied: _settings,
        RosterInForce: _roster,
        FlowInForce: _flow,
        AlarmRaised: _alarm_raised,
        AlarmCleared: _alarm_cleared,
    }
)
