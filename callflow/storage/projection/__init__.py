"""Writes facts to the tables, in the journal's order. Written again in that order, they give the same rows."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import CallFact, Fact
from callflow.storage.projection import callbacks, callers, calls, centre, offers, operators, parties
from callflow.storage.projection.rows import CallWriters, Place, Writers, call_of

__all__ = ["FACTS_WRITTEN", "Place", "write_fact"]

_CALL_WRITERS: Final[CallWriters] = MappingProxyType(
    {**calls.WRITERS, **offers.WRITERS, **parties.WRITERS, **callers.WRITERS, **callbacks.WRITERS}
)
_WRITERS: Final[Writers] = MappingProxyType({**operators.WRITERS, **centre.WRITERS})
FACTS_WRITTEN: Final = frozenset({*_CALL_WRITERS, *_WRITERS})
"""Every fact has a writer; a test compares."""


async def write_fact(session: AsyncSession, fact: Fact, place: Place) -> None:
    """Write one fact; the caller commits."""
    if isinstance(fact, CallFact):
        call = await call_of(session, fact, place)
        await _CALL_WRITERS[type(fact)](session, call, fact, place)
    else:
        await _WRITERS[type(fact)](session, fact, place)
