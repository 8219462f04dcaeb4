"""Shifts: who is expected and there, seats that stay empty, breaks that last too long, the last one present."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from callflow.core.centre_facts import AlarmCleared, AlarmKind, AlarmRaised, RosterInForce, ShiftBegan
from callflow.core.city import Holiday, PauseReason, Roster, Shift, ShiftException
from callflow.core.commands import Refusal
from callflow.core.ids import OperatorId
from callflow.core.state import alarm_key
from callflow.core.states import CallState, OperatorState

from .centre import SETTINGS, START
from .phones import answers, never_answers
from .world import World

EVERY_DAY = frozenset(range(7))


def shift(*operators: str, name: str = "pagi", hours: tuple[int, int] = (9, 17), seats: int | None = None) -> Shift:
    """A shift of the centre's local hours; START is at eight."""
    return Shift(
        name=name,
        days=EVERY_DAY,
        from_minute=hours[0] * 60,
        to_minute=hours[1] * 60,
        operators=tuple(map(OperatorId, operators)),
        seats=seats,
    )


def until(world: World, minutes: float) -> None:
    """Let time pass to so many minutes after the start."""
    world.run(minutes * 60.0 - world.seconds)


def empty(world: World, name: str = "pagi") -> bool:
    return alarm_key(AlarmKind.SEAT_EMPTY, name) in world.switchboard.state.alarms


def test_beginning_of_a_shift_is_told_with_who_is_expected_and_there() -> None:
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    world.sign_in("ani")
    roster = Roster(shifts=(shift("ani", "budi"),))
    world.change_roster(roster)
    assert [fact.roster for fact in world.facts(RosterInForce)] == [roster]
    assert not world.facts(ShiftBegan)
    until(world, 60.1)
    (began,) = world.facts(ShiftBegan)
    assert (began.shift, began.expected, began.present) == ("pagi", ("ani", "budi"), ("ani",))
    assert began.until == datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def test_alarm_is_raised_and_everyone_rings_when_a_seat_is_empty_five_minutes_into_the_shift() -> None:
    world = World({"ani": never_answers(), "budi": answers(1.0), "citra": answers(1.0)}, signed_in=False)
    world.sign_in("ani")
    world.change_roster(Roster(shifts=(shift("ani", "budi"),)))
    until(world, 64.9)
    assert not empty(world)
    call = world.arrive("before", keys=[(0.1, "2")])
    world.run(3.0)
    assert world.offered(call) == ["ani"]
    until(world, 65.1)
    assert empty(world)
    (raised,) = [fact for fact in world.facts(AlarmRaised) if fact.kind is AlarmKind.SEAT_EMPTY]
    assert "budi" in raised.detail
    assert (raised.at - START).total_seconds() == 65 * 60
    world.run(3.0)
    assert {"budi", "citra"} <= set(world.offered(call))
    assert world.call(call).state is CallState.CONNECTED
    world.sign_in("budi")
    assert not empty(world)
    assert AlarmKind.SEAT_EMPTY in {fact.kind for fact in world.facts(AlarmCleared)}


def test_alarm_is_cleared_when_the_shift_ends() -> None:
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    world.change_roster(Roster(shifts=(shift("budi", hours=(9, 10)),)))
    until(world, 66)
    assert empty(world)
    until(world, 120.1)
    assert not empty(world)


@pytest.mark.parametrize(("seats", "is_empty"), [(1, False), (2, True), (None, True)])
def test_seats_say_how_many_of_the_expected_must_be_there(seats: int | None, is_empty: bool) -> None:
    world = World({"ani": answers(), "budi": answers(), "citra": answers()}, signed_in=False)
    world.sign_in("ani")
    world.change_roster(Roster(shifts=(shift("ani", "budi", "citra", seats=seats),)))
    until(world, 66)
    assert empty(world) is is_empty


def test_seat_is_empty_when_the_phone_of_who_signed_in_is_off_and_filled_during_a_break() -> None:
    world = World({"ani": answers(), "budi": answers()})
    world.change_roster(Roster(shifts=(shift("ani"),)))
    world.pause("ani")
    until(world, 66)
    assert not empty(world)
    world.set_online("ani", online=False)
    world.run(1.0)
    assert empty(world)


def test_roster_is_looked_at_at_once_when_it_changes_in_the_middle_of_a_shift() -> None:
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    world.run(600.0)
    world.change_roster(Roster(shifts=(shift("ani", hours=(7, 15)),)))
    assert empty(world)
    world.change_roster(Roster())
    assert not empty(world)


def test_holidays_and_exceptions_change_who_is_expected() -> None:
    today = date(2026, 1, 5)
    holiday = replace(shift("ani", name="libur"), on_holidays=False)
    roster = Roster(
        shifts=(holiday, shift("ani", name="tukar"), shift("ani", name="tutup")),
        exceptions=(
            ShiftException(day=today, shift="tukar", operators=(OperatorId("budi"),)),
            ShiftException(day=today, shift="tutup", operators=()),
        ),
        holidays=(Holiday(day=today, name="Tahun baru"),),
    )
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    world.change_roster(roster)
    until(world, 66)
    assert [(fact.shift, fact.expected) for fact in world.facts(ShiftBegan)] == [("tukar", ("budi",))]
    until(world, 60 * 24 + 66)
    later = {(fact.shift, fact.expected) for fact in world.facts(ShiftBegan)[1:]}
    assert later == {("libur", ("ani",)), ("tukar", ("ani",)), ("tutup", ("ani",))}


def test_night_shift_goes_on_past_midnight() -> None:
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    world.change_roster(Roster(shifts=(shift("ani", name="malam", hours=(22, 6)),)))
    until(world, 14 * 60 + 6)
    assert empty(world, "malam")
    until(world, 17 * 60)
    assert empty(world, "malam")
    until(world, 22 * 60 + 1)
    assert not empty(world, "malam")


def test_shift_is_told_once_when_the_engine_restarts_in_its_middle() -> None:
    world = World({"ani": answers(), "budi": answers()}, signed_in=False)
    world.change_roster(Roster(shifts=(shift("ani"),)))
    until(world, 62)
    world.restart(world.checkpoint())
    until(world, 66)
    assert len(world.facts(ShiftBegan)) == 1
    assert empty(world)


# --- breaks ---------------------------------------------------------------------------------------------------------


def test_alarm_is_raised_when_a_break_lasts_longer_than_its_reason_allows() -> None:
    world = World({"ani": answers(), "budi": answers()})
    world.pause("ani", "istirahat")
    world.run(599.0)
    assert AlarmKind.PAUSE_OVERDUE not in world.alarms()
    world.run(2.0)
    assert AlarmKind.PAUSE_OVERDUE in world.alarms()
    assert world.operator("ani").state is OperatorState.PAUSED
    world.resume("ani")
    assert AlarmKind.PAUSE_OVERDUE not in world.alarms()


@pytest.mark.parametrize("ends", ["resume", "sign_out", "retire", "pause again"])
def test_limit_of_a_break_ends_with_it(ends: str) -> None:
    world = World({"ani": answers(), "budi": answers()})
    world.pause("ani", "istirahat")
    world.run(500.0)
    if ends == "resume":
        world.resume("ani")
    elif ends == "sign_out":
        world.sign_out("ani")
    elif ends == "retire":
        world.sign_out("ani")
        world.change_operator("ani", active=False)
    else:
        world.pause("ani", "makan")
    world.run(200.0)
    assert AlarmKind.PAUSE_OVERDUE not in world.alarms()


@pytest.mark.parametrize(("reason", "pause"), [("makan", "makan"), ("1", "makan"), ("5", "pemulihan"), ("", "pause")])
def test_reason_is_taken_by_name_or_key(reason: str, pause: str) -> None:
    world = World({"ani": answers(), "budi": answers()})
    assert world.pause("ani", reason) is None
    assert world.operator("ani").pause == pause


def test_break_is_refused_when_the_centre_does_not_know_the_reason() -> None:
    world = World({"ani": answers(), "budi": answers()})
    assert world.pause("ani", "tidur") is Refusal.UNKNOWN_REASON
    assert world.operator("ani").state is OperatorState.AVAILABLE


def test_break_without_a_known_reason_has_a_limit_too() -> None:
    reason = PauseReason(key="1", name="makan", label_id="Makan", label_en="Meal", limit_seconds=60.0)
    world = World({"ani": answers(), "budi": answers()}, settings=replace(SETTINGS, pause_reasons=(reason,)))
    world.pause("ani", "")
    world.run(901.0)
    assert AlarmKind.PAUSE_OVERDUE in world.alarms()


def test_limit_of_a_break_begins_when_the_break_does() -> None:
    world = World({"ani": answers(1.0, talks_seconds=700.0), "budi": answers()})
    world.arrive("a", keys=[(0.1, "2")])
    world.run(3.0)
    world.pause("ani", "istirahat")
    world.run(800.0)
    assert world.operator("ani").state is OperatorState.PAUSED
    assert AlarmKind.PAUSE_OVERDUE not in world.alarms()
    world.run(600.0)
    assert AlarmKind.PAUSE_OVERDUE in world.alarms()


# --- the last one present -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", ["pause", "sign_out"])
def test_last_one_present_stays_unless_a_supervisor_agrees(leaves: str) -> None:
    world = World({"ani": answers(), "budi": answers()})
    assert world.pause("budi") is None
    leave = getattr(world, leaves)
    assert leave("ani") is Refusal.LAST_PRESENT
    assert leave("ani", approved_by="sari") is None
    assert AlarmKind.NOBODY_READY in world.alarms()


def test_one_of_two_in_calls_may_pause_and_the_other_is_last_then() -> None:
    world = World({"ani": answers(0.5), "budi": answers(0.5)})
    for name in ("a", "b"):
        world.arrive(name, keys=[(0.1, "2")], number=None)
    world.run(2.0)
    assert world.pause("ani") is None
    assert world.pause("budi") is Refusal.LAST_PRESENT
    world.resume("ani")
    assert world.pause("budi") is None


@pytest.mark.parametrize("other", ["offline", "elsewhere", "set aside", "signed out"])
def test_colleague_who_cannot_take_calls_is_not_present(other: str) -> None:
    world = World({"ani": answers(12.0), "budi": never_answers()}, signed_in=False)
    world.sign_in("budi")
    world.run(1.0)
    if other == "set aside":
        world.arrive("a", keys=[(0.1, "2")], hangs_up_after=25.0)
        world.run(16.0)
        assert world.operator("budi").pause == "no_answer"
    world.sign_in("ani")
    if other == "offline":
        world.set_online("budi", online=False)
    elif other == "elsewhere":
        world.use_elsewhere("budi", using=True)
    elif other == "signed out":
        world.sign_out("budi", approved_by="sari")
    world.run(0.5)
    assert world.pause("ani") is Refusal.LAST_PRESENT
