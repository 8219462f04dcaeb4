"""What an operator asks for about the call in hand: parties beside the caller, consultations, leaving, the end."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from callflow.core.requests import TalkAction
from callflow.permissions import Permission
from callflow.web.api.operators import Moved
from callflow.web.routes import Asked, Route, Shape

_TELEPHONE: Final = re.compile(r"[+0-9][0-9 ().-]*")


def _undecorated(target: str) -> str:
    """A telephone number as people write it, `0812-3456 789`, without what is between its digits."""
    return re.sub(r"[ ().-]", "", target) if _TELEPHONE.fullmatch(target) else target


class Talk(Shape):
    """An action, and who is meant by it.

    `target`: `medical`, an agency's name or code, a colleague's login or number, or a telephone number.
    """

    action: TalkAction
    target: Annotated[str, AfterValidator(_undecorated), Field(max_length=64, pattern=r"^[A-Za-z0-9+ ().\-]*$")] = ""


async def ask(asked: Asked) -> Moved:
    """Ask for it: oneself, or a supervisor in the operator's place, who is named in the journal."""
    who, operator = asked.person, asked.path("login")
    for_another = who.acts_for(operator, Permission.MOVE_OTHERS)
    given: Talk = asked.body
    seq = await asked.context.engine.talk(operator, given.action, given.target, by=who.login if for_another else "")
    return Moved(seq=seq)


ROUTES: Final = (
    Route(
        method="POST",
        path="/operators/{login}/talk",
        needs=(Permission.TALK_ONESELF, Permission.MOVE_OTHERS),
        handle=ask,
        summary="Bring a party into the call in hand, consult, merge, leave, transfer, challenge or end it",
        answer=Moved,
        body=Talk,
        errors=(409, 503),
    ),
)
