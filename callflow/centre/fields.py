"""Reads single values of the centre document, and says of a wrong one what it should look like."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from ipaddress import ip_network
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from callflow.flows.model import Weekday

_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Table(BaseModel):
    """A table of the document: what it does not know is a problem, and nothing changes it once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _written(pattern: str, what: str) -> Callable[[str], str]:
    whole = re.compile(pattern)

    def check(text: str) -> str:
        if not whole.fullmatch(text):
            raise ValueError(f"{text!r} is not {what}")
        return text

    return check


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone; write for example Asia/Jakarta") from error
    return name


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        ip_network(value)
    return values


def _minute_of_day(value: Any) -> Any:
    """Minutes since midnight, of `07:00` as text or as TOML's own time; midnight at a day's end may be 24:00."""
    if isinstance(value, time) and value == value.replace(second=0, microsecond=0):
        return value.hour * 60 + value.minute
    if value == "24:00":
        return 0
    if isinstance(value, str) and (parts := _TIME_OF_DAY.fullmatch(value)):
        return int(parts[1]) * 60 + int(parts[2])
    raise ValueError(f"{value!s:.20} is no time of day; write for example '07:00'")


def _days_of_week(value: Any) -> Any:
    """The days' numbers, 0 = Monday."""
    every = list(Weekday)
    if value == "daily":
        return frozenset(range(len(every)))
    if isinstance(value, list) and value and all(day in every for day in value) and len(set(value)) == len(value):
        return frozenset(every.index(day) for day in value)
    raise ValueError(f'write "daily", or a list of days, each once: {", ".join(every)}')


def _day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{value!s:.30} is no date; write for example 2026-08-17") from error


Slug = Annotated[
    str, AfterValidator(_written(r"[a-z][a-z0-9-]{0,30}", "a name of at most 31: a-z, 0-9 and '-', a letter first"))
]
Number = Annotated[
    str, AfterValidator(_written(r"\+?[0-9]{2,20}", "a number: 2 to 20 digits, with + before an E.164 number"))
]
Code = Annotated[str, AfterValidator(_written(r"[0-9]{2,20}", "what a person can dial: 2 to 20 digits"))]
"""What operators dial behind a feature code."""
Key = Annotated[str, AfterValidator(_written(r"[0-9]", "one digit"))]
RegionCode = Annotated[
    str, AfterValidator(_written(r"[0-9]{2}(\.[0-9]{2,4}){0,3}", "a code of Kemendagri's, for example 35.10"))
]
Zone = Annotated[str, AfterValidator(_known_zone)]
Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]
MinuteOfDay = Annotated[int, BeforeValidator(_minute_of_day)]
DaysOfWeek = Annotated[frozenset[int], BeforeValidator(_days_of_week)]
Day = Annotated[date, BeforeValidator(_day)]
