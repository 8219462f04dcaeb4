"""Finds what does not fit together in a centre document whose parts are each right: names, codes, references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from callflow.flows.model import Tier

if TYPE_CHECKING:
    from callflow.centre.document import CentreDocument

MEDICAL: Final = "medical"
"""What operators and the API call the ambulance list."""
TAKEN_PAUSES: Final = frozenset({"pause"})
"""A pause without a reason."""


def problems_of(document: CentreDocument) -> Iterator[str]:
    """Every problem, each a line that names its place and what is wrong there."""
    yield from _repeated(document)
    yield from _trunks(document)
    yield from _codes(document)
    yield from _people(document)
    yield from _policies(document)
    yield from _shifts(document)


def _twice(what: str, names: Iterable[Hashable]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{what} '{name}' stands twice"


def _repeated(document: CentreDocument) -> Iterator[str]:
    yield from _twice("trunk", (trunk.name for trunk in document.trunks))
    yield from _twice("operator", (operator.login for operator in document.operators))
    yield from _twice("agency", (agency.name for agency in document.agencies))
    yield from _twice("pause_reasons: key", (reason.key for reason in document.pause_reasons))
    yield from _twice("pause_reasons: name", (reason.name for reason in document.pause_reasons))
    yield from _twice("queue.tiers: tier", (tier.name for tier in document.queue.tiers))
    yield from _twice("shift", (shift.name for shift in document.shifts))
    yield from _twice("holiday", (holiday.date for holiday in document.holidays))
    yield from _twice(
        "roster_exceptions: the exception", (f"{each.date} {each.shift}" for each in document.roster_exceptions)
    )


def _trunks(document: CentreDocument) -> Iterator[str]:
    if not any(trunk.match for trunk in document.trunks):
        yield "no trunk has a 'match' address: no call could come in"
    for trunk in document.trunks:
        if trunk.qualify and not trunk.host:
            yield f"trunk {trunk.name!r}: 'qualify' asks its host whether it is there, and it has no host"
        if trunk.verified and not trunk.match:
            yield f"trunk {trunk.name!r}: 'verified' is about callers' numbers, and without 'match' it brings no calls"
    known = {trunk.name for trunk in document.trunks}
    dialled = {trunk.name for trunk in document.trunks if trunk.host}
    for place, trunk_name in _dialled_through(document):
        if trunk_name not in known:
            yield f"{place} goes through trunk {trunk_name!r}, which there is not"
        elif trunk_name not in dialled:
            yield f"{place} goes through trunk {trunk_name!r}, which has no host to dial"


def _dialled_through(document: CentreDocument) -> Iterator[tuple[str, str]]:
    """Every place that dials outside, and its trunk."""
    for entry in document.medical:
        yield f"medical: {entry.name!r}", entry.trunk
    for entry in document.last_resort:
        yield f"last_resort: {entry.name!r}", entry.trunk
    for agency in document.agencies:
        for entry in agency.destinations:
            yield f"agency {agency.name!r}: {entry.name!r}", entry.trunk
    if document.centre.outside_trunk is not None:
        yield "centre.outside_trunk", document.centre.outside_trunk


def _codes(document: CentreDocument) -> Iterator[str]:
    """Whatever is dialled behind a feature code means one thing."""
    holders: dict[str, list[str]] = {}
    for number in dict.fromkeys(entry.number for entry in document.medical):
        holders.setdefault(number, []).append("the medical list")
    for agency in document.agencies:
        holders.setdefault(agency.code, []).append(f"agency {agency.name!r}")
    for operator in document.operators:
        if operator.number is not None:
            holders.setdefault(operator.number, []).append(f"operator {operator.login!r}")
    for code, names in holders.items():
        if len(names) > 1:
            yield f"{code} is dialled for {' and for '.join(names)}: each needs a code of its own"
    logins = {operator.login for operator in document.operators}
    for agency in document.agencies:
        if agency.name == MEDICAL:
            yield f"agency {agency.name!r}: that name is the ambulance list's; write [[medical]] entries"
        if agency.name in logins:
            yield f"agency {agency.name!r} has the name of an operator's login: each needs a name of its own"


def _people(document: CentreDocument) -> Iterator[str]:
    agencies = {agency.name for agency in document.agencies}
    for operator in document.operators:
        if operator.agency is not None and operator.agency not in agencies:
            yield f"operator {operator.login!r} is of agency {operator.agency!r}, which there is not"
    for reason in document.pause_reasons:
        if reason.name in TAKEN_PAUSES:
            yield f"pause_reasons: {reason.name!r} is a pause of callflow's own; choose another name"


def _policies(document: CentreDocument) -> Iterator[str]:
    tiers = {tier.name: tier for tier in document.queue.known_tiers()}
    urgent = tiers[Tier.GAWAT_DARURAT]
    for tier in tiers.values():
        if tier.priority < urgent.priority:
            yield f"queue.tiers: {tier.name!r} goes before {urgent.name!r}; emergencies go first (lower priority first)"
        if tier.skill_relax_seconds > tier.everyone_after_seconds:
            yield f"queue.tiers: {tier.name!r} waits for a skill longer than until everyone is rung"


def _shifts(document: CentreDocument) -> Iterator[str]:
    logins = {operator.login for operator in document.operators}
    shifts = {shift.name for shift in document.shifts}
    for shift in document.shifts:
        place = f"shift {shift.name!r}"
        yield from _staff(place, shift.operators, logins)
        if shift.seats is not None and shift.seats > len(shift.operators):
            yield f"{place} has {shift.seats} seats and {len(shift.operators)} operators to fill them"
    for exception in document.roster_exceptions:
        place = f"roster_exceptions: {exception.date}"
        if exception.shift not in shifts:
            yield f"{place} is about shift {exception.shift!r}, which there is not"
        yield from _staff(place, exception.operators, logins)


def _staff(place: str, operators: tuple[str, ...], logins: set[str]) -> Iterator[str]:
    for login, times in Counter(operators).items():
        if login not in logins:
            yield f"{place} names operator {login!r}, whom there is not"
        if times > 1:
            yield f"{place} names operator {login!r} twice"
