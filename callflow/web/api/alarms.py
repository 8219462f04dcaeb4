"""Alarms that stand now."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from callflow.permissions import Permission
from callflow.web.lens import Lens
from callflow.web.routes import Asked, Route, Shape


class AlarmShown(Shape):
    """Something that needs a person's eye, since a time."""

    kind: str
    subject: str
    detail: str
    since: datetime


class AlarmsShown(Shape):
    """All of them, as of the journal's number `seq`."""

    seq: int
    alarms: list[AlarmShown]


async def show_all(asked: Asked) -> AlarmsShown:
    """The alarms that stand."""
    snapshot = await asked.context.engine.snapshot()
    alarms = Lens.of(asked.person).snapshot(snapshot)["alarms"]
    return AlarmsShown(seq=snapshot["seq"], alarms=[AlarmShown.model_validate(alarm) for alarm in alarms])


ROUTES: Final = (
    Route(
        method="GET",
        path="/alarms",
        needs=(Permission.SEE_ALARMS,),
        handle=show_all,
        summary="Alarms that stand now",
        answer=AlarmsShown,
        errors=(503,),
    ),
)
