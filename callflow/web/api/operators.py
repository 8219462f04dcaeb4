"""Operators as they are now, and their moves: oneself, or others where a supervisor does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from pydantic import Field

from callflow.core.states import OperatorState
from callflow.engine.client import Verb
from callflow.permissions import Permission
from callflow.web.routes import Asked, Route, Shape


class OperatorShown(Shape):
    """An operator now; `online` = the phone is registered, `agency` '' = a person of the centre's own."""

    operator: str
    name: str
    endpoint: str | None = None
    state: OperatorState
    since: datetime
    reason: str
    online: bool
    call: str | None
    skills: list[str]
    agency: str = ""
    last_call: str | None = None


class OperatorsShown(Shape):
    """All operators, as of the journal's number `seq`."""

    seq: int
    operators: list[OperatorShown]


class Move(Shape):
    """Why paused: the name or key of one of the reasons that GET /codes tells; the other moves need none."""

    reason: str = Field(default="", max_length=64)


class Moved(Shape):
    """It is done and on disk, as the journal's number `seq`."""

    seq: int


async def show_all(asked: Asked) -> OperatorsShown:
    """The operators now."""
    snapshot = await asked.context.engine.snapshot()
    fields = OperatorShown.model_fields
    operators = [{name: entry[name] for name in fields if name in entry} for entry in snapshot["operators"]]
    return OperatorsShown(seq=snapshot["seq"], operators=[OperatorShown.model_validate(entry) for entry in operators])


def _mover(verb: Verb) -> Callable[[Asked], Awaitable[Moved]]:
    async def move(asked: Asked) -> Moved:
        who, operator = asked.person, asked.path("login")
        who.acts_for(operator, Permission.MOVE_OTHERS)
        approves = who.may(Permission.MOVE_OTHERS)
        body: Move = asked.body
        seq = await asked.context.engine.request(
            verb,
            operator,
            reason=body.reason if verb == "pause" else None,
            approved_by=who.login if approves and verb in ("sign_out", "pause") else None,
        )
        return Moved(seq=seq)

    return move


def _move(path: str, verb: Verb, summary: str) -> Route:
    return Route(
        method="POST",
        path=f"/operators/{{login}}/{path}",
        needs=(Permission.MOVE_ONESELF, Permission.MOVE_OTHERS),
        handle=_mover(verb),
        summary=summary,
        answer=Moved,
        body=Move,
        errors=(409, 503),
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/operators",
        needs=(Permission.SEE_OPERATORS,),
        handle=show_all,
        summary="Operators now",
        answer=OperatorsShown,
        errors=(503,),
    ),
    _move("sign-in", "sign_in", "Begin to take calls"),
    _move("sign-out", "sign_out", "Take no more calls; refused to the last one present unless a supervisor does it"),
    _move("pause", "pause", "Take a break; refused to the last one present unless a supervisor does it"),
    _move("resume", "resume", "Come back from a break"),
)
