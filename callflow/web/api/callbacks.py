"""Call-backs of abandoned calls: the open ones, which the engine keeps, and what a person does about one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from pydantic import Field

from callflow.core.commands import Refusal
from callflow.core.events import CallbackAction, CallbackOutcome
from callflow.engine.client import RequestRefused
from callflow.permissions import Permission
from callflow.web.api.operators import Moved
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
