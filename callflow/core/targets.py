"""Finds whom an operator means: the ambulance service, an agency, a colleague, or any number outside."""

from __future__ import annotations

from callflow.core import desk
from callflow.core.city import Destination
from callflow.core.commands import Refusal
from callflow.core.facts import PartyKind, PartyMode
from callflow.core.state import Operator, Party
from callflow.core.turn import Turn

MEDICAL = "medical"
_LEAST_DIGITS = 2


def find(turn: Turn, operator: Operator, target: str, mode: PartyMode) -> Party | Refusal:
    """The party that is meant by a name, a code or a number; why there is none.

    A code or number that the centre knows is taken for what it knows: 118 is the ambulance list, not just a number.
    """
    by = operator.profile.operator
    settings = turn.ledger.settings
    if target == MEDICAL or any(target == each.number for each in settings.medical):
        if not settings.medical:
            return Refusal.UNKNOWN_TARGET
        return Party(name=MEDICAL, kind=PartyKind.MEDICAL, mode=mode, destinations=settings.medical, by=by)
    for agency in settings.agencies:
        if target in (agency.name, agency.code):
            kind = PartyKind.AGENCY
            return Party(name=agency.name, kind=kind, mode=mode, destinations=agency.destinations, by=by)
    colleague = _colleague(turn, target)
    if colleague is not None:
        free = desk.is_ready(colleague) if mode is PartyMode.DIRECT else desk.can_ring(colleague)
        if colleague.profile.operator == by or not free:
            return Refusal.TARGET_NOT_READY
        name = colleague.profile.operator
        return Party(name=name, kind=PartyKind.COLLEAGUE, mode=mode, colleague=name, by=by)
    return _number(turn, operator, target, mode)


def _colleague(turn: Turn, target: str) -> Operator | None:
    return next(
        (
            other
            for other in turn.ledger.operators()
            if other.active and target and target in (other.profile.operator, other.profile.number)
        ),
        None,
    )


def _number(turn: Turn, operator: Operator, target: str, mode: PartyMode) -> Party | Refusal:
    if not target.removeprefix("+").isdecimal() or len(target) < _LEAST_DIGITS:
        return Refusal.UNKNOWN_TARGET
    trunk = turn.ledger.settings.outside_trunk
    if trunk is None:
        return Refusal.NO_OUTSIDE_TRUNK
    destination = Destination(name=target, number=target, trunk=trunk)
    by = operator.profile.operator
    return Party(name=target, kind=PartyKind.NUMBER, mode=mode, destinations=(destination,), by=by)
