from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.centre_facts import AlarmKind, AlarmRaised
from callflow.core.city import Roster, Shift
from callflow.core.facts import PartyKind, PartyMode
from callflow.core.ids import CallId, EndpointName, OfferId, OperatorId, offer_id
from callflow.core.ledger import Ledger
from callflow.core.roster import Sitting
from callflow.core.state import Call, Callback, Offer, Party, Recall, State
from callflow.core.states import CallState, OfferState
from callflow.core.switchboard import Switchboard
from callflow.core.timers import Timer, TimerKind

from .conftest import NOW

SHIFT = Shift(name="pagi", days=frozenset({0}), from_minute=0, to_minute=480, operators=())


def offer_of(call: Call, number: int) -> Offer:
    return Offer(
        offer=offer_id(call.call, number),
        call=call.call,
        operator=OperatorId("ani"),
        destination=None,
        state=OfferState.RINGING,
        made_at=NOW,
    )


def test_waiting_calls_stand_by_head_then_priority_then_company_then_time(call: Call) -> None:
    ledger = Ledger(State())
    later = NOW + timedelta(seconds=5)
    party = Party(name="medical", kind=PartyKind.MEDICAL, mode=PartyMode.DIRECT)
    calls = {
        "late": replace(call, call=CallId("late"), arrived_at=later),
        "calm": replace(call, call=CallId("calm"), priority=2),
        "less": replace(call, call=CallId("less"), priority=1),
        "lost": replace(call, call=CallId("lost"), priority=2, arrived_at=later, at_head=True),
        "early": replace(call, call=CallId("early")),
        "again": replace(call, call=CallId("again"), arrived_at=later, place_at=NOW - timedelta(seconds=1)),
        "suspect": replace(call, call=CallId("suspect"), later_seconds=10.0),
        "with ambulance": replace(call, call=CallId("with ambulance"), party=party, state=CallState.AGENCY_ONLY),
        "talks": replace(call, call=CallId("talks"), person=OfferId("talks.o1")),
        "handed over": replace(call, call=CallId("handed over"), seeks=False),
    }
    for one in calls.values():
        ledger.put_call(one)
    line = ["lost", "again", "early", "late", "suspect", "with ambulance", "less", "calm"]
    assert [one.call for one in ledger.waiting()] == line
    assert [ledger.place_in_line(calls[name]) for name in line] == [1, 2, 3, 4, 5, 6, 7, 8]
    ledger.put_call(replace(calls["early"], person=OfferId("early.o1")))
    ledger.drop_call(CallId("less"))
    assert [one.call for one in ledger.waiting()] == ["lost", "again", "late", "suspect", "with ambulance", "calm"]


def test_offers_of_a_call_are_told_oldest_first(call: Call) -> None:
    ledger = Ledger(State())
    first, second = offer_of(call, 1), offer_of(call, 2)
    for offer in (first, second, replace(first, state=OfferState.WITHDRAWN)):
        ledger.put_offer(offer)
    assert [offer.offer for offer in ledger.offers_of(call.call)] == [first.offer, second.offer]
    assert [o.offer for o in Ledger(ledger.state).offers_of(call.call)] == [first.offer, second.offer]
    ledger.drop_offer(first)
    ledger.drop_offer(second)
    assert ledger.offers_of(call.call) == ()


def test_operator_is_found_by_the_present_phone(switchboard: Switchboard) -> None:
    ledger = Ledger(switchboard.state)
    ani = ledger.operator_at(EndpointName("op-ani"))
    assert ani is not None
    ledger.put_operator(replace(ani, profile=replace(ani.profile, endpoint=EndpointName("op-new"))))
    assert ledger.operator_at(EndpointName("op-ani")) is None
    assert ledger.operator_at(EndpointName("op-new")) is not None


def test_alarm_is_written_once_and_dropped_once() -> None:
    ledger = Ledger(State())
    alarm = AlarmRaised(at=NOW, kind=AlarmKind.NO_FLOW, subject="", detail="x")
    assert [ledger.put_alarm(alarm), ledger.put_alarm(alarm)] == [True, False]
    assert [ledger.drop_alarm(AlarmKind.NO_FLOW, ""), ledger.drop_alarm(AlarmKind.NO_FLOW, "")] == [True, False]


def test_alarm_is_reworded_since_when_it_stands_and_only_when_it_says_something_new() -> None:
    ledger = Ledger(State())
    alarm = AlarmRaised(at=NOW, kind=AlarmKind.ARI_AWAY, subject="", detail="x")
    assert ledger.reword_alarm(AlarmKind.ARI_AWAY, "", "y") is None
    ledger.put_alarm(alarm)
    ledger.commit()
    assert ledger.reword_alarm(AlarmKind.ARI_AWAY, "", "x") is None
    assert ledger.reword_alarm(AlarmKind.ARI_AWAY, "", "y") == replace(alarm, detail="y")
    ledger.rollback()
    assert list(ledger.state.alarms.values()) == [alarm]


def test_timer_is_dropped_once() -> None:
    ledger = Ledger(State())
    timer = Timer(TimerKind.ANNOUNCE, "c")
    ledger.put_timer(timer, NOW)
    assert [ledger.drop_timer(timer), ledger.drop_timer(timer)] == [True, False]


def test_deciding_without_settings_is_a_fault_of_the_shell() -> None:
    with pytest.raises(AssertionError, match="SettingsChanged"):
        _ = Ledger(State()).settings


WRITES = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 3), st.booleans()), max_size=30)


@given(before=WRITES, after=WRITES)
def test_rollback_brings_back_the_state_and_the_line_whatever_was_written(
    before: list[tuple[int, int, bool]], after: list[tuple[int, int, bool]]
) -> None:
    ledger = Ledger(State())
    for write in before:
        _write(ledger, *write)
    ledger.commit()
    kept, line = copy.deepcopy(ledger.state), [call.call for call in ledger.waiting()]
    offers = {call: ledger.offers_of(call) for call in kept.calls}
    for write in after:
        _write(ledger, *write)
    ledger.rollback()
    assert ledger.state == kept
    assert [call.call for call in ledger.waiting()] == line
    assert {call: ledger.offers_of(call) for call in kept.calls} == offers


def _write(ledger: Ledger, kind: int, number: int, flag: bool) -> None:
    name = CallId(f"c{number}")
    call = Call(
        call=name,
        channel="x",  # type: ignore[arg-type]
        caller=None,  # type: ignore[arg-type]
        dialled="112",
        trunk="t",
        arrived_at=NOW,
        state=CallState.QUEUED if flag else CallState.CONNECTED,
        at_head=flag,
        seeks=flag,
    )
    offer = offer_of(call, number)
    timer = Timer(TimerKind.ANNOUNCE, name)
    match kind:
        case 0:
            ledger.put_call(call)
        case 1:
            ledger.drop_call(name)
        case 2:
            ledger.put_offer(offer)
        case 3 if ledger.offer(offer.offer) is not None:
            ledger.drop_offer(offer)
        case 4:
            ledger.put_timer(timer, NOW)
        case 5:
            recall = Recall(call=name, place_at=NOW, at_head=flag)
            ledger.put_recall(f"+{number}", recall if flag else None)
        case 6:
            ledger.put_callback(Callback(call=name, number=f"+{number}", opened_at=NOW, deadline=NOW))
        case 7:
            ledger.drop_callback(name)
        case 8:
            ledger.put_roster(Roster(shifts=(SHIFT,) * number))
        case 9:
            sitting = Sitting(shift="pagi", begins=NOW, ends=NOW, expected=(), seats=number)
            ledger.put_sittings((sitting,), NOW + timedelta(seconds=number))
        case 10:
            ledger.put_talk_seconds(float(number))
        case _:
            ledger.drop_timer(timer)
