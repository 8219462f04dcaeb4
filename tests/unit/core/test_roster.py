"""Which shifts run at a moment: rules, nights, holidays, exceptions, clocks that change, and what holds for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.city import Holiday, Roster, Shift, ShiftException
from callflow.core.ids import OperatorId
from callflow.core.roster import LOOK_AHEAD_DAYS, Sitting, next_change, next_sitting, sittings

ZONE = "Asia/Jakarta"
ANI, BUDI, CITRA = OperatorId("ani"), OperatorId("budi"), OperatorId("citra")
EVERY_DAY = frozenset(range(7))
MONDAY = date(2026, 1, 5)

MORNING = Shift(name="pagi", days=EVERY_DAY, from_minute=7 * 60, to_minute=14 * 60, operators=(ANI, BUDI))
AFTERNOON = Shift(name="siang", days=EVERY_DAY, from_minute=14 * 60, to_minute=21 * 60, operators=(BUDI, CITRA))
NIGHT = Shift(name="malam", days=EVERY_DAY, from_minute=21 * 60, to_minute=7 * 60, operators=(CITRA,))
THREE_SHIFTS = Roster(shifts=(MORNING, AFTERNOON, NIGHT))


def local(day: date, hour: int, minute: int = 0, zone: str = ZONE) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def running(roster: Roster, at: datetime, zone: str = ZONE) -> list[str]:
    return [sitting.shift for sitting in sittings(roster, zone, at)]


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (6, 59, "malam"),
        (7, 0, "pagi"),
        (13, 59, "pagi"),
        (14, 0, "siang"),
        (20, 59, "siang"),
        (21, 0, "malam"),
        (0, 0, "malam"),
    ],
)
def test_each_hour_has_its_shift_when_three_go_round_the_clock(hour: int, minute: int, expected: str) -> None:
    assert running(THREE_SHIFTS, local(MONDAY, hour, minute)) == [expected]


def test_sitting_tells_people_seats_and_utc_times_when_it_runs() -> None:
    assert sittings(THREE_SHIFTS, ZONE, local(MONDAY, 8)) == (
        Sitting(
            shift="pagi",
            begins=datetime(2026, 1, 5, 0, tzinfo=UTC),
            ends=datetime(2026, 1, 5, 7, tzinfo=UTC),
            expected=(ANI, BUDI),
            seats=2,
        ),
    )


def test_night_belongs_to_the_day_on_which_it_begins_when_it_passes_midnight() -> None:
    fridays = Roster(shifts=(replace(NIGHT, days=frozenset({4})),))
    friday = MONDAY + timedelta(days=4)
    assert running(fridays, local(friday, 22)) == ["malam"]
    assert running(fridays, local(friday + timedelta(days=1), 6, 59)) == ["malam"]
    assert running(fridays, local(friday, 6)) == []
    assert running(fridays, local(friday + timedelta(days=1), 22)) == []


def test_shift_lasts_a_day_when_it_ends_at_the_minute_at_which_it_begins() -> None:
    duty = Roster(shifts=(replace(MORNING, days=frozenset({0}), to_minute=MORNING.from_minute),))
    (sitting,) = sittings(duty, ZONE, local(MONDAY, 7))
    assert sitting.ends - sitting.begins == timedelta(days=1)


def test_both_run_when_two_shifts_overlap() -> None:
    reinforcement = replace(MORNING, name="sibuk", from_minute=9 * 60, to_minute=16 * 60)
    roster = Roster(shifts=(MORNING, AFTERNOON, reinforcement))
    assert running(roster, local(MONDAY, 10)) == ["pagi", "sibuk"]
    assert running(roster, local(MONDAY, 15)) == ["siang", "sibuk"]


def test_holiday_lets_only_those_shifts_run_that_know_no_holidays() -> None:
    office = replace(MORNING, name="kantor", on_holidays=False)
    roster = Roster(shifts=(MORNING, office), holidays=(Holiday(day=MONDAY, name="Tahun baru"),))
    assert running(roster, local(MONDAY, 8)) == ["pagi"]
    assert running(roster, local(MONDAY + timedelta(days=1), 8)) == ["pagi", "kantor"]


def test_night_before_a_holiday_goes_on_into_it_when_it_keeps_no_holidays() -> None:
    roster = Roster(shifts=(replace(NIGHT, on_holidays=False),), holidays=(Holiday(day=MONDAY, name="Libur bersama"),))
    assert running(roster, local(MONDAY, 3)) == ["malam"]
    assert running(roster, local(MONDAY, 22)) == []


def test_others_are_expected_when_an_exception_names_them() -> None:
    exception = ShiftException(day=MONDAY, shift="malam", operators=(ANI, BUDI))
    roster = replace(THREE_SHIFTS, exceptions=(exception,))
    (tonight,) = sittings(roster, ZONE, local(MONDAY + timedelta(days=1), 2))
    assert (tonight.expected, tonight.seats) == ((ANI, BUDI), 2)
    (last_night,) = sittings(roster, ZONE, local(MONDAY, 2))
    assert last_night.expected == (CITRA,)


def test_shift_does_not_take_place_when_an_exception_names_nobody() -> None:
    roster = replace(THREE_SHIFTS, exceptions=(ShiftException(day=MONDAY, shift="pagi", operators=()),))
    assert running(roster, local(MONDAY, 8)) == []
    assert running(roster, local(MONDAY + timedelta(days=1), 8)) == ["pagi"]


def test_shift_takes_place_when_an_exception_puts_it_on_a_day_or_holiday_of_its_own() -> None:
    weekend = replace(MORNING, days=frozenset({5, 6}), on_holidays=False)
    roster = Roster(
        shifts=(weekend,),
        exceptions=(ShiftException(day=MONDAY, shift="pagi", operators=(CITRA,)),),
        holidays=(Holiday(day=MONDAY, name="Libur"),),
    )
    (sitting,) = sittings(roster, ZONE, local(MONDAY, 8))
    assert sitting.expected == (CITRA,)


@pytest.mark.parametrize(("seats", "counted"), [(None, 2), (1, 1), (5, 2)])
def test_seats_never_exceed_the_people_when_they_are_counted(seats: int | None, counted: int) -> None:
    (sitting,) = sittings(Roster(shifts=(replace(MORNING, seats=seats),)), ZONE, local(MONDAY, 8))
    assert sitting.seats == counted


def test_same_moment_has_another_shift_when_the_centre_is_in_another_zone() -> None:
    at = datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
    assert running(THREE_SHIFTS, at, "Asia/Jakarta") == ["pagi"]
    assert running(THREE_SHIFTS, at, "Asia/Jayapura") == ["pagi"]
    assert running(THREE_SHIFTS, at, "America/New_York") == ["siang"]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 28), 9), (date(2026, 10, 24), 11), (date(2026, 1, 5), 10)],
)
def test_night_is_shorter_or_longer_by_the_hour_when_clocks_change(day: date, hours: int) -> None:
    (sitting,) = sittings(Roster(shifts=(NIGHT,)), "Europe/Amsterdam", local(day, 23, zone="Europe/Amsterdam"))
    assert sitting.ends - sitting.begins == timedelta(hours=hours)


@pytest.mark.parametrize(("from_minute", "to_minute"), [(120, 180), (150, 180), (135, 165)])
def test_shift_does_not_take_place_when_clocks_leave_its_hour_out(from_minute: int, to_minute: int) -> None:
    zone, sunday = "Europe/Amsterdam", date(2026, 3, 29)
    shift = replace(MORNING, days=frozenset({6}), from_minute=from_minute, to_minute=to_minute)
    roster = Roster(
        shifts=(shift,), exceptions=(ShiftException(day=sunday + timedelta(days=7), shift="pagi", operators=()),)
    )
    before = local(sunday, 1, zone=zone)
    following = next_sitting(roster, zone, before)
    if following is not None:  # a quarter past two, which there is not, is a quarter past three
        assert following.begins < following.ends
        assert running(roster, following.begins, zone) == ["pagi"]
    else:
        assert next_change(roster, zone, before) is None


def test_next_change_is_the_next_begin_or_end_when_shifts_follow_each_other() -> None:
    assert next_change(THREE_SHIFTS, ZONE, local(MONDAY, 8)) == local(MONDAY, 14)
    assert next_change(THREE_SHIFTS, ZONE, local(MONDAY, 14)) == local(MONDAY, 21)


def test_next_change_is_the_end_when_nothing_follows() -> None:
    roster = Roster(shifts=(replace(MORNING, days=frozenset({0})),))
    assert next_change(roster, ZONE, local(MONDAY, 8)) == local(MONDAY, 14)
    assert next_change(roster, ZONE, local(MONDAY, 15)) == local(MONDAY + timedelta(days=7), 7)


def test_nothing_is_next_when_nothing_is_planned() -> None:
    far = ShiftException(day=MONDAY + timedelta(days=LOOK_AHEAD_DAYS + 1), shift="pagi", operators=(ANI,))
    roster = Roster(shifts=(replace(MORNING, days=frozenset()),), exceptions=(far,))
    assert next_change(roster, ZONE, local(MONDAY, 8)) is None
    assert next_sitting(roster, ZONE, local(MONDAY, 8)) is None
    assert next_change(Roster(), ZONE, local(MONDAY, 8)) is None
    assert next_change(roster, ZONE, local(MONDAY + timedelta(days=1), 8)) == local(far.day, 7)


def test_next_sitting_is_the_first_to_begin_when_one_runs() -> None:
    following = next_sitting(THREE_SHIFTS, ZONE, local(MONDAY, 8))
    assert following is not None
    assert (following.shift, following.begins) == ("siang", local(MONDAY, 14))


# --- what holds for every roster --------------------------------------------------------------------------------------

PEOPLE = st.lists(st.sampled_from((ANI, BUDI, CITRA)), unique=True, max_size=3).map(tuple)
DAYS = st.integers(min_value=-3, max_value=12).map(lambda offset: date(2026, 3, 24) + timedelta(days=offset))
"""Around the Sunday on which Europe's clocks go forward."""
SHIFTS = st.builds(
    Shift,
    name=st.sampled_from(("pagi", "siang", "malam")),
    days=st.frozensets(st.integers(min_value=0, max_value=6)),
    from_minute=st.integers(min_value=0, max_value=1439),
    to_minute=st.integers(min_value=0, max_value=1439),
    operators=PEOPLE,
    on_holidays=st.booleans(),
    seats=st.none() | st.integers(min_value=1, max_value=4),
)
ROSTERS = st.builds(
    Roster,
    shifts=st.lists(SHIFTS, max_size=4, unique_by=lambda shift: shift.name).map(tuple),
    exceptions=st.lists(
        st.builds(ShiftException, day=DAYS, shift=st.sampled_from(("pagi", "siang", "malam")), operators=PEOPLE),
        max_size=4,
    ).map(tuple),
    holidays=st.lists(st.builds(Holiday, day=DAYS, name=st.just("Libur")), max_size=3).map(tuple),
)
ZONES = st.sampled_from(
    ("Asia/Jakarta", "Asia/Jayapura", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe")
)
MOMENTS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=17)).map(
    lambda since: datetime(2026, 3, 22, tzinfo=UTC) + since
)


@given(ROSTERS, ZONES, MOMENTS)
def test_every_sitting_contains_the_moment_and_can_be_filled(roster: Roster, zone: str, at: datetime) -> None:
    for sitting in sittings(roster, zone, at):
        assert sitting.begins <= at < sitting.ends
        assert sitting.ends - sitting.begins <= timedelta(hours=25)
        assert 1 <= sitting.seats <= len(sitting.expected)
        assert sitting.begins.tzinfo is UTC


@given(ROSTERS, ZONES, MOMENTS, st.floats(min_value=0, max_value=1, exclude_max=True))
def test_sittings_stay_the_same_until_the_next_change(roster: Roster, zone: str, at: datetime, share: float) -> None:
    change = next_change(roster, zone, at)
    until = at + timedelta(days=1) if change is None else change
    between = min(at + (until - at) * share, until - timedelta.resolution)  # a share just below 1 is rounded up
    assert sittings(roster, zone, between) == sittings(roster, zone, at)


@given(ROSTERS, ZONES, MOMENTS)
def test_changes_go_forward_and_meet_a_begin_or_an_end(roster: Roster, zone: str, at: datetime) -> None:
    change = next_change(roster, zone, at)
    if change is not None:
        assert at < change <= at + timedelta(days=LOOK_AHEAD_DAYS + 2)
        begun = [sitting for sitting in sittings(roster, zone, change) if sitting.begins == change]
        ended = [
            sitting for sitting in sittings(roster, zone, change - timedelta(microseconds=1)) if sitting.ends == change
        ]
        assert begun or ended


@given(ROSTERS, ZONES, MOMENTS)
def test_next_sitting_runs_when_its_time_has_come(roster: Roster, zone: str, at: datetime) -> None:
    following = next_sitting(roster, zone, at)
    if following is not None:
        assert following.begins > at
        assert following in sittings(roster, zone, following.begins)


@given(ROSTERS, ZONES, MOMENTS)
def test_no_shift_runs_twice_at_once(roster: Roster, zone: str, at: datetime) -> None:
    names = [sitting.shift for sitting in sittings(roster, zone, at)]
    assert len(names) == len(set(names))
