"""Calls as the record has them: pages of the list, one whole record. Each look is recorded before it is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, Field

from callflow.core.city import Classification
from callflow.core.facts import Direction, Stage
from callflow.permissions import Permission
from callflow.storage.access import accesses_of_call
from callflow.storage.calls import CallFilter, get_call, list_calls
from callflow.storage.records import (
    AssessmentRecord,
    CallbackRecord,
    CallRecord,
    CallSummary,
    ChallengeRecord,
    ClassificationRecord,
    ConsultationRecord,
    HeaderRecord,
    OfferRecord,
    PartyRecord,
    QueueRecord,
    StepRecord,
)
from callflow.web.auth import Who
from callflow.web.errors import NoSuchThing
from callflow.web.routes import Asked, Route, Shape


class CallsQuery(Shape):
    """Which calls; what is left out narrows nothing."""

    arrived_from: AwareDatetime | None = None
    arrived_to: AwareDatetime | None = None
    caller_number: str | None = Field(default=None, max_length=32)
    stage: Stage | None = None
    operator: str | None = Field(default=None, max_length=64)
    in_progress: bool | None = None
    fallback: bool | None = None
    direction: Direction | None = None
    classification: Classification | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=400)


class CallsPage(Shape):
    """Calls, latest arrival first; `next_cursor` null = there are no more."""

    calls: list[CallSummary]
    next_cursor: str | None


class TrackShown(Shape):
    """An audio file that can be heard at `/calls/{call}/recording/{name}`."""

    name: str
    sha256: str
    bytes: int
    seconds: float


class AccessShown(Shape):
    """Somebody looked at this call."""

    at: datetime
    who: str
    what: str
    purpose: str


class CallShown(Shape):
    """Everything that is known of a call; `accesses` null where one may not see who looked.

    A consultation's audio is the track `consult-<number>`. `callback` is what an abandoned call brought about.
    """

    call: CallSummary
    headers: list[HeaderRecord]
    steps: list[StepRecord]
    queue: list[QueueRecord]
    offers: list[OfferRecord]
    recording: list[TrackShown]
    parties: list[PartyRecord]
    consultations: list[ConsultationRecord]
    assessment: AssessmentRecord | None
    challenges: list[ChallengeRecord]
    classifications: list[ClassificationRecord]
    callback: CallbackRecord | None
    accesses: list[AccessShown] | None


async def show_page(asked: Asked) -> CallsPage:
    """A page of calls; who may read only their own gets those."""
    query: CallsQuery = asked.query
    who = asked.person
    which = CallFilter(centre=asked.context.centre, **query.model_dump(exclude={"limit", "cursor"}))
    if not who.may(Permission.READ_CALLS):
        if who.operator is None or query.operator not in (None, who.operator):
            return CallsPage(calls=[], next_cursor=None)
        which = replace(which, operator=who.operator)
    async with asked.context.database.reading() as session:
        page = await list_calls(session, which, limit=query.limit, cursor=query.cursor)
    if page.calls:
        await asked.context.accesses.record(who.login, "calls", None, f"list of {len(page.calls)}")
    return CallsPage(calls=list(page.calls), next_cursor=page.next_cursor)


async def show(asked: Asked) -> CallShown:
    """One call, whole."""
    who = asked.person
    record = await find(asked)
    accesses = None
    if who.may(Permission.READ_ACCESSES):
        async with asked.context.database.reading() as session:
            found = await accesses_of_call(session, centre=asked.context.centre, call_id=record.call.call_id)
        accesses = [AccessShown.model_validate(access) for access in found]
    await asked.context.accesses.record(who.login, "call", record.call.call_id, "record")
    return CallShown(
        call=record.call,
        headers=list(record.headers),
        steps=list(record.steps),
        queue=list(record.queue),
        offers=list(record.offers),
        recording=[TrackShown.model_validate(track) for track in record.recording],
        parties=list(record.parties),
        consultations=list(record.consultations),
        assessment=record.assessment,
        challenges=list(record.challenges),
        classifications=list(record.classifications),
        callback=record.callback,
        accesses=accesses,
    )


async def find(asked: Asked) -> CallRecord:
    """The call that the path names, when this person may see it.

    Raises:
        NoSuchThing: there is none, or it is not theirs to see; which, is not told. DatabaseAway.
    """
    record = await record_of(asked)
    if not _may_read(asked.person, record):
        raise NoSuchThing("call")
    return record


async def record_of(asked: Asked) -> CallRecord:
    """The call that the path names, whoever may see it; say nothing of it before that is decided.

    Raises:
        NoSuchThing: this centre has none. DatabaseAway.
    """
    async with asked.context.database.reading() as session:
        record = await get_call(session, asked.path("call"))
    if record is None or record.call.centre_id != asked.context.centre:
        raise NoSuchThing("call")
    return record


def _may_read(who: Who, record: CallRecord) -> bool:
    return who.may(Permission.READ_CALLS) or was_served_by(record, who.operator)


def was_served_by(record: CallRecord, operator: str | None) -> bool:
    """Whether this operator spoke with the caller."""
    served = {record.call.operator} | {offer.operator for offer in record.offers if offer.connected_at is not None}
    return operator is not None and operator in served


_READ: Final = (Permission.READ_CALLS, Permission.READ_OWN_CALLS)
ROUTES: Final = (
    Route(
        method="GET",
        path="/calls",
        needs=_READ,
        handle=show_page,
        summary="Calls, latest first",
        answer=CallsPage,
        query=CallsQuery,
        errors=(400, 503),
    ),
    Route(
        method="GET",
        path="/calls/{call}",
        needs=_READ,
        handle=show,
        summary="One call with its steps, waits, offers, parties, what people said of it, and its recording",
        answer=CallShown,
        errors=(404, 503),
    ),
)
