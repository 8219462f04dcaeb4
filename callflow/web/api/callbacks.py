"""Call-backs of abandoned calls: the open ones, which the engine keeps, those that are settled, and what a person does.

Only the settled ones need the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from pydantic import AwareDatetime, Field

from callflow.core.commands import Refusal
from callflow.core.requests import CallbackAction, CallbackOutcome
from callflow.engine.client import RequestRefused
from callflow.permissions import Permission
from callflow.storage.callbacks import CallbackFilter, list_callbacks
from callflow.storage.records import CallbackAttemptRecord, CallbackRecord
from callflow.web.api.operators import Moved
from callflow.web.auth import Who
from callflow.web.errors import NotPermitted, NotValid
from callflow.web.lens import Lens
from callflow.web.routes import Asked, Route, Shape


class CallbackShown(Shape):
    """A citizen who gave up before a person answered.

    `call` is the abandoned call, `number` null where one may not call back, `owner` null as long as it is nobody's,
    `attempt` the outbound call that is under way.
    """

    call: str
    number: str | None
    opened_at: datetime
    deadline: datetime
    owner: str | None
    attempts: int
    attempt: str | None


class CallbacksShown(Shape):
    """The open ones, oldest first, as of the journal's number `seq`."""

    seq: int
    callbacks: list[CallbackShown]


class SettledQuery(Shape):
    """Which of the settled ones; what is left out narrows nothing. Times are those of the citizen's hang-up."""

    opened_from: AwareDatetime | None = None
    opened_to: AwareDatetime | None = None
    owner: str | None = Field(default=None, max_length=64)
    outcome: CallbackOutcome | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=400)


class SettledCallback(Shape):
    """A call-back that is settled, with its attempts.

    `number` is null where one may not read that call; `closed_by` is who said so, or the call that settled it.
    """

    call: str
    number: str | None
    opened_at: datetime
    deadline: datetime
    owner: str | None
    attempts: list[CallbackAttemptRecord]
    closed_at: datetime
    outcome: CallbackOutcome
    closed_by: str


class SettledPage(Shape):
    """Settled ones, latest first; `next_cursor` null = there are no more."""

    callbacks: list[SettledCallback]
    next_cursor: str | None


class CallbackGiven(Shape):
    """Who is to have it; left out = oneself."""

    operator: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]{0,30}$")


class CallbackOver(Shape):
    """How it came to its end."""

    outcome: CallbackOutcome


async def show_open(asked: Asked) -> CallbacksShown:
    """The open ones. The look is noted, but waits for no disk: who calls back needs no working database."""
    snapshot = await asked.context.engine.snapshot()
    lens = Lens.of(asked.person)
    callbacks = lens.snapshot(snapshot)["callbacks"]
    if callbacks and lens.sees_callbacks:
        asked.context.accesses.note(asked.person.login, "callbacks", None, f"list of {len(callbacks)}")
    return CallbacksShown(
        seq=snapshot["seq"], callbacks=[CallbackShown.model_validate(callback) for callback in callbacks]
    )


async def show_settled(asked: Asked) -> SettledPage:
    """A page of those that are settled. The numbers are of calls that one may read, and looked at as those are."""
    query: SettledQuery = asked.query
    context, who = asked.context, asked.person
    which = CallbackFilter(centre=context.centre, open=False, **query.model_dump(exclude={"limit", "cursor"}))
    async with context.database.reading() as session:
        page = await list_callbacks(session, which, limit=query.limit, cursor=query.cursor)
    shown = [_settled(record, who) for record in page.callbacks]
    numbers = sum(callback.number is not None for callback in shown)
    if numbers:
        await context.accesses.record(who.login, "callbacks", None, f"list of {numbers}")
    return SettledPage(callbacks=shown, next_cursor=page.next_cursor)


def _settled(record: CallbackRecord, who: Who) -> SettledCallback:
    mine = who.operator is not None and record.owner == who.operator
    readable = mine or who.may(Permission.READ_CALLS)
    fields = {name: getattr(record, name) for name in SettledCallback.model_fields if name not in ("call", "number")}
    return SettledCallback(call=record.call_id, number=record.number if readable else None, **fields)


def _giver(action: CallbackAction) -> Callable[[Asked], Awaitable[Moved]]:
    async def give(asked: Asked) -> Moved:
        who = asked.person
        given: CallbackGiven = asked.body
        operator = given.operator or who.operator
        if operator is None:
            raise NotValid([{"where": "body.operator", "what": "you are no operator: say who is to have it"}])
        who.acts_for(operator, Permission.ASSIGN_CALLBACKS)
        await _check_owner(asked)
        seq = await asked.context.engine.callback(action, by=who.login, operator=operator, callback=asked.path("call"))
        return Moved(seq=seq)

    return give


async def close(asked: Asked) -> Moved:
    """Close it: one's own, or anybody's where one may give them to others."""
    who = asked.person
    given: CallbackOver = asked.body
    anybodys = who.may(Permission.ASSIGN_CALLBACKS)
    if who.operator is None and not anybodys:
        raise NotPermitted((Permission.ASSIGN_CALLBACKS,))
    await _check_owner(asked)
    operator = None if anybodys else who.operator
    seq = await asked.context.engine.callback(
        CallbackAction.CLOSE, by=who.login, operator=operator, callback=asked.path("call"), outcome=given.outcome
    )
    return Moved(seq=seq)


async def _check_owner(asked: Asked) -> None:
    """Leave to others what is theirs: only who may give call-backs to others takes one from its owner.

    Raises:
        RequestRefused: it is somebody else's. EngineAway.
    """
    if asked.person.may(Permission.ASSIGN_CALLBACKS):
        return
    snapshot = await asked.context.engine.snapshot()
    owners = {callback["call"]: callback["owner"] for callback in snapshot["callbacks"]}
    if owners.get(asked.path("call")) not in (None, asked.person.operator):
        raise RequestRefused(Refusal.NOT_YOURS)


_ERRORS: Final = (409, 503)
ROUTES: Final = (
    Route(
        method="GET",
        path="/callbacks",
        needs=(Permission.SEE_CALLBACKS,),
        handle=show_open,
        summary="Call-backs that are open, oldest first",
        answer=CallbacksShown,
        errors=(503,),
    ),
    Route(
        method="GET",
        path="/callbacks/settled",
        needs=(Permission.SEE_CALLBACKS,),
        handle=show_settled,
        summary="Call-backs that are settled, latest first",
        answer=SettledPage,
        query=SettledQuery,
        errors=(400, 503),
    ),
    Route(
        method="POST",
        path="/callbacks/{call}/take",
        needs=(Permission.CALL_BACK,),
        handle=_giver(CallbackAction.TAKE),
        summary="It is one's own from now on, or another's whom one may name",
        answer=Moved,
        body=CallbackGiven,
        errors=_ERRORS,
    ),
    Route(
        method="POST",
        path="/callbacks/{call}/dial",
        needs=(Permission.CALL_BACK,),
        handle=_giver(CallbackAction.DIAL),
        summary="Ring the operator's phone, then the citizen",
        answer=Moved,
        body=CallbackGiven,
        errors=_ERRORS,
    ),
    Route(
        method="POST",
        path="/callbacks/{call}/close",
        needs=(Permission.CALL_BACK,),
        handle=close,
        summary="It is settled; say how",
        answer=Moved,
        body=CallbackOver,
        errors=_ERRORS,
    ),
)
