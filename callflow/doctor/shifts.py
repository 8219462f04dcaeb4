"""Is somebody expected at every hour of the coming week, and somebody for the medical branch among them?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from callflow.centre import CentreDocument, load_centre
from callflow.core.ids import OperatorId
from callflow.core.roster import next_change, sittings
from callflow.doctor.finding import Finding, Patient, ok, warn
from callflow.errors import ConfigurationError

AHEAD: Final = timedelta(days=7)
Span = tuple[datetime, datetime]


async def roster(patient: Patient) -> list[Finding]:
    """Whether the roster has a hole in the coming days; silent where the document is wrong, which is told already."""
    try:
        document = load_centre(patient.settings.centre_path)
    except ConfigurationError:
        return []
    return examine_roster(document, datetime.now(UTC))


def examine_roster(document: CentreDocument, at: datetime) -> list[Finding]:
    """What there is to say of the roster from this moment on."""
    if not document.shifts:
        what = "no shifts: nobody is expected, so no seat that stays empty can raise an alarm"
        return [warn("roster", what, "add [[shifts]], see docs/INSTALL.md")]
    findings = []
    holes = spans(document, at, lambda expected: not expected)
    if holes:
        what = f"nobody is expected {_told(holes, document.centre.zone)}"
        findings.append(warn("roster", what, "add people or shifts, or mend the exceptions, for those hours"))
    skill = document.queue.medical_skill
    skilled = {OperatorId(operator.login) for operator in document.operators if skill in operator.skills}
    unskilled = spans(document, at, lambda expected: bool(expected) and not expected & skilled)
    if unskilled:
        what = f"nobody with the skill {skill!r} is expected {_told(unskilled, document.centre.zone)}"
        remedy = (
            "plan somebody with it; until then whoever is free takes medical calls, or the ambulance service itself"
        )
        findings.append(warn("roster", what, remedy))
    return findings or [ok("roster", f"{len(document.shifts)} shifts, without a hole in the next {AHEAD.days} days")]


def spans(document: CentreDocument, at: datetime, lacks: Callable[[frozenset[OperatorId]], bool]) -> list[Span]:
    """The times in the coming days at which those who are expected lack something, as few and as long as can be."""
    found: list[Span] = []
    for begins, ends, expected in _plan(document, at):
        if not lacks(expected):
            continue
        one_more = found and found[-1][1] == begins
        found.append((found.pop()[0] if one_more else begins, ends))
    return found


def _plan(document: CentreDocument, at: datetime) -> Iterator[tuple[datetime, datetime, frozenset[OperatorId]]]:
    """Between each change of the roster and the next one: who is expected."""
    planned, zone, until = document.roster(), document.centre.zone, at + AHEAD
    while at < until:
        ends = min(next_change(planned, zone, at) or until, until)
        yield at, ends, frozenset(name for sitting in sittings(planned, zone, at) for name in sitting.expected)
        at = ends


def _told(times: list[Span], zone: str) -> str:
    begins, ends = (moment.astimezone(ZoneInfo(zone)) for moment in times[0])
    more = f", and {len(times) - 1} more times in the next {AHEAD.days} days" if len(times) > 1 else ""
    return f"from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}{more}"
