"""A branch takes the first case whose conditions all hold."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from callflow.flows.facts import CallFacts, choose
from callflow.flows.model import (
    Branch,
    CallerKnown,
    CallerPrefix,
    Case,
    Condition,
    DayOfWeek,
    Language,
    LanguageIs,
    NodeName,
    TimeOfDay,
    Weekday,
)

MAKASSAR = ZoneInfo("Asia/Makassar")


def facts(*, caller: str | None = "+6281234567890", at: str = "2026-11-23 12:00", language: str = "id") -> CallFacts:
    local_time = datetime.fromisoformat(at).replace(tzinfo=MAKASSAR)
    return CallFacts(caller_number=caller, language=Language(language), local_time=local_time)


def branch(*when: Condition) -> Branch:
    case = Case(exit="yes", when=when, to=NodeName("a"))
    return Branch(name=NodeName("b"), cases=(case,), otherwise=NodeName("c"))


DAY = TimeOfDay(from_minute=6 * 60, to_minute=18 * 60)
NIGHT = TimeOfDay(from_minute=22 * 60, to_minute=6 * 60)
WEEKEND = DayOfWeek(days=(Weekday.SATURDAY, Weekday.SUNDAY))


@pytest.mark.parametrize(
    ("condition", "known", "holds"),
    [
        (CallerKnown(known=True), facts(), True),
        (CallerKnown(known=True), facts(caller=None), False),
        (CallerKnown(known=False), facts(caller=None), True),
        (CallerPrefix(prefixes=("+62370", "+62812")), facts(), True),
        (CallerPrefix(prefixes=("+62370",)), facts(), False),
        (CallerPrefix(prefixes=("+62",)), facts(caller=None), False),
        (DAY, facts(at="2026-11-23 06:00"), True),
        (DAY, facts(at="2026-11-23 17:59:59"), True),
        (DAY, facts(at="2026-11-23 18:00"), False),
        (DAY, facts(at="2026-11-23 05:59:59"), False),
        (NIGHT, facts(at="2026-11-23 22:00"), True),
        (NIGHT, facts(at="2026-11-23 00:00"), True),
        (NIGHT, facts(at="2026-11-23 05:59:59"), True),
        (NIGHT, facts(at="2026-11-23 06:00"), False),
        (NIGHT, facts(at="2026-11-23 21:59"), False),
        (WEEKEND, facts(at="2026-11-21 12:00"), True),
        (WEEKEND, facts(at="2026-11-23 12:00"), False),
        (LanguageIs(language=Language("en")), facts(language="en"), True),
        (LanguageIs(language=Language("en")), facts(), False),
    ],
)
def test_case_is_taken_when_its_condition_holds(condition: Condition, known: CallFacts, holds: bool) -> None:
    assert choose(branch(condition), known) == ("yes" if holds else "otherwise")


def test_otherwise_is_taken_when_only_one_of_two_conditions_holds() -> None:
    assert choose(branch(CallerKnown(known=True), NIGHT), facts()) == "otherwise"


def test_first_case_is_taken_when_two_hold() -> None:
    first = Case(exit="first", when=(CallerKnown(known=True),), to=NodeName("a"))
    second = Case(exit="second", when=(DAY,), to=NodeName("a"))
    both = Branch(name=NodeName("b"), cases=(first, second), otherwise=NodeName("c"))
    assert choose(both, facts()) == "first"
