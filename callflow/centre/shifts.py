"""The roster as a person writes it: shifts by days and hours of the centre's zone, holidays, exceptions."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from callflow.centre.fields import Day, DaysOfWeek, MinuteOfDay, Slug, Table
from callflow.core import city
from callflow.core.ids import OperatorId


class Shift(Table):
    """A shift that comes round with the week; see `callflow.core.city.Shift`.

    Attributes:
        days: of the week, on which it begins.
        from_minute, to_minute: `from` and `to` in the document; one that ends no later than it begins goes past
            midnight.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True)

    name: Slug
    days: DaysOfWeek
    from_minute: MinuteOfDay = Field(alias="from")
    to_minute: MinuteOfDay = Field(alias="to")
    operators: tuple[Slug, ...] = Field(min_length=1)
    on_holidays: bool = True
    seats: int | None = Field(default=None, ge=1)


class Holiday(Table):
    """A day on which shifts with `on_holidays = false` do not take place."""

    date: Day
    name: str = Field(min_length=1)


class RosterException(Table):
    """On this date other people have the shift; nobody = it does not take place."""

    date: Day
    shift: Slug
    operators: tuple[Slug, ...]


def roster_of(
    shifts: tuple[Shift, ...], exceptions: tuple[RosterException, ...], holidays: tuple[Holiday, ...]
) -> city.Roster:
    """The roster as the core knows it."""
    return city.Roster(
        shifts=tuple(
            city.Shift(
                name=shift.name,
                days=shift.days,
                from_minute=shift.from_minute,
                to_minute=shift.to_minute,
                operators=_ids(shift.operators),
                on_holidays=shift.on_holidays,
                seats=shift.seats,
            )
            for shift in shifts
        ),
        exceptions=tuple(
            city.ShiftException(day=each.date, shift=each.shift, operators=_ids(each.operators)) for each in exceptions
        ),
        holidays=tuple(city.Holiday(day=each.date, name=each.name) for each in holidays),
    )


def _ids(logins: tuple[str, ...]) -> tuple[OperatorId, ...]:
    return tuple(OperatorId(login) for login in logins)
