"""What a call was, as people say; the latest word counts.

An operator classifies the calls that this person served. The call in hand and the last one are known to the engine, so
that the database may be away; for an older one the record is asked. Supervisors classify any call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from callflow.core.city import Classification
from callflow.permissions import Permission
from callflow.web.api.calls import record_of, was_served_by
from callflow.web.api.operators import Moved
from callflow.web.errors import NoSuchThing
from callflow.web.routes import Asked, Route, Shape


class Classified(Shape):
    """What it was."""

    classification: Classification


async def classify_call(asked: Asked) -> Moved:
    """Classify a call that is named.

    Raises:
        NoSuchThing: there is none, or this person did not serve it; which, is not told. DatabaseAway: it is none that
            the engine knows.
    """
    who, call, given = asked.person, asked.path("call"), _given(asked)
    known = _known_calls(await asked.context.engine.snapshot())
    anybodys = who.may(Permission.CLASSIFY_ANY)
    served = who.operator is not None and who.operator in known.get(call, ())
    if not served and not (anybodys and call in known):
        served = was_served_by(await record_of(asked), who.operator)
        if not served and not anybodys:
            raise NoSuchThing("call")
    seq = await asked.context.engine.classify(given, by=who.login, call=call, operator=who.operator if served else None)
    return Moved(seq=seq)


async def classify_latest(asked: Asked) -> Moved:
    """Classify the call that an operator has in hand, or had last."""
    who, operator = asked.person, asked.path("login")
    who.acts_for(operator, Permission.CLASSIFY_ANY)
    return Moved(seq=await asked.context.engine.classify(_given(asked), by=who.login, operator=operator))


def _given(asked: Asked) -> Classification:
    body: Classified = asked.body
    return body.classification


def _known_calls(snapshot: Mapping[str, Any]) -> dict[str, set[str]]:
    """The calls that the engine knows, each with the operators who have it in hand or had it last."""
    known: dict[str, set[str]] = {call["call"]: set() for call in snapshot["calls"]}
    for operator in snapshot["operators"]:
        for call in (operator["call"], operator.get("last_call")):
            if call is not None:
                known.setdefault(call, set()).add(operator["operator"])
    return known


_MAY: Final = (Permission.CLASSIFY_OWN, Permission.CLASSIFY_ANY)
ROUTES: Final = (
    Route(
        method="POST",
        path="/calls/{call}/classification",
        needs=_MAY,
        handle=classify_call,
        summary="Say what a call was: one's own, or any with the permission",
        answer=Moved,
        body=Classified,
        errors=(404, 409, 503),
    ),
    Route(
        method="POST",
        path="/operators/{login}/classification",
        needs=_MAY,
        handle=classify_latest,
        summary="Say what the call in hand was, or the last one",
        answer=Moved,
        body=Classified,
        errors=(409, 503),
    ),
)
