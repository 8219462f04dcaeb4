"""Reads what the database says of callers, by their numbers; waits for the worker, who writes behind the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from callflow.core.facts import HangupParty
from callflow.demo.layout import Layout
from callflow.storage.models.calls import Call, Offer
from callflow.storage.sessions import Sessions, open_database, sessions_of

RECORDS_SECONDS = 90.0
"""Every record stands this soon after the last call's end; who is in Asterisk's log alone comes in after 40 s."""
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Row:
    """One call in the database.

    Attributes:
        claimed: an engine had it, at least for a while: it gave it a flow.
        by_engine: claimed by an engine and never handed back.
        by_operator: an operator ended it, after having spoken with the caller.
    """

    call: str
    number: str
    arrived_at: datetime
    answered_at: datetime | None
    ended: bool
    claimed: bool
    by_engine: bool
    by_operator: bool
    classification: str | None


async def rows_of(layout: Layout, numbers: Sequence[str]) -> list[Row]:
    """The records of these callers, once each has one with an end; what there is when that takes too long."""
    database = open_database(layout.settings.database)
    rows: list[Row] = []
    try:
        async with asyncio.timeout(RECORDS_SECONDS):
            while len({row.number for row in rows if row.ended}) < len(set(numbers)):
                with suppress(OperationalError):  # the database was struck: it comes back
                    rows = await _read(sessions_of(database), numbers)
                await asyncio.sleep(0.2)
    except TimeoutError:
        pass
    finally:
        await database.dispose()
    return rows


async def _read(sessions: Sessions, numbers: Sequence[str]) -> list[Row]:
    found: list[Row] = []
    async with sessions() as session:
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            calls = await session.scalars(select(Call).where(Call.caller_number.in_(some)))
            found.extend(_row(call) for call in calls)
    return found


async def first_offers(layout: Layout, rows: Sequence[Row]) -> list[datetime]:
    """When each of these calls was first offered to somebody, in order of arrival; who never was is left out."""
    calls = [row.call for row in sorted(rows, key=lambda row: row.arrived_at)]
    first: dict[str, datetime] = {}
    database = open_database(layout.settings.database)
    try:
        async with sessions_of(database)() as session:
            for start in range(0, len(calls), _AT_ONCE):
                some = calls[start : start + _AT_ONCE]
                for offer in await session.scalars(select(Offer).where(Offer.call_id.in_(some))):
                    first[offer.call_id] = min(offer.made_at, first.get(offer.call_id, offer.made_at))
    finally:
        await database.dispose()
    return [first[call] for call in calls if call in first]


def _row(call: Call) -> Row:
    return Row(
        call=call.call_id,
        number=call.caller_number or "",
        arrived_at=call.arrived_at,
        answered_at=call.answered_at,
        ended=call.ended_at is not None,
        claimed=call.flow_version is not None,
        by_engine=not call.fallback and call.handed_back_at is None,
        by_operator=call.answered_at is not None and call.ended_by is HangupParty.OPERATOR,
        classification=call.classification,
    )
