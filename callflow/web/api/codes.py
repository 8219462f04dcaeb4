"""What an operator can choose from: feature codes of any phone, reasons to pause, agencies."""

from __future__ import annotations

from typing import Final

from callflow.core.codes import CODES, Argument
from callflow.permissions import Permission
from callflow.web.routes import Asked, Route, Shape


class CodeShown(Shape):
    """A feature code: the star and two digits, and whether an argument follows."""

    digits: str
    action: str
    argument: Argument
    target: str
    label_id: str
    label_en: str


class PauseReasonShown(Shape):
    """A reason to pause; `key` is dialled after the pause code, `name` is what POST …/pause takes."""

    key: str
    name: str
    label_id: str
    label_en: str


class AgencyShown(Shape):
    """A service that can be joined to a call; `name` or `code` is the target."""

    name: str
    label: str
    code: str


class ChoicesShown(Shape):
    """All of them; the ambulance service stands first among the agencies."""

    codes: list[CodeShown]
    pause_reasons: list[PauseReasonShown]
    agencies: list[AgencyShown]


_CODES: Final = [
    CodeShown(
        digits=code.digits,
        action=code.action,
        argument=code.argument,
        target=code.target,
        label_id=code.label.id,
        label_en=code.label.en,
    )
    for code in CODES.values()
]


async def show(asked: Asked) -> ChoicesShown:
    """The codes of this version, and the centre's reasons and agencies now."""
    snapshot = await asked.context.engine.snapshot()
    return ChoicesShown(
        codes=_CODES,
        pause_reasons=[PauseReasonShown.model_validate(reason) for reason in snapshot["pause_reasons"]],
        agencies=[AgencyShown.model_validate(agency) for agency in snapshot["agencies"]],
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/codes",
        needs=(Permission.SIGNED_IN,),
        handle=show,
        summary="Feature codes, reasons to pause, agencies",
        answer=ChoicesShown,
        errors=(503,),
    ),
)
