"""Reads the roster: which shifts run at a moment, who is expected, and when that changes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from callflow.core.city import Roster, Shift
from callflow.core.ids import OperatorId

LOOK_AHEAD_DAYS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One shift on one day; `begins` and `ends` in UTC.

    Attributes:
        expected: who is to be there. seats: how many of them must be.
    """

    shift: str
    begins: datetime
    ends: datetime
    expected: tuple[OperatorId, ...]
    seats: int


def sittings(roster: Roster, zone: str, at: datetime) -> tuple[Sitting, ...]:
    """The shifts that run at this moment."""
    return tuple(one for one in _around(roster, zone, at, days=0) if one.begins <= at < one.ends)


def next_change(roster: Roster, zone: str, at: datetime) -> datetime | None:
    """The next begin or end of any shift after this moment; None when none is planned in the next days.

    It looks LOOK_AHEAD_DAYS ahead, one more than the week in which every rule comes round: ask again at least daily
    where exceptions, or holidays, may lie further on.
    """
    ahead = _around(roster, zone, at, days=LOOK_AHEAD_DAYS)
    return min((edge for one in ahead for edge in (one.begins, one.ends) if edge > at), default=None)


def next_sitting(roster: Roster, zone: str, at: datetime) -> Sitting | None:
    """The shift that begins next after this moment; None when none begins in the next days."""
    ahead = (one for one in _around(roster, zone, at, days=LOOK_AHEAD_DAYS) if one.begins > at)
    return min(ahead, key=lambda one: (one.begins, one.shift), default=None)


def _around(roster: Roster, zone: str, at: datetime, *, days: int) -> Iterator[Sitting]:
    """Every shift from the day before this moment to `days` after it, in the zone's days.

    The day before, because a shift past midnight belongs to the day on which it begins.
    """
    today = at.astimezone(ZoneInfo(zone)).date()
    for offset in range(-1, days + 1):
        day = today + timedelta(days=offset)
        for shift in roster.shifts:
            sitting = _on(roster, zone, shift, day)
            if sitting is not None:
                yield sitting


def _on(roster: Roster, zone: str, shift: Shift, day: date) -> Sitting | None:
    exception = next((each for each in roster.exceptions if (each.day, each.shift) == (day, shift.name)), None)
    if exception is not None:
        expected = exception.operators
    elif day.weekday() not in shift.days or (not shift.on_holidays and any(h.day == day for h in roster.holidays)):
        return None
    else:
        expected = shift.operators
    if not expected:
        return None
    last = day if shift.to_minute > shift.from_minute else day + timedelta(days=1)
    begins, ends = _moment(day, shift.from_minute, zone), _moment(last, shift.to_minute, zone)
    if begins >= ends:  # all of it lies in the hour that clocks leave out
        return None
    seats = len(expected) if shift.seats is None else min(shift.seats, len(expected))
    return Sitting(
        shift=shift.name,
        begins=begins,
        ends=ends,
        expected=expected,
        seats=seats,
    )


def _moment(day: date, minute: int, zone: str) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone)).astimezone(UTC)
