"""Finds the row that a fact is about, makes the one that is missing, and writes rows by their keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Executable, Table, and_, bindparam, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.events import Caller
from callflow.core.facts import CallFact, CallOpened, CallServedInFallback, Direction, Fact
from callflow.core.ids import was_call_back_to
from callflow.storage.models import Base, Call, Offer

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fact stands in the journal: the entry, and the command's place in it."""

    centre: str
    seq: int
    position: int


CallWriters = Mapping[type[CallFact], Callable[[AsyncSession, Call, Any, Place], Awaitable[None]]]
"""By the kind of a call's fact, what writes it; the call's row is there."""
Writers = Mapping[type[Fact], Callable[[AsyncSession, Any, Place], Awaitable[None]]]


async def call_of(session: AsyncSession, fact: CallFact, place: Place) -> Call:
    """The call's row. One that no CallOpened announced (its entry was lost) is a record all the same."""
    call = hold(session, await session.get(Call, fact.call))
    if call is not None and not isinstance(fact, CallOpened):
        return call
    arrival = _arrival(fact)
    if call is None:
        call = Call(call_id=fact.call, centre_id=place.centre, fallback=False, **arrival)
        await add(session, call)
        hold(session, call)
    else:
        for name, value in arrival.items():
            setattr(call, name, value)
    return call


def _arrival(fact: CallFact) -> dict[str, Any]:
    if isinstance(fact, CallOpened | CallServedInFallback):
        at, caller, dialled, trunk = fact.arrived_at, fact.caller, fact.dialled, fact.trunk
    else:
        at, caller, dialled, trunk = fact.at, Caller(number=None, raw=""), "", ""
    callback_of = (fact.callback_of if isinstance(fact, CallOpened) else None) or was_call_back_to(fact.call)
    return {
        "arrived_at": at,
        "caller_number": caller.number,
        "caller_raw": caller.raw,
        "dialled": dialled,
        "trunk": trunk,
        "direction": Direction.INBOUND if callback_of is None else Direction.OUTBOUND,
        "callback_of": callback_of,
    }


async def offer_of(session: AsyncSession, call: Call, offer: str, at: datetime, place: Place) -> Offer:
    """The offer's row, made where its OfferMade was lost."""
    row = hold(session, await session.get(Offer, offer))
    if row is None:
        row = Offer(offer_id=offer, call_id=call.call_id, centre_id=place.centre, made_at=at)
        await add(session, row)
    return row


def hold(session: AsyncSession, row: _Row) -> _Row:
    """Keep a row in memory for the transaction: the session forgets what nobody holds, and would ask for it again."""
    if row is not None:
        session.info.setdefault("held", set()).add(row)
    return row


def before(model: type[Any], place: Place) -> ColumnElement[bool]:
    """Rows that an earlier fact brought. A fact that is written again must not touch what came after it."""
    return or_(model.seq < place.seq, and_(model.seq == place.seq, model.position < place.position))


async def add(session: AsyncSession, row: Base) -> None:
    """Add a row and send it at once: `get` finds only what was sent, and rows that point to it come next."""
    session.add(row)
    await session.flush()


async def put(session: AsyncSession, model: type[Base], key: Mapping[str, Any], **values: Any) -> None:
    """Write the row of this key with these values, in one statement; columns not named keep what they have.

    Name no column here that is changed later through the row itself: the session would not see the difference.
    """
    statement = _upsert(session.get_bind().dialect.name, model, tuple(key), tuple(values))
    await session.execute(statement, {**key, **values})


@cache
def _upsert(dialect: str, model: type[Base], key: tuple[str, ...], values: tuple[str, ...]) -> Executable:
    table = cast("Table", model.__table__)
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    insert = insert.values({name: bindparam(name) for name in (*key, *values)})
    return insert.on_conflict_do_update(index_elements=list(key), set_={name: insert.excluded[name] for name in values})
