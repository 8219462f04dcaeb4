"""Chooses the exit of a branch by what is known of a call at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from callflow.flows.model import (
    Branch,
    CallerKnown,
    CallerPrefix,
    Condition,
    DayOfWeek,
    Language,
    LanguageIs,
    TimeOfDay,
    Weekday,
)

_DAYS = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What a branch may ask.

    Attributes:
        caller_number: the caller's number as normalised at the edge (E.164 with +); None = unknown.
        language: the call's language.
        local_time: now, in the centre's zone.
    """

    caller_number: str | None
    language: Language
    local_time: datetime


def choose(branch: Branch, facts: CallFacts) -> str:
    """The name of the exit: of the first case whose conditions all hold, else `otherwise`."""
    for case in branch.cases:
        if all(_holds(condition, facts) for condition in case.when):
            return case.exit
    return "otherwise"


def _holds(condition: Condition, facts: CallFacts) -> bool:
    match condition:
        case CallerKnown():
            return condition.known == (facts.caller_number is not None)
        case CallerPrefix():
            return facts.caller_number is not None and facts.caller_number.startswith(condition.prefixes)
        case TimeOfDay():
            minute = facts.local_time.hour * 60 + facts.local_time.minute
            if condition.from_minute < condition.to_minute:
                return condition.from_minute <= minute < condition.to_minute
            return minute >= condition.from_minute or minute < condition.to_minute
        case DayOfWeek():
            return _DAYS[facts.local_time.weekday()] in condition.days
        case LanguageIs():
            return condition.language == facts.language
        case _:
            assert_never(condition)
