"""Who is expected at work and who is there: the shifts that run now, and the next one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from callflow.permissions import Permission
from callflow.web.routes import Asked, Route, Shape


class ShiftNow(Shape):
    """A shift that runs: who is expected, and who of them is there, by login."""

    shift: str
    until: datetime
    expected: list[str]
    present: list[str]


class ShiftNext(Shape):
    """The shift that begins next."""

    shift: str
    at: datetime
    expected: list[str]


class RosterShown(Shape):
    """The roster as of the journal's number `seq`; `next` null = no shift is to come."""

    seq: int
    now: list[ShiftNow]
    next: ShiftNext | None


async def show(asked: Asked) -> RosterShown:
    """Who is expected and who is there."""
    snapshot = await asked.context.engine.snapshot()
    roster = snapshot["roster"]
    return RosterShown(
        seq=snapshot["seq"],
        now=[ShiftNow.model_validate(shift) for shift in roster["now"]],
        next=None if roster["next"] is None else ShiftNext.model_validate(roster["next"]),
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/roster",
        needs=(Permission.SEE_ROSTER,),
        handle=show,
        summary="Who is expected, who is there, and the next shift",
        answer=RosterShown,
        errors=(503,),
    ),
)
