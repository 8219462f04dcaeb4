"""Writes facts to the tables, in the journal's order. Written again in that order, they give the same rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final, cast

from sqlalchemy import Executable, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.events import Caller
from callflow.core.facts import (
    AlarmCleared,
    AlarmRaised,
    CallConnected,
    CallEnded,
    CallFact,
    CallHandedBack,
    CallOpened,
    CallQueued,
    CallServedInFallback,
    Fact,
    FlowInForce,
    IvrStepTaken,
    OfferClosed,
    OfferMade,
    OperatorMoved,
    OperatorUpdated,
    PersonLost,
    RecordingStored,
    SettingsApplied,
    Stage,
    TrunkHeadersNoted,
)
from callflow.core.states import OperatorState
from callflow.storage.models import (
    Alarm,
    Base,
    Call,
    CallStep,
    FlowVersion,
    Offer,
    Operator,
    OperatorStateChange,
    QueueEntry,
    Recording,
    SettingsVersion,
    TrunkHeader,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fact stands in the journal: the entry, and the command's place in it."""

    centre: str
    seq: int
    position: int


async def write_fact(session: AsyncSession, fact: Fact, place: Place) -> None:
    """Write one fact; the caller commits."""
    if isinstance(fact, CallFact):
        call = await _call(session, fact, place)
        await _CALL_WRITERS[type(fact)](session, call, fact, place)
    else:
        await _WRITERS[type(fact)](session, fact, place)


async def _call(session: AsyncSession, fact: CallFact, place: Place) -> Call:
    """The call's row. One that no CallOpened announced (its entry was lost) is a record all the same."""
    call = await session.get(Call, fact.call)
    if call is not None and not isinstance(fact, CallOpened):
        return call
    arrival = _arrival(fact)
    if call is None:
        call = Call(call_id=fact.call, centre_id=place.centre, fallback=False, **arrival)
        await _add(session, call)
    else:
        for name, value in arrival.items():
            setattr(call, name, value)
    return call


def _arrival(fact: CallFact) -> dict[str, Any]:
    if isinstance(fact, CallOpened | CallServedInFallback):
        at, caller, dialled, trunk = fact.arrived_at, fact.caller, fact.dialled, fact.trunk
    else:
        at, caller, dialled, trunk = fact.at, Caller(number=None, raw=""), "", ""
    return {
        "arrived_at": at,
        "caller_number": caller.number,
        "caller_raw": caller.raw,
        "dialled": dialled,
        "trunk": trunk,
    }


async def _add(session: AsyncSession, row: Base) -> None:
    """Add a row and send it at once: `get` finds only what was sent, and rows that point to it come next."""
    session.add(row)
    await session.flush()


async def _put(session: AsyncSession, model: type[Base], key: Mapping[str, Any], **values: Any) -> None:
    """Write the row of this key with these values, in one statement; columns not named keep what they have."""
    statement = _upsert(session.get_bind().dialect.name, model, tuple(key), tuple(values))
    await session.execute(statement, {**key, **values})


@cache
def _upsert(dialect: str, model: type[Base], key: tuple[str, ...], values: tuple[str, ...]) -> Executable:
    table = cast("Table", model.__table__)
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    insert = insert.values({name: bindparam(name) for name in (*key, *values)})
    return insert.on_conflict_do_update(index_elements=list(key), set_={name: insert.excluded[name] for name in values})


# --- calls ----------------------------------------------------------------------------------------------------------


async def _opened(session: AsyncSession, call: Call, fact: CallOpened, place: Place) -> None:
    """The row itself says it all."""


async def _headers(session: AsyncSession, call: Call, fact: TrunkHeadersNoted, place: Place) -> None:
    for position, (name, value) in enumerate(fact.headers):
        key = {"call_id": call.call_id, "position": position}
        await _put(session, TrunkHeader, key, centre_id=place.centre, name=name, value=value)


async def _step(session: AsyncSession, call: Call, fact: IvrStepTaken, place: Place) -> None:
    call.flow_version = fact.flow_version
    await _put(
        session,
        CallStep,
        {"call_id": call.call_id, "seq": place.seq, "position": place.position},
        centre_id=place.centre,
        flow_version=fact.flow_version,
        node=fact.node,
        exit=fact.exit,
        keys=fact.keys,
        entered_at=fact.entered_at,
        left_at=fact.at,
    )


async def _queued(session: AsyncSession, call: Call, fact: CallQueued, place: Place) -> None:
    await _leave_queue(session, call, fact.at, "queued_again")
    call.queued_at = call.queued_at or fact.at
    call.tier, call.skill = fact.tier, fact.skill
    await _put(
        session,
        QueueEntry,
        {"call_id": call.call_id, "seq": place.seq, "position": place.position},
        centre_id=place.centre,
        queued_at=fact.at,
        reason=fact.reason,
        tier=fact.tier,
        skill=fact.skill,
    )


async def _leave_queue(session: AsyncSession, call: Call, at: datetime, reason: str) -> None:
    waiting = select(QueueEntry).where(QueueEntry.call_id == call.call_id, QueueEntry.left_at.is_(None))
    for entry in await session.scalars(waiting):
        entry.left_at, entry.left_reason = at, reason


async def _offer_made(session: AsyncSession, call: Call, fact: OfferMade, place: Place) -> None:
    await _put(
        session,
        Offer,
        {"offer_id": fact.offer},
        call_id=call.call_id,
        centre_id=place.centre,
        operator_id=fact.operator,
        destination=fact.destination,
        made_at=fact.at,
    )


async def _offer(session: AsyncSession, call: Call, offer: str, at: datetime, place: Place) -> Offer:
    """The offer's row, made where its OfferMade was lost."""
    row = await session.get(Offer, offer)
    if row is None:
        row = Offer(offer_id=offer, call_id=call.call_id, centre_id=place.centre, made_at=at)
        await _add(session, row)
    return row


async def _offer_closed(session: AsyncSession, call: Call, fact: OfferClosed, place: Place) -> None:
    offer = await _offer(session, call, fact.offer, fact.at, place)
    offer.closed_at, offer.outcome, offer.cause = fact.at, fact.outcome, fact.cause


async def _connected(session: AsyncSession, call: Call, fact: CallConnected, place: Place) -> None:
    await _leave_queue(session, call, fact.at, "connected")
    offer = await _offer(session, call, fact.offer, fact.at, place)
    offer.connected_at = fact.at
    call.answered_at = call.answered_at or fact.at
    call.operator_id, call.destination = fact.operator, fact.destination


async def _person_lost(session: AsyncSession, call: Call, fact: PersonLost, place: Place) -> None:
    offer = await _offer(session, call, fact.offer, fact.at, place)
    offer.lost_at, offer.lost_cause = fact.at, fact.cause


async def _ended(session: AsyncSession, call: Call, fact: CallEnded, place: Place) -> None:
    """The core's word is the last, even where the dialplan had the call for a while."""
    await _leave_queue(session, call, fact.at, "ended")
    call.stage, call.ended_at, call.ended_by, call.cause = fact.stage, fact.at, fact.ended_by, fact.cause


async def _handed_back(session: AsyncSession, call: Call, fact: CallHandedBack, place: Place) -> None:
    """The call goes on without us: it stays open until CEL or the core tells its end."""
    await _leave_queue(session, call, fact.at, "handed_back")
    call.handed_back_at, call.handed_back_reason = fact.at, fact.reason


async def _served_in_fallback(session: AsyncSession, call: Call, fact: CallServedInFallback, place: Place) -> None:
    call.fallback = True
    if call.stage not in {None, Stage.HANDLED_IN_FALLBACK}:
        return
    await _leave_queue(session, call, fact.answered_at or fact.ended_at, "handed_back")
    call.stage, call.ended_at = Stage.HANDLED_IN_FALLBACK, fact.ended_at
    call.ended_by, call.cause = fact.ended_by, fact.cause
    if fact.answered_at is not None:
        call.answered_at = call.answered_at or fact.answered_at
        who = select(Operator.operator_id).where(
            Operator.centre_id == place.centre, Operator.endpoint == fact.answered_by
        )
        call.operator_id = (await session.scalars(who)).first()
        call.destination = fact.answered_by if call.operator_id is None else None


async def _recording(session: AsyncSession, call: Call, fact: RecordingStored, place: Place) -> None:
    for track in fact.tracks:
        await _put(
            session,
            Recording,
            {"call_id": call.call_id, "name": track.name},
            centre_id=place.centre,
            path=track.path,
            sha256=track.sha256,
            bytes=track.bytes,
            seconds=track.seconds,
            stored_at=fact.at,
        )


# --- operators and the centre ---------------------------------------------------------------------------------------


async def _operator_updated(session: AsyncSession, fact: OperatorUpdated, place: Place) -> None:
    profile = fact.profile
    values = {
        "name": profile.name,
        "endpoint": profile.endpoint,
        "skills": sorted(profile.skills),
        "active": fact.active,
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
        await _add(session, row)
    return row


async def _operator_moved(session: AsyncSession, fact: OperatorMoved, place: Place) -> None:
    operator = await _operator(session, fact.operator, fact.at, place)
    if operator.state != fact.state:
        operator.since = fact.at
    operator.state, operator.reason = fact.state, fact.reason
    operator.online, operator.call_id = fact.online, fact.call
    await _put(
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


async def _settings(session: AsyncSession, fact: SettingsApplied, place: Place) -> None:
    key = {"centre_id": place.centre, "seq": place.seq}
    await _put(session, SettingsVersion, key, applied_at=fact.at, document=asdict(fact.settings))


async def _flow(session: AsyncSession, fact: FlowInForce, place: Place) -> None:
    await _put(
        session,
        FlowVersion,
        {"centre_id": place.centre, "version": fact.version},
        document=fact.document,
        published_by=fact.published_by,
        published_at=fact.at,
    )


async def _alarm_raised(session: AsyncSession, fact: AlarmRaised, place: Place) -> None:
    key = {"centre_id": place.centre, "kind": fact.kind, "subject": fact.subject, "raised_at": fact.at}
    await _put(session, Alarm, key, detail=fact.detail)


async def _alarm_cleared(session: AsyncSession, fact: AlarmCleared, place: Place) -> None:
    standing = select(Alarm).where(
        Alarm.centre_id == place.centre,
        Alarm.kind == fact.kind,
        Alarm.subject == fact.subject,
        Alarm.cleared_at.is_(None),
    )
    for alarm in await session.scalars(standing):
        alarm.cleared_at = fact.at


_CallWriter = Callable[[AsyncSession, Call, Any, Place], Awaitable[None]]
_CALL_WRITERS: Final[Mapping[type[CallFact], _CallWriter]] = MappingProxyType(
    {
        CallOpened: _opened,
        TrunkHeadersNoted: _headers,
        IvrStepTaken: _step,
        CallQueued: _queued,
        OfferMade: _offer_made,
        OfferClosed: _offer_closed,
        CallConnected: _connected,
        PersonLost: _person_lost,
        CallEnded: _ended,
        CallHandedBack: _handed_back,
        CallServedInFallback: _served_in_fallback,
        RecordingStored: _recording,
    }
)
_WRITERS: Final[Mapping[type[Fact], Callable[[AsyncSession, Any, Place], Awaitable[None]]]] = MappingProxyType(
    {
        OperatorUpdated: _operator_updated,
        OperatorMoved: _operator_moved,
        SettingsApplied: _settings,
        FlowInForce: _flow,
        AlarmRaised: _alarm_raised,
        AlarmCleared: _alarm_cleared,
    }
)
FACTS_WRITTEN: Final = frozenset({*_CALL_WRITERS, *_WRITERS})
"""Every fact has a writer; a test compares."""
