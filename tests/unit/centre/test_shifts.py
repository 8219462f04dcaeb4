"""The roster of a whole document, as the core knows it, and what is wrong with one."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from callflow.centre import parse_centre
from callflow.core.city import Holiday, Roster, Shift, ShiftException
from callflow.core.ids import OperatorId
from callflow.core.roster import sittings

from .documents import ketapang, problems, with_change

ANI, BUDI, CITRA = OperatorId("ani"), OperatorId("budi"), OperatorId("citra")
DAILY = frozenset(range(7))


def test_roster_is_as_the_core_knows_it_when_the_document_is_right() -> None:
    assert ketapang().roster() == Roster(
        shifts=(
            Shift(name="pagi", days=DAILY, from_minute=420, to_minute=840, operators=(ANI, BUDI), seats=1),
            Shift(
                name="siang",
                days=frozenset(range(5)),
                from_minute=840,
                to_minute=1260,
                operators=(BUDI,),
                on_holidays=False,
            ),
            Shift(name="malam", days=DAILY, from_minute=1260, to_minute=420, operators=(CITRA,)),
        ),
        exceptions=(
            ShiftException(day=date(2026, 8, 17), shift="pagi", operators=(CITRA,)),
            ShiftException(day=date(2026, 8, 18), shift="siang", operators=()),
        ),
        holidays=(Holiday(day=date(2026, 8, 17), name="Hari Kemerdekaan"),),
    )


def test_shift_ends_at_midnight_when_the_document_says_24() -> None:
    roster = parse_centre(with_change('to = "21:00"', 'to = "24:00"'), "centre.toml").roster()
    late = datetime(2026, 1, 5, 16, 59, tzinfo=UTC)  # 23:59 in Pontianak
    assert [sitting.shift for sitting in sittings(roster, "Asia/Pontianak", late)] == ["siang", "malam"]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('from = "07:00"', 'from = "7:00"', "shifts[0].from: 7:00 is no time of day; write for example '07:00'"),
        ('from = "07:00"', 'from = "25:00"', "shifts[0].from: 25:00 is no time of day; write for example '07:00'"),
        ('to = "14:00"', "to = 14", "shifts[0].to: 14 is no time of day; write for example '07:00'"),
        ("from = 14:00:00", "from = 14:00:30", "shifts[1].from: 14:00:30 is no time of day; write for example '07:00'"),
        (
            'days = "daily"',
            'days = ["senin"]',
            'shifts[0].days: write "daily", or a list of days, each once: mon, tue, wed, thu, fri, sat, sun',
        ),
        (
            'days = "daily"',
            'days = ["mon", "mon"]',
            'shifts[0].days: write "daily", or a list of days, each once: mon, tue, wed, thu, fri, sat, sun',
        ),
        (
            'days = "daily"',
            "days = []",
            'shifts[0].days: write "daily", or a list of days, each once: mon, tue, wed, thu, fri, sat, sun',
        ),
        (
            "date = 2026-08-17",
            'date = "17-08-2026"',
            "holidays[0].date: 17-08-2026 is no date; write for example 2026-08-17",
        ),
        ("date = 2026-08-17", "date = 20260817", "holidays[0].date: 20260817 is no date; write for example 2026-08-17"),
        (
            "date = 2026-08-17",
            "date = 2026-08-17T07:00:00",
            "holidays[0].date: 2026-08-17 07:00:00 is no date; write for example 2026-08-17",
        ),
        ("seats = 1", "seats = 0", "shifts[0].seats: Input should be greater than or equal to 1"),
        ("seats = 1", "seats = 3", "shift 'pagi' has 3 seats and 2 operators to fill them"),
        (
            'operators = ["ani", "budi"]',
            'operators = ["ani", "dedi"]',
            "shift 'pagi' names operator 'dedi', whom there is not",
        ),
        ('operators = ["ani", "budi"]', 'operators = ["ani", "ani"]', "shift 'pagi' names operator 'ani' twice"),
        ('name = "malam"', 'name = "pagi"', "shift 'pagi' stands twice"),
        (
            'shift = "siang"',
            'shift = "sore"',
            "roster_exceptions: 2026-08-18 is about shift 'sore', which there is not",
        ),
        (
            'shift = "pagi"\noperators = ["citra"]',
            'shift = "pagi"\noperators = ["dedi"]',
            "roster_exceptions: 2026-08-17 names operator 'dedi', whom there is not",
        ),
        (
            'date = "2026-08-18"\nshift = "siang"',
            'date = 2026-08-17\nshift = "pagi"',
            "roster_exceptions: the exception '2026-08-17 pagi' stands twice",
        ),
        (
            "[[roster_exceptions]]\ndate = 2026-08-17",
            '[[holidays]]\ndate = 2026-08-17\nname = "HUT RI"\n[[roster_exceptions]]\ndate = 2026-08-17',
            "holiday '2026-08-17' stands twice",
        ),
    ],
)
def test_problem_says_what_is_wrong_when_the_roster_is(before: str, after: str, problem: str) -> None:
    assert problems(with_change(before, after)) == [problem]


def test_shift_needs_people_when_it_is_written_down() -> None:
    (problem,) = problems(with_change('operators = ["ani", "budi"]\nseats = 1', "operators = []"))
    assert problem.startswith("shifts[0].operators: ")
